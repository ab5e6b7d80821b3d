"""Paths in the plane as a drawing: where the points are, where they came from, where they are pushed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.patches import Circle

from ..base.arrays import to_float64
from ..base.figure import BLACK, BLUE, ORANGE, RED, Figure, styled
from .snapshots import ARROWS, by_direction

COLUMNS = 3  # panels in a row, at most


@styled
def field(
    panels: Mapping[str, tuple], reference: Any = None, limit: float = 3.0, above: bool = False,
    radii: Mapping[str, float] | None = None,
) -> Figure:  # fmt: skip
    """Point clouds side by side, each with its paths so far and a field of arrows under them.

    `panels`: title → (path, places, arrows). `path` (k, n, 2) are n points at the k times up to now (the last are drawn
    as dots), `places` and `arrows` (m, 2) the field, drawn to scale; `reference` points (n, 2) lie behind, or, title →
    points, those of each panel, as crosses, in circles of `radii` (title → radius). Each path has its
    colour; `above` draws the arrows over the points, the paths grey.
    Raises ValueError if `panels` is empty.

    >>> one = np.zeros((1, 1, 2))
    >>> field({"start": (one, one[0], one[0])}).alt
    'Paths and arrows, left to right: start (1 points, mean arrow 0.00).'
    """
    if not panels:
        raise ValueError("panels is empty: give at least one.")
    columns = min(len(panels), COLUMNS)
    rows = -(-len(panels) // columns)
    figure = Figure(max(3 * columns, 4), 3.2 * rows if columns > 1 else 4)
    axes, told = [*figure.subplots(rows, columns, squeeze=False).flat], []
    for ax, (title, given) in zip(axes, panels.items(), strict=False):
        path, places, arrows = map(to_float64, given)
        if isinstance(reference, Mapping):
            ax.scatter(*to_float64(reference[title]).T, s=50, marker="x", color=BLACK, linewidths=2, zorder=4)
            if radii is not None:
                for place in reference[title]:
                    ax.add_patch(Circle(place, radii[title], fill=False, color=BLACK, zorder=4))
        elif reference is not None:
            ax.scatter(*to_float64(reference).T, s=3, color=ORANGE, alpha=0.4, linewidths=0)
        look = {"color": RED, "width": 0.009, "zorder": 4} if above else {"color": ARROWS, "width": 0.004}
        one = above and len(arrows) in (1, 2)  # before them the lines step back
        if one:
            look |= {"width": 0.014, "headlength": 3, "headaxislength": 3, "edgecolor": "white", "linewidth": 0.8}
            ax.plot(*places[:1].T, "kX", markeredgecolor="white", zorder=5)
        ax.quiver(*places.T, *arrows.T, angles="xy", scale_units="xy", scale=1, **look)
        turns = np.linspace(0, 2 * np.pi, path.shape[1], endpoint=False)
        hues = by_direction(np.stack([np.cos(turns), np.sin(turns)], axis=1))
        ax.set_prop_cycle(color=[ARROWS] if above else hues)
        ax.plot(*path.transpose(2, 0, 1), alpha=0.35 if one else 0.8 if above else 1, linewidth=0.6 if above else 0.4)
        if above and len(path) > 1:
            ax.scatter(*path[0].T, s=10, color="none", edgecolors=BLUE, linewidths=0.6)
        ax.scatter(*path[-1].T, s=8 if above else 25, color=BLUE if above else hues, zorder=3, linewidths=0)
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
        ax.set_title(title)
        steps = f" after {len(path) - 1} steps" * (len(path) > 1 and not above)
        length = f", mean arrow {np.hypot(*arrows.T).mean():.2f}" if len(arrows) else ""
        told.append(f"{title} ({path.shape[1]} {'lines' if above else 'points'}{steps}{length})")
    for ax in axes[len(panels) :]:
        ax.axis("off")
    figure.alt = f"Paths and arrows, left to right: {'; '.join(told)}."
    return figure
