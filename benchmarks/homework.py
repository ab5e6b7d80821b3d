"""Where the homework's pass lines stand: `python benchmarks/homework.py [--seeds 20] [--variants 12]`.

Runs the worked solution in notebooks/homework/spiral.ipynb, its own cells, for every seed and every student id asked
for (about 15 s a run on one free core), each added to calibration.csv as soon as it has ended and never run again. Then
writes calibration.md: what right solutions reach, and how unlikely it is that one of them fails.

Tail model: the logarithm of a mean distance is Gaussian. A distance has a floor and no ceiling, so its logarithm is
the more symmetric of the two; how far out the worst run really lies stands beside it. Coverage, a share with a
ceiling, has no such model: its worst run is told, and how many arcs more could be missed.
"""

import argparse
import csv
import itertools
import math
import time
from pathlib import Path
from statistics import NormalDist

import numpy as np

from diffusion_course.check.homework import variant
from diffusion_course.homework.grading import local

FOLDER = Path(__file__).parent.parent / "notebooks" / "homework"
TABLE, TEXT = FOLDER / "calibration.csv", FOLDER / "calibration.md"
CLASS = FOLDER / "class_of_300.csv"  # the runs that benchmarks/class_of_300.py has graded
KEYS = ("seed", "id")
COLUMNS = (*KEYS, "seconds", "loss", *(f"{what}_{n}" for n in variant.LINES for what in ("distance", "coverage")))


def measure(seed, student_id):
    """One run of the worked solution: seconds of all cells, loss at the end, distance and coverage of each cloud."""
    changes = {"T, SEED = 1000, 0": f"T, SEED = 1000, {seed}", 'STUDENT_ID = "example"': f"STUDENT_ID = {student_id!r}"}
    source = "\n\n".join(local.work(local.source_cells()).values())
    for old, new in changes.items():
        if source.count(old) != 1:
            raise ValueError(f"{old} must stand in the notebook once.")
        source = source.replace(old, new)
    started = time.perf_counter()
    names = local.run([source])
    row = {"seed": seed, "id": student_id, "seconds": round(time.perf_counter() - started, 1)}
    row["loss"] = round(float(np.mean(names["training_losses"][-1000:])), 4)
    for n, cloud in names["samples"].items():
        row[f"distance_{n}"] = round(float(names["spiral"].distance(cloud).mean()), 5)
        row[f"coverage_{n}"] = names["spiral"].coverage(cloud)
    return row


def read(table):
    """The runs so far."""
    if not table.exists():
        return []
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def run(seeds, variants):
    """Add the runs that are missing, those first that share neither seed nor id with the ones before."""
    if not TABLE.exists():
        TABLE.write_text(",".join(COLUMNS) + "\n")
    done = {tuple(row[key] for key in KEYS) for row in read(TABLE)}
    asked = itertools.product(range(seeds), range(variants))
    for seed, i in sorted(asked, key=lambda pair: ((pair[1] - pair[0]) % variants, pair[0])):
        student_id = f"student-{i:02d}"
        if (str(seed), student_id) not in done:
            row = measure(seed, student_id)
            with TABLE.open("a", newline="") as file:
                csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(row)
            print(row, flush=True)


def standing(distances, line):
    """Cells of the table: where the distances lie, and the line in spreads of their logarithm above its mean."""
    log = np.log(distances)
    worst, away = (np.array([log.max(), math.log(line)]) - log.mean()) / log.std(ddof=1)
    chance = max(NormalDist().cdf(-away), 1e-6)  # further out no model of a tail is worth its digits
    return (
        f"{distances.mean():.4f} ± {distances.std(ddof=1):.4f}",
        f"{distances.min():.4f}–{distances.max():.4f} (+{worst:.1f})",
        f"{line} (+{away:.1f})",
        f"below 1e{math.ceil(math.log10(chance))}",
    )


INTRODUCTION = """\
# How far from the pass lines right solutions stay

Written by `python benchmarks/homework.py`: right solutions after 10,000 steps, {runs} runs with {seeds} seeds and
{spirals} spirals (calibration.csv: the worked solution; class_of_300.csv: what benchmarks/class_of_300.py had graded in
the sandbox). The lines are `LINES` and `COVERED` in diffusion_course/check/homework/variant.py. Distances are
in radii. In brackets: so many spreads of log(distance) above its mean. The chance to fail is that of a Gaussian of that
mean and spread; the coverage is that of the worst run.

| steps | mean distance | smallest–largest | line | chance to fail | smallest coverage | line |
|---|---|---|---|---|---|---|
"""


def report(rows):
    """The text of calibration.md, from these runs."""
    counts = {"runs": len(rows), "seeds": len({r["seed"] for r in rows}), "spirals": len({r["id"] for r in rows})}
    text = INTRODUCTION.format(**counts)
    for n, line in variant.LINES.items():
        cells = standing(np.array([float(row[f"distance_{n}"]) for row in rows]), line)
        coverage = min(float(row[f"coverage_{n}"]) for row in rows)
        text += f"| {n} | {' | '.join(cells)} | {coverage:.3f} | {variant.COVERED} |\n"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--variants", type=int, default=12)
    asked = parser.parse_args()
    run(asked.seeds, asked.variants)
    TEXT.write_text(report(read(TABLE) + read(CLASS)))
    print(TEXT.read_text())


if __name__ == "__main__":
    main()
