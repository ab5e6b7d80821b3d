"""Where each student stands: the roster, what was handed in, what the machine found and what the teacher gave, as one.

Nobody is left out: every student of the roster and every name under `submitted/` has a status.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

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
    record: Record | None
    late: Lateness
    path: Path | None  # of what can be graded

    @property
    def judged(self) -> bool:
        """Has the machine given points to its parts?"""
        return bool(self.record and self.record.parts)

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
    status, reason, record, late, path = NOT_SUBMITTED, "", None, Lateness(), None
    if found and found.problem:
        status, reason = found.problem.status, str(found.problem)
    elif found:
        status, path = NOT_GRADED, found.path
        late, record = lateness.of(course, student, path), records.load(course, student)
        if record and record.submission == submission.digest(path)[0]:
            status, reason = record.status, record.reason
        else:
            record = None
    graded = record.parts if record else {}
    parts = {name: graded.get(name, Part(None, "")) for name in course.parts}
    if graded and mark.points is not None:
        parts["conclusions"] = Part(mark.points, parts["conclusions"].message)
    return Standing(student, course.roster.get(student, ""), status, reason, parts, mark, record, late, path)


# ---- as the shell tells it ------------------------------------------------------------------------


def lines(course: Course, everyone: list[Standing]) -> list[str]:
    """A line for each student or team, sorted, then how many have each status and what to do next."""
    rows = []
    for each in everyone:
        points = f"{sum(part.points or 0 for part in each.parts.values()):g} + sentences" if each.judged else ""
        points = points if each.total is None else f"{each.total:g} of {course.most:g}"
        why = " ".join(filter(None, [each.reason, each.late.told]))
        told = f"{each.status}. {why}" if why else each.status
        rows.append([visible(text) for text in (each.id, each.name, points, told)])
    width, names = (max((len(row[i]) for row in rows), default=0) for i in (0, 1))
    counts = Counter(each.status for each in everyone)
    return [
        *(f"{id:{width}}  {name:{names}}  {points:>14}  {told}" for id, name, points, told in rows),
        "",
        ", ".join(f"{count} {status}" for status, count in counts.most_common()),
        *_next(course, everyone),
    ]


def _next(course: Course, everyone: list[Standing]) -> list[str]:
    """What is left, in the order in which it is done."""
    waiting = sum(each.status in (NOT_GRADED, FAILED) for each in everyone)
    unmarked = sum(each.judged and each.total is None for each in everyone)
    mended = [each.id for each in everyone if each.status not in (NOT_SUBMITTED, GRADED, NOT_GRADED, FAILED)]
    begin, busy = f"`diffusion-course homework grade {course.root}`", grade.busy(course)
    old = "worksheet.csv is older than a file under submitted/: if someone has handed in again, download it again."
    left = {
        f"A grading is at work here; {waiting} wait for it.": busy,
        f"{waiting} to grade: {begin}.": waiting and not busy,
        old: lateness.outdated(course, [each.path for each in everyone if each.path]),
        f"{unmarked} wait for points in {course.root / 'marks.csv'}.": unmarked,
        f"{len(mended)} to look at: {', '.join(map(visible, mended))}.": mended,
    }
    return [text for text, due in left.items() if due]
