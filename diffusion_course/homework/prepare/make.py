"""What happens before the students begin: a course directory is made, their version of the notebook, the solution."""

import copy
import json
import re
import secrets
from pathlib import Path

import nbformat
from traitlets.config import Config

from ...check.homework import variant
from .. import tables
from ..assignments import ASSIGNMENTS
from ..course import PACKAGE, Course, is_test, notebook, sha256
from . import drawn, settings, tailor
from .leaks import leaks

NAMES = ("id", "first_name", "last_name")
EXAMPLE = ("ada", "Ada", "Lovelace"), ("alan", "Alan", "Turing")  # rows to replace by one's own
CONFIGURATION = """\
# Read by nbgrader's exchange, if the notebook comes and goes by it.
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = c.CourseDirectory.assignment_id = "{name}"
"""
STUBS = {
    "code_stub": {"python": "raise NotImplementedError  # replace this line by yours"},
    "text_stub": "*Write your three sentences here.*",
}
BLANKED = """LockCells ClearSolutions ClearOutput CheckCellMetadata ComputeChecksums ClearHiddenTests ClearMarkScheme
ComputeChecksums CheckCellMetadata""".split()


def init(
    root: Path, source: Path | None = None, assignment: str = ASSIGNMENTS[0], gradebook: str | None = None
) -> Course:
    """Make a course directory, whose points are kept in the database at the address `gradebook`, if given.

    Raises ValueError if `root` exists and is not empty, or for an address of something else.
    """
    root = Path(root).resolve()
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise ValueError(f"{root} exists and is not empty: name a new directory; nothing is ever overwritten.")
    if gradebook and not gradebook.startswith(("postgresql://", "postgres://")):
        raise ValueError(f"{gradebook!r} is no address of a PostgreSQL database: it begins with postgresql://.")
    source = source or shipped(assignment)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)  # hidden tests and the students' work are nobody else's
    place = root / "source" / assignment / f"{assignment}.ipynb"
    place.parent.mkdir(parents=True)
    secret = secrets.token_hex(16)
    (root / "secret").write_text(secret)
    (root / "secret").chmod(0o600)
    written = r'SALT, CURVE = \"{}\"'  # as JSON writes it
    ours, new = (written.format(salt).encode() for salt in (variant.SALT, drawn.salt(secret)))
    place.write_bytes(source.read_bytes().replace(ours, new))
    (root / "submitted").mkdir()
    tables.write(root / "roster.csv", NAMES, [dict(zip(NAMES, row, strict=True)) for row in EXAMPLE])
    told = re.sub("# (address = ).*", lambda found: found[1] + json.dumps(gradebook), settings.TEMPLATE)
    (root / settings.FILE).write_text(told if gradebook else settings.TEMPLATE, encoding="utf-8")
    (root / "nbgrader_config.py").write_text(CONFIGURATION.format(name=assignment))
    return Course(root)


def shipped(assignment: str = ASSIGNMENTS[0]) -> Path:
    """The source notebook, which stands in a clone of the course and not in what students install. ValueError if it is
    not there."""
    path = PACKAGE.parent / "notebooks" / "homework" / f"{assignment}.ipynb"
    if not path.is_file():
        raise ValueError(
            f"{path} is missing. It holds the solution, so the installed package is without it: clone the course and "
            "install it from there (pip install --editable), or name the notebook with --source."
        )
    return path


def release(course: Course, each: bool = False) -> list[Path]:
    """Write the student's version; with `each` also a copy for every student, with the id filled in.

    Raises ValueError, with what nbgrader says, if it cannot, and if what is given out would hold the solution.
    """
    source = notebook(course.source)
    if tailor.tailored(source, course.settings):
        _save(course.source, source)
    paths = [_save(course.released, blanked(source))]
    paths += [_release_for(course, student) for student in course.roster] if each else []
    if found := leaks(course):
        course.released.unlink()
        raise ValueError("nothing is released, for the students would get the solution. " + "; ".join(found) + ".")
    column = next((person.column for person in course.people.values()), "")
    tables.replace(course.release_note, json.dumps({"source": sha256(course.source), "column": column}).encode())
    return paths


def blanked(source: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The students' version of a source, as nbgrader makes it. ValueError with what it says, if it cannot."""
    from nbgrader import preprocessors  # slow to load

    made, options = copy.deepcopy(source), Config(ClearSolutions=STUBS)
    try:
        for step in BLANKED:
            made, _ = getattr(preprocessors, step)(config=options).preprocess(made, {"nbgrader": {}})
    except Exception as error:  # nbgrader has no error of its own for this
        raise ValueError(f"nbgrader could not make the student's version: {error}") from error
    return made


def _release_for(course: Course, student: str) -> Path:
    made = notebook(course.released)
    cell = next(cell for cell in made.cells if cell.id == "student-id")
    cell.source, found = re.subn(r"(?m)^STUDENT_ID = .*$", f'STUDENT_ID = "{student}"', cell.source)
    if found != 1:
        raise ValueError(f"{course.source}: the cell student-id needs one line that begins with `STUDENT_ID = `.")
    return _save(course.root / "release" / "each" / f"{student}.ipynb", made)


def solution(course: Course) -> Path:
    """Write the worked solution as a lesson of its own: the source without test cells and nbgrader's marks."""
    made = notebook(course.source)
    made.cells = [cell for cell in made.cells if not is_test(cell)]
    for cell in made.cells:
        cell.metadata.pop("nbgrader", None)
        cell.source = re.sub(r"(?ms)^[^\n]*BEGIN MARK SCHEME.*?END MARK SCHEME[^\n]*\n?", "", cell.source)
        cell.source = re.sub(r"(?m)^.*(BEGIN|END) SOLUTION.*\n?", "", cell.source).strip()
    return _save(course.root / "solution" / f"{course.assignment}.ipynb", made)


def _save(path: Path, made: nbformat.NotebookNode) -> Path:
    tables.replace(path, nbformat.writes(made).encode())
    return path
