"""Tables that people edit in a spreadsheet: read as the usual programs save them, written so that none can harm.

A cell that begins with =, +, -, @ or a control character would be run as a formula when the file is opened; unless
it is a number it gets an apostrophe before it, the spreadsheets' mark for plain text, which reading takes off again.
So does what follows a semicolon, a tab or the end of a line: where those separate cells, a new one would begin there,
in quotes or not.
"""

import codecs
import csv
import io
import os
import re
import uuid
from contextlib import suppress
from pathlib import Path

BEGINS = r'(^|[;\t\r\n][\s"]*)'
SIGNS = r"[-=+@＝＋－＠\t\r\n']"  # some spreadsheets read the wide ones as well
FORMULA = re.compile(BEGINS + f"(?={SIGNS})")
MARKED = re.compile(BEGINS + f"'(?={SIGNS})")
SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # a first line that some programs write for Excel
csv.field_size_limit(2**24)  # the module's own limit, 2**17, is below what a student's text may come to
HARMLESS = re.compile(r"[-+]?\d+([.,]\d+)?|-")  # numbers, and the dash by which Moodle says that there is nothing


def read(path: Path, columns: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """Rows of a CSV file as dicts, without those that are all blank. ValueError unless it has `columns`.

    Understands commas, semicolons and tabs, and the encodings in which Excel, Moodle and Canvas save.
    """
    text = _text(path)
    table = csv.DictReader(io.StringIO(SEPARATOR.sub("", text, count=1), newline=""), delimiter=_delimiter(text))
    try:
        table.fieldnames = [" ".join(name.split()) for name in table.fieldnames or ()]
        rows = [{name: MARKED.sub(r"\1", (cell or "").strip()) for name, cell in row.items() if name} for row in table]
    except csv.Error as error:
        raise ValueError(f"{path} cannot be read as a table ({error}): save it as CSV in UTF-8.") from None
    if missing := [name for name in columns if name not in table.fieldnames]:
        raise ValueError(f"{path} has no column {', '.join(missing)}: its first line must name {', '.join(columns)}.")
    return [row for row in rows if any(row.values())]


def write(path: Path, columns: tuple[str, ...], rows: list[dict]) -> None:
    """Write a CSV file whole or not at all. Its first bytes (a BOM) tell Excel that it is UTF-8.

    A table that is there is written with the delimiter that it had: that of its owner's spreadsheet.
    """
    text, delimiter = io.StringIO(newline=""), _delimiter(_text(path)) if path.is_file() else ","
    writer = csv.DictWriter(text, columns, lineterminator="\r\n", restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    replace(path, text.getvalue().encode("utf-8-sig", errors="replace"))


def replace(path: Path, content: bytes) -> None:
    """Write a file beside its place, then rename it: a reader (or a crash) finds the old one or the new one, and of two
    who write at once each writes a whole one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{uuid.uuid4().hex}.part")
    beside.write_bytes(content)
    os.replace(beside, path)


def number(points: float | None) -> str:
    """Points as a table has them; nothing where there are none."""
    return "" if points is None else f"{points:g}"


def _text(path: Path) -> str:
    """The text of a file that a spreadsheet saved: UTF-16 if it says so, UTF-8 if it can be, else Windows' encoding."""
    content = path.read_bytes()
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ["utf-16"] if wide else ["utf-8-sig", "cp1252"]:
        with suppress(UnicodeDecodeError):
            if "\0" not in (text := content.decode(encoding)):
                return text
    raise ValueError(f"{path} is not text that a spreadsheet saves: save it as CSV in UTF-8.")


def _delimiter(text: str) -> str:
    """The one that the file names, or the likeliest by the first line."""
    if named := SEPARATOR.match(text):
        return named[1]
    return max(",;\t", key=re.sub(r'"[^"]*"', "", text.split("\n", 1)[0]).count)


def visible(text: str, but: str = "") -> str:
    """The text with a replacement character for each that cannot be printed (control, half a character), but some."""
    return "".join(c if c.isprintable() or c in but else "\N{REPLACEMENT CHARACTER}" for c in text)


def _plain(value):
    if not isinstance(value, str):
        return value
    value = visible(value, but="\t\r\n")
    return value if HARMLESS.fullmatch(value) else FORMULA.sub(r"\1'", value)
