"""Quality against network evaluations: the same network, starting noise and judge; only the sampler differs.

`measure` makes one row of the course's table, `benchmarks/quality_vs_nfe.py` makes them all, `table` reads those that
ship and `figure` draws them. Every row has a score (lower is better) and a second number for what the score alone
would hide (`judges`). Neither can be read without the rows "real data", the floor for so many samples, and "pure
noise". No condition is given: with all seven attributes of a face stated, the prompt decides what the classifier
sees, and a single evaluation, an average of portraits, scores 11 where 50 score 8; without a prompt, 681 and 9.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from ..files import shipped
from ..machine import choose_machine
from ..metrics import kept
from ..plots import BLACK, COLOURS, WIDTH, Figure, styled
from . import checkpoints
from .recipes import EXPERIMENTS, STUDENT, experiment
from .sampling import SAMPLERS, Counted, pure_noise

REAL, NOISE = "real data", "pure noise"
SIZES = {name: entry.measured for name, entry in EXPERIMENTS.items() if entry.measured}  # samples a seed
BATCH = 50  # pictures sampled together: what they pass through stays in the processor's cache
LABELS = {how.label: name for name, how in SAMPLERS.items()}  # "DDIM" → "ddim"

MARKERS = ("o", "s", "^", "D", "v", "P", "*")
CURVE = {"markersize": 5, "linewidth": 1.5, "elinewidth": 1, "capsize": 2}


class Row(NamedTuple):
    """One measurement. `evaluations` were counted, not asked for; 0 for real data and pure noise."""

    dataset: str
    sampler: str
    evaluations: int
    seed: int
    score: float
    second: float


def measure(dataset: str, sampler: str, evaluations: int = 0, seed: int = 0) -> Row:
    """One `Row`: samples from the noise of this seed, drawn by the sampler of that label and judged.

    `sampler` may also be REAL (held-out data of this seed) or NOISE.
    """
    judge, count = judge_of(dataset), 0
    if sampler == REAL:
        x: Any = judge.held_out(SIZES[dataset], seed).x0
    else:
        x = noise(dataset, seed)
        if sampler != NOISE:
            x, count = draw(dataset, sampler, evaluations, x, seed)
    numbers = judge.numbers(x, None, seed)
    return Row(dataset, sampler, count, seed, numbers[judge.score], numbers[judge.second])


def noise(dataset: str, seed: int) -> torch.Tensor:
    """x_T: as many samples of N(0, I) as are measured."""
    return pure_noise(SIZES[dataset], experiment(dataset).shape, seed)


def draw(dataset: str, sampler: str, evaluations: int, xT: torch.Tensor, seed: int = 0) -> tuple[torch.Tensor, int]:
    """(samples, network evaluations counted): x_T (n, …) led to x_0, pictures in batches."""
    how = SAMPLERS[LABELS[sampler]]
    model = network(dataset + STUDENT if how is SAMPLERS["student"] else dataset)
    rng, parts = torch.Generator().manual_seed(seed), []
    times = how.times(model.schedule, evaluations)
    for part in xT.split(BATCH if xT.ndim == 4 else len(xT)):
        counted, machine = Counted(model), choose_machine(part)
        with machine.at_work(), machine.precision():
            *_, x = how.run(counted, model.schedule, part, times, rng=rng)
        parts.append(x.float())
    return torch.cat(parts), counted.count


def table(file: str | Path | None = None) -> dict[tuple[str, str, int], np.ndarray]:
    """(dataset, sampler, evaluations) → array (seeds, 2) of scores and second numbers: the rows that ship."""
    with open(shipped("quality_vs_nfe.csv") if file is None else file, newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    cells = defaultdict(list)
    for row in rows:
        cell = row["dataset"], row["sampler"], int(row["evaluations"])
        cells[cell].append((float(row["score"]), float(row["second"])))
    return {cell: np.array(numbers) for cell, numbers in cells.items()}


def share(cells: dict, dataset: str, sampler: str, evaluations: int, best: tuple[str, int] = ("DDPM", 1000)) -> float:
    """The share of the `best` row's quality that a row keeps, the floor of real data subtracted from both."""
    floor, top, mine = (
        float(cells[dataset, name, n][:, 0].mean()) for name, n in ((REAL, 0), best, (sampler, evaluations))
    )
    return kept(mine, top, floor)


@styled
def figure(cells: dict) -> Figure:
    """The figure of the course, from a `table`: score against evaluations, a panel a data set, a curve a sampler.

    A sampler of one's own joins in if its measurements stand in `cells` under a name of its own.

    Points are means over seeds, bars their standard deviation; a dotted line marks pure noise, a band the real data.
    Both axes are logarithmic; scores far above pure noise are cut off.
    """
    datasets = list(dict.fromkeys(dataset for dataset, _, _ in cells))
    page = Figure(WIDTH, 4.4)
    told = []
    for ax, dataset in zip(page.subplots(1, len(datasets), squeeze=False)[0], datasets, strict=True):
        top, floor = cells[dataset, NOISE, 0][:, 0].mean(), cells[dataset, REAL, 0][:, 0]
        ax.axhline(top, color=BLACK, linestyle=":", linewidth=1.5, label=NOISE)
        ax.axhspan(max(floor.min(), 1e-9), floor.max(), color=BLACK, alpha=0.15, label=REAL)
        lowest = [top]
        others = [sampler for _, sampler, _ in cells if sampler not in (*LABELS, REAL, NOISE)]
        for i, sampler in enumerate(dict.fromkeys([*LABELS, *others])):
            counts = sorted(n for name, other, n in cells if (name, other) == (dataset, sampler))
            if not counts:
                continue
            scores = [cells[dataset, sampler, n][:, 0] for n in counts]
            mean, spread = [x.mean() for x in scores], [spread_of(x) for x in scores]
            ax.errorbar(counts, mean, spread, label=sampler, color=COLOURS[i % 7], marker=MARKERS[i % 7], **CURVE)
            lowest += mean
            told.append(f"{dataset}, {sampler}: {mean[0]:.3g} at {counts[0]} to {mean[-1]:.3g} at {counts[-1]}")
        ax.set(xscale="log", yscale="log", ylim=(min(lowest) / 2, top * 8), xlabel="network evaluations", title=dataset)
        ax.grid(alpha=0.3)
    page.axes[0].set_ylabel("score (lower is better)")
    page.legend(
        *page.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False
    )  # fmt: skip
    page.alt = f"Score against network evaluations. {'; '.join(told)}."
    return page


def spread_of(x: np.ndarray) -> float:
    """The standard deviation over seeds; 0 of a single one."""
    return float(x.std(ddof=1)) if len(x) > 1 else 0.0


network = cache(checkpoints.pretrained)


@cache
def judge_of(dataset: str) -> Any:
    """The judge of an experiment, made once."""
    make = experiment(dataset).judge
    if make is None:
        raise ValueError(f"{dataset} has no judge: its samples cannot be measured.")
    return make()
