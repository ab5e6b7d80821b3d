"""The figure of the course: quality against network evaluations, for every sampler and data set, over five seeds.

    python benchmarks/quality_vs_nfe.py                  about 20 minutes on two idle cores, if they share the sets:
    python benchmarks/quality_vs_nfe.py --sets faces &
    python benchmarks/quality_vs_nfe.py --sets spiral fashion

Writes data/quality_vs_nfe.csv row by row; lesson 6 draws it. Stopped at any moment, the same command goes on where it
was. Rows that are there are not measured again, so remove those of a network that has changed. The rows of 1000
evaluations, half of all the work, come last.

Samplers differ in more than their rule: in their times, in where the last step begins, the student in its network.
`diffusion_course/run/quality.py` says how.
"""

import argparse
import csv
import time
from hashlib import sha256
from pathlib import Path

from diffusion_course.base.files import ships
from diffusion_course.run import quality
from diffusion_course.run.choices import SAMPLERS

OUT = Path(__file__).parent.parent / "data" / "quality_vs_nfe.csv"
SEEDS = range(5)
FEW = (1, 2, 4, 8, 10, 20, 50)
EVALUATIONS = {
    quality.REAL: (0,),
    quality.NOISE: (0,),
    "DDPM": (*FEW, 100),
    "DDIM": (*FEW, 100),
    "Heun": FEW[2:],  # with 1 or 2 evaluations it is Euler's method
    "DPM-Solver++": FEW[2:],  # with 1 or 2 it is DDIM
    "DPM-Solver++, log-SNR": FEW[2:],
    "student": FEW[:3],
}
LONGEST = ("DDPM", 1000)


def jobs(datasets):
    """(dataset, sampler, evaluations asked for, seed) by worth: few evaluations first, a seed at a time."""
    for seed in SEEDS:
        for dataset in datasets:
            for sampler, evaluations in EVALUATIONS.items():
                if sampler != "student" or ships(f"{dataset}-student.safetensors"):
                    yield from ((dataset, sampler, n, seed) for n in evaluations)
    for dataset in datasets:
        yield from ((dataset, *LONGEST, seed) for seed in SEEDS)


def evaluated(sampler, n):
    """How many evaluations a row shows that was asked for n."""
    return SAMPLERS[quality.LABELS[sampler]].evaluations(n) if n else 0


def done(path):
    """The cells that the file holds; a row that was cut off is removed."""
    if not path.exists():
        return set()
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    if whole != lines:
        path.write_text("".join(whole), encoding="utf-8")
    return {
        (row["dataset"], row["sampler"], int(row["evaluations"]), int(row["seed"])) for row in csv.DictReader(whole)
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=quality.SIZES, default=list(quality.SIZES))
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    ready, started = done(arguments.out), time.monotonic()
    if not ready:
        arguments.out.write_text(",".join(quality.Row._fields) + "\n", encoding="utf-8")
    todo = [job for job in jobs(arguments.sets) if (*job[:2], evaluated(*job[1:3]), job[3]) not in ready]
    for number, (dataset, sampler, n, seed) in enumerate(todo, start=1):
        row = quality.measure(dataset, sampler, n, seed)
        with open(arguments.out, "a", newline="", encoding="utf-8") as file:
            digits = row._replace(score=f"{row.score:.4g}", second=f"{row.second:.4g}")  # seeds differ in the second
            csv.writer(file, lineterminator="\n").writerow(digits)
        print(f"{time.monotonic() - started:6.0f} s  {number} of {len(todo)}  {row}", flush=True)
    print(f"{arguments.out}, SHA-256 (for data/SHA256SUMS): {sha256(arguments.out.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
