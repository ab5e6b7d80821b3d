"""Draw your own statue: a thousand particles of pure noise flow into what the learner has drawn, in the browser.

The denoiser is the exact one of the drawn points, `denoisers.IdealDenoiser`; `diffusion.js` repeats it and the steps of
two samplers in JavaScript, so nothing waits for Python.
"""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from .. import plots
from ..data import spiral_curve
from ..denoisers import IdealDenoiser
from ..samplers import ddim
from ..schedule import Schedule, linear
from .landscape import grid
from .panel import Live, pack
from .trajectories import field

LIMIT = 3.0  # the drawing shows −LIMIT … LIMIT in both directions: pure noise, but for three particles in a thousand
POINTS = 400  # of a shape
MOST = 2000  # points at most, or phones cannot keep up
ARROWED = 300  # particles drawn where arrows must be seen between them
UNIT = 1 / 10000  # the resolution in which points are sent


def statue(shape: Any = "heart", schedule: Schedule | None = None, particles: int = 1000) -> Live:
    """A canvas to draw on, whose strokes `particles` points of pure noise then flow into; it needs no kernel.

    `shape` is what stands there at first: a name in `SHAPES`, or points (n, 2) of one's own within ±3, n ≤ 2000. The
    learner draws another, picks another, or types a word. `schedule` is `linear()` unless given.

    Raises ValueError for another shape, or particles outside 1 … 5000.

    >>> statue("spiral").data["start"]
    'spiral'
    """
    shapes = {name: points() for name, points in SHAPES.items()}
    if isinstance(shape, str):
        if shape not in shapes:
            raise ValueError(f"there is no shape {shape!r}; there are {', '.join(shapes)}, or give points (n, 2).")
        start = shape
    else:
        start, shapes = "yours", {"yours": _checked(shape), **shapes}
    if not 1 <= particles <= 5000:
        raise ValueError(f"particles must lie in 1 … 5000, not {particles}.")
    schedule = linear() if schedule is None else schedule
    data = {
        "start": start,
        "shapes": {name: pack(points / UNIT, "i2") for name, points in shapes.items()},
        "unit": UNIT,
        "limit": LIMIT,
        "points": POINTS,
        "particles": int(particles),
        "alpha_bar": pack(schedule.alpha_bar, "f8"),
    }
    return Live("statue", data, _still(start, shapes[start], schedule), uses=("diffusion",))


def _closed(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """POINTS points at even distances along a curve given by many."""
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    places = (np.arange(POINTS) + 0.5) / POINTS * length[-1]
    return np.stack([np.interp(places, length, x), np.interp(places, length, y)], 1)


def _heart() -> np.ndarray:
    u = np.linspace(0, 2 * np.pi, 2000)
    y = 13 * np.cos(u) - 5 * np.cos(2 * u) - 2 * np.cos(3 * u) - np.cos(4 * u)
    return _closed(16 * np.sin(u) ** 3 / 8, (y + 2.5) / 8)


def _star() -> np.ndarray:
    u = np.pi / 2 + np.arange(11) * np.pi / 5
    radius = np.where(np.arange(11) % 2, 0.88, 2.2)
    return _closed(radius * np.cos(u), radius * np.sin(u) - 0.15)


def _smiley() -> np.ndarray:
    def arc(start, end, radius, n, x=0.0, y=0.0):
        u = np.linspace(start, end, n, endpoint=False) + (end - start) / n / 2
        return np.stack([x + radius * np.cos(u), y + radius * np.sin(u)], 1)

    eyes = [arc(0, 2 * np.pi, r, n, x, 0.65) for x in (-0.75, 0.75) for r, n in ((0.22, 24), (0.1, 12))]
    mouth = arc(1.15 * np.pi, 1.85 * np.pi, 1.2, POINTS - 268 - 72, y=0.15)
    return np.concatenate([arc(0, 2 * np.pi, 2.0, 268), *eyes, mouth])


SHAPES = {
    "heart": _heart,
    "spiral": lambda: spiral_curve(POINTS),
    "smiley": _smiley,
    "star": _star,
}


def _checked(points: Any) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not 1 <= len(points) <= MOST:
        raise ValueError(f"points of one's own have shape (n, 2) with n from 1 to {MOST}, not {points.shape}.")
    if not (np.abs(points) <= LIMIT).all():
        raise ValueError(f"points must be finite and within ±{LIMIT:g}; the farthest is {np.abs(points).max()}.")
    return points


@plots.styled
def _still(name: str, points: np.ndarray, schedule: Schedule) -> plots.Figure:
    """Three moments of one path, fewer points, arrows to the best guess; below, the ends of few and more steps."""
    model, xT = IdealDenoiser(points, schedule), np.random.default_rng(0).standard_normal((1000, 2))
    path = list(ddim(model, schedule, xT, min(20, schedule.T)))
    times, last = schedule.steps(len(path) - 1), len(path) - 1
    places, nowhere, panels = grid(0.9 * LIMIT, 9), np.zeros((0, 2)), {}
    for k in sorted({0, round(0.7 * last), max(last - 1, 0)}):  # t = 1000, 300 and 50
        arrows = model.x0_hat(places, times[k]) - places
        arrows *= np.minimum(0.5, 0.6 / np.maximum(np.hypot(*arrows.T), 1e-9))[:, None]
        panels[f"t = {times[k]}, {last} steps"] = path[k][None, :ARROWED], places, arrows
    for n in sorted({min(n, schedule.T) for n in (5, 12, last)}):
        end = list(ddim(model, schedule, xT, n))[-1]
        panels[f"end, {n} step{'s' * (n > 1)}"] = end[None], nowhere, nowhere
    figure = field(panels, points, LIMIT, above=True)
    names = f"particles (top row: {ARROWED} of the 1000)", "the drawing", "towards the best guess"
    looks = ("o", plots.BLUE, 5, 1), ("o", plots.ORANGE, 5, 0.5), (r"$\rightarrow$", plots.BLACK, 14, 1)
    marks = [Line2D([], [], marker=m, color=c, markersize=size, alpha=a, linestyle="") for m, c, size, a in looks]
    figure.legend(marks, names, loc="outside upper center", ncols=3, frameon=False)
    figure.alt = f"Pure noise flows into a drawing ({name}) as t falls. {figure.alt}"
    return figure
