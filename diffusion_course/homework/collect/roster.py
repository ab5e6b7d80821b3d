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
ROUNDED = re.compile(r"\d+[.,]\d+E\+\d+")
CANVAS = {"sis user id", "sis login id"}  # where one of them is, the column ID holds Canvas' own numbers
HEADERS = {  # what is told → the columns that may tell it, the likeliest first
    "id": (
        "id", "student id", "sid", "id number", "id-nummer", "idnumber", "matrikelnummer", "sis user id",
        "sis login id", "username", "anmeldename", "email", "email address", "e-mail", "e-mail-adresse",
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
    people: dict[str, Person] = {}
    taken: set[str] = set()
    everyone = _people(path, id_needed=True)
    if not everyone:
        tables.read(path, ("id",))  # refuses what has not even that column
    for person in everyone:
        for name in (person.id, person.hand):
            if not ID.fullmatch(name):
                rounded = "a spreadsheet has rounded a long number. Make the column text, and enter the numbers again."
                why = rounded if ROUNDED.fullmatch(name) else "only letters, digits and . _ @ - are allowed."
                raise ValueError(f"{path}: {name!r} cannot be an id: {why}")
        if person.id.casefold() in taken:
            raise ValueError(f"{path}: the id {person.id!r} stands there twice.")
        people[person.id] = person
        taken.add(person.id.casefold())
    if both := sorted({each.team for each in people.values() if each.team.casefold() in taken}):
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

    Number, time and row are the export's; of the rest it tells only what `people` leave open.
    """
    by = {key: known for known in people.values() for key in _known_by(known)}
    found = {}
    for person in _people(path):
        if known := next((by[key] for key in _known_by(person) if key in by), None):
            own = {what: told for what, told in vars(known).items() if told and what not in ("number", "time", "row")}
            found[known.id] = replace(person, **own)
    return found


def hands(people: dict[str, Person]) -> dict[str, list[Person]]:
    """Those who hand in together: the id of a team or of a student → its members."""
    found: dict[str, list[Person]] = {}
    for person in people.values():
        found.setdefault(person.hand, []).append(person)
    return found


def _people(path: Path, id_needed: bool = False) -> list[Person]:
    """Who stands in a table. The id is in the first known column that has something in every row, else in the first."""
    rows = [row for row in tables.read(path) if not _is_note(row)]
    names = {name.replace("_", " ").casefold(): name for name in (rows[0] if rows else ())}
    columns = {what: [names[each] for each in known if each in names] for what, known in HEADERS.items()}
    if "id" in names:
        columns["id" if CANVAS & names.keys() else "number"].remove(names["id"])
    if id_needed and rows and not columns["id"]:
        raise ValueError(f"{path} has no column id: its first line must name id, or what Moodle or Canvas call it.")
    columns["id"].sort(key=lambda name: not all(row[name] for row in rows))
    return [_person({what: row[found[0]] if found else "" for what, found in columns.items()}, row) for row in rows]


def _person(told: dict[str, str], row: dict[str, str]) -> Person:
    full = told.pop("full")
    if not (told["first"] or told["last"]):
        last, _, first = full.rpartition(",")  # in "Ada Lovelace" nothing
        told |= {"first": first.strip(), "last": last.strip()}
    told["number"] = "".join(re.findall(r"\d+", told["number"])[-1:])  # Participant 12345
    return Person(**{what: unicodedata.normalize("NFC", text) for what, text in told.items()}, row=row)


def _known_by(person: Person) -> list[str]:
    """What tells a student in another table: id, address, and the name, whichever of its words stands first."""
    keys = person.id, person.email, " ".join(sorted(person.name.casefold().split()))
    return [key.casefold() for key in keys if key]


def _is_note(row: dict[str, str]) -> bool:
    """Canvas has two rows that are no students: the points that are possible, and a student to test with."""
    first = next(iter(row.values()))
    return first.startswith("Points Possible") or ("Student" in row and first in ("Student, Test", "Test Student"))
