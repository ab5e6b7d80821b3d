"""Pairs of submissions whose answers are nearly the same, found by copydetect; a person decides what that means.

Programs (`answers.Read`) are compared by fingerprints of their tokens (winnowing: Schleimer, Wilkerson and Aiken,
2003), so other names and spacing change nothing. What the students were given counts for nothing. A program that is
found in a longer one is a pair with it, whatever the longer one has besides.
"""

import io
import itertools
from collections.abc import Container, Iterable
from pathlib import Path
from statistics import median

from nbformat import NotebookNode

from ..assignments import parts_of
from ..collect import submission
from ..course import PACKAGE, Course, notebook
from ..tables import visible
from . import answers

K, WINDOW = 25, 6  # characters of tokens in a fingerprint; of so many neighbours one is kept
# Share of one program that must be found in the other. Measured in tests/homework/test_similar.py: 0.09 for a program
# that was written apart from the solution, 0.92 and more for copies of it that were disguised in fourteen ways.
NEARLY = 0.6
LEAST = 20  # fingerprints of a program: shorter ones are alike by nature
SOLUTION = "(the solution)"

Shares = list[tuple[str, str, float]]


def shares(code: dict[str, str], given: str, known: dict[str, str] | None = None) -> Shares:
    """(id, name, share) of every pair: what they have in common beside `given`, the most similar first.

    `code`: id → program. `known`: name → a program that is compared with these and not with its like: the solution that
    ships, those of earlier years. The share is the larger of the two.
    """
    from copydetect import CodeFingerprint, compare_files  # which load matplotlib

    def fingerprints(programs: dict[str, str], common: Iterable = ()) -> dict[str, CodeFingerprint]:
        options = {"boilerplate": list(common), "language": "python"}
        long = {name: io.StringIO(text) for name, text in programs.items() if len(text) > K}
        return {name: CodeFingerprint("", K, WINDOW, fp=text, **options) for name, text in long.items()}

    common = {each for made in fingerprints({"": given}).values() for each in made.hashes}
    made = [fingerprints(programs, common) for programs in (code, known or {})]
    ours, theirs = ({name: each for name, each in some.items() if len(each.hashes) >= LEAST} for some in made)
    asked = [*itertools.combinations(sorted(ours), 2), *itertools.product(ours, theirs)]
    everyone = ours | theirs
    found = [(a, b, float(max(compare_files(ours[a], everyone[b])[1]))) for a, b in asked]
    return sorted(found, key=lambda pair: (-pair[2], pair[:2]))


def near(shares: Shares) -> Shares:
    """Those who have at least NEARLY in common; last two who both have it from the solution."""
    found = [pair for pair in shares if pair[2] >= NEARLY]
    known = {id for id, other, _ in found if other == SOLUTION}
    return sorted(found, key=lambda pair: known.issuperset(pair[:2]))


def usual(shares: Shares, others: Container[str]) -> str:
    """The median share of the students with these others, in percent: so much is no sign of copying."""
    found = [share for _, other, share in shares if other in others]
    return f"{100 * median(found):.0f} %" if found else "–"


def known(course: Course, earlier: Iterable[Path] = ()) -> dict[str, str]:
    """What every submission is compared with: name → program. The solution, what the package holds of it, and each
    notebook in these folders of earlier years."""
    programs = {SOLUTION: program(course, notebook(course.source))}
    for name, (files, names) in parts_of(course.assignment).ALIKE.items():
        programs[name] = answers.read([(PACKAGE / file).read_text(encoding="utf-8") for file in files], names).program
    for folder in earlier:
        for path in sorted(folder.rglob("*.ipynb")):
            name = visible(f"{folder.name}/{path.relative_to(folder)}")
            try:
                programs[name] = program(course, submission.parse(submission.read(path)))
            except submission.Problem:
                programs[name] = ""
    return programs


def program(course: Course, notebook: NotebookNode) -> str:
    """What the code cells of this notebook answer."""
    return answers.read([cell.source for cell in notebook.cells if cell.cell_type == "code"], course.answers).program
