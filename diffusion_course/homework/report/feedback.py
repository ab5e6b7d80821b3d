"""A page for every student: points, what was found, their samples beside the spiral that they should cover.

Everything a student wrote is data here: the templates escape all text, figures are drawn anew from numbers, and the
page forbids the browser to run or to load anything.
"""

import base64
import contextlib
import re
import zipfile
from collections.abc import Iterator
from html import escape
from pathlib import Path

import jinja2
import numpy as np

from ... import plots
from ...check.homework import variant
from .. import tables
from ..collect import submission
from ..course import Course
from ..grading.records import FAILED
from ..prepare import tailor
from . import lms
from .standing import Standing

PAGES = Path(__file__).with_name("pages")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
MARGIN = 1.25  # of the frame around the spiral
TEMPLATES = jinja2.Environment(  # in which every value but our style sheet is escaped
    loader=jinja2.FileSystemLoader(PAGES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
TEMPLATES.globals.update(policy=POLICY, style=(PAGES / "style.css").read_text(encoding="utf-8"))
TEMPLATES.filters.update(
    points=lambda number: "–" if number is None else f"{number:g}",
    signed="{:+g}".format,
    base64=lambda content: base64.b64encode(content).decode(),
)


def addressed(course: Course, everyone: list[Standing]) -> list[Standing]:
    """Those who get a page: students of the roster whose work was looked at."""
    looked_at = [each for each in everyone if each.status != FAILED and (each.record or each.reason)]
    return [student for student in looked_at if student.id in course.roster]


def feedback(course: Course, students: list[Standing]) -> Iterator[Path]:
    """Write `feedback/ID.html` for each of the students `addressed`, the same for all of a team; yields the paths.

    A page from before whose student has nothing to be told now is taken away.
    """
    folder, written = course.root / "feedback", set()
    for student in students:
        content = page(course, student).encode()
        for person in course.hands[student.id]:
            path = folder / f"{person.id}.html"
            tables.replace(path, content)
            _for_the_exchange(course, person.id, content)
            written.add(path)
            yield path
    for old in set(folder.glob("*.html")) - written:
        old.unlink()
    _for_moodle(course, folder, written)


def _for_moodle(course: Course, folder: Path, written: set[Path]) -> None:
    """`feedback/moodle.zip`, which Moodle takes as *Upload multiple feedback files in a zip*, if the grading worksheet
    tells the participants' numbers."""
    zipped, names = folder / "moodle.zip", {}
    for path in sorted(written):
        person = course.listed(course.people[path.stem])
        if person.number and lms.worksheet(person.row):
            names[path] = f"{person.name}_{person.number}_assignfeedback_file_feedback.html".replace("/", "-")
    zipped.unlink(missing_ok=True)
    if names:
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as file:
            for path, name in names.items():
                file.write(path, name)


def _for_the_exchange(course: Course, id: str, content: bytes) -> None:
    """The page of one whose work `nbgrader collect` brought, where and as `nbgrader release_feedback` wants it."""
    came, out = (course.root / folder / id / course.assignment for folder in ("submitted", "feedback"))
    with contextlib.suppress(submission.Problem):  # it came in another way
        for name in ("timestamp.txt", "submission_secret.txt"):
            tables.replace(out / name, submission.read(came / name))
        tables.replace(out / f"{course.assignment}.html", content)


def page(course: Course, student: Standing) -> str:
    """One student's page."""
    samples, phrases = student.record.samples if student.record else {}, course.settings.phrases
    picture = scatter(course.spiral(student.id), samples, phrases) if samples else None
    html = TEMPLATES.get_template("feedback.html").render(course=course, student=student, picture=picture)
    head, body = html.split("<body>")
    escaped = {escape(english): escape(other) for english, other in phrases.items()}
    return f"{head}<body>" + re.sub(r"(?<=>)[^<>]+", lambda text: tailor.translated(text[0], escaped), body)


def scatter(own: variant.Variant, samples: dict[str, list], phrases: dict[str, str] | None = None) -> plots.Figure:
    """The student's data set, and their samples after each number of steps over the same spiral."""
    spiral, middle = own.data(), np.asarray(own.centre)
    limit = MARGIN * float(np.abs(spiral - middle).max())
    panels = {"your spiral": spiral - middle}
    for steps, points in samples.items():
        cloud = np.array(points, dtype=float).reshape(-1, 2) - middle
        inside = cloud[(np.abs(cloud) <= limit).all(axis=1)]  # NaN, from None, is not
        title = f"{steps} steps" + (f"\n{len(cloud) - len(inside)} outside" if len(inside) < len(cloud) else "")
        panels[title] = inside if len(inside) else np.full((1, 2), 2 * limit)  # out of sight: an empty frame
    panels = {tailor.translated(title, phrases or {}): panel for title, panel in panels.items()}
    return plots.clouds(panels, reference=spiral - middle, limit=limit)
