"""A course directory: its places, its students and its parts.

    source/NAME/NAME.ipynb       the one source, copied in       submitted/   what the students handed in
    release/                     the student's version           grading/     a record of each grading, its log
    roster.csv, marks.csv        the teacher's two tables        feedback/, export/   what comes out
    homework.toml                what differs in this class      worksheet.csv        if wanted, of Moodle or Canvas
    secret                       of this class, kept with the grades: the hidden questions are drawn from it

The folders are those of nbgrader, whose exchange (`nbgrader_config.py`) may bring and give back the students' work.
"""

import hashlib
import json
import math
import re
import sys
from functools import cached_property
from pathlib import Path

import nbformat

from ..check.homework import variant
from .assignments import ASSIGNMENTS
from .collect import roster as class_list
from .collect.roster import Person
from .grading.gradebook import Database, Files
from .prepare import drawn, settings, tailor
from .prepare.settings import Settings
from .report import answers as answering

PACKAGE = Path(__file__).resolve().parents[1]


class Course:
    """The places of a course directory. Raises ValueError unless `init` made it."""

    def __init__(self, root: Path):
        self.root = Path(root).resolve()
        if not (self.root / "nbgrader_config.py").is_file():
            raise ValueError(f"{self.root} is no course directory: make one with `diffusion-course homework init`.")
        set_here = (name for name in ASSIGNMENTS if (self.root / "source" / name).is_dir())
        self.assignment = next(set_here, ASSIGNMENTS[0])
        inside = Path(self.assignment, f"{self.assignment}.ipynb")
        self.source, self.released = self.root / "source" / inside, self.root / "release" / inside
        self.grading = self.root / "grading"
        self.release_note = self.grading / "released.json"

    @cached_property
    def secret(self) -> str:
        """From which all that is hidden is drawn. ValueError where there is none."""
        path = self.root / "secret"
        if not path.is_file():
            raise ValueError(f"{path} is missing: `init` makes it. Take it from a copy, or begin with a new directory.")
        return path.read_text().strip()

    @cached_property
    def gradebook(self) -> Files | Database:
        """Where the records are kept."""
        if address := self.settings.gradebook.address:
            return Database(address, f"{self.assignment}-{drawn.salt(self.secret)}")
        return Files(self.grading / "records")

    @cached_property
    def people(self) -> dict[str, Person]:
        """The students, id → person. ValueError for a roster that cannot be used."""
        return class_list.read(self.root / "roster.csv", self.released_from[1])

    @property
    def released_from(self) -> tuple[str, str]:
        """At the release: the hash of the source, and the column of the ids in the roster."""
        note = json.loads(self.release_note.read_text()) if self.release_note.is_file() else ""
        if isinstance(note, str):  # of an earlier version: the hash alone
            return note, ""
        return note["source"], note["column"]

    def listed(self, person: Person) -> Person:
        """The student as `worksheet.csv` has them, an export made after the last day; as the roster else."""
        return self._worksheet.get(person.id, person)

    @cached_property
    def _worksheet(self) -> dict[str, Person]:
        path = self.root / "worksheet.csv"
        return class_list.listed(path, self.people) if path.is_file() else {}

    @cached_property
    def settings(self) -> Settings:
        """What the teacher has set for this class."""
        return settings.read(self.root / settings.FILE)

    def spiral(self, student: str) -> variant.Variant:
        """The curve of a student or team."""
        return variant.of(student, drawn.salt(self.secret), self.settings.task.curve)

    @cached_property
    def hands(self) -> dict[str, list[Person]]:
        """Who hands in together: the id of a student or of a team → its members."""
        return class_list.hands(self.people)

    @cached_property
    def roster(self) -> dict[str, str]:
        """The same ids → the names of the members."""
        return {id: ", ".join(filter(None, (person.name for person in both))) for id, both in self.hands.items()}

    @cached_property
    def _cells(self) -> list[nbformat.NotebookNode]:
        return notebook(self.source).cells

    @cached_property
    def _graded(self) -> dict[str, nbformat.NotebookNode]:
        cells = [cell for cell in self._cells if cell.metadata.get("nbgrader", {}).get("grade")]
        return {part_of(cell.metadata.nbgrader.grade_id): cell for cell in sorted(cells, key=_number)}

    @cached_property
    def parts(self) -> dict[str, float]:
        """Each graded part → its points, by number, then by place; the one marked by hand is `conclusions`."""
        return {name: float(cell.metadata.nbgrader.points) for name, cell in self._graded.items()}

    @property
    def most(self) -> float:
        """All points that there are."""
        return sum(self.parts.values())

    @cached_property
    def answers(self) -> list[str]:
        """The names that the solution's cells define: what is compared."""
        solved = [cell for cell in self._cells if cell.metadata.get("nbgrader", {}).get("solution")]
        return answering.defined([cell.source for cell in solved if cell.cell_type == "code"])

    @cached_property
    def titles(self) -> dict[str, str]:
        """Each graded part → what it grades: the comment on the first line of its test cell, else its name."""
        first = {name: cell.source.split("\n")[0] for name, cell in self._graded.items()}
        return {name: line.strip("# ") if line.startswith("# ") else name.capitalize() for name, line in first.items()}

    @cached_property
    def title(self) -> str:
        """What the source notebook is called: its first heading."""
        heading = re.search(r"(?m)^# (.+)$", self._cells[0].source)
        return heading[1].strip() if heading else "Homework"

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the source notebook and with the code of this package: then everything is graded anew."""
        files = [self.source, *sorted(PACKAGE.rglob("*.py"))]
        return hashlib.sha256("".join(map(sha256, files)).encode()).hexdigest()

    def require_release(self) -> None:
        """ValueError unless the source that was released is the one that lies there now, with the same ids."""
        command = f"`diffusion-course homework release {self.root}`"
        if not self.released.is_file():
            raise ValueError(f"nothing is released yet: {command}.")
        new = tailor.tailored(notebook(self.source), self.settings) and self.root / settings.FILE
        source, column = self.released_from
        if new or source != sha256(self.source):
            raise ValueError(f"{new or self.source} was changed after the release: {command}.")
        if column and (other := {each.column for each in self.people.values()} - {column}):
            moved = f"the ids of roster.csv stood in the column {column!r} at the release, now in {other.pop()!r}"
            raise ValueError(f"{moved}. Bring it back; only if they are the same, or nobody has begun: {command}.")

    def runner(self, *arguments: str) -> list[str]:
        """The command that runs and judges one notebook (`grading.run`)."""
        return [sys.executable, "-m", "diffusion_course.homework.grading.run", str(self.root), *arguments]


def is_test(cell) -> bool:
    """Is this a cell that grades by machine?"""
    about = cell.metadata.get("nbgrader", {})
    return bool(about.get("grade")) and not about.get("solution")


def _number(cell) -> float:
    """Of a part that says one, `# Part 5 · …`: its test may stand below later ones. The others come last."""
    said = re.match(r"# Part (\d+)\b", cell.source)
    return int(said[1]) if said else math.inf


def part_of(grade_id: str) -> str:
    """grade-add-noise → add-noise."""
    return grade_id.removeprefix("grade-")


def notebook(path: Path) -> nbformat.NotebookNode:
    """A notebook of the teacher's. ValueError if it is none."""
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise ValueError(f"{path} is no notebook ({str(error).splitlines()[0]}).") from None
    return notebook


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
