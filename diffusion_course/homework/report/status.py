"""How far a class is: a line for everyone, and what is left to do."""

from collections import Counter

from ..course import Course
from ..grading import grade
from ..grading.records import FAILED, GRADED
from ..tables import visible
from . import standing
from .standing import NOT_GRADED, Standing


def lines(course: Course, everyone: list[Standing]) -> list[str]:
    """A line for each student or team, sorted, then how many have each status and what to do next."""
    width = max((len(visible(each.id)) for each in everyone), default=0)
    names = max((len(visible(each.name)) for each in everyone), default=0)
    table = [
        f"{visible(each.id):{width}}  {visible(each.name):{names}}  {_points(each, course.most):>14}  {_told(each)}"
        for each in everyone
    ]
    counts = Counter(each.status for each in everyone)
    return [
        *table,
        "",
        ", ".join(f"{count} {status}" for status, count in counts.most_common()),
        *_next(course, everyone),
    ]


def _points(each: Standing, most: float) -> str:
    if not (each.record and each.record.parts):
        return ""
    if each.total is not None:
        return f"{each.total:g} of {most:g}"
    return f"{sum(part.points or 0 for part in each.parts.values()):g} + sentences"


def _told(each: Standing) -> str:
    why = [each.reason, each.late.told]
    return visible(" ".join([each.status + ("." if any(why) else ""), *filter(None, why)]))


def _next(course: Course, everyone: list[Standing]) -> list[str]:
    """What is left, in the order in which it is done."""
    waiting = [each for each in everyone if each.status in (NOT_GRADED, FAILED)]
    unmarked = [each for each in everyone if each.record and each.record.parts and each.total is None]
    mended = [each for each in everyone if each.status not in (standing.NOT_SUBMITTED, GRADED, NOT_GRADED, FAILED)]
    return [
        *(["A grading is at work here."] if grade.busy(course) else []),
        *([f"{len(waiting)} to grade: `diffusion-course homework grade`."] if waiting else []),
        *([f"{len(unmarked)} wait for points in {course.root / 'marks.csv'}."] if unmarked else []),
        *([f"{len(mended)} to look at: {', '.join(visible(each.id) for each in mended)}."] if mended else []),
    ]
