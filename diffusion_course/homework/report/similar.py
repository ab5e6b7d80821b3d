"""Pairs of submissions whose answers are nearly the same, found by copydetect; a person decides what that means.

Programs (`answers.Read`) are compared by fingerprints of their tokens (winnowing: Schleimer, Wilkerson and Aiken,
2003), so other names and spacing change nothing. What the students were given counts for nothing. Answers found
anywhere in another's code are a pair with it, and so are two that share as much code as the solution has.
"""

import io
import itertools
from collections.abc import Container, Iterable
from math import inf
from pathlib import Path
from statistics import median

from nbformat import NotebookNode

from ..assignments import parts_of
from ..collect import submission
from ..course import PACKAGE, Course, notebook
from ..tables import visible
from . import answers

K, WINDOW = 25, 4  # characters of tokens in a fingerprint; of so many neighbours one is kept
# Share of one program that must be found in the other. Measured in tests/homework/test_similar.py: 0.10 for a program
# that was written apart from the solution, 0.91 and more for copies of it that were disguised in fourteen ways.
NEARLY = 0.6
LEAST = 20  # fingerprints of a program: shorter ones are alike by nature
SOLUTION = "(the solution)"

Shares = list[tuple[str, str, float]]
Places = dict[int, list[int]]  # fingerprint → where it stands


def shares(code: dict[str, str], given: str, known: dict[str, str] | None = None) -> Shares:
    """(id, name, share) of every pair: what they have in common beside `given`, the most similar first.

    `code`: id → program. `known`: name → a program that is compared with these and not with its like: the solution that
    ships, those of earlier years. The share is the larger of the two.
    """
    from copydetect import CodeFingerprint  # which loads matplotlib

    def places(program: str, common: Container[int] = ()) -> Places:
        made = CodeFingerprint("", K, WINDOW, fp=io.StringIO(program.ljust(K)), language="python")
        return {each: made.hash_idx[each] for each in made.hashes if each not in common}

    def both(programs: dict[str, str]) -> dict[str, list[Places]]:
        made = {name: [places(part, common) for part in (text.partition(answers.ALL)[0], text)]
                for name, text in programs.items()}  # fmt: skip
        return {name: each for name, each in made.items() if len(each[name != SOLUTION]) >= LEAST}

    common = places(given)
    ours, theirs = both(code), both(known or {})
    asked = [*itertools.combinations(sorted(ours), 2), *itertools.product(ours, theirs)]
    everyone = ours | theirs
    whole = _covered(everyone[SOLUTION][1]) if SOLUTION in everyone else inf
    found = [(a, b, _share(ours[a], everyone[b], whole)) for a, b in asked]
    return sorted(found, key=lambda pair: (-pair[2], pair[:2]))


def _share(a: list[Places], b: list[Places], whole: float) -> float:
    """What two have in common: of what one of them reaches and of all code, this as a part of `whole`."""
    found = [_covered(one[0], other[1]) / _covered(one[0]) for one, other in ((a, b), (b, a)) if len(one[0]) >= LEAST]
    found.append(min(1, _covered(a[1], b[1]) / whole, _covered(b[1], a[1]) / whole))
    return float(max(found))


def _covered(places: Places, others: Container[int] | None = None) -> int:
    """How many characters of a program these fingerprints cover, or those of them that others have too."""
    at = sorted(place for each, found in places.items() if others is None or each in others for place in found)
    return sum(min(K, after - place) for place, after in itertools.pairwise([*at, at[-1] + K])) if at else 0


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
        texts = [(PACKAGE / file).read_text(encoding="utf-8") for file in files]
        programs[name] = answers.read(texts, names).program.partition(answers.ALL)[0]
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
