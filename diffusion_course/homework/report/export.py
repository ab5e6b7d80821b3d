"""The class: a table for the gradebook, and a page that says what was hard and what to look at."""

import itertools
from collections import Counter
from collections.abc import Iterable
from math import floor, inf
from operator import itemgetter
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from ...check.homework import variant
from .. import tables
from ..course import Course, notebook
from ..grading import records
from ..prepare import drawn
from . import lms, similar
from .feedback import TEMPLATES
from .standing import Standing, members

SHOWN = 30  # pairs on the page
SENTENCE = 60  # characters; shorter ones may be equal by chance


def export(course: Course, everyone: list[Standing], earlier: Iterable[Path] = ()) -> list[Path]:
    """Write `export/grades.csv`, `export/pairs.csv` and `export/report.html`; returns their paths.

    `earlier`: folders with the notebooks of earlier years, which are compared too.
    """
    code = {each.id: each.record.code for each in everyone if each.record}
    given = similar.program(course, notebook(course.released))
    shares = similar.shares(code, given, similar.known(course, earlier))
    pairs, page, names = course.root / "export/pairs.csv", course.root / "export/report.html", course.roster
    rows = [{"id": a, "name": names.get(a), "other": b, "other name": names.get(b), "share": f"{share:.3f}"}
            for a, b, share in similar.near(shares)]  # fmt: skip
    tables.write(pairs, ("id", "name", "other", "other name", "share"), rows)
    tables.replace(page, report(course, everyone, shares).encode())
    return [lms.grades(course, everyone), pairs, page]


def report(course: Course, everyone: list[Standing], shares: similar.Shares) -> str:
    """The page about the class."""
    graded = [each for each in everyone if each.judged]
    students = [each.total for _, each in members(course, graded)]
    totals = [total for total in students if total is not None]
    bars = list(itertools.dropwhile(lambda bar: not bar[1], histogram(totals, course.most)))
    whole = [each for each in graded if each.status == records.GRADED]  # who ended early has one mistake, not ten
    faults = Counter((name, part.fault) for each in whole for name, part in each.parts.items() if part.fault)
    return TEMPLATES.get_template("report.html").render(
        course=course,
        who=lambda id: f"{course.roster[id]} ({id})" if course.roster.get(id) else id,
        everyone=everyone,
        students=len(members(course, everyone)),
        statuses=Counter(each.status for each in everyone).most_common(),
        totals=totals,
        median=median(totals) if totals else None,
        unmarked=len(students) - len(totals),
        histogram=bars,
        tallest=max((count for _, count in bars), default=1),
        hardest=sorted((_difficulty(course, graded, faults, name) for name in course.parts), key=itemgetter("share")),
        faults=faults.most_common(),
        odd=[each for each in everyone if each.status != records.GRADED or each.reason],
        reproduced=reproduced(graded, drawn.salt(course.secret), course.settings.task.curve),
        uses=[each for each in graded if each.record.uses],
        equal=equal(graded),
        pairs=similar.near(shares),
        usual=[similar.usual(shares, course.roster), similar.usual(shares, [similar.SOLUTION])],
        shown=SHOWN,
    )


def histogram(totals: list[float], most: float) -> list[tuple[str, int]]:
    """(label, students) for each whole point: 0 to under 1, …, and full points in the last."""
    counts = Counter(min(floor(total), floor(most)) for total in totals)
    labels = [f"{i} – {i + 1}" for i in range(floor(most))] + [f"{most:g}"]
    return [(label, counts[i]) for i, label in enumerate(labels)]


def _difficulty(course: Course, graded: list[Standing], faults: Counter, name: str) -> dict[str, Any]:
    """What one part came to: mean points and their share, how many students have so much, the most common mistake."""
    parts, most = [each.parts[name] for each in graded], course.parts[name]
    points = [part.points for part in parts if part.points is not None]
    common = ((fault, count) for (part, fault), count in faults.most_common() if part == name)
    fault, count = next(common, ("", 0))
    return {
        "name": name,
        "mean": mean(points) if points else inf,
        "share": mean(points) / (most or 1) if points else inf,  # a part may be worth nothing
        "graded": len(points),
        "full": sum(each >= most for each in points),
        "blank": sum(part.message.startswith("○") for part in parts if part.points is not None),
        "fault": fault,
        "count": count,
    }


def equal(graded: list[Standing]) -> list[list[str]]:
    """The ids of those who handed in the same sentences."""
    said: dict[str, list[str]] = {}
    for each in graded:
        if each.record.parts["conclusions"].points is None:  # not blank
            said.setdefault(" ".join(each.record.conclusions.split()), []).append(each.id)
    return [ids for text, ids in said.items() if len(ids) > 1 and len(text) > SENTENCE]


def reproduced(graded: list[Standing], *kind: str) -> list[tuple[str, list[str]]]:
    """(id, ids of others) for each student whose samples lie on the spirals of others, not on their own.

    `kind`: the salt of the class and its curve.
    """
    ids, found = [each.id for each in graded], []
    for each in graded:
        drawn_points = [np.array(points, dtype=float).reshape(-1, 2) for points in each.record.samples.values()]
        clouds = [cloud for points in drawn_points if len(cloud := points[np.isfinite(points).all(axis=1)])]
        strange = [cloud for cloud in clouds if not variant.reproduced(cloud, [each.id], *kind)]
        others = {other for cloud in strange for other in variant.reproduced(cloud, ids, *kind)}
        found += [(each.id, sorted(others))] if others else []
    return found
