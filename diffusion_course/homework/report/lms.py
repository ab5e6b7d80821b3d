"""Tables to upload: the grades as Moodle, Canvas and Gradescope take them.

Where the class list (or `worksheet.csv`) is an export of that system, its rows and columns come back with the grades
filled in, since that is what it recognises; else the file has the columns that an import needs. Who has no total yet
has an empty cell, which changes nothing there.

- Moodle: the grading worksheet (*Upload grading worksheet*), else a table for *Grades → Import → CSV file*.
- Canvas: *Grades → Import*. The last column is a new assignment, or that of yours if it is called as Canvas calls it.
- Gradescope: the columns of its own grade tables, for what reads those.
"""

from pathlib import Path

from .. import tables
from ..collect.roster import Person
from ..course import Course
from .standing import Standing, members

WORKSHEET = {"Identifier", "Grade"}  # columns by which Moodle's is known
COMMENTS = "Feedback comments"
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")

Graded = list[tuple[Person, Standing]]


def export(course: Course, everyone: list[Standing]) -> list[Path]:
    """Write `moodle.csv`, `canvas.csv` and `gradescope.csv` under `export/`; returns their paths."""
    graded = [(course.listed(person), each) for person, each in members(course, everyone) if person.id in course.people]
    made = {"moodle": moodle, "canvas": canvas, "gradescope": gradescope}
    paths = {name: course.root / "export" / f"{name}.csv" for name in made}
    for name, make in made.items():
        columns, rows = make(course, graded)
        tables.write(paths[name], columns, rows)
    return list(paths.values())


def moodle(course: Course, graded: Graded) -> tuple[tuple[str, ...], list[dict]]:
    """The grading worksheet filled in, of those who stand there; or ID number, name, address, grade and comments."""
    listed = [(person, each) for person, each in graded if WORKSHEET <= set(person.row)]
    rows = []
    for person, each in listed or graded:
        names = {"First name": person.first, "Last name": person.last, "Email address": person.email}
        about = person.row if listed else {"ID number": person.id} | names
        rows.append(about | {"Grade": tables.number(each.total), COMMENTS: comments(course, each)})
    return _columns(rows), rows


def canvas(course: Course, graded: Graded) -> tuple[tuple[str, ...], list[dict]]:
    """Canvas' five columns and one for the homework; above the students stands what is possible."""
    rows: list[dict] = [{"Student": "    Points Possible", course.title: tables.number(course.most)}]
    for person, each in graded:
        name = f"{person.last}, {person.first}" if person.last and person.first else person.name
        about = {"Student": name, "SIS User ID": person.id}
        about |= {column: person.row[column] for column in CANVAS if "Section" in person.row and column in person.row}
        rows.append(about | {course.title: tables.number(each.total)})
    return (*CANVAS, course.title), rows


def gradescope(course: Course, graded: Graded) -> tuple[tuple[str, ...], list[dict]]:
    """Name, SID, e-mail address, total, status, and a column for each part."""
    asked = {
        name: f"{i}: {course.titles[name]} ({most:g} pts)" for i, (name, most) in enumerate(course.parts.items(), 1)
    }
    rows = []
    for person, each in graded:
        row = {"First Name": person.first, "Last Name": person.last, "SID": person.id, "Email": person.email}
        row |= {"Total Score": tables.number(each.total), "Max Points": tables.number(course.most)}
        row |= {"Status": "Graded" if each.total is not None else "Ungraded" if each.record else "Missing"}
        rows.append(row | {asked[name]: tables.number(part.points) for name, part in each.parts.items()})
    return _columns(rows), rows


def comments(course: Course, each: Standing) -> str:
    """What a student should know, in one line: what the teacher wrote, what was lost where, corrections."""
    lost = [
        f"{course.titles[name]}: {part.points:g} of {course.parts[name]:g}"
        for name, part in each.parts.items()
        if part.points is not None and part.points < course.parts[name]
    ]
    correction = f"Correction: {each.mark.correction:+g}." if each.mark.correction else ""
    told = [each.mark.comment, each.reason, "; ".join(lost) + ("." if lost else ""), correction, each.late.told]
    return " ".join(" ".join(filter(None, told)).split())


def _columns(rows: list[dict]) -> tuple[str, ...]:
    """All columns of all rows, in the order in which they come."""
    return tuple(dict.fromkeys(name for row in rows for name in row))
