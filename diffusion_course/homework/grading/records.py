"""What is known of each graded submission, kept in the course's `gradebook`, whole, when the grading has ended."""

import json
import math
from dataclasses import asdict, dataclass, field

import numpy as np

from ..course import Course

GRADED = "graded"
FAILED = "grader failed"  # our fault, not the student's: tried again by the next `grade`
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
    inside: float = 0.0  # of them in the student's process and the tests
    parts: dict[str, Part] = field(default_factory=dict)
    conclusions: str = ""
    figures: str = ""  # of the student's own run, to hold the sentences against
    code: str = ""  # of the answers, as `answers.program` writes it
    uses: list[str] = field(default_factory=list)  # that an answer may not use
    samples: dict[str, list] = field(default_factory=dict)  # steps → points, as `clouds` makes them

    def save(self, course: Course) -> None:
        course.gradebook.write(self.id, json.dumps(asdict(self)))

    def is_of(self, submission: str, kit: str) -> bool:
        """Is there nothing to grade again?"""
        return (self.submission, self.kit) == (submission, kit) and self.status != FAILED


def load(course: Course, student: str) -> Record | None:
    """The record of a student, or None if none can be read. ValueError if the gradebook does not answer."""
    found = course.gradebook.read(student)
    try:
        told = json.loads(found or "")
        return Record(**{**told, "parts": {name: Part(**part) for name, part in told["parts"].items()}})
    except (ValueError, TypeError, KeyError):  # none yet, or of another version of the kit
        return None


def clouds(samples) -> dict[str, list]:
    """A student's `samples`, to be drawn: steps → at most MOST points (x, y), None for what is not finite.

    Whatever is no dict of numbers to points (n, 2) is left out.
    """
    kept = {}
    for steps, points in samples.items() if isinstance(samples, dict) else ():
        right = isinstance(points, np.ndarray) and points.dtype.kind in "iuf" and points.shape[1:] == (2,)
        if right and str(steps).isdecimal() and len(str(steps)) < 6 and len(kept) < PANELS:
            rows = points[:MOST].astype(float).round(3).tolist()
            kept[str(steps)] = [[x if math.isfinite(x) else None for x in row] for row in rows]
    return kept
