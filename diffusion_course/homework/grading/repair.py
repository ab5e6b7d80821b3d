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
from .records import is_own, judged, points

TOLD = " (Judged with a right `{}` in place of yours, so that its mistake costs only its own part. With yours: {})"


def repair(run, solution, parts) -> None:
    """Judge the results again, if that is due, after `run` has come to its end.

    `solution` are the cells of the source; `parts` has the names of the functions asked for, `QUESTIONS`, and of the
    `RESULTS` that one wrong function may spoil.
    """
    cells = run.notebook.cells
    tests = {_name(cell): i for i, cell in enumerate(cells) if is_test(cell)}
    lost = [name for name, i in tests.items() if points(cells[i]) < cells[i].metadata.nbgrader.points]
    wrong, after = ([name for name in lost if name in some] for some in (parts.QUESTIONS, parts.RESULTS))
    if len(wrong) != 1 or not after:
        return
    (name,) = wrong
    said, place, right = judged(cells[tests[name]]).message, _place(cells, name), _place(solution, name)
    if place is None or right is None or not said.startswith("✗") or _lacks_its_loop(cells, name, said):
        return
    again = solution[right], *filter(is_own, cells[place + 1 :])
    if all(run.ask(cell.source) for cell in again):
        for result in after:
            _judge_again(run, tests[result], name)


def _lacks_its_loop(cells, name: str, said: str) -> bool:
    """Is it one step because there is no loop? That is a blank; to return too early from a loop is a mistake."""
    if not any(fault in said for fault in ONE_STEP):
        return False
    return not re.search(r"\b(for|while)\b", answers.read([c.source for c in filter(is_own, cells)], [name]).program)


def _judge_again(run, index: int, wrong: str) -> None:
    before = run.notebook.cells[index]
    again = copy.deepcopy(before)
    run.judge(again)
    if points(again) > points(before):
        yours = judged(before).message.split(": ", 1)[-1]
        again.outputs[0].text = judged(again).message + TOLD.format(wrong, yours) + "\n"
        run.notebook.cells[index] = again


def _name(cell) -> str:
    return part_of(cell.metadata.nbgrader.grade_id).replace("-", "_")


def _place(cells, name: str) -> int | None:
    """Where the solution of this part stands."""
    claims = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells]
    wanted = name.replace("_", "-")
    return claims.index(wanted) if wanted in claims else None
