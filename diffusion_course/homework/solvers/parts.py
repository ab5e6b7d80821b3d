"""What the second homework asks and what it earns. Functions are judged by hidden questions, what was measured in
`results`. `parts.grade(name, globals())` is all that a test cell calls.
"""

from functools import partial

from ...check import homework as check
from ..grading import judge
from . import results

FUNCTIONS = "follow euler_step heun_step two_step order told_loss guided mean_and_error".split()
QUESTIONS = {name: getattr(check, name).draw for name in FUNCTIONS}
_function = partial(judge.function, QUESTIONS)
PARTS: judge.Parts = {
    "follow": (1.0, _function("follow")),
    "euler_step": (0.5, _function("euler_step")),
    "heun_step": (1.0, _function("heun_step")),
    "two_step": (1.0, _function("two_step")),
    "order": (0.5, _function("order")),
    "errors": (1.0, results.errors),
    "my_grid": (1.0, results.my_grid),
    "told_loss": (1.0, _function("told_loss")),
    "training": (1.0, results.training),
    "guided": (0.5, _function("guided")),
    "mean_and_error": (0.5, _function("mean_and_error")),
    "measured": (1.0, results.measured),
}
grade = partial(judge.grade, PARTS)
FIGURES = results.figures
RESULTS = ("errors", "training", "measured")
ALIKE = {
    "(the checks)": (["check/homework/solvers.py", "check/homework/steered.py"], FUNCTIONS),
    "(the package)": (["samplers.py", "guidance.py"], ["ddim_step", "heun_step", "heun", "dpm_solver", "guided"]),
}
