"""Quality against network evaluations: the same data set, starting noise and judge for every sampler.

What differs between two samplers is often more than one thing. DDPM, DDIM and "DPM-Solver++" take the same even times,
whose last step leaps to 0 from T/n; "log-SNR" has other times, of which the last leaps from t = 1; Heun begins at
t = 960, and a step costs it two evaluations; the student is another network, at times of its own.

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

from ..base.figure import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, WIDTH, Figure, styled
from ..base.files import shipped
from ..base.refusals import one_of
from ..machine.hardware import choose_machine
from . import checkpoints
from .choices import SAMPLERS
from .recipes import EXPERIMENTS, STUDENT, experiment
from .sampling import Counted, pure_noise

REAL, NOISE = "real data", "pure noise"
SIZES = {name: entry.measured for name, entry in EXPERIMENTS.items() if entry.measured}  # samples a seed
BATCH = 50  # pictures sampled together: what they pass through stays in the processor's cache
LABELS = {how.label: name for name, how in SAMPLERS.items()}  # "DDIM" → "ddim"

STYLES: dict[str, dict[str, Any]] = {  # by label: colours far apart
    "DDPM": {"color": BLACK, "marker": "o"},
    "DDIM": {"color": BLUE, "marker": "s"},
    "Heun": {"color": GREEN, "marker": "^"},
    "DPM-Solver++": {"color": ORANGE, "marker": "D", "linestyle": "--", "markerfacecolor": "white"},
    "DPM-Solver++, log-SNR": {"color": RED, "marker": "D"},
    "student": {"color": PURPLE, "marker": "P"},
}
OWN = {"color": BLACK, "marker": "*", "linestyle": "none", "markersize": 13, "markerfacecolor": "none", "zorder": 5}
NAMES = {
    "DPM-Solver++": "DPM-Solver++, even steps", "DPM-Solver++, log-SNR": "DPM-Solver++, even in log-SNR",
    "student": "student (section 7)", REAL: "real data: the floor", NOISE: "pure noise",
}  # fmt: skip
LAST = 100  # evaluations at the right end of the figure
TICKS = [1, 2, 4, 10, 20, 50, LAST], [m * 10.0**k for k in range(-3, 3) for m in (1, 2, 5)]
UNITS = {"spiral": "distance to the curve"}


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
    how = SAMPLERS[LABELS[one_of(sampler, LABELS, "sampler, if it is neither real data nor pure noise,")]]
    model = network(dataset + STUDENT if how is SAMPLERS["student"] else dataset)
    rng, parts = torch.Generator().manual_seed(seed), []
    times = how.times(model.schedule, evaluations)
    for part in xT.split(BATCH if xT.ndim == 4 else len(xT)):
        counted = Counted(model)
        *_, x = choose_machine(part).steps(how.run(counted, model.schedule, part, times, rng=rng))
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


@styled
def figure(cells: dict, reference: tuple[str, int] = ("DDPM", 1000)) -> Figure:
    """The figure of the course, from a `table`: score against evaluations, a panel a data set, a curve a sampler.

    A sampler of one's own joins in, as open stars, if its measurements stand in `cells` under a name of its own.

    Lines join the means over seeds, small dots are the single draws. A grey band is what the `reference` scores, one
    standard deviation to either side, a hatched one the real data, a dotted line pure noise. Both axes are logarithmic;
    they end at 100 evaluations and above pure noise, and what lies beyond stands in the text alternative.
    """
    datasets = list(dict.fromkeys(dataset for dataset, _, _ in cells))
    page, told = Figure(WIDTH, 3.4 * ((len(datasets) + 2) // 2)), []
    axes = page.subplots((len(datasets) + 2) // 2, 2, squeeze=False).ravel()
    for ax, dataset in zip(axes, datasets, strict=False):
        panel = {key[1:]: x[:, 0] for key, x in cells.items() if key[0] == dataset}
        told.append(_panel(ax, UNITS.get(dataset, "Fréchet distance"), panel, reference))
        ax.set_title(dataset)
    for ax in axes[len(datasets) :]:
        ax.axis("off")
    handles = {label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    axes[len(datasets)].legend(handles.values(), handles, loc="center", frameon=False)
    page.alt = "Score against network evaluations, lower is better. " + " ".join(
        f"{dataset}: {text}." for dataset, text in zip(datasets, told, strict=True)
    )
    return page


def _panel(ax: Any, what: str, cells: dict, reference: tuple[str, int]) -> str:
    """One data set of `figure`: (sampler, evaluations) → scores (`what` they are), drawn; and told in words."""
    noise, floor, told = cells[NOISE, 0].mean(), cells[REAL, 0], []
    lowest = min(x.mean() for (_, n), x in cells.items() if n)
    bottom = 0.8 * (min(lowest, floor.mean() - spread_of(floor)) if floor.mean() > lowest / 100 else lowest)
    ax.axhline(noise, color=BLACK, linestyle=":", linewidth=1.5, label=NAMES[NOISE])
    _band(ax, floor, bottom, hatch="////", facecolor="none", edgecolor="#888888", label=NAMES[REAL])
    if reference in cells:
        label = f"{reference[0]}, {reference[1]} evaluations"
        _band(ax, cells[reference], bottom, color=BLACK, alpha=0.25, linewidth=0, label=label)
    for i, sampler in enumerate(dict.fromkeys([*STYLES, *(name for name, n in cells if n)])):
        counts = sorted(n for name, n in cells if name == sampler)
        if not counts:
            continue
        scores = [cells[sampler, n] for n in counts]
        mean = [x.mean() for x in scores]
        style = {"markersize": 5, "linewidth": 1.5, "zorder": 3 - 0.1 * i} | STYLES.get(sampler, OWN)
        k = sum(n <= LAST for n in counts)
        ax.plot(counts[:k], mean[:k], label=NAMES.get(sampler, sampler), **style)
        for n, draws in zip(counts[:k], scores, strict=False):
            aside = np.full(len(draws), n * (1 + 0.04 * (i - 2)))  # so that draws stand side by side
            ax.scatter(aside, draws, s=4, color=style["color"], linewidths=0, alpha=0.4)
        told.append(f"{sampler} {mean[0]:.3g} at {counts[0]} to {mean[-1]:.3g} at {counts[-1]}")
    ax.scatter([], [], s=8, color=BLACK, alpha=0.6, label="single draws")
    ax.set(xscale="log", yscale="log", xlabel="network evaluations", ylabel=f"{what} (lower is better)")
    ax.set_xticks(TICKS[0], [f"{n:g}" for n in TICKS[0]])
    ax.set_yticks(TICKS[1], [f"{y:g}" for y in TICKS[1]])
    ax.minorticks_off()
    ax.set(xlim=(0.85, 1.2 * LAST), ylim=(bottom, noise * 1.4))
    if floor.max() < bottom:
        ax.text(0.03, 0.03, "the floor of real data, 0,\nlies below the frame", transform=ax.transAxes)
    ax.grid(alpha=0.3)
    return f"{NOISE} {noise:.3g}, {REAL} {floor.mean():.3g}, " + ", ".join(told)


def _band(ax: Any, scores: np.ndarray, bottom: float, **style: Any) -> None:
    middle, spread = scores.mean(), spread_of(scores)
    ax.axhspan(max(middle - spread, bottom / 2), max(middle + spread, bottom / 2), **style)
    ax.axhline(max(middle, bottom / 2), color="#555555", linewidth=1)


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
