"""What was handed in: found, read with suspicion, and brought into the form that nbgrader expects.

A submission is a file `submitted/NAME.ipynb`, or one notebook anywhere in a folder `submitted/NAME/`; `roster` knows
whose NAME it is. A folder of a download, in which such names stand, is looked into. Anything else is reported by name,
but for hidden files.

Nothing that a student wrote about grading survives: the marks that nbgrader keeps in each cell (id, points, kind)
are taken from the released notebook, and so are the test cells. The file handed in is never changed.
"""

import copy
import difflib
import hashlib
import json
import os
import stat
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import nbformat

from ..course import Course, is_test
from ..tables import visible
from . import sentences
from .roster import ID, MOODLE, Names

LARGEST = 20 * 2**20  # bytes; a notebook with all its figures has less than 2 million
MOST_CELLS = 1000
MOST_FILES, DEEPEST = 20_000, 50  # in a folder
COPIES = 10  # of one notebook, as a team hands them in; more are not opened
TYPES = ("code", "markdown", "raw", "heading")  # of cells; the last one is format 3's
WANTED = ("nbformat", "worksheets", "cells", "cell_type", "source", "input", "id", "metadata", "nbgrader", "grade_id")
NOTHING = {}  # one for all
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # and no pipe to wait for; not on Windows
IGNORED = ("timestamp.txt", "__MACOSX", ".ipynb_checkpoints")  # which nbgrader, macOS and Jupyter leave


class Problem(ValueError):
    """Why a submission cannot be graded: a status of two or three words, and a sentence."""

    def __init__(self, status: str, reason: str):
        super().__init__(visible(reason))  # which may quote the name of a file
        self.status = status


@dataclass(frozen=True)
class Submission:
    """One student's: the notebook to grade, or the problem that stands before it; then the path says nothing."""

    id: str
    path: Path = Path()
    problem: Problem | None = None


def survey(course: Course) -> list[Submission]:
    """All that lies under `submitted/`, a submission for each student and for each name of nobody's, sorted."""
    place, names = course.root / "submitted", Names(course.people, course.listed)
    if not place.is_dir():
        raise ValueError(f"{place} is missing: make the folder again, and put into it what the students hand in.")
    found: dict[str, list[Path]] = defaultdict(list)
    for entry in _entries(place, names):
        found[names.whose(_name_of(entry)) or visible(_name_of(entry))].append(entry)
    return [_submission(course, student, entries) for student, entries in sorted(found.items())]


def _entries(place: Path, names: Names) -> list[Path]:
    """What lies in a folder, and in each folder there in which a name is known; in none of a stranger's."""
    found: list[Path] = []
    for entry in _listed(place):
        name = _name_of(entry)
        theirs = not entry.is_dir() or entry.is_symlink() or names.whose(name) or MOODLE.match(name)
        inside = [] if theirs else _listed(entry)
        found += inside if any(names.whose(_name_of(each)) for each in inside) else [entry]
    return sorted(found)


def _listed(folder: Path) -> list[Path]:
    """What lies in a folder, but for hidden files; nothing, where it cannot be read."""
    return [each for each in folder.glob("[!.]*") if each.name not in IGNORED]


def _submission(course: Course, student: str, entries: list[Path]) -> Submission:
    try:
        if student not in course.roster:
            if not ID.fullmatch(student):
                raise Problem("bad name", "An id has only letters, digits and . _ @ -: rename it.")
            near = difflib.get_close_matches(student, course.roster, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise Problem("unknown student", f"The id is not in roster.csv{hint}: rename it, or add it there.")
        notebooks = [path for entry in entries for path in _notebooks(entry)]
        if not notebooks:
            raise Problem("no notebook", "No file there ends in .ipynb.")
        several = len(notebooks) > 1
        if several and (len(notebooks) > COPIES or len({digest(path)[0] for path in notebooks}) > 1):
            places = sorted(str(path.relative_to(course.root / "submitted")) for path in notebooks)
            places[COPIES:] = [f"and {len(places) - COPIES} more"] * (len(places) > COPIES)
            raise Problem("several notebooks", f"Leave one: {', '.join(places)}.")
        return Submission(student, notebooks[0])
    except Problem as problem:
        return Submission(student, problem=problem)


def _name_of(entry: Path) -> str:
    name = entry.name if os.path.isdir(entry) or entry.suffix != ".ipynb" else entry.stem
    return unicodedata.normalize("NFC", name)  # macOS writes é as two characters


def _notebooks(entry: Path) -> list[Path]:
    """The .ipynb files in `entry`; no link is followed."""
    if os.path.islink(entry) or not os.path.isdir(entry):  # those of pathlib may raise
        return [entry] if entry.suffix == ".ipynb" else []
    found, seen = [], 0
    for folder, folders, files in os.walk(entry):  # which calls itself, and dies of 1000 levels
        seen += 1 + len(files)
        if seen > MOST_FILES:
            raise Problem("too large", f"{entry.name} has more than {MOST_FILES:,} files. Leave one.")
        deep = len(Path(folder).relative_to(entry).parts) >= DEEPEST
        folders[:] = [name for name in folders if name not in IGNORED and not deep]
        found += [Path(folder, name) for name in files if name.endswith(".ipynb") and not name.startswith(".")]
    return found


def read(path: Path) -> bytes:
    """The bytes of a regular file of bounded size; raises Problem for anything else."""
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | NO_LINK)) as file:
            about = os.fstat(file.fileno())
            content = file.read(LARGEST + 1) if stat.S_ISREG(about.st_mode) else None
    except OSError as error:
        raise Problem("unreadable", f"{path.name} cannot be opened ({error.strerror}).") from None
    if content is None:
        raise Problem("unreadable", f"{path.name} is not a plain file.")
    if len(content) > LARGEST:
        size = f"{about.st_size / 2**20:,.0f} MB"
        raise Problem("too large", f"{path.name} has {size}; {LARGEST >> 20} are allowed. Clear the outputs, save.")
    return content


def digest(path: Path) -> tuple[str, bytes | Problem]:
    """What `read` gives, or the problem in its place, and a hash that changes with it."""
    try:
        content = read(path)
    except Problem as problem:
        return hashlib.sha256(str(problem).encode()).hexdigest(), problem
    return hashlib.sha256(content).hexdigest(), content


def parse(content: bytes) -> nbformat.NotebookNode:
    """The notebook in `content`, in today's format and without its outputs; raises Problem if it is none."""
    try:
        # What is not read could fill gigabytes of memory with objects of two bytes.
        raw = json.loads(content, object_hook=lambda each: {key: each[key] for key in WANTED if key in each} or NOTHING)
    except (ValueError, RecursionError):
        told = "The file is no notebook, or it was damaged or cut off. Hand in the .ipynb again."
        raise Problem("not a notebook", told) from None
    try:
        sheets = {3: raw.get("worksheets"), 4: [raw]}[raw["nbformat"]]
        cells = [cell for sheet in sheets for cell in sheet["cells"] if cell["cell_type"] in TYPES]
        notebook = nbformat.v4.new_notebook(cells=[_cell(cell) for cell in cells[: MOST_CELLS + 1]])
    except Exception:  # a file can be wrong in more ways than Python has errors for
        raise Problem("not a notebook", "The file is JSON, but not a notebook of format 3 or 4.") from None
    if len(cells) > MOST_CELLS:
        raise Problem("too large", f"The notebook has {len(cells):,} cells; {MOST_CELLS:,} are allowed.")
    return notebook


def _cell(raw) -> nbformat.NotebookNode:
    """A clean cell with the text of `raw` and, at most, the id that it claims."""
    source = raw["source" if "source" in raw else "input"]  # the second is format 3
    source = source if isinstance(source, str) else "".join(source)
    source = source.encode(errors="replace").decode()  # JSON can hold halves of characters that no file can
    cell = nbformat.v4.new_code_cell(source) if raw["cell_type"] == "code" else nbformat.v4.new_markdown_cell(source)
    metadata = raw.get("metadata", {})
    claims = [metadata.get("nbgrader", {}).get("grade_id"), raw.get("id"), metadata.get("id")]  # Colab's is the last
    cell.metadata["claims"] = next((claim for claim in claims if isinstance(claim, str)), "")
    return cell


def stage(notebook: nbformat.NotebookNode, released: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The student's cells with the marks of the `released` notebook, and its test cells among them.

    Of cells that claim the same id the last one counts; what is marked by hand is gathered (`sentences`). A test stands
    where the student has it, but behind all of the solutions that precede it in the released notebook; if it, or one of
    those, is gone, at the end.
    """
    marks = {c.metadata.nbgrader.grade_id: c.metadata.nbgrader for c in released.cells if "nbgrader" in c.metadata}
    tests = {c.metadata.nbgrader.grade_id for c in released.cells if is_test(c)}
    cells, place = [], {}  # place: how many cells there are up to the one of that id
    for cell in sentences.gather(notebook.cells, released):
        claim = cell.metadata.pop("claims")
        cells += [cell] if claim not in tests else []
        if claim in marks:
            place[claim] = len(cells)
    for claim in place.keys() - tests:
        cells[place[claim] - 1].metadata["nbgrader"] = copy.deepcopy(marks[claim])
    last, placed = 0, [(i + 0.5, cell) for i, cell in enumerate(cells)]  # a test between two of them
    for cell in released.cells:
        about = cell.metadata.get("nbgrader", {})
        where = place.get(about.get("grade_id"), len(cells))
        if about.get("solution"):
            last = max(last, where)
        elif is_test(cell):
            placed.append((max(last, where), copy.deepcopy(cell)))
    staged = [cell for _, cell in sorted(placed, key=itemgetter(0))]
    return nbformat.v4.new_notebook(cells=staged, metadata=copy.deepcopy(released.metadata))
