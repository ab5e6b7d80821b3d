"""Whose a file is: the names under which Moodle, Canvas and people save what students hand in.

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

from .roster import Person

MOODLE = re.compile(r"(?P<name>[^_]+)_(?P<number>\d+)_assign(?:submission|feedback)_\w*")
CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<number>\d+)_\d+_.+", re.DOTALL)


class Names:
    """All names by which the students of a class are known; `listed(person)` is the person in another export."""

    def __init__(self, people: dict[str, Person], listed: Callable[[Person], Person] = lambda person: person):
        self._ids = {person.hand: person.hand for person in people.values()} | {id: p.hand for id, p in people.items()}
        self._loose: dict[str, set[str]] = defaultdict(set)
        self._numbers: dict[str, set[str]] = defaultdict(set)
        self._names: dict[str, set[str]] = defaultdict(set)
        for person in people.values():
            for id in filter(None, (person.id, person.team, person.email)):
                self._loose[loose(id)].add(person.hand)
            for number in {person.number, listed(person).number} - {""}:
                self._numbers[number].add(person.hand)
            words = person.name.split()
            turned = [
                "".join(words[i:] + words[:i]) for i in range(len(words))
            ]  # where the last name begins, who knows
            for key in {key for name in turned for key in _keys(name)}:
                self._names[key].add(person.hand)

    def whose(self, name: str) -> str | None:
        """The id of the student or team whom a file or folder of this name (without .ipynb) belongs to, or None."""
        found = MOODLE.match(name) or CANVAS.fullmatch(name)
        if not found:
            return self._ids.get(name) or _one(self._loose[loose(name)])
        parts = found["name"].split("-")  # Moodle writes a group's name first, people have double names
        called = ["-".join(parts[i:]) for i in range(len(parts))]
        named = [self._loose[loose(name)] | self._names[key] for name in called for key in _keys(name)]
        tried = [self._numbers[found["number"]], *named]
        return next(filter(None, map(_one, tried)), None)


def is_upload(name: str) -> bool:
    """Has Moodle named a folder like this for one person or team, in the roster or not?"""
    return bool(MOODLE.match(name))


def is_late(name: str) -> bool:
    """Has Canvas marked a file of this name as late?"""
    found = CANVAS.fullmatch(name)
    return bool(found and found["late"])


def _one(found: set[str]) -> str | None:
    """The only one there is; two students of one name are told apart by an id."""
    return next(iter(found)) if len(found) == 1 else None


def loose(id: str) -> str:
    """An id as people write it: capitals do not count, nor the zeros that Excel cuts off the front of a number."""
    id = unicodedata.normalize("NFC", id).casefold()
    return id.lstrip("0") if id.isdecimal() else id


def _keys(name: str) -> list[str]:
    """A name without blanks, dots and capitals; the same without accents; the same of plain letters only."""
    whole = "".join(c for c in unicodedata.normalize("NFC", name).casefold() if c.isalnum())
    bare = "".join(c for c in unicodedata.normalize("NFKD", whole) if c.isalnum())
    return list(dict.fromkeys([whole, bare, "".join(c for c in whole if c.isascii())]))
