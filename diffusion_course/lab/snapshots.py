"""Moments of a motion in the plane, drawn side by side for a page on which nothing can move."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import hsv_to_rgb

from ..plots import ORANGE, WIDTH, Figure, styled
from .trajectories import ARROWS

SIDE = 2.3  # inches of one panel, at most


def by_direction(points: np.ndarray) -> np.ndarray:
    """A colour (n, 3) for each of the points (n, 2), by its direction from the middle."""
    share = np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi) % 1
    return hsv_to_rgb(np.stack([share, np.full_like(share, 0.9), np.full_like(share, 0.75)], axis=1))


@styled
def snapshots(
    panels: Mapping[str, np.ndarray], captions: Sequence[str], colours: Mapping[str, np.ndarray], *,
    behind: np.ndarray | None = None, field: np.ndarray | None = None, trails: int = 0, limit: float = 3.0,
    axes: tuple[str, str] | None = None,
) -> Figure:  # fmt: skip
    """Points at the start, after a fifth of the way and at the end: a column for each panel, a row for each moment.

    One panel alone has its moments side by side. `axes`: names of the two axes, which are then drawn through 0.
    `panels`: title → points (frames, n, 2); `colours`: title → (n, 3); `behind` (m, 2) lies under them; `field`
    (1 or frames, m, 4) holds where each arrow begins and how far it goes; tails are `trails` frames long.

    >>> snapshots({"a": np.zeros((6, 2, 2))}, "543210", {"a": np.zeros((2, 3))}).alt
    'Points at 5, 4, 0. a: spread 0.00, 0.00, 0.00.'
    """
    count = len(captions)
    moments = sorted({0, round((count - 1) / 5), count - 1})
    alone = len(panels) == 1
    columns, lines = (len(moments), 1) if alone else (len(panels), len(moments))
    side = min(WIDTH / columns, SIDE)
    figure = Figure(side * columns + 0.4, side * lines + 0.3)
    grid = figure.subplots(lines, columns, squeeze=False).reshape(len(moments), len(panels))
    for row, i in zip(grid, moments, strict=True):
        for ax, (title, points) in zip(row, panels.items(), strict=True):
            if behind is not None:
                ax.scatter(*behind.T, s=2, color=ORANGE, alpha=0.4, linewidths=0)
            if field is not None:
                x, y, *arrow = field[i % len(field)].T
                ax.quiver(x, y, *arrow, angles="xy", scale_units="xy", scale=1, color=ARROWS, width=0.004)
            tails = points[max(i - trails, 0) : i + 1].transpose(1, 0, 2)
            ax.add_collection(LineCollection(list(tails), colors=colours[title], linewidths=0.5, alpha=0.5))
            ax.scatter(*points[i].T, s=9, c=colours[title], zorder=3, linewidths=0)
            ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
            if axes is not None:
                ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
                ax.axvline(0, color="0.7", linewidth=0.8, zorder=0)
                ax.set(xlabel=axes[0], ylabel=axes[1])
            if alone or i == 0:
                ax.set_title(f"{title}\n{captions[i]}".strip() if alone else title)
        if not alone:
            row[0].set_ylabel(captions[i])
    spreads = {title: ", ".join(f"{points[i].std(0).mean():.2f}" for i in moments) for title, points in panels.items()}
    figure.alt = f"Points at {', '.join(captions[i] for i in moments)}. " + " ".join(
        f"{title}: spread {spread}." for title, spread in spreads.items()
    )
    return figure
