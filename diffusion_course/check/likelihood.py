"""Exercises of the optional notebook on likelihood."""

from functools import cache

import numpy as np
import torch

from ..beyond.likelihood import log_likelihood
from ..beyond.mixture import MixtureDenoiser
from ..data import spiral_curve
from ..lab.landscape import grid
from ..run.checkpoints import pretrained
from ..schedule import cosine
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


@cache
@torch.no_grad()
def haze(n: int) -> float:
    """What the notebook's gaps hold, with exact arrows below level n and the network's from there."""
    exact, trained = MixtureDenoiser(spiral_curve(128), 0.0, cosine()), pretrained("spiral").double()
    places = grid(2.2, 72)
    gaps = places[(exact.log_density(places, 50) < -8) & (np.hypot(*places.T) < 1.2)]

    def mixed(x, t):
        return exact(x, t) if t < n else trained(torch.as_tensor(x), t).numpy()

    times = [*range(50, 200, 10), *range(200, 900, 20), *range(900, 980, 5), *range(980, 1001, 2)]
    return float(np.exp(log_likelihood(mixed, exact.schedule, gaps, times)).sum() * (4.4 / 71) ** 2)


haze_level = Finding(
    "haze_level",
    right=range(90, 91),
    wrong=lambda n: f"with exact arrows below t = {n} the gaps hold {haze(n):.2%}, of {haze(50):.2%}; find the smallest"
    " n that leaves less than half.",
    asked="a level in tens",
    among=range(50, 1001, 10),
    hints=("Is it gone at 120? Try levels below.",),
    why="At 70 nearly all is left, at 110 a tenth: it hangs on the arrows between.",
)
