"""Exercises of the optional notebook on likelihood: the account of a growth, a divergence, a number of steps."""

import numpy as np

from ..beyond.likelihood import log_likelihood
from ..beyond.mixture import MixtureDenoiser
from ..schedule import linear
from .asked import Finding
from .table import exercise

X = np.array([[0.0, 0.5], [1.0, -2.0], [0.5, 0.3]])


@exercise(
    probes=((X[:1, :1], np.log([5.0])), (X, X[:, 1]), (np.ones((2, 3)), X[0])),
    kinds=("numpy", "torch"),
    linear=("grown",),
    returns=("log p(x_t)",),
    table="""
    hint | The density of x_T is the bell's. Sum the squares of a row: `(xT**2).sum(1)`; d is `xT.shape[1]`.
    hint | The same probability, in e^grown times the volume: is it denser at the start of the way, or at its end?
    why | Density is probability by volume. The volume grows by e^grown on the way up, so the density at the start
        is e^grown times that at the end, which is the bell's.
    the growth is subtracted #2 | grown - (xT → -grown - (xT | What grows on the way up was *denser* at the start.
    the constant of the bell is missing | xT.shape[1] / 2 * → 0 * | At its top log N is −(d/2) log 2π, not 0.
    the squares of all points are summed | .sum(1) → .sum() | Each point has a density of its own: `sum(1)`.
    """,
)
def log_p(xT, grown):
    return grown - (xT**2).sum(1) / 2 - xT.shape[1] / 2 * np.log(2 * np.pi)


def swell(x):
    """Its divergence is 3 Σ x_i²."""
    return x**3


def whirl(x):
    """Its divergence is cos x_1 + x_1."""
    return np.stack([np.sin(x[:, 0]) + x[:, 1] ** 2, x[:, 0] * x[:, 1]], axis=1)


@exercise(
    probes=((swell, X[1:2, :1]), (whirl, X), (swell, X)),
    returns=("div v",),
    tolerance=1e-3,
    table="""
    hint | Begin with one axis: ask `velocity` at x and at x + [tiny, 0], with tiny = 1e-6, say.
    hint | `np.eye(x.shape[1])` has a row for each axis. Of the change along axis i keep column i, and divide by tiny.
    why | By how much v_i differs at two ends of a small box along axis i is how fast the box gets longer that way.
    all coordinates are summed, not only that of the step | [:, i] → .sum(1) |
        How v_2 changes along axis 1 shears a neighbourhood, and does not make it larger. One axis at a time.
    the difference is not divided by the step | / tiny → * 1 | The rate is the change for one unit of x.
    the sign is wrong | return → -growth | Where neighbours fly apart the divergence is positive.
    the points are summed, too | return → growth.sum() | Each point has a neighbourhood of its own.
    """,
)
def divergence(velocity, x):
    v, growth, tiny = velocity(x), 0, 1e-6
    for i in range(x.shape[1]):
        step = tiny * np.eye(x.shape[1])[i]
        growth = growth + (velocity(x + step) - v)[:, i] / tiny
    return growth


def total(n: int) -> float:
    """What the ODE's density of the notebook's two bumps sums to in n steps."""
    schedule, places = linear(), np.linspace(-2.2, 2.2, 801)[:, None]
    bumps = MixtureDenoiser([[-1.0], [1.0]], 0.2, schedule, weights=[0.3, 0.7])
    times = np.linspace(1, 1000, n + 1).astype(int).tolist()
    return float(np.exp(log_likelihood(bumps, schedule, places, times)).sum() * 4.4 / 800)


sums_to_one = Finding(
    "sums_to_one",
    right=range(70, 73),
    exactly=70,
    wrong=lambda n: f"in {n} steps it sums to {total(n):.4f}; find the smallest n for at most 1.001.",
    asked="a number of steps",
    among=range(1, 1000),
    hints=("In 20 steps the sum is 0.04 too large, in 200 right to three digits. Try the middle, and halve again.",),
    why="Heun's order says 126. But too high here and too low there cancel: at 70 a place is off by 0.005. In 200 it is"
    " 0.002, as the bell is not quite x_T's density.",
    then=lambda _: sums_to_one.why,
)
