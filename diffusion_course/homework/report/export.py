"""The class: a table for the gradebook, and a page that says what was hard and what to look at."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import numpy as np

from ...check.homework import variant
from .. import tables
from ..course import Course, notebook
from ..grading import records
from ..prepare import drawn
from . import answers, similar
from .feedback import render
from .standing import Standing, members

SHOWN = 30  # pairs on the page


def export(course: Course, everyone: list[Standing], earlier: Iterable[Path] = ()) -> list[Path]:
    """Write `export/grades.csv`, `export/pairs.csv` and `export/report.html`; returns their paths.

    `earlier`: folders with the notebooks of earlier years, which are compared too.
    """
    folder = course.root / "export"
    given = [cell.source for cell in notebook(course.released).cells if cell.cell_type == "code"]
    code = {each.id: each.record.code for each in everyone if each.record}
    shares = similar.shares(code, answers.read(given, course.answers).program, similar.known(course, earlier))
    pairs = similar.near(shares)
    grades, listed, page = folder / "grades.csv", folder / "pairs.csv", folder / "report.html"
    tables.write(grades, *table(course, everyone))
    names = course.roster
    rows = [{"id": a, "name": names.get(a), "other": b, "other name": names.get(b), "share": f"{share:.3f}"}
            for a, b, share in pairs]  # fmt: skip
    tables.write(listed, ("id", "name", "other", "other name", "share"), rows)
    tables.replace(page, report(course, everyone, shares).encode())
    return [grades, listed, page]


def table(course: Course, everyone: list[Standing]) -> tuple[tuple[str, ...], list[dict]]:
    """Columns and rows: id, name, team, status, points of each part, which of them are full, total, why."""
    passed = {name: f"{name} passed" for name in course.parts}
    columns = ("id", "name", "team", "status", "total", *course.parts, "correction", "late", *passed.values(), "note")
    rows = []
    for person, each in members(course, everyone):
        row = {"id": person.id, "name": person.name, "team": person.team, "status": each.status}
        row |= {name: tables.number(part.points) for name, part in each.parts.items()}
        row |= {passed[n]: _yes(part.points, course.parts[n]) for n, part in each.parts.items()}
        row |= {"total": tables.number(each.total), "correction": tables.number(each.mark.correction or None)}
        row |= {"late": tables.number(-each.lost or None), "note": f"{each.reason} {each.late.told}".strip()}
        rows.append(row)
    return columns, rows


def report(course: Course, everyone: list[Standing], shares: similar.Shares) -> str:
    """The page about the class."""

    def who(id: str) -> str:
        return f"{course.roster[id]} ({id})" if course.roster.get(id) else id

    graded = [each for each in everyone if each.record and each.record.parts]
    students = [each.total for _, each in members(course, graded)]
    totals = [total for total in students if total is not None]
    bars = list(itertools.dropwhile(lambda bar: not bar[1], histogram(totals, course.most)))
    whole = [each for each in graded if each.status == records.GRADED]  # who ended early has one mistake, not ten
    faults = Counter(fault for each in whole for fault in _faults(each))
    return render(
        "report.html",
        title=course.title,
        everyone=everyone,
        students=len(members(course, everyone)),
        statuses=Counter(each.status for each in everyone).most_common(),
        most=course.parts,
        titles=course.titles,
        totals=totals,
        median=median(totals) if totals else None,
        unmarked=len(students) - len(totals),
        histogram=bars,
        tallest=max((count for _, count in bars), default=1),
        hardest=sorted((_difficulty(course, graded, faults, name) for name in course.parts), key=lambda d: d.share),
        faults=faults.most_common(),
        odd=[(who(each.id), each) for each in everyone if each.status != records.GRADED or each.reason],
        reproduced=[
            (who(id), map(who, others))
            for id, others in reproduced(graded, drawn.salt(course.secret), course.settings.task.curve)
        ],
        uses=[(who(each.id), each.record.uses) for each in graded if each.record.uses],
        pairs=[(who(a), who(b), share) for a, b, share in similar.near(shares)],
        usual=[similar.usual(shares, course.roster), similar.usual(shares, [similar.SOLUTION])],
        shown=SHOWN,
    )


def histogram(totals: list[float], most: float) -> list[tuple[str, int]]:
    """(label, students) for each whole point: 0 to under 1, …, and full points in the last."""
    counts = Counter(min(math.floor(total), math.floor(most)) for total in totals)
    labels = [f"{i} – {i + 1}" for i in range(math.floor(most))] + [f"{most:g}"]
    return [(label, counts[i]) for i, label in enumerate(labels)]


@dataclass(frozen=True)
class Difficulty:
    """Of one part: mean points, their share of the points, counts, and the mistake that most made."""

    name: str
    share: float
    mean: float
    graded: int
    full: int
    blank: int
    fault: str
    count: int


def _difficulty(course: Course, graded: list[Standing], faults: Counter, name: str) -> Difficulty:
    parts = [each.parts[name] for each in graded]
    points = [part.points for part in parts if part.points is not None]
    most, got = course.parts[name], mean(points) if points else math.nan
    common = [(fault, count) for (part, fault), count in faults.most_common() if part == name]
    return Difficulty(
        name,
        math.inf if math.isnan(got) else got / (most or 1),  # LARGE.md advises to set a part to 0 points
        got,
        len(points),
        sum(each >= most for each in points),
        sum(part.message.startswith("○") for part in parts if part.points is not None),
        *(common[0] if common else ("", 0)),
    )


def _faults(student: Standing) -> list[tuple[str, str]]:
    return [(name, part.fault) for name, part in student.parts.items() if part.fault]


def reproduced(graded: list[Standing], *kind: str) -> list[tuple[str, list[str]]]:
    """(id, ids of others) for each student whose samples lie on the spirals of others, not on their own.

    `kind`: the salt of the class and its curve.
    """
    ids, found = [each.id for each in graded], []
    for each in graded:
        clouds = [cloud for points in each.record.samples.values() if len(cloud := _finite(points))]
        strange = [cloud for cloud in clouds if not variant.reproduced(cloud, [each.id], *kind)]
        others = {other for cloud in strange for other in variant.reproduced(cloud, ids, *kind)}
        found += [(each.id, sorted(others))] if others else []
    return found


def _finite(points: list) -> np.ndarray:
    return np.array([point for point in points if None not in point], dtype=float).reshape(-1, 2)


def _yes(points: float | None, most: float) -> str:
    return "" if points is None else "yes" if points >= most else "no"
