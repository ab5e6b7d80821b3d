"""Where each student stands: the roster, what was handed in, what the machine found and what the teacher gave, as one.

Nobody is left out: every student of the roster and every name under `submitted/` has a status.
"""

from collections import Counter
from dataclasses import dataclass

from ..collect import lateness, submission
from ..collect.lateness import Lateness
from ..collect.roster import Person
from ..course import Course
from ..grading import grade, records
from ..grading.records import FAILED, GRADED, Part, Record
from ..tables import visible
from . import marks

NOT_SUBMITTED = "not submitted"
NOT_GRADED = "not graded yet"


@dataclass(frozen=True)
class Standing:
    """One student's. `parts` has every graded part, with points None where there are none (yet)."""

    id: str
    name: str
    status: str
    reason: str
    parts: dict[str, Part]
    mark: marks.Mark
    record: Record | None = None
    late: Lateness = lateness.ON_TIME

    @property
    def full(self) -> float | None:
        """All points, with the teacher's correction, before what lateness costs; None while any part has none."""
        points = [part.points for part in self.parts.values() if part.points is not None]
        return max(0.0, sum(points) + self.mark.correction) if len(points) == len(self.parts) else None

    @property
    def lost(self) -> float:
        """The points that lateness costs."""
        return round(self.late.costs * (self.full or 0.0), 2)

    @property
    def total(self) -> float | None:
        return None if self.full is None else round(self.full - self.lost, 2)


def standings(course: Course) -> list[Standing]:
    """Everyone's, sorted by id. Raises ValueError for a roster or marks that cannot be read."""
    given, found = marks.read(course), {each.id: each for each in submission.survey(course)}
    everyone = sorted(set(course.roster) | set(found))
    return [_standing(course, name, found.get(name), given.get(name, marks.Mark())) for name in everyone]


def members(course: Course, everyone: list[Standing]) -> list[tuple[Person, Standing]]:
    """Each student by their own id with the standing of their team, and each name of nobody's with its own, sorted."""
    pairs = [(person, each) for each in everyone for person in course.hands.get(each.id, [Person(each.id)])]
    return sorted(pairs, key=lambda pair: pair[0].id)


def _standing(course: Course, student: str, found: submission.Submission | None, mark: marks.Mark) -> Standing:
    status, reason, record, late = NOT_SUBMITTED, "", None, lateness.ON_TIME
    if found and found.problem:
        status, reason = found.problem.status, str(found.problem)
    elif found:
        record, late = records.load(course, student), lateness.of(course, student, found.path)
        if record and record.submission == submission.digest(found.path)[0]:
            status, reason = record.status, record.reason
        else:
            status, record = NOT_GRADED, None
    parts = _parts(course, record.parts if record else {}, mark)
    return Standing(student, course.roster.get(student, ""), status, reason, parts, mark, record, late)


def _parts(course: Course, graded: dict[str, Part], mark: marks.Mark) -> dict[str, Part]:
    parts = {name: graded.get(name, Part(None, "")) for name in course.parts}
    if graded and mark.points is not None:
        parts["conclusions"] = Part(mark.points, parts["conclusions"].message)
    return parts


# ---- as the shell tells it ------------------------------------------------------------------------


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
    mended = [each for each in everyone if each.status not in (NOT_SUBMITTED, GRADED, NOT_GRADED, FAILED)]
    came = [found.path for found in submission.survey(course) if not found.problem]
    old = "worksheet.csv is older than a file under submitted/: if someone has handed in again, download it again."
    begin, busy = f"`diffusion-course homework grade {course.root}`", grade.busy(course)
    return [
        *([f"A grading is at work here; {len(waiting)} wait for it."] if busy else []),
        *([f"{len(waiting)} to grade: {begin}."] if waiting and not busy else []),
        *([old] if lateness.outdated(course, came) else []),
        *([f"{len(unmarked)} wait for points in {course.root / 'marks.csv'}."] if unmarked else []),
        *([f"{len(mended)} to look at: {', '.join(visible(each.id) for each in mended)}."] if mended else []),
    ]
