"""One mistake is paid for once: results are judged with a right function in the place of the wrong one.

A missing root in `add_noise` spoils the training, and with it all samples. So when results have lost points, and a
function was attempted and is not right, the cells from there on are run once more with the solution in its place, in
the same process, and the tests ask again; so do those of functions that it kept from being seen at work. The better
points count. Of several wrong functions each is tried alone: a second one that spoils nothing does not matter, and one
that does is a second mistake. For it all cells run in a new process: the one before may have kept what was right there.
A blank is none: then the results stand as they are.
"""

import copy
import re

from ..course import is_test, part_of
from ..report import answers
from .judge import ONE_STEP
from .records import is_own, judged, points

MOST = 3  # wrong functions: of more, none is tried
TOLD = " (Judged with a right `{}` in place of yours, so that its mistake costs only its own part. With yours: {})"


def repair(run, solution, parts) -> None:
    """Judge again what has lost points, if that is due, after `run` has come to its end.

    `solution` are the cells of the source; `parts` has the names of the functions asked for, `QUESTIONS`, and of the
    `RESULTS` that one wrong function may spoil.
    """
    cells = run.notebook.cells
    tests = {_name(cell): i for i, cell in enumerate(cells) if is_test(cell)}
    lost = {name: judged(cells[i]).message for name, i in tests.items() if _has_lost(cells[i])}
    functions = [name for name in lost if name in parts.QUESTIONS]
    wrong = [name for name in functions if lost[name].startswith("✗") and not _lacks_its_loop(cells, name, lost[name])]
    places = {name: place for name in wrong if (place := _place(cells, name)) is not None}
    unseen = [name for name in functions if lost[name].startswith("○")]
    results = [name for name in lost if name in parts.RESULTS]
    for tried, (name, place) in enumerate(places.items() if len(wrong) <= MOST else ()):
        if (right := _place(solution, name)) is None or not any(_has_lost(cells[tests[part]]) for part in results):
            return
        again = [solution[right] if i == place else cell for i, cell in enumerate(cells) if is_own(cell)]
        first = sum(map(is_own, cells[: min(places.values())]))
        if tried:
            run.afresh()
        if not all(run.ask(cell.source) for cell in again[0 if tried else first :]):
            return
        run.student.again += (name,)
        for part in unseen + results:
            _judge_again(run, tests[part], name)


def _has_lost(cell) -> bool:
    return points(cell) < cell.metadata.nbgrader.points


def _lacks_its_loop(cells, name: str, said: str) -> bool:
    """Is it one step because there is no loop? That is a blank; to return too early from a loop is a mistake."""
    if not any(fault in said for fault in ONE_STEP):
        return False
    reached = answers.read([c.source for c in filter(is_own, cells)], [name]).program.partition(answers.ALL)[0]
    return not re.search(r"\b(for|while)\b", reached)


def _judge_again(run, index: int, wrong: str) -> None:
    before = run.notebook.cells[index]
    again = copy.deepcopy(before)
    run.judge(again)
    if points(again) > points(before):
        yours = judged(before).message.split(": ", 1)[-1].split(TOLD.split("{}")[0])[0]
        again.outputs[0].text = judged(again).message + TOLD.format(wrong, yours) + "\n"
        run.student.remarks = [told for told in run.student.remarks if yours not in told]  # it was no doubtful work
        run.notebook.cells[index] = again


def _name(cell) -> str:
    return part_of(cell.metadata.nbgrader.grade_id).replace("-", "_")


def _place(cells, name: str) -> int | None:
    """Where the solution of this part stands."""
    claims = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells]
    wanted = name.replace("_", "-")
    return claims.index(wanted) if wanted in claims else None
