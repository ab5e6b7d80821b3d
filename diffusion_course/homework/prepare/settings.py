"""What differs from class to class, in one file that the teacher edits: `homework.toml` in the course directory."""

import re
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import dateutil.parser
import pydantic

from ...check.homework import variant

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = "homework.toml"
OTHERWISE = (datetime(2000, 1, 1, 23, 59), datetime(2004, 2, 2, 23, 59))  # for what is missing
NO_TIME = ("", "-", "–")  # how Moodle says it
GERMAN = {  # what a German Moodle writes, in the order of dateutil's English
    "WEEKDAYS": "mo montag,di dienstag,mi mittwoch,do donnerstag,fr freitag,sa samstag,so sonntag",
    "MONTHS": "januar,februar,mär mrz märz,april,mai,juni,juli,august,september,okt oktober,november,dez dezember",
}
TEMPLATE = """\
# What differs in your class. Everything after a # is a note; take it away before a line to make that line count.

[task]
# T = 1000                  # noise steps, from 100 to 2000; the last samples are drawn in as many
# curve = "flower"          # in place of the spiral

[texts]  # of cells of the notebook, by the id of the cell, in place of ours: your wording, or a translation
# title = '''
# # Übungsblatt 7: Ihre Spirale
# Schreiben Sie …'''

[phrases]  # of the feedback page, each English piece = the one in its place
# "Points of each part, and what was found." = "Punkte der Teile, und was gefunden wurde."
# "a root is missing" = "eine Wurzel fehlt"

[late]
# due = "2026-06-10 23:59"  # by this machine's clock, perhaps UTC; a student's own: column `due` of roster.csv
# percent = 10              # taken off the points for each day that has begun
# most = 50                 # percent that may be taken off in all
# grace = 10                # minutes that do not count
# files = true              # believe the dates of the files, where no list tells when they were handed in

[gradebook]  # where the points of the machine are kept, in place of a file a student in the folder grading
# address = "postgresql://teacher@db.example.org/homework"
"""


class _Section(pydantic.BaseModel):
    """A part of the file, in which every name is known."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Task(_Section):
    """The number of noise steps, and the curve that is to be learned."""

    T: int = pydantic.Field(default=1000, ge=100, le=2000)
    curve: Literal[tuple(variant.CURVES)] = "spiral"  # type: ignore[valid-type]


class Late(_Section):
    """When the work is due, and what handing it in later costs."""

    due: Annotated[datetime | None, pydantic.BeforeValidator(lambda told: when(str(told)))] = None
    percent: float = pydantic.Field(default=10.0, ge=0, le=100)
    most: float = pydantic.Field(default=50.0, ge=0, le=100)
    grace: float = pydantic.Field(default=10.0, ge=0, le=43200)
    files: bool = False


class Gradebook(_Section):
    """A PostgreSQL database; a password is better in ~/.pgpass."""

    address: str = pydantic.Field(default="", pattern="^(postgres(ql)?://.*)?$")


class Settings(_Section):
    """The sections of the file; what is not there is as the course ships."""

    task: Task = Task()
    texts: dict[str, str] = {}
    phrases: dict[str, str] = {}
    late: Late = Late()
    gradebook: Gradebook = Gradebook()


def read(path: Path) -> Settings:
    """The settings in a file; those of the course where there is none. ValueError for anything not known there."""
    if not path.is_file():
        return Settings()
    try:
        return Settings(**tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read ({error}).") from None
    except pydantic.ValidationError as error:
        wrong = error.errors()[0]
        section, *name = map(str, wrong["loc"])
        where = f"{name[0]} in [{section}]" if name else f"[{section}]"
        if wrong["type"] == "extra_forbidden":
            known = ", ".join((type(getattr(Settings(), section)) if name else Settings).model_fields)
            raise ValueError(f"{path}: there is no {where if name else section}; there are {known}.") from None
        raise ValueError(f"{path}: {where} cannot be {wrong['input']!r}: {wrong['msg']}.") from None


class Words(dateutil.parser.parserinfo):
    """The words of a date, in English and German."""

    JUMP = (*dateutil.parser.parserinfo.JUMP, "um", "uhr")


for what, told in GERMAN.items():
    both = zip(getattr(dateutil.parser.parserinfo, what), told.split(","), strict=True)
    setattr(Words, what, [(*english, *german.split()) for english, german in both])


def when(text: str) -> datetime | None:
    """A date and time as tables have it, in local time; None for a blank. A day without an hour ends at midnight.

    ValueError for what could be two dates, and where the day, the month or the year is missing.
    """
    if text.strip() in NO_TIME:
        return None
    dotted = re.search(r"\d\. ?\d+\. ?\d{4}", text)  # which is how it is written where the day comes first
    orders = [True] if dotted else [False] if re.match(r"\D*\d{4}", text) else [False, True]
    wrong = "is no date that can be read here"
    with suppress(ValueError, OverflowError):
        one, other = (
            {dateutil.parser.parse(text, Words(), dayfirst=first, default=day) for first in orders} for day in OTHERWISE
        )
        if one != other or not re.search(r"\d{4}", text):
            wrong = "is no date with a day, a month and a year of four digits"
        elif len(one) > 1:
            wrong = "can be two dates"
        else:
            found = one.pop()
            return found.astimezone().replace(tzinfo=None) if found.tzinfo else found
    raise ValueError(f"{text!r} {wrong}; write 2026-06-10 14:14.")
