"""Quality against network evaluations: the same network, start noise and metric; only the sampler differs.

`measure` makes one row of the course's table, `benchmarks/quality_vs_nfe.py` makes them all, `table` reads those that
ship and `figure` draws them. Every row has a score (lower is better) and a second number, which tells what the score
alone would hide:

    spiral           mean distance to the curve               sliced W1 to fresh points: is the whole curve covered?
    faces, fashion   Fréchet distance to the training set     mean distance to the nearest training picture: copies?

Neither can be read without the rows "real data", the floor of so many samples, and "static". Nothing is asked for: with
all seven attributes of a face asked, the wish decides what the classifier sees, and a single evaluation, an average of
portraits, scores 11 where 50 score 8; without a wish 681 and 9 (200 portraits, seed 0).
"""

import csv
from collections import defaultdict
from functools import cache
from typing import NamedTuple

import numpy as np
import torch

from .. import data, distill, machine, metrics, shipped
from ..plots import BLACK, COLOURS, Figure
from ..run import checkpoints
from ..samplers import ddim, ddpm, dpm_solver, heun

REAL, STATIC, STUDENT = "real data", "static", "student"
SIZES = {"spiral": 2000, "faces": 200, "fashion": 100}  # samples a seed; pictures take a CPU so much longer
BATCH = 50  # pictures walked together: what they pass through stays in the processor's cache
HEUN_FROM = 960  # σ = 16. From T, where the cosine schedule has σ = 20,000, Heun's method goes astray (lesson 6)

MARKERS = ("o", "s", "^", "D", "v", "*")
CURVE = {"markersize": 4, "linewidth": 1.2, "elinewidth": 0.8, "capsize": 2}

SAMPLERS = {
    "DDPM": lambda model, schedule, xT, n, rng: ddpm(model, schedule, xT, n, rng),
    "DDIM": lambda model, schedule, xT, n, rng: ddim(model, schedule, xT, n),
    "Heun": lambda model, schedule, xT, n, rng: heun(model, schedule, xT, heun_times(n)),
    "DPM-Solver++": lambda model, schedule, xT, n, rng: dpm_solver(model, schedule, xT, n),
    "DPM-Solver++, log-SNR": lambda model, schedule, xT, n, rng: dpm_solver(
        model, schedule, xT, schedule.steps(n, "logsnr")
    ),
    STUDENT: lambda model, schedule, xT, n, rng: ddim(model, schedule, xT, distill.STROKES[n]),
}


class Row(NamedTuple):
    """One measurement. `evaluations` were counted, not asked for; 0 for real data and static."""

    dataset: str
    sampler: str
    evaluations: int
    seed: int
    score: float
    second: float


def heun_times(n):
    """Even times for Heun's method with at most n evaluations: k strokes cost 2k − 1."""
    return np.round(np.linspace(HEUN_FROM, 0, (n + 1) // 2 + 1)).astype(int)


def measure(dataset, sampler, evaluations=0, seed=0):
    """One `Row`: SIZES[dataset] samples from the static of this seed, walked by SAMPLERS[sampler] and judged.

    `sampler` may also be REAL (held-out data of this seed) or STATIC.
    """
    if sampler in (REAL, STATIC):
        x, count = (real if sampler == REAL else static)(dataset, seed), 0
    else:
        x, count = walk(dataset, sampler, evaluations, static(dataset, seed), seed)
    return Row(dataset, sampler, count, seed, *judge(dataset, x, seed))


def walk(dataset, sampler, evaluations, xT, seed=0):
    """(samples, evaluations counted): x_T (n, …) walked to x_0, pictures in batches."""
    model = network(f"{dataset}-student" if sampler == STUDENT else dataset)
    how, rng = machine.choose_machine(xT), torch.Generator().manual_seed(seed)
    parts = []
    for part in xT.split(BATCH if xT.ndim == 4 else len(xT)):
        counted = Counted(model)
        with how.at_work(), how.precision():
            *_, x = SAMPLERS[sampler](counted, model.schedule, part, evaluations, rng)
        parts.append(x.float())
    return torch.cat(parts), counted.count


class Counted:
    """A denoiser that counts its evaluations."""

    def __init__(self, model):
        self.model, self.count = model, 0

    def __call__(self, xt, t):
        self.count += 1
        return self.model(xt, t)


def static(dataset, seed):
    """x_T: as many samples of N(0, I) as are measured."""
    shape = (2,) if dataset == "spiral" else pictures(dataset, "test").shape[1:]
    return torch.randn(SIZES[dataset], *shape, generator=torch.Generator().manual_seed(seed))


def real(dataset, seed):
    """As many samples of the data: fresh points, or this seed's part of the held-out pictures."""
    n = SIZES[dataset]
    if dataset == "spiral":
        return torch.as_tensor(data.spiral(n, rng=np.random.default_rng(1000 + seed)))
    held_out = pictures(dataset, "test")
    start = seed * n % (len(held_out) - n + 1)
    return torch.as_tensor(held_out[start : start + n])


def judge(dataset, x, seed):
    """(score, second number) of samples x."""
    if dataset == "spiral":
        rng = np.random.default_rng(2000 + seed)
        fresh, directions = data.spiral(len(x), rng=rng), rng.standard_normal((metrics.DIRECTIONS, 2))
        return data.distance_to_spiral(x.numpy()).mean(), metrics.sliced_wasserstein(x.numpy(), fresh, directions)
    shown = x.clamp(-1, 1)
    seen = metrics.features(network(f"{dataset}-classifier"), shown)
    nearest = metrics.nearest_distance(shown, pictures(dataset, "train"))
    return metrics.frechet(seen, training_features(dataset)), nearest.mean().item()


def table(file=None):
    """(dataset, sampler, evaluations) → array (seeds, 2) of scores and second numbers: the rows that ship."""
    with open(shipped.path("quality_vs_nfe.csv") if file is None else file, newline="") as lines:
        rows = list(csv.DictReader(lines))
    cells = defaultdict(list)
    for row in rows:
        cell = row["dataset"], row["sampler"], int(row["evaluations"])
        cells[cell].append((float(row["score"]), float(row["second"])))
    return {cell: np.array(numbers) for cell, numbers in cells.items()}


def figure(cells):
    """The figure of the course, from a `table`: score against evaluations, a panel a data set, a curve a sampler.

    Points are means over seeds, bars their standard deviation; a dotted line marks static, a band the real data. Both
    axes are logarithmic; scores far above static are cut off.
    """
    datasets = list(dict.fromkeys(dataset for dataset, _, _ in cells))
    page = Figure(3.4 * len(datasets), 3.6)
    told = []
    for ax, dataset in zip(page.subplots(1, len(datasets), squeeze=False)[0], datasets, strict=True):
        noise, floor = cells[dataset, STATIC, 0][:, 0].mean(), cells[dataset, REAL, 0][:, 0]
        ax.axhline(noise, color=BLACK, linestyle=":", linewidth=1, label=STATIC)
        ax.axhspan(max(floor.min(), 1e-9), floor.max(), color=BLACK, alpha=0.15, label=REAL)
        lowest = [noise]
        for i, sampler in enumerate(SAMPLERS):
            counts = sorted(n for name, other, n in cells if (name, other) == (dataset, sampler))
            if not counts:
                continue
            scores = [cells[dataset, sampler, n][:, 0] for n in counts]
            mean, spread = [x.mean() for x in scores], [spread_of(x) for x in scores]
            ax.errorbar(counts, mean, spread, label=sampler, color=COLOURS[i], marker=MARKERS[i], **CURVE)
            lowest += mean
            told.append(f"{dataset}, {sampler}: {mean[0]:.3g} at {counts[0]} to {mean[-1]:.3g} at {counts[-1]}")
        ax.set(
            xscale="log", yscale="log", ylim=(min(lowest) / 2, noise * 8), xlabel="network evaluations", title=dataset
        )
        ax.grid(alpha=0.3)
    page.axes[0].set_ylabel("score (lower is better)")
    page.legend(
        *page.axes[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=len(datasets) + 1,
        frameon=False,
        fontsize=8,
    )
    page.alt = f"Score against network evaluations. {'; '.join(told)}."
    return page


def spread_of(x):
    """The standard deviation over seeds; 0 of a single one."""
    return x.std(ddof=1) if len(x) > 1 else 0.0


network = cache(checkpoints.pretrained)


@cache
def pictures(dataset, split):
    """The pictures (n, c, h, w) of faces or fashion."""
    return {"faces": data.faces, "fashion": data.fashion}[dataset](split).x0


@cache
def training_features(dataset):
    """Features of all training pictures, to which the Fréchet distance is taken."""
    return metrics.features(network(f"{dataset}-classifier"), pictures(dataset, "train"))
