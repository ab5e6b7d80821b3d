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
) -> Figure:  # fmt: skip
    """Points at the start, after a fifth of the way and at the end: a column for each panel, a row for each moment.

    `panels`: title → points (frames, n, 2); `colours`: title → (n, 3); `behind` (m, 2) lies under them; `field`
    (1 or frames, m, 4) holds where each arrow begins and how far it goes; tails are `trails` frames long.

    >>> snapshots({"a": np.zeros((6, 2, 2))}, "543210", {"a": np.zeros((2, 3))}).alt
    'Points at 5, 4, 0. a: spread 0.00, 0.00, 0.00.'
    """
    count = len(captions)
    moments = sorted({0, round((count - 1) / 5), count - 1})
    side = min(WIDTH / len(panels), SIDE)
    figure = Figure(side * len(panels) + 0.4, side * len(moments) + 0.3)
    grid = figure.subplots(len(moments), len(panels), squeeze=False)
    for row, i in zip(grid, moments, strict=True):
        for ax, (title, points) in zip(row, panels.items(), strict=True):
            if behind is not None:
                ax.scatter(*behind.T, s=2, color=ORANGE, alpha=0.4, linewidths=0)
            if field is not None:
                x, y, *arrow = field[i % len(field)].T
                ax.quiver(x, y, *arrow, angles="xy", scale_units="xy", scale=1, color=ARROWS, alpha=0.6, width=0.004)
            tails = points[max(i - trails, 0) : i + 1].transpose(1, 0, 2)
            ax.add_collection(LineCollection(list(tails), colors=colours[title], linewidths=0.5, alpha=0.5))
            ax.scatter(*points[i].T, s=9, c=colours[title], zorder=3, linewidths=0)
            ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
        row[0].set_ylabel(captions[i])
    for ax, title in zip(grid[0], panels, strict=True):
        ax.set_title(title)
    spreads = {title: ", ".join(f"{points[i].std(0).mean():.2f}" for i in moments) for title, points in panels.items()}
    figure.alt = f"Points at {', '.join(captions[i] for i in moments)}. " + " ".join(
        f"{title}: spread {spread}." for title, spread in spreads.items()
    )
    return figure
