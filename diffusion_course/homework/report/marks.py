"""The teacher's marks: one table, `marks.csv`, filled in with any spreadsheet.

A row a student or team with the three sentences as plain text, and last the figures of their own run; the teacher fills
in `points`, and where they like `comment` (shown to the student) and `correction` (points added to or taken from the
machine's). `grade` adds new rows and keeps what is filled in. What was filled in for other sentences than those handed
in now does not count: the row is to be marked again, and its note says what stood there.
"""

from dataclasses import dataclass

from .. import tables
from ..collect.roster import loose
from ..course import Course
from ..grading import records

COLUMNS = ("id", "name", "conclusions", "points", "correction", "comment", "note", "figures")
OURS = ("name", "figures")  # brought up to date each time; a table from before may be without
GIVEN = ("points", "correction", "comment")  # by the teacher
LONGEST = 16_000  # characters of the sentences: with apostrophes before signs they still fit into a cell of Excel
AGAIN = "handed in again with other sentences; for those before: "


@dataclass(frozen=True)
class Mark:
    """What the teacher gave: `points` is None until marked."""

    points: float | None = None
    correction: float = 0.0
    comment: str = ""


def refresh(course: Course) -> int:
    """Bring `marks.csv` up to date with the records; returns how many rows wait for points.

    Raises ValueError, and leaves the file as it is, if it cannot be read as this table.
    """
    rows = {row["id"]: row for row in _rows(course)}
    old = dict(rows)
    for student, name in course.roster.items():
        record = records.load(course, student)
        if not (record and record.parts):
            continue
        row = old.get(student, {})
        if not (row and _is_of(row, record)):  # else all that is filled in stays
            given = ", ".join(f"{name} {row[name]}" for name in GIVEN if row.get(name))
            blank = record.parts["conclusions"].points is not None
            row = dict.fromkeys(COLUMNS, "") | {"id": student, "conclusions": _sentences(record.conclusions)}
            row |= {"points": "0", "note": "not attempted"} if blank else {}
            row |= {"note": AGAIN + given} if given else {}
        rows[student] = row | {"name": _one_line(name), "figures": _one_line(record.figures)}
    if rows != old:
        tables.write(course.root / "marks.csv", COLUMNS, [rows[student] for student in sorted(rows)])
    return sum(not row["points"] for row in rows.values())


def read(course: Course) -> dict[str, Mark]:
    """Each student's mark for what is handed in now. ValueError for points that are no number or not in 0 … the points
    of the part, and for two rows of one student."""
    most, found = course.parts["conclusions"], {}
    for row in _rows(course):
        where, record = f"{course.root / 'marks.csv'}, {row['id']}", records.load(course, row["id"])
        if row["id"] in found:
            raise ValueError(f"{where}: the id stands there twice; leave one row.")
        points = _number(row["points"], where) if row["points"] else None
        if points is not None and not 0 <= points <= most:
            raise ValueError(f"{where}: {row['points']} points, but the conclusions have from 0 to {most:g}.")
        mark = Mark(points, _number(row["correction"] or "0", where), row["comment"])
        found[row["id"]] = Mark() if record and record.parts and not _is_of(row, record) else mark
    return found


def _rows(course: Course) -> list[dict]:
    """The table, each row under the id of the roster: a spreadsheet may have cut zeros off its front."""
    path = course.root / "marks.csv"
    known = {loose(hand): hand for hand in course.roster}
    rows = tables.read(path, tuple(name for name in COLUMNS if name not in OURS)) if path.is_file() else []
    return [row | {"id": known.get(loose(row["id"]), row["id"])} for row in rows]


def _is_of(row: dict, record: records.Record) -> bool:
    """Does the row hold the sentences of this record?"""
    return _sentences(row["conclusions"]) == _sentences(record.conclusions)


def _number(text: str, where: str) -> float:
    try:
        number = float(text.replace(",", ".").replace("−", "-"))
    except ValueError:
        number = float("nan")
    if not abs(number) < 1000:
        raise ValueError(f"{where}: {text!r} is no number of points; write 1.5, say, or nothing.")
    return number


def _sentences(text: str) -> str:
    return _one_line(text).lstrip("' ")[:LONGEST].rstrip()  # some spreadsheets take the first apostrophe away


def _one_line(text: str) -> str:
    """Plain text on one line, as a spreadsheet gives it back: what cannot be printed becomes a space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
