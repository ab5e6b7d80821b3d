"""The tables of grades: one for the teacher's own gradebook, and one each for Moodle, Canvas and Gradescope.

Where the class list (or `worksheet.csv`) is an export of that system, its rows and columns come back with the grades
filled in, since that is what it recognises; else the file has the columns that an import needs. Who has no total yet
has an empty cell, which changes nothing there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import tables
from ..course import Course
from .standing import Standing, members

# Column → what stands in it, as `_told` calls it.
MOODLE = {"ID number": "id", "First name": "first", "Last name": "last", "Email address": "email"}
WORKSHEETS = {  # by the first column Moodle's worksheet is known, together with that of the grade
    "Identifier": {"Grade": "total", "Feedback comments": "comments"},
    "ID": {"Bewertung": "total", "Feedback als Kommentar": "comments"},
}
CANVAS = {"Student": "last, first", "ID": "", "SIS User ID": "id", "SIS Login ID": "", "Section": ""}
GRADESCOPE = {"First Name": "first", "Last Name": "last", "SID": "id", "Email": "email", "Total Score": "total",
              "Max Points": "most", "Status": "graded"}  # fmt: skip


def grades(course: Course, everyone: list[Standing]) -> Path:
    """Write `export/grades.csv`: status, points of each part, which of them are full, total, why; returns its path."""
    full = [f"{name} passed" for name in course.parts]
    columns = ("id", "name", "team", "status", "total", *course.parts, "correction", "late", *full, "note")
    rows = [{column: told[column] for column in columns} for told in _told(course, everyone)]
    return _write(course, "grades", rows)


def export(course: Course, everyone: list[Standing]) -> list[Path]:
    """Write `moodle.csv`, `canvas.csv` and `gradescope.csv` under `export/`; returns their paths."""
    students = [told for told in _told(course, everyone) if told["id"] in course.people]
    sheet = [told["row"] | _filled(form, told) for told in students if (form := worksheet(told["row"]))]
    moodle = sheet or [_filled(MOODLE | WORKSHEETS["Identifier"], told) for told in students]
    canvas = [dict.fromkeys(CANVAS, "") | {"Student": "    Points Possible", course.title: tables.number(course.most)}]
    for told in students:
        own = told["row"] if "Section" in told["row"] else {}
        kept = {column: own[column] for column in CANVAS if column in own}
        canvas.append(_filled(CANVAS, told) | kept | {course.title: told["total"]})
    numbered = enumerate(course.parts.items(), 1)
    parts = {f"{i}: {course.titles[name]} ({most:g} pts)": name for i, (name, most) in numbered}
    gradescope = [_filled(GRADESCOPE | parts, told) for told in students]
    made = {"moodle": moodle, "canvas": canvas, "gradescope": gradescope}
    return [_write(course, name, rows) for name, rows in made.items()]


def worksheet(row: dict[str, str]) -> dict[str, str]:
    """Of a row of Moodle's grading worksheet, column → what belongs into it; of another table's, nothing."""
    return next((form for name, form in WORKSHEETS.items() if {name, next(iter(form))} <= row.keys()), {})


def _told(course: Course, everyone: list[Standing]) -> Iterator[dict[str, Any]]:
    """All that a table may tell of each student: what it is called → the text in a cell; and their own `row`."""
    for person, each in members(course, everyone):
        points = {name: part.points for name, part in each.parts.items()}
        full = {name: got >= course.parts[name] for name, got in points.items() if got is not None}
        person = course.listed(person)
        yield {
            **{name: tables.number(got) for name, got in points.items()},
            **{f"{name} passed": {None: "", True: "yes", False: "no"}[full.get(name)] for name in points},
            **vars(person),
            "name": person.name,
            "last, first": f"{person.last}, {person.first}" if person.last and person.first else person.name,
            "status": each.status,
            "graded": "Graded" if each.total is not None else "Ungraded" if each.record else "Missing",
            "total": tables.number(each.total),
            "most": tables.number(course.most),
            "correction": tables.number(each.mark.correction or None),
            "late": tables.number(-each.lost or None),
            "note": f"{each.reason} {each.late.told}".strip(),
            "comments": _comments(course, each),
        }


def _comments(course: Course, each: Standing) -> str:
    """What a student should know, in one line: what the teacher wrote, what was lost where, corrections."""
    points = [(name, part.points, course.parts[name]) for name, part in each.parts.items() if part.points is not None]
    lost = "; ".join(f"{course.titles[name]}: {got:g} of {most:g}" for name, got, most in points if got < most)
    correction = f"Correction: {each.mark.correction:+g}." if each.mark.correction else ""
    told = [each.mark.comment, each.reason, f"{lost}." if lost else "", correction, each.late.told]
    return " ".join(" ".join(told).split())


def _filled(form: dict[str, str], told: dict[str, Any]) -> dict[str, str]:
    return {column: told.get(what, "") for column, what in form.items()}


def _write(course: Course, name: str, rows: list[dict[str, str]]) -> Path:
    path = course.root / "export" / f"{name}.csv"
    tables.write(path, tuple(dict.fromkeys(column for row in rows for column in row)), rows)
    return path
