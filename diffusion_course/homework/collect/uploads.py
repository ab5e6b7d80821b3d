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

Key = tuple[str, str]  # what it is (id, loose, number, name), and the text


class Names:
    """All names by which the students of a class are known; `listed(person)` is the person in another export."""

    def __init__(self, people: dict[str, Person], listed: Callable[[Person], Person] = lambda person: person):
        self._hands: dict[Key, set[str]] = defaultdict(set)
        for person in people.values():
            keys = [("id", person.id), ("id", person.hand)]
            keys += [("loose", loose(id)) for id in (person.id, person.team, person.email) if id]
            keys += [("number", each) for each in (person.number, listed(person).number) if each]
            words = person.name.split()  # where the last name begins, who knows
            turned = ["".join(words[i:] + words[:i]) for i in range(len(words))]
            for key in keys + [("name", spelt) for name in turned for spelt in _spellings(name)]:
                self._hands[key].add(person.hand)

    def whose(self, name: str) -> str | None:
        """The id of the student or team whom a file or folder of this name (without .ipynb) belongs to, or None."""
        found = MOODLE.match(name) or CANVAS.fullmatch(name)
        if not found:
            return self._only(("id", name)) or self._only(("loose", loose(name)))
        words = found["name"].split("-")  # Moodle writes a group's name first, people have double names
        called = ["-".join(words[i:]) for i in range(len(words))]
        named = [(("loose", loose(each)), ("name", spelt)) for each in called for spelt in _spellings(each)]
        tried = [self._only(*keys) for keys in [(("number", found["number"]),), *named]]
        return next(filter(None, tried), None)

    def _only(self, *keys: Key) -> str | None:
        """The only one known by any of these keys; two students of one name are told apart by an id."""
        found = set().union(*(self._hands[key] for key in keys if key in self._hands))
        return found.pop() if len(found) == 1 else None


def is_late(name: str) -> bool:
    """Has Canvas marked a file of this name as late?"""
    found = CANVAS.fullmatch(name)
    return bool(found and found["late"])


def loose(id: str) -> str:
    """An id as people write it: capitals do not count, nor the zeros that Excel cuts off the front of a number."""
    id = unicodedata.normalize("NFC", id).casefold()
    return id.lstrip("0") if id.isdecimal() else id


def _spellings(name: str) -> list[str]:
    """A name without blanks, dots and capitals; the same without accents; the same of plain letters only."""
    whole = "".join(c for c in unicodedata.normalize("NFC", name).casefold() if c.isalnum())
    bare = "".join(c for c in unicodedata.normalize("NFKD", whole) if c.isalnum())
    return [spelt for spelt in (whole, bare, "".join(c for c in whole if c.isascii())) if spelt]
