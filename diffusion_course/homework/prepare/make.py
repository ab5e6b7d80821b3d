"""What happens before the students begin: a course directory is made, their version of the notebook, the solution."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat

from ...check.homework import variant
from .. import tables
from ..assignments import ASSIGNMENTS
from ..course import PACKAGE, Course, environment, is_test, notebook, sha256
from . import drawn, settings, tailor
from .leaks import leaks

EXAMPLE = (("ada", "Ada", "Lovelace"), ("alan", "Alan", "Turing"))  # rows to replace by one's own
SQLITE = "sqlite:///gradebook.db?timeout=120"  # seconds that one of several writers waits for another
CONFIGURATION = """\
# Read by nbgrader; `diffusion-course homework` calls it. Points, texts and tests stand in the source notebook.
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = c.CourseDirectory.assignment_id = "{name}"  # PostgreSQL refuses a course without an id
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError  # replace this line by yours"}
c.ClearSolutions.text_stub = "*Write your three sentences here.*"
# The student's cells run in a sandbox, the tests outside of it.
c.Execute.secret = open("secret").read().strip()  # of this class: give it to nobody
c.Autograde.autograde_preprocessors = [
    "diffusion_course.homework.grading.execute.Execute",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.CheckCellMetadata",
]
"""


def init(
    root: Path, db: str | None = None, source: Path | None = None, assignment: str = ASSIGNMENTS[0]
) -> Course:
    """Make a course directory. `db`: where the gradebook is, if not in an sqlite file beside the rest.

    Raises ValueError if `root` exists and is not empty, if its path holds * ? [ ] { } or if `db` cannot be opened.
    """
    root = Path(root).resolve()
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise ValueError(f"{root} exists and is not empty: name a new directory; nothing is ever overwritten.")
    if re.search(r"[*?\[\]{}]", str(root)):
        raise ValueError(f"{root}: nbgrader cannot work in a path that holds one of * ? [ ] {{ }}; name another.")
    source = source or shipped(assignment)
    if db:
        _open_gradebook(db)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)  # hidden tests and the students' work are nobody else's
    copy = root / "source" / assignment / f"{assignment}.ipynb"
    copy.parent.mkdir(parents=True)
    secret = drawn.secret()
    (root / "secret").write_text(secret)
    (root / "secret").chmod(0o600)
    salts = (
        f'SALT, CURVE = \\"{salt}\\"'.encode() for salt in (variant.SALT, drawn.salt(secret))
    )  # as JSON writes them
    copy.write_bytes(source.read_bytes().replace(*salts))
    (root / "submitted").mkdir()
    rows = [dict(zip(("id", "first_name", "last_name"), row, strict=True)) for row in EXAMPLE]
    tables.write(root / "roster.csv", ("id", "first_name", "last_name"), rows)
    (root / settings.FILE).write_text(settings.TEMPLATE, encoding="utf-8")
    configuration = CONFIGURATION.replace("{name}", assignment)
    (root / "nbgrader_config.py").write_text(f"{configuration}c.CourseDirectory.db_url = {db or SQLITE!r}\n")
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
        tables.replace(course.source, nbformat.writes(source).encode())
    command = course.nbgrader("generate_assignment", "--force", "--log-level=ERROR")
    done = subprocess.run(command, cwd=course.root, env=environment(), capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"nbgrader could not make the student's version:\n{done.stdout}{done.stderr}")
    paths = [course.released, *([_release_for(course, student) for student in course.roster] if each else [])]
    if found := leaks(course):
        course.released.unlink()
        raise ValueError("nothing is released, for the students would get the solution. " + "; ".join(found) + ".")
    tables.replace(course.release_note, json.dumps(sha256(course.source)).encode())
    return paths


def _release_for(course: Course, student: str) -> Path:
    made = notebook(course.released)
    cell = next(cell for cell in made.cells if cell.id == "student-id")
    cell.source, found = re.subn(r"(?m)^STUDENT_ID = .*$", f'STUDENT_ID = "{student}"', cell.source)
    if found != 1:
        raise ValueError(f"{course.source}: the cell student-id needs one line that begins with `STUDENT_ID = `.")
    path = course.root / "release" / "each" / f"{student}.ipynb"
    tables.replace(path, nbformat.writes(made).encode())
    return path


def solution(course: Course) -> Path:
    """Write the worked solution as a lesson of its own: the source without test cells and nbgrader's marks."""
    made = notebook(course.source)
    made.cells = [cell for cell in made.cells if not is_test(cell)]
    for cell in made.cells:
        cell.metadata.pop("nbgrader", None)
        cell.source = re.sub(r"(?ms)^[^\n]*BEGIN MARK SCHEME.*?END MARK SCHEME[^\n]*\n?", "", cell.source)
        cell.source = re.sub(r"(?m)^.*(BEGIN|END) SOLUTION.*\n?", "", cell.source).strip()
    path = course.root / "solution" / f"{course.assignment}.ipynb"
    tables.replace(path, nbformat.writes(made).encode())
    return path


def _open_gradebook(url: str) -> None:
    """ValueError unless nbgrader can open (and, where there is none, make) a gradebook there."""
    code = "import sys; from nbgrader.api import Gradebook; Gradebook(sys.argv[1]).close()"
    done = subprocess.run([sys.executable, "-c", code, url], env=environment(), capture_output=True, text=True)
    if done.returncode:
        raise ValueError(
            f"the gradebook {url} cannot be opened ({_error_line(done.stderr)}). "
            "Is the database there, and the driver that the URL names installed? "
            '(For postgresql+psycopg://… it is: pip install "psycopg[binary]")'
        )


def _error_line(text: str) -> str:
    """The line of a traceback that names the error."""
    lines = [line.strip() for line in text.splitlines() if re.match(r"[\w.]+(Error|Exception)\b", line)]
    return (lines or text.splitlines() or ["it says nothing"])[-1]
