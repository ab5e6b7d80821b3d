"""The tables of grades: one for the teacher's own gradebook, and one each for Moodle, Canvas and Gradescope.

Where the class list (or `worksheet.csv`) is an export of that system, its rows and columns come back with the grades
filled in, since that is what it recognises; else the file has the columns that an import needs. Who has no total yet
has an empty cell, which changes nothing there.
"""

from pathlib import Path
from typing import Any

from .. import tables
from ..collect.roster import Person
from ..course import Course
from .standing import Standing, members

WORKSHEET = {"Identifier", "Grade"}  # columns by which Moodle's is known
# Column → what stands in it, as `_told` calls it.
MOODLE = {"ID number": "id", "First name": "first", "Last name": "last", "Email address": "email"}
GRADE = {"Grade": "total", "Feedback comments": "comments"}
CANVAS = {"Student": "last, first", "ID": "", "SIS User ID": "id", "SIS Login ID": "", "Section": ""}
GRADESCOPE = {"First Name": "first", "Last Name": "last", "SID": "id", "Email": "email", "Total Score": "total",
              "Max Points": "most", "Status": "graded"}  # fmt: skip


def grades(course: Course, everyone: list[Standing]) -> Path:
    """Write `export/grades.csv`: status, points of each part, which of them are full, total, why; returns its path."""
    full = [f"{name} passed" for name in course.parts]
    columns = ("id", "name", "team", "status", "total", *course.parts, "correction", "late", *full, "note")
    form = dict(zip(columns, columns, strict=True))
    return _write(course, "grades", [_filled(form, _told(course, *each)) for each in members(course, everyone)])


def export(course: Course, everyone: list[Standing]) -> list[Path]:
    """Write `moodle.csv`, `canvas.csv` and `gradescope.csv` under `export/`; returns their paths."""
    graded = [(course.listed(person), each) for person, each in members(course, everyone) if person.id in course.people]
    told = [_told(course, person, each) for person, each in graded]
    sheet = [each for each in told if WORKSHEET <= each["row"].keys()]
    moodle = [(each["row"] if sheet else _filled(MOODLE, each)) | _filled(GRADE, each) for each in sheet or told]
    most = {"Student": "    Points Possible", course.title: tables.number(course.most)}
    canvas = [dict.fromkeys(CANVAS, "") | most]
    for each in told:
        own = {column: each["row"][column] for column in CANVAS if "Section" in each["row"] and column in each["row"]}
        canvas.append(_filled(CANVAS, each) | own | {course.title: each["total"]})
    asked = enumerate(course.parts.items(), 1)
    parts = {f"{i}: {course.titles[name]} ({most:g} pts)": name for i, (name, most) in asked}
    gradescope = [_filled(GRADESCOPE | parts, each) for each in told]
    made = {"moodle": moodle, "canvas": canvas, "gradescope": gradescope}
    return [_write(course, name, rows) for name, rows in made.items()]


def _told(course: Course, person: Person, each: Standing) -> dict[str, Any]:
    """All that a table may tell of one student: what it is called → the text in a cell; and their own `row`."""
    points = {name: part.points for name, part in each.parts.items()}
    passed = {name: "" if got is None else "yes" if got >= course.parts[name] else "no" for name, got in points.items()}
    return {
        **{name: tables.number(got) for name, got in points.items()},
        **{f"{name} passed": text for name, text in passed.items()},
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
    lost = [
        f"{course.titles[name]}: {part.points:g} of {course.parts[name]:g}"
        for name, part in each.parts.items()
        if part.points is not None and part.points < course.parts[name]
    ]
    correction = f"Correction: {each.mark.correction:+g}." if each.mark.correction else ""
    told = [each.mark.comment, each.reason, "; ".join(lost) + ("." if lost else ""), correction, each.late.told]
    return " ".join(" ".join(filter(None, told)).split())


def _filled(form: dict[str, str], told: dict[str, Any]) -> dict[str, str]:
    return {column: told.get(what, "") for column, what in form.items()}


def _write(course: Course, name: str, rows: list[dict[str, str]]) -> Path:
    path = course.root / "export" / f"{name}.csv"
    tables.write(path, tuple(dict.fromkeys(column for row in rows for column in row)), rows)
    return path
