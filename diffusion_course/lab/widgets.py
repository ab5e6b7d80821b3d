"""What a lesson moves, in the browser alone. Each ends a cell.

How they come into the page, and what stands in where nothing can move, is `panel.py`'s business.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import plots
from ..forward import add_noise
from ..schedule import Schedule, a_schedule
from .panel import Live, pack, small_png
from .play import play_paths, play_pictures, play_points
from .statue import statue

__all__ = ["dissolve", "flip", "play_paths", "play_pictures", "play_points", "statue"]

STILLS = (0, 0.1, 0.25, 0.4, 0.6, 1)  # the moments, as parts of T, in the strip that stands in for `dissolve`
PAGES = 40  # positions of a `flip` at most


def dissolve(x0: dict, eps: dict, schedule: Schedule) -> Live:
    """x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε under one slider over t, with play, pause and backwards.

    `x0`: name → picture in [−1, 1] of shape (c, h, w) or (1, c, h, w), c = 1 or 3; `eps`: the same names →
    noise of the same shapes, held fixed. The browser gets both once and blends by itself.

    Raises ValueError if names or shapes differ, values are not finite, a picture leaves [−1, 1], or
    `schedule` is not a `Schedule`.

    >>> dot = {"dot": np.ones((1, 1, 1))}
    >>> dissolve(dot, dot, Schedule([1, 0.25, 0])).data["pictures"][0]["name"]
    'dot'
    """
    a_schedule(schedule)
    if not x0 or list(x0) != list(eps):
        raise ValueError(f"x0 and eps need the same names, at least one: {[*x0]} and {[*eps]}.")
    pictures = [_packed(name, x0[name], eps[name]) for name in x0]
    data = {"pictures": pictures, "alpha_bar": pack(schedule.alpha_bar, "f8")}
    return Live("dissolve", data, _strip(x0, eps, schedule))


def flip(draw: Callable, *, still: plots.Figure | None = None, **control: Any) -> Live:
    """A slider over drawings that are all made beforehand, so that it needs no kernel.

    `draw` returns a `plots.Figure`. The control is the name of its argument with the values, at most 40 of them, first
    to last along a slider that starts at the first: `flip(draw, n=range(4, 31, 2))`. It takes the time of all drawings
    and some 20 KB for each. `still` stands in where nothing can move; it is the first drawing unless given.

    Raises ValueError for more than one control, no or too many values, or a `draw` that returns no `plots.Figure`.

    >>> flip(lambda n: plots.lines([0, 1], {"n": [0, n]}, "x", "y"), n=[1, 2, 4]).data["told"]
    ['1', '2', '4']
    """
    if len(control) != 1:
        raise ValueError(f"flip turns over one argument, not {[*control]}: fix the others.")
    ((name, values),) = control.items()
    values = list(values)
    if not 1 <= len(values) <= PAGES:
        raise ValueError(f"{name} has {len(values)} values; flip draws 1 to {PAGES} of them beforehand.")
    figures = [_drawn(draw, {name: value}) for value in values]
    data = {
        "label": name, "told": [f"{value:g}" if isinstance(value, float) else str(value) for value in values],
        "alts": [figure.alt for figure in figures], "pictures": [small_png(figure) for figure in figures],
        "style": figures[0].size(),
    }  # fmt: skip
    return Live("flip", data, figures[0] if still is None else still)


def _drawn(draw, values: dict) -> plots.Figure:
    figure = draw(**values)
    if not isinstance(figure, plots.Figure):
        raise ValueError(f"draw must return a plots.Figure, not {type(figure).__name__}. Is its `return` missing?")
    return figure


def _packed(name: str, x0, eps) -> dict:
    """One picture for the browser: 3 bytes a value, exact to the grey level that a screen shows."""
    x0, eps = np.asarray(x0, dtype=np.float64), np.asarray(eps, dtype=np.float64)
    if x0.shape != eps.shape:
        raise ValueError(f"{name!r}: eps has shape {eps.shape}, x0 {x0.shape}; they must be equal.")
    c, h, w = x0.shape[-3:] if x0.ndim == 3 or x0.shape[:-3] == (1,) else (0, 0, 0)
    if c not in (1, 3) or h * w == 0:
        raise ValueError(f"{name!r}: a picture is (c, h, w) with c = 1 or 3, not {x0.shape}.")
    if not (np.isfinite(x0).all() and np.isfinite(eps).all()):
        raise ValueError(f"{name!r}: x0 and eps must be finite; there is a NaN or an infinity.")
    if np.abs(x0).max() > 1:
        raise ValueError(
            f"{name!r}: x0 lies in [{x0.min():g}, {x0.max():g}], allowed is [−1, 1]. "
            "Pictures in 0 … 255 become x / 127.5 − 1."
        )
    unit = max(np.abs(eps).max(), 1e-9) / 32767
    x0, eps = pack((x0 + 1) * 127.5, "u1"), pack(eps / unit, "i2")
    return {"name": name, "shape": [c, h, w], "x0": x0, "eps": eps, "unit": float(unit)}


def _strip(x0: dict, eps: dict, schedule: Schedule) -> plots.Figure:
    times = dict.fromkeys(round(part * schedule.T) for part in STILLS)
    pictures = {
        f"{name}\nt = {t}": add_noise(x0[name], schedule.alpha_bar[t], eps[name])
        for name in x0
        for t in times
    }
    return plots.images(pictures, columns=len(times), height=1.2)
