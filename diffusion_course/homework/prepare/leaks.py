"""What must not be given out: `release` looks for it in the notebooks and wheels under `release/`, and refuses."""

import re
import zipfile
from pathlib import Path

import nbformat

from ..course import Course, notebook

HIDDEN = re.compile(r"BEGIN (SOLUTION|HIDDEN TESTS|MARK SCHEME)(.*?)END \1", re.S)
LEAST = 12  # characters of a line that can give something away
# The course's own repository holds the source of the homework; so may any other notebook that a link opens.
LINK = re.compile(r"https?://[^\s\"')>\\]*(?:/diffusion-course\b|\.ipynb\b)[^\s\"')>\\]*|git\+https?://[^\s\"')>\\]+")


def leaks(course: Course) -> list[str]:
    """A sentence for everything under `release/` that holds the solution, the hidden tests or a link to them."""
    secret, found = _secret_lines(course), []
    for path in sorted((course.root / "release").rglob("*")):
        for name, content in _notebooks(path):
            told = f"{path.relative_to(course.root)}{name}"
            text = "\n".join(cell.source for cell in nbformat.reads(content.decode(), 4).cells)
            lines = {line.strip() for line in text.splitlines()}
            found += [f"{told} holds a line of what is hidden: {line!r}" for line in secret if line in lines][:1]
            found += [f"{told} links to {link}, where the solution may be" for link in LINK.findall(text)]
    return found


def _secret_lines(course: Course) -> list[str]:
    """The lines of the source that stand in hidden regions, and nowhere else."""
    sources = [cell.source for cell in notebook(course.source).cells]
    regions = [region for text in sources for _, region in HIDDEN.findall(text)]
    inside = [line.strip() for region in regions for line in region.splitlines()[1:]]
    outside = {line.strip() for text in sources for line in HIDDEN.sub("", text).splitlines()}
    return [line for line in dict.fromkeys(inside) if len(line) >= LEAST and line not in outside]


def _notebooks(path: Path):
    """(name, content) of a notebook, or of each in a wheel."""
    if path.suffix == ".ipynb":
        yield "", path.read_bytes()
    elif path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            yield from ((f", {name}", wheel.read(name)) for name in wheel.namelist() if name.endswith(".ipynb"))
