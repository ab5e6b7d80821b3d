"""What can be set. An assignment is a notebook of the clone, `notebooks/homework/NAME.ipynb`, and a folder NAME here,
whose file `parts` says what is asked and what it earns:

    PARTS      part → (points, judge), in the order of the notebook (`judge.Parts`)
    QUESTIONS  the parts that are functions → what draws their hidden questions
    FIGURES    what of the student's results a teacher needs beside their sentences, as text
    RESULTS    the parts that one wrong function may spoil (`repair`)
    ALIKE      a name → files of the package and names in them, to compare submissions with (`similar`)
"""

from importlib import import_module
from types import ModuleType

ASSIGNMENTS = ("spiral", "solvers")  # the first is set where none is named


def parts_of(assignment: str) -> ModuleType:
    """The file that judges this assignment."""
    return import_module(f"{__package__}.{assignment}.parts")
