"""What lesson 1 shows of its pile of numbers: the guess for every x_t, and how far samples are from the pile."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import plots
from ..base.arrays import to_float64

GREY = "0.45"


def guesses(xt: Any, curves: Mapping[str, Any], pile: Any) -> plots.Figure:
    """Best guesses over x_t, name → values, with the diagonal x_0 = x_t and the pile as a rug at the right edge.

    >>> guesses([0, 1], {"t = 1": [0, 1]}, [0.5]).axes[0].get_xlabel()
    'what you see: x_t'
    """
    xt, pile = to_float64(xt), to_float64(pile)
    figure = plots.lines(xt, curves, xlabel="what you see: x_t", ylabel="best guess of x_0")
    ax = figure.axes[0]
    low, high = ax.get_ylim()
    ends = np.array([low, high])
    ax.plot(ends, ends, color=GREY, linewidth=0.8, zorder=0)
    ax.text(0.78 * low, 0.85 * low, "x_0 = x_t", color=GREY, fontsize=11)
    edge = xt.max() + 0.02 * np.ptp(xt)
    ax.plot(np.full(len(pile), edge), pile, "_", color=plots.BLACK, alpha=0.35, markersize=12, markeredgewidth=0.6)
    ax.text(0.975 * edge, 0.15 * low, "the pile", fontsize=11, ha="right", va="center", rotation=90)
    ax.set_ylim(low, high)
    figure.alt += " A thin line marks x_0 = x_t."
    figure.alt += f" At the right edge is the pile, from {pile.min():.2f} to {pile.max():.2f}."
    return figure


def against(pile: Any, samples: Mapping[str, Any]) -> None:
    """Print for each of the samples (name → numbers) how many are in the pile, and how far they are from it.

    A number is in the pile if the two agree to the seven digits of float32: a loop of floats rounds.

    >>> against(np.array([0.0, 1.0]), {"copies": [1.0], "new": [0.5]})
    copies: 1 of 1 are in the pile; median distance to the nearest number of the pile 0.0000
    new:    0 of 1 are in the pile; median distance to the nearest number of the pile 0.5000
    """
    pile, widest = to_float64(pile), max(map(len, samples))
    for name, numbers in samples.items():
        distance = np.abs(to_float64(numbers)[:, None] - pile).min(axis=1)
        inside = np.isin(np.float32(numbers), np.float32(pile)).sum()
        print(
            f"{name + ':':{widest + 1}s} {inside} of {len(distance)} are in the pile;"
            f" median distance to the nearest number of the pile {np.median(distance):.4f}"
        )
