"""When something was handed in, and what it costs to be late.

The time is taken from the first of these that tells it: the class list or the grading worksheet (Moodle's column *Last
modified (submission)*, or one named *handed in*); the `timestamp.txt` that `nbgrader collect` leaves, which a student
may have written, or, only if the settings say so, the date of the file if it is later: a downloaded one often has that
of the download. Canvas tells no time but marks the names of late files; where nothing else is known, such a file counts
as handed in within the first day after.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path

from ..course import Course
from ..prepare.settings import when
from . import submission
from .roster import Person, is_late

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Lateness:
    """The share of the points that it costs, and how late it is, in words for the student and the table."""

    costs: float = 0.0
    told: str = ""


def of(course: Course, student: str, path: Path) -> Lateness:
    """Of what this student or team has handed in. ValueError for a date in the tables that cannot be read."""
    rule, members = course.settings.late, course.hands[student]
    due = [date for person in members if (date := _date("the due date", person, person.due) or rule.due)]
    if len(due) < len(members):  # no date at all is the latest of all
        return Lateness()
    at = _handed_in(course, student, path)
    marked = any(is_late(Path(name).stem) for name in path.relative_to(course.root / "submitted").parts)
    by = at - max(due) if at else timedelta(minutes=rule.grace + 1) if marked else timedelta(0)
    if by <= timedelta(minutes=rule.grace):
        return Lateness()
    costs = min(ceil(by / DAY) * rule.percent, rule.most) / 100
    how = _duration(by) if at else "marked by Canvas as handed in"
    return Lateness(costs, f"{how} late: {100 * costs:g} % of the points are taken off.")


def outdated(course: Course, paths: list[Path]) -> bool:
    """Was `worksheet.csv`, whose times count, saved before something of this was handed in?"""
    sheet = course.root / "worksheet.csv"
    known = course.settings.late.due and sheet.is_file()
    paths = list(filter(os.path.lexists, paths))  # not what may not be looked at
    return bool(known and any(path.lstat().st_mtime > sheet.stat().st_mtime + 1 for path in paths))


def _date(what: str, person: Person, text: str) -> datetime | None:
    try:
        return when(text)
    except ValueError as error:
        raise ValueError(f"{what} of {person.id}: {error}") from None


def _handed_in(course: Course, student: str, path: Path) -> datetime | None:
    listed = [_date("the time of handing in", person, course.listed(person).time) for person in course.hands[student]]
    if found := list(filter(None, listed)):
        return max(found)
    folder, *inside = path.relative_to(course.root / "submitted").parts
    if inside[:-1] == [course.assignment] and (folder in course.people or folder in course.hands):
        with suppress(Exception):  # it may be missing, or the student's own, as all files
            stamp = submission.read(path.with_name("timestamp.txt")).decode()
            found += filter(None, [when(stamp.strip()[:100])])
    with suppress(ValueError, OverflowError, OSError):  # a file may have a date of no year
        found += [datetime.fromtimestamp(path.lstat().st_mtime)] if course.settings.late.files else []
    return max(found, default=None)


def _duration(by: timedelta) -> str:
    hours, minutes = divmod(by.seconds // 60, 60)
    parts = [(by.days, "day"), (hours, "hour"), (minutes, "minute")]
    return " ".join(f"{n} {name}{'s' if n > 1 else ''}" for n, name in parts if n) or "less than a minute"
