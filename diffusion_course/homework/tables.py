"""Tables that people edit in a spreadsheet: read as the usual programs save them, written so that none can harm.

A cell that begins with =, +, -, @ or a control character would be run as a formula when the file is opened; unless
it is a number it gets an apostrophe before it, the spreadsheets' mark for plain text, which reading takes off again.
So does what follows a semicolon, a tab or the end of a line: where those separate cells, a new one would begin there.
"""

import csv
import io
import os
import re
from pathlib import Path

BEGINS = r"(^|[;\t\r\n]\s*)"
FORMULA = re.compile(BEGINS + r"(?=[-=+@\t\r\n'])")
MARKED = re.compile(BEGINS + r"'(?=[-=+@\t\r\n'])")
NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")


def read(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a CSV file (UTF-8; commas, semicolons or tabs) as dicts. ValueError unless it has `columns`."""
    text = _text(path)
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    if missing := [name for name in columns if name not in (table.fieldnames or ())]:
        raise ValueError(f"{path} has no column {', '.join(missing)}: its first line must name {', '.join(columns)}.")
    return [{name: _bare((value or "").strip()) for name, value in row.items() if name} for row in table]


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
    """Write a file beside its place, then rename it: a reader (or a crash) finds the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    os.replace(beside, path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text ({error}): save it as CSV in UTF-8.") from None


def _delimiter(text: str) -> str:
    """The likeliest one, by the first line."""
    return max(",;\t", key=text.split("\n", 1)[0].count)


def _plain(value):
    harmless = not isinstance(value, str) or NUMBER.fullmatch(value)
    return value if harmless else FORMULA.sub(r"\1'", value)


def _bare(text: str) -> str:
    return MARKED.sub(r"\1", text)
