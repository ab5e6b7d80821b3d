"""The class list, in the form in which the teacher's system exports it: who there is, by which names, in which team.

A table of one's own has the columns id, first_name, last_name, and if wanted email, team and due. The exports of
Moodle (participants, grade book, grading worksheet), Canvas (grade book) and Gradescope name the same things in other
words, which are known here, in English and German.
"""

import re
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import tables

ID = re.compile(r"\w[\w.@-]{0,63}")  # one path component that no shell, glob or nbgrader template reads as more
CANVAS = {"sis user id", "sis login id"}  # where one of them is, the column ID holds Canvas' own numbers
HEADERS = {
    "id": (
        "student id", "sid", "id number", "id-nummer", "idnumber", "matrikelnummer", "sis user id", "sis login id",
        "username", "anmeldename", "email", "email address", "e-mail", "e-mail-adresse",
    ),
    "first": ("first name", "firstname", "vorname", "given name"),
    "last": ("last name", "lastname", "surname", "nachname", "family name"),
    "full": ("full name", "student", "student name", "name", "vollständiger name"),
    "email": ("email", "email address", "e-mail", "e-mail-adresse"),
    "number": ("identifier", "id"),  # of the student in the names of downloaded files
    "team": ("team",),
    "due": ("due",),
    "time": ("handed in", "last modified (submission)", "zuletzt geändert (abgabe)"),
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One student. `number` is the one by which Moodle or Canvas names downloaded files; `row` as the table has it."""

    id: str
    first: str = ""
    last: str = ""
    email: str = ""
    number: str = ""
    team: str = ""
    due: str = ""
    time: str = ""  # of handing in
    row: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}".strip()

    @property
    def hand(self) -> str:
        """The id under which this student's work stands: the team's, if there is one."""
        return self.team or self.id


def read(path: Path) -> dict[str, Person]:
    """The students of a class list, id → person. ValueError for ids that cannot be used or stand there twice."""
    if not path.is_file():
        raise ValueError(f"{path} is missing: a table with the columns id, first_name, last_name.")
    rows = [row for row in tables.read(path) if not _is_note(row)]
    columns = _columns(path, rows) if rows else tables.read(path, ("id",)) or {}
    people: dict[str, Person] = {}
    known: dict[str, str] = {}
    for row in rows:
        person = _person({what: row[name] for what, name in columns.items()}, row)
        for name in (person.id, person.hand):
            if not ID.fullmatch(name):
                raise ValueError(f"{path}: {name!r} cannot be an id: {_why(name)}")
        if person.id.casefold() in known:
            raise ValueError(f"{path}: the id {person.id!r} stands there twice.")
        people[person.id] = person
        known[person.id.casefold()] = person.id
    if both := sorted({each.team for each in people.values() if each.team.casefold() in known}):
        raise ValueError(f"{path}: {both[0]!r} is both a team and a student's id; rename the team.")
    return people


def told(people: dict[str, Person]) -> str:
    """Which id the students type into the notebook, for the teacher to tell them."""
    everyone = list(people.values())
    if not everyone:
        return "There is nobody in roster.csv yet."
    column = next((name for name in everyone[0].row if all(each.row[name] == each.id for each in everyone)), "id")
    teams = " Those in a team type its name." if any(each.team for each in everyone) else ""
    return f"In it each types the id, which stands in the column {column!r}: {everyone[0].id}, say.{teams}"


def listed(path: Path, people: dict[str, Person]) -> dict[str, Person]:
    """The students as another export of the same class has them, id → person: known by id, e-mail address or name.

    First and last name stay those of `people` where the export has only one name for both.
    """
    by = {}
    for known in people.values():
        by |= dict.fromkeys(filter(None, (known.id.casefold(), known.email.casefold(), _order(known.name))), known)
    rows = [row for row in tables.read(path) if not _is_note(row)]
    columns = _known(rows[0]) if rows else {}
    found = {}
    for row in rows:
        person = _person({"id": ""} | {what: row[names[0]] for what, names in columns.items()}, row)
        keys = person.id.casefold(), person.email.casefold(), _order(person.name)
        if known := next((by[key] for key in keys if key in by), None):
            split = bool(person.first and person.last) or not known.last
            found[known.id] = person if split else replace(person, first=known.first, last=known.last)
    return found


def hands(people: dict[str, Person]) -> dict[str, list[Person]]:
    """Those who hand in together: the id of a team or of a student → its members."""
    found: dict[str, list[Person]] = {}
    for person in people.values():
        found.setdefault(person.hand, []).append(person)
    return found


def _columns(path: Path, rows: list[dict[str, str]]) -> dict[str, str]:
    """What is told → the column that tells it. The id is the first known column that has something in every row."""
    found = _known(rows[0])
    if "id" not in found:
        raise ValueError(f"{path} has no column id: its first line must name id, or what Moodle or Canvas call it.")
    whole = [name for name in found["id"] if all(row[name] for row in rows)]
    return {what: columns[0] for what, columns in found.items()} | {"id": (whole or found["id"])[0]}


def _known(row: dict[str, str]) -> dict[str, list[str]]:
    """What is told → the columns of a table that may tell it, the likeliest first."""
    names = {name.replace("_", " ").casefold(): name for name in row}
    found = {what: [names[each] for each in known if each in names] for what, known in HEADERS.items()}
    if "id" in names and not CANVAS & set(names):
        found["id"] = [names["id"]]
        found["number"] = [names["identifier"]] if "identifier" in names else []
    return {what: columns for what, columns in found.items() if columns}


def _person(told: dict[str, str], row: dict[str, str]) -> Person:
    full = told.pop("full", "")
    if not (told.get("first") or told.get("last")):
        last, _, first = full.rpartition(",") if "," in full else ("", "", full)
        told |= {"first": first.strip(), "last": last.strip()}
    told["number"] = "".join(re.findall(r"\d+", told.get("number", ""))[-1:])  # Participant 12345
    return Person(**{what: unicodedata.normalize("NFC", text) for what, text in told.items()}, row=row)


def _order(name: str) -> str:
    """A name, whichever of its words stands first."""
    return " ".join(sorted(name.casefold().split()))


def _is_note(row: dict[str, str]) -> bool:
    """Canvas has two rows that are no students: the points that are possible, and a student to test with."""
    first = next(iter(row.values()))
    return first.startswith("Points Possible") or ("Student" in row and first in ("Student, Test", "Test Student"))


def _why(name: str) -> str:
    if re.fullmatch(r"\d+[.,]\d+E\+\d+", name):
        return "a spreadsheet has rounded a long number. Make the column text, and enter the numbers again."
    return "only letters, digits and . _ @ - are allowed."
