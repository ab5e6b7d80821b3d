"""The class list, in the form in which the teacher's system exports it: who there is, by which names, in which team.

A table of one's own has the columns id, first_name, last_name, and if wanted email, team and due. The exports of
Moodle (participants, grade book, grading worksheet), Canvas (grade book) and Gradescope name the same things in other
words, which are known here, in English and German. Names of files and folders tell whose they are:

    ada.ipynb, ada/spiral.ipynb                                        the id itself, or that of the team
    Ada Lovelace_12345_assignsubmission_file_/spiral.ipynb             Moodle, with or without folders
    lovelaceada_12345_67890_spiral.ipynb, lovelaceada_LATE_12345_…     Canvas

The number is Moodle's of the participant (the column Identifier of the grading worksheet) or Canvas' of the student
(the column ID of the grade book); where the roster does not have it, the name decides.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import tables

ID = re.compile(r"\w[\w.@-]{0,63}")  # one path component that no shell, glob or nbgrader template reads as more
ROUNDED = re.compile(r"\d+[.,]\d+E\+\d+")
NUMBERED = {"sis user id", "sis login id", "bewertung"}  # where one of them is, ID holds numbers of Canvas or Moodle
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
MOODLE = re.compile(r"(?P<name>[^_]+)_(?P<number>\d+)_assign(?:submission|feedback)_\w*")
CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<number>\d+)_\d+_.+", re.DOTALL)

Key = tuple[str, str]  # what it is (id, loose, number, name), and the text


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
    column: str = field(default="", compare=False)  # of the id
    row: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}".strip()

    @property
    def hand(self) -> str:
        """The id under which this student's work stands: the team's, if there is one."""
        return self.team or self.id


def read(path: Path, column: str = "") -> dict[str, Person]:
    """The students of a class list, id → person; the ids are those of `column`, if there. ValueError for bad ids."""
    if not path.is_file():
        raise ValueError(f"{path} is missing: a table with the columns id, first_name, last_name.")
    everyone = _people(path, id_needed=True, column=column)
    if not everyone:
        tables.read(path, ("id",))  # refuses what has not even that column
    for person, name in [(each, name) for each in everyone for name in (each.id, each.hand)]:
        if not ID.fullmatch(name):
            rounded = "a spreadsheet has rounded a long number. Make the column text, and enter the numbers again."
            why = rounded if ROUNDED.fullmatch(name) else "only letters, digits and . _ @ - are allowed."
            why = why if name else f"give {person.name or 'everyone'} one in the column {person.column!r}."
            raise ValueError(f"{path}: {name!r} cannot be an id: {why}")
    alike: dict[str, list[str]] = defaultdict(list)  # as people write it → what is called so
    for person in everyone:
        alike[loose(person.id)].append(f"{person.id!r}, the id of {person.name}")
    for team, member in {person.team: person for person in everyone if person.team}.items():
        alike[loose(team)].append(f"{team!r}, the team of {member.name or member.id}")
    if twice := [both for both in alike.values() if len(both) > 1]:
        why = "capitals and zeros at the front do not count"
        raise ValueError(f"{path}: {twice[0][0]}, and {twice[0][1]}, are the same: {why}.")
    return {person.id: person for person in everyone}


def told(people: dict[str, Person]) -> str:
    """Which id the students type into the notebook, for the teacher to tell them."""
    everyone = list(people.values())
    if not everyone:
        return "There is nobody in roster.csv yet."
    teams = " Those in a team type its name." if any(each.team for each in everyone) else ""
    return f"In it each types the id, which stands in the column {everyone[0].column!r}: {everyone[0].id}, say.{teams}"


def listed(path: Path, people: dict[str, Person]) -> dict[str, Person]:
    """The students as another export of the same class has them, id → person.

    Number, time and row are the export's; of the rest it tells only what `people` leave open.
    """
    names, found = Names(people), {}
    for person in _people(path):
        if id := names.student(person):
            own = {what: text for what, text in vars(people[id]).items() if text}
            found[id] = replace(person, **own | {what: getattr(person, what) for what in ("number", "time", "row")})
    return found


def hands(people: dict[str, Person]) -> dict[str, list[Person]]:
    """Those who hand in together: the id of a team or of a student → its members."""
    found: dict[str, list[Person]] = {}
    for person in people.values():
        found.setdefault(person.hand, []).append(person)
    return found


def _people(path: Path, id_needed: bool = False, column: str = "") -> list[Person]:
    """Who stands in a table. The id is in `column`, else in the first known one that is full, else in the first."""
    rows = [row for row in tables.read(path) if not _is_note(row)]
    names = {name.replace("_", " ").casefold(): name for name in (rows[0] if rows else ())}
    columns = {what: [names[each] for each in known if each in names] for what, known in HEADERS.items()}
    if "id" in names:
        columns["id" if NUMBERED & names.keys() else "number"].remove(names["id"])
    if id_needed and rows and not columns["id"]:
        raise ValueError(f"{path} has no column id: its first line must name id, or what Moodle or Canvas call it.")
    columns["id"].sort(key=lambda name: (name != column, not all(row[name] for row in rows)))
    people = []
    for row in rows:
        told = {what: unicodedata.normalize("NFC", row[found[0]]) if found else "" for what, found in columns.items()}
        last, _, first = told.pop("full").rpartition(",")  # in "Ada Lovelace" all is the first
        if not (told["first"] or told["last"]):
            told |= {"first": first.strip(), "last": last.strip()}
        told["number"] = "".join(re.findall(r"\d+", told["number"])[-1:])  # Participant 12345
        people.append(Person(**told, row=row, column=next(iter(columns["id"]), "")))
    return people


def _is_note(row: dict[str, str]) -> bool:
    """Canvas has two rows that are no students: the points that are possible, and a student to test with."""
    first = next(iter(row.values()))
    return first.startswith("Points Possible") or ("Student" in row and first in ("Student, Test", "Test Student"))


# ---- the names that they have elsewhere -----------------------------------------------------------


class Names:
    """All by which the students of a class are known; `listed(person)` is the person in another export."""

    def __init__(self, people: dict[str, Person], listed: Callable[[Person], Person] = lambda person: person):
        self._known: dict[Key, set[Person]] = defaultdict(set)
        for person in people.values():
            keys = [("id", person.id), ("id", person.hand)]
            keys += [("loose", loose(text)) for text in (person.id, person.team, person.email) if text]
            keys += [("number", text) for text in (person.number, listed(person).number) if text]
            for key in keys + [("name", text) for text in _called(person.name)]:
                self._known[key].add(person)

    def whose(self, name: str) -> str | None:
        """The id of the student or team whom a file or folder of this name (without .ipynb) belongs to, or None."""
        found = MOODLE.match(name) or CANVAS.fullmatch(name)
        if not found:
            return self._only("hand", [[("id", name)], [("loose", loose(name))]])
        words = found["name"].split("-")  # Moodle writes a group's name first, people have double names
        called = ["-".join(words[i:]) for i in range(len(words))]
        named = [[("loose", loose(each)), ("name", text)] for each in called for text in _called(each)]
        return self._only("hand", [[("number", found["number"])], *named])

    def student(self, person: Person) -> str | None:
        """The id of the student whom another table means by this person: known by id, e-mail address or name."""
        keys = [("id", person.id), *(("loose", loose(text)) for text in (person.id, person.email) if text)]
        return self._only("id", [[key] for key in keys + [("name", text) for text in _called(person.name)]])

    def _only(self, what: str, tried: list[list[Key]]) -> str | None:
        """By the first keys that tell one only; two students of one name are told apart by an id."""
        for keys in tried:
            found = {getattr(person, what) for key in keys for person in self._known.get(key, ())}
            if len(found) == 1:
                return found.pop()
        return None


def is_late(name: str) -> bool:
    """Has Canvas marked a file of this name as late?"""
    found = CANVAS.fullmatch(name)
    return bool(found and found["late"])


def loose(id: str) -> str:
    """An id as people write it: capitals do not count, nor the zeros that Excel cuts off the front of a number."""
    id = unicodedata.normalize("NFC", id).casefold()
    return id.lstrip("0") if id.isdecimal() else id


def _called(name: str) -> list[str]:
    """A name's words, sorted, and run together from each on, as Canvas does; bare of accents; the plain letters."""
    name, found = unicodedata.normalize("NFC", name).casefold(), []
    for text in (name, unicodedata.normalize("NFKD", name), name.encode("ascii", "ignore").decode()):
        words = ["".join(filter(str.isalnum, word)) for word in re.split(r"[\s-]+", text)]
        found += [" ".join(sorted(filter(None, words)))]
        found += ["".join(words[i:] + words[:i]) for i in range(len(words))]
    return list(filter(None, found))
