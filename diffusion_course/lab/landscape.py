"""A density as a landscape: bright where it is high, dark where it is low."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..base.arrays import to_float64
from ..base.figure import WIDTH, Figure, styled


@styled
def landscape(panels: Mapping[str, Any], limit: float, edges: Mapping | None = None, off: str = "") -> Figure:
    """Landscapes side by side on one scale. `panels`: title → heights (n, n) at `grid(limit, n)`, in its order.

    All that lies more than 8 below the highest place is drawn equally dark. `edges`: height → colour of a
    line drawn over all panels where the last has that height. `off`: a title; the last panel then shows the first less
    the last, where not both are darkest. Raises ValueError if `panels` is empty.

    >>> landscape({"flat": np.zeros((3, 3))}, 1.0).alt
    'Landscapes of log density, left to right: flat (highest 0.0 at (-1.0, -1.0)).'
    """
    if not panels:
        raise ValueError("panels is empty: give at least one.")
    heights = {title: to_float64(values) for title, values in panels.items()}
    top, told = max(values.max() for values in heights.values()), []
    figure = Figure(min(3.0 * len(panels) + (2.1 if off else 0.9), WIDTH), 3.2)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, (title, values) in zip(axes, heights.items(), strict=True):
        side, places = len(values), grid(limit, len(values))
        x, y = places[values.argmax()]
        told.append(f"{title} (highest {values.max():.1f} at ({x:.1f}, {y:.1f}))")
        edge = limit * side / (side - 1)  # so that each height lies in the middle of its square
        shown = ax.imshow(
            values, origin="lower", extent=(-edge, edge, -edge, edge), cmap="magma", vmin=top - 8, vmax=top
        )
        if edges:
            style = {"colors": [*edges.values()], "linestyles": "solid", "extent": (-limit, limit) * 2}
            ax.contour([*heights.values()][-1], [*edges], linewidths=0.8, **style)
        ax.set_title(title)
    if off:
        first, *_, last = heights.values()
        _difference(figure, axes[-1], first, last, top - 8, off)
        told[-1] += f", drawn as {off}"
        for lines in axes[-1].collections:  # red and blue hide the colours of the edges
            lines.set(edgecolor="black", linestyle=["-" if colour == "black" else ":" for colour in edges.values()])
        shown, axes = axes[0].images[0], axes[:-1]
    bar = figure.colorbar(shown, ax=axes, label=f"log density ({top - 8:.0f} or less: darkest)", shrink=0.8)
    if edges:
        bar.ax.hlines([*edges], 0, 1, [*edges.values()])
    figure.alt = f"Landscapes of log density, left to right: {'; '.join(told)}."
    return figure


def _difference(figure: Figure, ax: Axes, first: np.ndarray, last: np.ndarray, darkest: float, title: str) -> None:
    """Put the first heights less the last in place of the panel's own, grey where both are darkest."""
    (image,) = ax.images
    image.set(data=np.where(np.maximum(first, last) < darkest, np.nan, first - last), cmap="RdBu_r", clim=(-1, 1))
    ax.set(title=title, facecolor="0.7")
    figure.colorbar(image, ax=ax, label="too low … too high", shrink=0.8, extend="both")


def grid(limit: float, side: int) -> np.ndarray:
    """side × side places (side², 2) from −limit to limit both ways, row by row from below.

    >>> grid(1.0, 2).tolist()
    [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]
    """
    line = np.linspace(-limit, limit, side)
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
