"""Pairs of submissions whose code is nearly the same, found by copydetect; a person decides what that means.

Code is compared by fingerprints of its tokens (winnowing: Schleimer, Wilkerson, Aiken, 2003), so other names, comments
and spacing change nothing. What the students were given counts for nothing.
"""

import io
import itertools

from copydetect import CodeFingerprint, compare_files

K, WINDOW = 25, 6  # characters of tokens in a fingerprint; of so many neighbours one is kept
# Share of both programs that must be found in the other. Measured: at most 0.35 between people who wrote for
# themselves, at least 0.74 between copies of the solution in which every part had been written in another way.
NEARLY = 0.6


def pairs(code: dict[str, str], given: str) -> list[tuple[str, str, float]]:
    """(id, id, share) of every pair that has at least NEARLY in common beside `given`, the most similar first.

    `code`: id → program. The share is the smaller of the two, so a short program inside a long one is no pair.
    """
    known = list(_fingerprint(given).hashes) if len(given) > K else []
    prints = {name: _fingerprint(text, known) for name, text in code.items() if len(text) > K}
    prints = {name: each for name, each in prints.items() if each.hashes}
    found = []
    for a, b in itertools.combinations(sorted(prints), 2):
        share = float(min(compare_files(prints[a], prints[b])[1]))
        if share >= NEARLY:
            found.append((a, b, share))
    return sorted(found, key=lambda pair: -pair[2])


def _fingerprint(text: str, known=()) -> CodeFingerprint:
    return CodeFingerprint("", K, WINDOW, boilerplate=list(known), language="python", fp=io.StringIO(text))
