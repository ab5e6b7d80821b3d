"""The sentences that a teacher marks, wherever a student wrote them.

They belong into one cell of the notebook, and may stand in a copy of it, in a cell of another kind, in a new cell, as
comments beside code, or among the lines of a text that was given. Whatever the student's text has beyond the released
notebook is brought into that cell, so that nobody's sentences are lost and everyone has the cell.
"""

import ast
import re

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

LONGEST = 20_000  # characters of a cell that is looked at: of what is longer, Python's parser makes gigabytes
ELSEWHERE = "(elsewhere in the notebook:)"
WORDS, WORD = 5, re.compile(r"[^\W\d_]{2,}")  # of a comment that may be a sentence; code has fewer, or an equals sign


def gather(cells: list[NotebookNode], released: NotebookNode) -> list[NotebookNode]:
    """The cells with one cell for each text that is marked by hand: filled if there is anything to fill it with.

    Cells of one that claim the same text are put together where the last of them stood; if none does, at the end.
    """
    marked = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in released.cells}
    given = {line.strip() for cell in released.cells for line in cell.source.splitlines()}
    for asked in released.cells:
        about = asked.metadata.get("nbgrader", {})
        if not (about.get("grade") and about.get("solution")):
            continue
        mine = [i for i, cell in enumerate(cells) if cell.metadata["claims"] == about["grade_id"]]
        own = _own([cells[i].source for i in mine], given)
        others = [cell for cell in cells if cell.metadata["claims"] not in marked]
        more = _own(list(map(_prose, others)), given)
        text = "\n\n".join(filter(None, [own, f"{ELSEWHERE}\n{more}" if more else ""]))
        made = new_markdown_cell(text or asked.source)
        made.metadata["claims"] = about["grade_id"]
        place = mine[-1] if mine else len(cells)
        cells = [cell for i, cell in enumerate(cells[:place]) if i not in mine] + [made] + cells[place + 1 :]
    return cells


def _own(texts: list[str], given: set[str]) -> str:
    """What was written, without the lines that were given."""
    kept = ["\n".join(line for line in text.splitlines() if line.strip() not in given) for text in texts]
    return "\n\n".join(text.strip() for text in kept if text.strip())


def _prose(cell: NotebookNode) -> str:
    """What may be sentences in a cell: a text, code that is only comments or strings, comments that talk."""
    if cell.cell_type == "markdown" or _is_prose(cell.source):
        return cell.source
    comments = [line for line in cell.source.splitlines() if line.lstrip().startswith("#")]
    talk = any(len(WORD.findall(line)) >= WORDS and "=" not in line for line in comments)
    return "\n".join(comments) if talk and len(cell.source) <= LONGEST else ""


def _is_prose(source: str) -> bool:
    """Is a code cell only comments or a string?"""
    if len(source) > LONGEST:
        return False
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(isinstance(line, ast.Expr) and isinstance(getattr(line.value, "value", None), str) for line in body)
