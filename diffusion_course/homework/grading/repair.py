"""One mistake is paid for once: where a single function is wrong, the results are judged with a right one in its place.

A missing root in `add_noise` spoils the training, and with it all samples. So when exactly one function was attempted
and is not right, and results have lost points, the cells after it are run once more with the solution in its place, in
the same process, and the tests of the results ask again. The better points count. Two wrong functions are two
mistakes, and a blank is none: then the results stand as they are.
"""

import copy
from pathlib import Path

from nbgrader.utils import determine_grade

from ..assignments import parts_of
from ..course import is_test, notebook, part_of
from .channel import NoAnswer

SOURCE = Path("source")  # in the course directory, where nbgrader runs
TOLD = " (Judged with a right `{}` in place of yours, so that its mistake costs only its own part.)"


def repair(execute) -> None:
    """Judge the results again, if that is due. `execute` has run the notebook `execute.nb` to its end."""
    tests = {_name(cell): i for i, cell in enumerate(execute.nb.cells) if cell.cell_type == "code" and is_test(cell)}
    lost = [name for name, i in tests.items() if _lost(execute.nb.cells[i])]
    source = next(SOURCE.glob("*/*.ipynb"), None)
    parts = parts_of(source.stem) if source else None
    if parts is None:
        return
    wrong = [name for name in lost if name in parts.QUESTIONS]
    after = [name for name in lost if name in parts.RESULTS]
    if len(wrong) != 1 or not after or "✗" not in _said(execute.nb.cells[tests[wrong[0]]]):
        return
    if _run_again(execute, wrong[0], notebook(source).cells):
        for name in after:
            _judge_again(execute, tests[name], TOLD.format(wrong[0]))


def _run_again(execute, name: str, solution: list) -> bool:
    """Put the solution in the place of this function and run the student's cells after it; False if that fails."""
    place = _place(execute.nb.cells, name)
    right = _place(solution, name)
    if place is None or right is None:
        return False
    own = [cell for cell in execute.nb.cells[place + 1 :] if cell.cell_type == "code" and not is_test(cell)]
    for cell in (solution[right], *own):
        try:
            request = {"do": "run", "source": cell.source}
            execute._student.channel.ask(request, execute.cell_seconds)
        except NoAnswer:
            return False
    return True


def _judge_again(execute, index: int, told: str) -> None:
    before = execute.nb.cells[index]
    again = copy.deepcopy(before)
    execute._grade(again, index)
    better = determine_grade(again)[0] > determine_grade(before)[0]
    for output in again.outputs:
        if output.get("name") == "stdout":
            output.text = output.text.rstrip() + told + "\n"
    execute.nb.cells[index] = again if better else before


def _name(cell) -> str:
    return part_of(cell.metadata.nbgrader.grade_id).replace("-", "_")


def _place(cells, name: str) -> int | None:
    """Where the solution of this part stands."""
    claims = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells]
    wanted = name.replace("_", "-")
    return claims.index(wanted) if wanted in claims else None


def _lost(cell) -> bool:
    points, most = determine_grade(cell)
    return points < most


def _said(cell) -> str:
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
