"""What differs from class to class, in one file that the teacher edits: `homework.toml` in the course directory."""

import re
import sys
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import dateutil.parser

from ...check.homework import variant

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = "homework.toml"
MIDNIGHT = datetime.combine(date.today(), time(23, 59))
NO_TIME = ("", "-", "–")  # how Moodle says it
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
# due = "2026-06-10 23:59"  # your local time; a student with another one has it in the column `due` of roster.csv
# percent = 10              # taken off the points for each day that has begun
# most = 50                 # percent that may be taken off in all
# grace = 10                # minutes that do not count
# files = true              # believe the dates of the files, where nothing else tells when they were handed in
"""


@dataclass(frozen=True)
class Task:
    """The number of noise steps, and the curve that is to be learned."""

    T: int = 1000
    curve: str = "spiral"

    def __post_init__(self):
        if not 100 <= self.T <= 2000:
            raise ValueError(f"T = {self.T} is not from 100 to 2000.")
        if self.curve not in variant.CURVES:
            raise ValueError(f"there is no curve {self.curve!r}; there are {', '.join(variant.CURVES)}.")


@dataclass(frozen=True)
class Late:
    """When the work is due, and what handing it in later costs."""

    due: datetime | None = None
    percent: float = 10.0
    most: float = 50.0
    grace: float = 10.0
    files: bool = False


@dataclass(frozen=True)
class Settings:
    """The sections of the file; what is not there is as the course ships."""

    task: Task = field(default_factory=Task)
    texts: dict[str, str] = field(default_factory=dict)
    phrases: dict[str, str] = field(default_factory=dict)
    late: Late = field(default_factory=Late)


def read(path: Path) -> Settings:
    """The settings in a file; those of the course where there is none. ValueError for anything not known there."""
    if not path.is_file():
        return Settings()
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read ({error}).") from None
    sections = {each.name: each.default_factory for each in fields(Settings)}
    _refuse_unknown(path, "section", told, sections)
    return Settings(**{name: _section(path, name, sections[name], values) for name, values in told.items()})


def _section(path: Path, name: str, make: Any, values: Any) -> Any:
    if not isinstance(values, dict):
        raise ValueError(f"{path}: {name} is a section: write [{name}] on a line of its own.")
    if make is dict:
        if wrong := [key for key, value in values.items() if not isinstance(value, str)]:
            raise ValueError(f"{path}: {wrong[0]} in [{name}] is no text; put it between quotes.")
        return values
    known = {each.name: each for each in fields(make)}
    _refuse_unknown(path, f"name in [{name}]", values, known)
    told = {key: _value(path, key, known[key].default, value) for key, value in values.items()}
    try:
        return make(**told)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _value(path: Path, key: str, default: Any, value: Any) -> Any:
    """The value, if it is of the default's kind."""
    if key == "due":
        try:
            return when(str(value))
        except ValueError as error:
            raise ValueError(f"{path}: due = {error}") from None
    wanted = (int, float) if isinstance(default, float) else type(default)
    if not isinstance(value, wanted) or (isinstance(value, bool) and not isinstance(default, bool)):
        raise ValueError(f"{path}: {key} = {value!r} cannot be; it is a {type(default).__name__}, such as {default!r}.")
    return value


def _refuse_unknown(path: Path, what: str, told: dict, known: Any) -> None:
    for name in told:
        if name not in known:
            raise ValueError(f"{path}: there is no {what} {name!r}; there are {', '.join(known)}.")


def when(text: str) -> datetime | None:
    """A date and time as tables have it, in local time; None for a blank. A day without an hour ends at midnight.

    ValueError for what could be two dates.
    """
    if text.strip() in NO_TIME:
        return None
    numbers = re.match(r"\s*(\d{1,2})[/.](\d{1,2})[/.]\d{2,4}", text)
    dotted = bool(numbers and "." in numbers[0])  # which is how it is written where the day comes first
    if numbers and not dotted and numbers[1] != numbers[2] and max(int(numbers[1]), int(numbers[2])) <= 12:
        raise ValueError(f"{text!r} can be two dates; write 2026-06-10 14:14.")
    try:
        if not re.search(r"\d{4}", text):
            raise ValueError("the year is missing")
        found = dateutil.parser.parse(text, dayfirst=dotted, default=MIDNIGHT)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no date that can be read here; write 2026-06-10 14:14.") from None
    return found.astimezone().replace(tzinfo=None) if found.tzinfo else found
