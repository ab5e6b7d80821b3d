"""How costs grow: `python benchmarks/growth.py`; drawn into build/benchmarks/growth.png.

    training    seconds of a step of the faces' U-Net against the batch and against its width
    sampling    seconds of DDIM against steps and batch
    denoiser    seconds, and memory beside the data, of the exact denoiser against the size of its data
    grading     seconds of looking for copies against the size of a class; without --quick also those of grading it

A row tells the slope between the two largest sizes, the power p of cost ~ size^p, beside the expected one. Where a
fixed cost is still felt there, the slope is below it.
"""

import resource
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import torch

import measure
from diffusion_course import data, samplers, schedule, training
from diffusion_course.denoisers import IdealDenoiser
from diffusion_course.run import checkpoints
from diffusion_course.unet import UNet

CURVES = {}  # part → curve → (sizes, costs)


def grows(row, part, against, expected, calls, rounds=5):
    """Measures `calls` (size → function) in turn; prints and keeps their row."""
    taken = measure.in_turn(calls, rounds)
    tell(row, part, against, expected, {size: float(np.median(seconds)) for size, seconds in taken.items()})


def tell(row, part, against, expected, costs):
    sizes, seconds = list(costs), list(costs.values())
    line = np.array(sizes) ** float(expected)
    CURVES.setdefault(part, {})[against] = sizes, seconds
    CURVES[part][f"{against}: slope {expected}"] = sizes, line * seconds[-1] / line[-1]
    ends = (f"{sizes[0]:,} … {sizes[-1]:,}", f"{seconds[0]:.3g} … {seconds[-1]:.3g}")
    row(f"{part}, {against}", *ends, round(measure.slope(sizes[-2:], seconds[-2:]), 2), expected)


def table(unit="seconds"):
    return measure.table("", "sizes".rjust(15), unit.rjust(15), "slope", "expected")


def part_training(arguments):
    def step(batch, width):
        model = UNet(schedule.cosine(), widths=(width, 2 * width))
        records = training.train(model, data.faces().x0, steps=10**6, batch=batch, weight="v")
        return lambda: next(records)

    row = table()
    grows(row, "training", "batch", 1, {batch: step(batch, 80) for batch in (8, 16, 32, 64)})
    grows(row, "training", "width", 2, {width: step(32, width) for width in (40, 80, 160)})


def part_sampling(arguments):
    faces = checkpoints.pretrained("faces")

    def sampling(steps, batch):
        xT = torch.randn(batch, 3, 16, 16)
        return lambda: list(samplers.ddim(faces, faces.schedule, xT, steps))

    row = table()
    grows(row, "sampling", "steps", 1, {steps: sampling(steps, 4) for steps in (5, 10, 20, 40)})
    grows(row, "sampling", "batch", 1, {batch: sampling(4, batch) for batch in (1, 4, 16, 64)})


def part_denoiser(arguments):
    seconds, beside = {}, {}
    xt = torch.randn(256, 3, 16, 16)
    for n in (1000, 3000, 10_000, 30_000, 100_000):
        x0 = np.random.default_rng(0).standard_normal((n, 3, 16, 16), dtype=np.float32)
        tracemalloc.start()  # NumPy tells it what it takes
        denoiser = IdealDenoiser(x0, schedule.cosine())
        denoiser(xt, 500)
        beside[n] = (tracemalloc.get_traced_memory()[1] - 8 * x0.size) / 1e6  # blocks are full from n = 16,000 on
        tracemalloc.stop()
        seconds[n] = float(np.median(measure.in_turn({n: lambda denoiser=denoiser: denoiser(xt[:16], 500)}, 3)[n]))
    tell(table(), "exact denoiser", "size of the data", 1, seconds)
    tell(table("MB"), "exact denoiser, MB", "beside the data", 0, beside)


def part_grading(arguments):
    try:
        import class_of_300
        from diffusion_course.homework.report import similar
    except ImportError as error:
        print(f"left out: {error} (pip install -c constraints.txt -e '.[homework]')")
        return
    with tempfile.TemporaryDirectory() as folder:
        solution = class_of_300.solution(class_of_300.set_up(Path(folder) / "course", 0))
    row, rng = table(), np.random.default_rng(0)

    def program():
        return "\n\n".join(class_of_300.in_one_of_the_ways(solution, rng).values())

    classes = {n: {f"s{i}": program() for i in range(n)} for n in (10, 20, 40, 80)}
    calls = {n: (lambda code=code: similar.shares(code, "")) for n, code in classes.items()}
    grows(row, "grading", "class, copies", 2, calls, rounds=1)
    if not arguments.quick:
        tell(row, "grading", "class, all else", 1, {n: graded(class_of_300, n) for n in (1, 2, 4)})


def graded(class_of_300, students):
    """Processor seconds of grading a new class of so many."""
    with tempfile.TemporaryDirectory() as folder:
        course = class_of_300.set_up(Path(folder) / "course", students)
        command = Path(sys.executable).with_name("diffusion-course")
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run([command, "homework", "grade", course.root], check=True, stdout=subprocess.DEVNULL)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


PARTS = {"training": part_training, "sampling": part_sampling, "denoiser": part_denoiser, "grading": part_grading}

if __name__ == "__main__":
    measure.main(__doc__, PARTS)
    measure.draw("growth", {part: ("size", "MB" if "MB" in part else "seconds", CURVES[part]) for part in CURVES})
