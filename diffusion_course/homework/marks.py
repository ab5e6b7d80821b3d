"""The teacher's marks: one table, `marks.csv`, filled in with any spreadsheet.

A row a student with the three sentences as plain text; the teacher fills in `points`, and where they like `comment`
(shown to the student) and `correction` (points added to or taken from the machine's). `grade` adds new rows and
keeps what is filled in; if the sentences have changed since, the row is to be marked again and says so.
"""

from dataclasses import dataclass

from . import records, tables
from .course import Course

COLUMNS = ("id", "conclusions", "points", "correction", "comment", "note")
AGAIN = "handed in again with other sentences; had {points} points before"


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
    path = course.root / "marks.csv"
    old = {row["id"]: row for row in tables.read(path, COLUMNS)} if path.is_file() else {}
    rows = dict(old)
    for student in course.roster:
        record = records.load(course, student)
        if record and record.parts:
            rows[student] = _row(record, old.get(student))
    if rows != old:
        tables.write(path, COLUMNS, [rows[student] for student in sorted(rows)])
    return sum(not row["points"] for row in rows.values())


def _row(record: records.Record, old: dict | None) -> dict:
    text = _one_line(record.conclusions)
    if old and old["conclusions"].lstrip("'") == text.lstrip("'"):  # some spreadsheets take the apostrophe away
        return old
    attempted = record.parts["conclusions"].points is None
    row = {**dict.fromkeys(COLUMNS, ""), **(old or {}), "id": record.id, "conclusions": text}
    row |= {"points": "", "note": ""} if attempted else {"points": "0", "note": "not attempted"}
    if old and old["points"]:
        row["note"] = AGAIN.format(points=old["points"])
    return row


def read(course: Course) -> dict[str, Mark]:
    """Each student's mark. ValueError for points that are no number or not in 0 … the points of the part."""
    path = course.root / "marks.csv"
    rows = tables.read(path, COLUMNS) if path.is_file() else []
    most = course.parts["conclusions"]
    return {row["id"]: _mark(row, most, f"{path}, {row['id']}") for row in rows}


def _mark(row: dict, most: float, where: str) -> Mark:
    points = _number(row["points"], where) if row["points"] else None
    if points is not None and not 0 <= points <= most:
        raise ValueError(f"{where}: {row['points']} points, but the conclusions have from 0 to {most:g}.")
    return Mark(points, _number(row["correction"] or "0", where), row["comment"])


def _number(text: str, where: str) -> float:
    try:
        number = float(text.replace(",", ".").replace("−", "-"))
    except ValueError:
        number = float("nan")
    if not abs(number) < 1000:
        raise ValueError(f"{where}: {text!r} is no number of points; write 1.5, say, or nothing.")
    return number


def _one_line(text: str) -> str:
    """Plain text on one line, as a spreadsheet gives it back: what cannot be printed becomes a space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
