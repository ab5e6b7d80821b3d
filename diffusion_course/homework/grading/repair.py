"""One mistake is paid for once: where a single function is wrong, the results are judged with a right one in its place.

A missing root in `add_noise` spoils the training, and with it all samples. So when exactly one function was attempted
and is not right, and results have lost points, the cells after it are run once more with the solution in its place, in
the same process, and the tests of the results ask again. The better points count. Two wrong functions are two
mistakes, and a blank is none: then the results stand as they are.
"""

import copy
import re

from ..course import is_test, part_of
from ..report import answers
from .judge import ONE_STEP

TOLD = " (Judged with a right `{}` in place of yours, so that its mistake costs only its own part. With yours: {})"


def repair(run, solution, parts) -> None:
    """Judge the results again, if that is due, after `run` has come to its end.

    `solution` are the cells of the source; `parts` has the names of the functions asked for, `QUESTIONS`, and of the
    `RESULTS` that one wrong function may spoil.
    """
    cells = run.notebook.cells
    tests = {_name(cell): i for i, cell in enumerate(cells) if cell.cell_type == "code" and is_test(cell)}
    lost = [name for name, i in tests.items() if _points(cells[i]) < cells[i].metadata.nbgrader.points]
    wrong, after = ([name for name in lost if name in some] for some in (parts.QUESTIONS, parts.RESULTS))
    said = _said(cells[tests[wrong[0]]]) if len(wrong) == 1 and after else ""
    if "✗" in said and not _lacks_its_loop(cells, wrong[0], said) and _run_again(run, wrong[0], solution):
        for name in after:
            _judge_again(run, tests[name], wrong[0])


def _lacks_its_loop(cells, name: str, said: str) -> bool:
    """Is it one step because there is no loop? That is a blank; to return too early from a loop is a mistake."""
    if not any(fault in said for fault in ONE_STEP):
        return False
    own = [cell.source for cell in cells if cell.cell_type == "code" and not is_test(cell)]
    return not re.search(r"\b(for|while)\b", answers.read(own, [name]).program)


def _run_again(run, name: str, solution) -> bool:
    """Put the solution in the place of this function and run the student's cells after it; False if that fails."""
    place, right = _place(run.notebook.cells, name), _place(solution, name)
    if place is None or right is None:
        return False
    own = [cell for cell in run.notebook.cells[place + 1 :] if cell.cell_type == "code" and not is_test(cell)]
    return all(run.ask(cell.source) for cell in (solution[right], *own))


def _judge_again(run, index: int, wrong: str) -> None:
    before = run.notebook.cells[index]
    again = copy.deepcopy(before)
    run.judge(again, index)
    if _points(again) > _points(before):
        yours = _said(before).strip().split(": ", 1)[-1]
        again.outputs[0].text = _said(again).rstrip() + TOLD.format(wrong, yours) + "\n"
        run.notebook.cells[index] = again


def _name(cell) -> str:
    return part_of(cell.metadata.nbgrader.grade_id).replace("-", "_")


def _place(cells, name: str) -> int | None:
    """Where the solution of this part stands."""
    claims = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells]
    wanted = name.replace("_", "-")
    return claims.index(wanted) if wanted in claims else None


def _points(cell) -> float:
    return next((float(out.data["text/plain"]) for out in cell.outputs if out.output_type == "execute_result"), 0.0)


def _said(cell) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")
