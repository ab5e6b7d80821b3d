"""Brings what `homework.toml` says of the task and its texts into the source notebook.

T and the curve stand in one cell each, and in the texts that name them. Examples by hand, which are right for any T,
stay as they are; so does everything in a text that the settings give.
"""

import re

from nbformat import NotebookNode

from .settings import Settings

BY_HAND = {"make-alpha-bar-text", "time-grid-text"}  # their 1000 is an example's
STEPS = re.compile(r"(?m)^T, SEED = (\d+),")
CURVE = re.compile(r'(?m)^SALT, CURVE = "\w+", "(\w+)"')


def tailored(source: NotebookNode, settings: Settings) -> bool:
    """Change the source in place; whether anything had to be changed.

    ValueError for a text of a cell that there is not, and for a T or curve where the notebook has no place for it.
    """
    cells = {cell.get("id"): cell for cell in source.cells}
    before = [cell.source for cell in source.cells]
    if missing := [name for name in settings.texts if name not in cells]:
        ids = ", ".join(filter(None, cells))
        raise ValueError(f"homework.toml: no cell has the id {missing[0]!r}; there are {ids}.")
    old = _set(source, STEPS, str(settings.task.T), "1000", "T, SEED = 1000, 0")
    _set(source, CURVE, settings.task.curve, "spiral", 'SALT, CURVE = "…", "spiral"')
    for cell in source.cells:
        names = cell.cell_type == "markdown" or cell.source.startswith("# Part")
        if names and cell.get("id") not in BY_HAND | settings.texts.keys():
            cell.source = re.sub(rf"(?<![\w.,]){old}\b(?![.,]\d)", str(settings.task.T), cell.source)
            if settings.task.curve != "spiral" and cell.cell_type == "markdown":
                cell.source = re.sub(r"\b(?<![\w./-])spiral(?![\w./-]*[/.-]\w)", "curve", cell.source)
    for name, text in settings.texts.items():
        cells[name].source = text
    return before != [cell.source for cell in source.cells]


def _set(source: NotebookNode, pattern: re.Pattern, value: str, default: str, line: str) -> str:
    """Write `value` where the pattern has its group; what stood there. A source of one's own may have no such line."""
    for cell in source.cells:
        if cell.cell_type == "code" and (found := pattern.search(cell.source)):
            cell.source = cell.source[: found.start(1)] + value + cell.source[found.end(1) :]
            return found[1]
    if value != default:
        why = f"this homework is for {default} only, since no cell of its source has a line `{line}`"
        raise ValueError(f"homework.toml asks for {value}, but {why}: take it out.")
    return default


def translated(text: str, phrases: dict[str, str]) -> str:
    """The text with each phrase of the settings in the place of its English; of two that fit the longer one."""
    known = "|".join(re.escape(english) for english in sorted(phrases, key=len, reverse=True))
    return re.sub(known, lambda found: phrases[found[0]], text) if known else text
