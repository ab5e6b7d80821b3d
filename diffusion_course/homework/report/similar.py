"""Pairs of submissions whose answers are nearly the same, found by copydetect; a person decides what that means.

Programs (`answers.program`) are compared by fingerprints of their tokens (winnowing: Schleimer, Wilkerson and Aiken,
2003), so other names and spacing change nothing. What the students were given counts for nothing. A program that is
found in a longer one is a pair with it, whatever the longer one has besides.
"""

import io
import itertools
from collections.abc import Container, Iterable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from ..assignments import parts_of
from ..collect import submission
from ..course import PACKAGE, Course, notebook
from ..tables import visible
from . import answers

if TYPE_CHECKING:
    from copydetect import CodeFingerprint  # which loads matplotlib: only where programs are compared

K, WINDOW = 25, 6  # characters of tokens in a fingerprint; of so many neighbours one is kept
# Share of one program that must be found in the other. Measured in tests/homework/test_similar.py: 0.09 for a program
# that was written apart from the solution, 0.94 and more for copies of it that were disguised in seven ways.
NEARLY = 0.6
LEAST = 20  # fingerprints of a program: shorter ones are alike by nature
SOLUTION = "(the solution)"

Shares = list[tuple[str, str, float]]


def shares(code: dict[str, str], given: str, known: dict[str, str] | None = None) -> Shares:
    """(id, name, share) of every pair: what they have in common beside `given`, the most similar first.

    `code`: id → program. `known`: name → a program that is compared with these and not with its like: the solution that
    ships, those of earlier years. The share is the larger of the two.
    """
    from copydetect import compare_files

    common = list(_fingerprint(given).hashes) if len(given) > K else []
    ours, theirs = (_fingerprints(programs, common) for programs in (code, known or {}))
    asked: Iterable = itertools.chain(itertools.combinations(sorted(ours), 2), itertools.product(ours, theirs))
    everyone = ours | theirs
    found = [(a, b, float(max(compare_files(ours[a], everyone[b])[1]))) for a, b in asked]
    return sorted(found, key=lambda pair: (-pair[2], pair[:2]))


def near(shares: Shares) -> Shares:
    """Those who have at least NEARLY in common."""
    return [pair for pair in shares if pair[2] >= NEARLY]


def usual(shares: Shares, others: Container[str]) -> str:
    """The median share of the students with these others, in percent: so much is no sign of copying."""
    found = [share for _, other, share in shares if other in others]
    return f"{100 * median(found):.0f} %" if found else "–"


def known(course: Course, earlier: Iterable[Path] = ()) -> dict[str, str]:
    """What every submission is compared with: name → program. The solution, what the package holds of it, and each
    notebook in these folders of earlier years."""
    source = [cell.source for cell in notebook(course.source).cells if cell.cell_type == "code"]
    programs = {SOLUTION: answers.read(source, course.answers).program}
    for name, (files, names) in parts_of(course.assignment).ALIKE.items():
        programs[name] = answers.read([(PACKAGE / file).read_text() for file in files], names).program
    for folder in earlier:
        for path in sorted(folder.rglob("*.ipynb")):
            programs[visible(f"{folder.name}/{path.relative_to(folder)}")] = _earlier(course, path)
    return programs


def _earlier(course: Course, path: Path) -> str:
    """The program of a notebook that was handed in once; empty if it is none."""
    try:
        cells = submission.parse(submission.read(path)).cells
    except submission.Problem:
        return ""
    return answers.read([cell.source for cell in cells if cell.cell_type == "code"], course.answers).program


def _fingerprints(programs: dict[str, str], common: list) -> "dict[str, CodeFingerprint]":
    made = {name: _fingerprint(text, common) for name, text in programs.items() if len(text) > K}
    return {name: each for name, each in made.items() if len(each.hashes) >= LEAST}


def _fingerprint(text: str, known=()) -> "CodeFingerprint":
    from copydetect import CodeFingerprint

    return CodeFingerprint("", K, WINDOW, boilerplate=list(known), language="python", fp=io.StringIO(text))
