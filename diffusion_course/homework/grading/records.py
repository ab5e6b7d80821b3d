"""What is known of each graded submission, kept in the course's `gradebook`, whole, when the grading has ended."""

import json
import math
from dataclasses import asdict, dataclass, field

import numpy as np
from nbformat import NotebookNode

from ..course import Course, is_test, part_of
from ..report import answers
from ..tables import visible

GRADED = "graded"
FAILED = "grader failed"  # our fault, not the student's: tried again by the next `grade`
BLANK = "No part was attempted: perhaps the wrong file."
STRANGE = "These cells ran, and are no Python that the grader can read, so your teacher will look at them: {}."
LONGEST, LINE, REMARKS = 100_000, 500, 50  # characters of a text and of a line, lines on a student's code
MOST, PANELS = 2048, 3  # points of a cloud that are kept, and clouds


@dataclass(frozen=True)
class Part:
    """Points of one part, or None where nothing could be graded, and what was found, in one line."""

    points: float | None
    message: str

    @property
    def fault(self) -> str | None:
        """The name of the mistake: "✗ add_noise: a square root is missing. …" → "a square root is missing"."""
        if not self.message.startswith("✗"):
            return None
        told = self.message.removeprefix("✗").split(": ", 1)[-1]
        return told.split(". ", 1)[0].strip().rstrip(".")


@dataclass(frozen=True)
class Record:
    """One grading. `submission` and `kit` are hashes of what was graded and of what graded it."""

    id: str
    submission: str
    kit: str
    status: str
    reason: str = ""
    seconds: float = 0.0
    parts: dict[str, Part] = field(default_factory=dict)
    conclusions: str = ""
    figures: str = ""  # of the student's own run, to hold the sentences against
    code: str = ""  # of the answers, as `answers.read` tells it
    uses: list[str] = field(default_factory=list)  # that an answer may not use
    samples: dict[str, list] = field(default_factory=dict)  # steps → points, as `clouds` makes them

    def save(self, course: Course) -> None:
        course.gradebook.write(self.id, json.dumps(asdict(self)))


def load(course: Course, student: str) -> Record | None:
    """The record of a student, or None if none can be read. ValueError if the gradebook does not answer."""
    found = course.gradebook.read(student)
    try:
        told = json.loads(found or "")
        return Record(**{**told, "parts": {name: Part(**part) for name, part in told["parts"].items()}})
    except (ValueError, TypeError, KeyError):  # none yet, or of another version of the kit
        return None


def is_own(cell: NotebookNode) -> bool:
    """Is this code of the student's?"""
    return cell.cell_type == "code" and not is_test(cell)


def points(cell: NotebookNode) -> float:
    """Those of a test cell: the value of its last line, 0 where it ended in an error."""
    results = [out.data["text/plain"] for out in cell.outputs if out.output_type == "execute_result"]
    return min(float(results[0] if results else 0), cell.metadata.nbgrader.points)


def judged(cell: NotebookNode) -> Part:
    """What a test cell has come to: its points, and the first line that it printed."""
    printed = "".join(out.text for out in cell.outputs if out.output_type == "stream")
    ended = "".join(f": the test ended in {out.ename}" for out in cell.outputs if out.output_type == "error")
    line = (printed.strip().splitlines() or [f"✗ nothing could be tested{ended}"])[0]
    return Part(points(cell), visible(line[:LINE]))


def _by_hand(cell: NotebookNode) -> Part:
    """None for points, unless the cell is as it was given out."""
    from nbgrader.utils import determine_grade  # slow to load

    given, _ = determine_grade(cell)
    return Part(given, "○ not attempted" if given == 0 else "")


def outcome(notebook: NotebookNode, names: list[str]) -> dict:
    """The fields of a record that a notebook holds which has run; `names` are those that its cells should define."""
    about = notebook.metadata.get("homework", {})
    places = [i for i, cell in enumerate(notebook.cells) if is_own(cell)]
    found = answers.read([notebook.cells[i].source for i in places], names)
    unread = [places[i] + 1 for i in found.unread if places[i] not in about.get("errors", [])]
    marked = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    parts = {part_of(c.metadata.nbgrader.grade_id): judged(c) if is_test(c) else _by_hand(c) for c in marked}
    signs = {name.replace("-", "_"): part.message[:1] for name, part in parts.items()}
    said = [f"{name} (right, and defined in no cell)" for name in found.missing if signs.get(name) == "✓"]
    blank = [name for name in found.blank if signs.get(name, signs.get("training")) == "✓"]
    said += [f"{name} (blank, and its work is done)" for name in blank] + [f"cell {i} (ran, unread)" for i in unread]
    return {
        "status": GRADED if about.get("status", "complete") == "complete" else about["status"],
        "reason": about.get("reason") or (STRANGE.format(unread) if unread else BLANK * (set(signs.values()) <= {"○"})),
        "parts": parts,
        "conclusions": "\n".join(cell.source for cell in marked if not is_test(cell))[:LONGEST],
        "figures": about.get("figures", ""),
        "code": found.program,
        "uses": [visible(each[:LINE]) for each in (*found.uses[:REMARKS], *about.get("remarks", []), *said)],
        "samples": dict(sorted(about.get("samples", {}).items(), key=lambda each: int(each[0]))),
    }


def clouds(samples) -> dict[str, list]:
    """A student's `samples`, to be drawn: steps → at most MOST points (x, y), None for what is not finite. Whatever is
    no dict of numbers to points (n, 2) is left out."""
    kept = {}
    for steps, points in samples.items() if isinstance(samples, dict) else ():
        right = isinstance(points, np.ndarray) and points.dtype.kind in "iuf" and points.shape[1:] == (2,)
        if right and str(steps).isdecimal() and len(str(steps)) < 6 and len(kept) < PANELS:
            rows = points[:MOST].astype(float).round(3).tolist()
            kept[str(steps)] = [[x if math.isfinite(x) else None for x in row] for row in rows]
    return kept
