"""What lesson 1 shows of a pile of numbers: who explains x_t, the guess for every x_t, how far samples are from it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import plots
from ..base.arrays import to_float64


@plots.styled
def suspects(xt: float, alpha_bar_t: float, pile: Any) -> plots.Figure:
    """For each number of a small pile the bell curve of where it would lie with noise, and its height at x_t.

    >>> suspects(0.4, 0.5, [-1, 1]).alt
    'Bell curves of what is seen, by what it was; their heights at xₜ = 0.4: −1 has 0.166, 1 has 0.513.'
    """
    spread, x, heights = (1 - alpha_bar_t) ** 0.5, np.linspace(-3, 3, 300), {}
    middles = {f"{p:g}".replace("-", "−"): alpha_bar_t**0.5 * p for p in pile}
    bells = {f"if it was {name}": plots.normal(x, middle, spread) for name, middle in middles.items()}
    figure = plots.lines(x, bells, xlabel="what you see: xₜ", ylabel="density", marker=xt)
    ax = figure.axes[0]
    for i, (name, middle) in enumerate(middles.items()):
        heights[name] = height = float(plots.normal(xt, middle, spread))
        ax.plot(xt, height, "o", color=plots.COLOURS[i])
        look = {"textcoords": "offset points", "color": plots.COLOURS[i]}
        ax.annotate(f"{height:.3f}", (xt, height), (8, 2 if middle < xt else -14), **look)
    ax.set_ylim(bottom=0)
    ax.text(xt, ax.get_ylim()[1], f"xₜ = {xt:g}", ha="center", va="bottom")
    told = ", ".join(f"{name} has {height:.3f}" for name, height in heights.items())
    figure.alt = f"Bell curves of what is seen, by what it was; their heights at xₜ = {xt:g}: {told}."
    return figure


@plots.styled
def guesses(xt: Any, curves: Mapping[str, Any], pile: Any) -> plots.Figure:
    """Best guesses over x_t, name → values, and the pile at the right edge.

    >>> guesses([0, 1], {"t = 1": [0, 1]}, [0.5]).axes[0].get_xlabel()
    'what you see: xₜ'
    """
    xt, pile = to_float64(xt), to_float64(pile)
    figure = plots.lines(xt, curves, xlabel="what you see: xₜ", ylabel="best guess x̂₀")
    ax = figure.axes[0]
    low, high = (end([end(ax.get_ylim()), end(pile)]) for end in (np.min, np.max))
    ax.get_legend().remove()
    for line, (name, values) in zip(ax.get_lines(), curves.items(), strict=False):  # each has its name at its right end
        look = {"color": line.get_color(), "ha": "right", "weight": "bold"}
        ax.annotate(name, (xt[-1], values[-1]), (0, 4), textcoords="offset points", **look)
    edge = xt.max() + 0.02 * np.ptp(xt)
    ax.plot(np.full(len(pile), edge), pile, "_", color=plots.BLACK, alpha=0.35, markersize=12, markeredgewidth=0.6)
    ax.text(edge, 1.14 * high, "the pile", ha="center", va="bottom")
    ax.set_ylim(low, 1.12 * high)
    figure.alt += f" At the right edge is the pile, from {pile.min():.2f} to {pile.max():.2f}."
    return figure


def finer(alpha_bar: Any, last: float, more: int = 20) -> np.ndarray:
    """The noise levels `alpha_bar`, clean first, with `more` of them before the last guess, made at the spread `last`.

    The spread of the noise falls by the same factor from each to the next.

    >>> (1 - finer([1.0, 0.99, 0.5], 0.001, more=2)) ** 0.5
    array([0.        , 0.001     , 0.01      , 0.1       , 0.70710678])
    """
    noisiest = (1 - alpha_bar[1]) ** 0.5
    return np.concatenate([[1.0], 1 - np.geomspace(last, noisiest, more + 1)[:-1] ** 2, alpha_bar[1:]])


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
