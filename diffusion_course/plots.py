"""Pictures of the route, as pure functions: data in, a `Figure` out; nothing is shown, saved or remembered.

Every figure carries `alt`, a text alternative made from the data it shows, and displays itself in a notebook as an
image with that text (`base.figure`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .base.arrays import to_float64
from .base.figure import BLACK, BLUE, COLOURS, ORANGE, RED, SKY, WIDTH, Figure, as_rgb, panelled, plain_ticks, styled
from .base.refusals import numbers_of, refuse_empty, refuse_untitled, whole

Names = Sequence[str]  # of rows or columns


@styled
def images(pictures: Mapping[str, Any], columns: int | None = None, height: float = 1.9) -> Figure:
    """Pictures side by side under their titles. `pictures`: title → (c, h, w) or (1, c, h, w) in [−1, 1].

    Values outside [−1, 1] (noisy pictures have many) are clipped for display only.
    """
    refuse_untitled(pictures, "pictures")
    figure = panelled(pictures, min(len(pictures), 5) if columns is None else columns, height, 0.15)
    for ax, picture in zip(figure.axes, pictures.values(), strict=False):
        ax.imshow(as_rgb(picture), interpolation="nearest")
        ax.set_anchor("S")  # the room that is left is the title's
        ax.axis("off")
    figure.alt = "Pictures, left to right: " + "; ".join(pictures) + "."
    return figure


@styled
def sheet(pictures: Any, title: str = "", columns: int = 12, rows: Names = (), tops: Names = ()) -> Figure:
    """Many pictures (n, c, h, w) in [−1, 1] on one sheet; `rows` names its rows, at their left, `tops` its columns."""
    refuse_empty(pictures, "pictures")
    cells = [as_rgb(picture) for picture in pictures]
    (h, w, _), count = cells[0].shape, -(-len(cells) // whole(columns, "columns"))
    for what, names, needed in (("rows", rows, count), ("tops", tops, columns)):
        if len(names) not in (0, needed):
            raise ValueError(f"{what} names {len(names)}, but there are {count} rows and {columns} columns.")
    page = np.ones((count * (h + 1) + 1, columns * (w + 1) + 1, 3))
    for i, cell in enumerate(cells):
        top, left = i // columns * (h + 1) + 1, i % columns * (w + 1) + 1
        page[top : top + h, left : left + w] = cell
    labels = 0.4 + 0.08 * max(map(len, "\n".join(rows).split("\n"))) if rows else 0.0  # inches that they take
    above = 0.3 * (bool(title) + bool(tops)) + 0.2 * max((top.count("\n") for top in tops), default=0)
    figure = Figure(WIDTH, (WIDTH - labels) * page.shape[0] / page.shape[1] + 0.05 + above)
    ax = figure.subplots(subplot_kw={"title": title, "anchor": "E"})
    ax.imshow(page, interpolation="nearest")
    ax.set_xticks([(w + 1) * (i + 0.5) for i in range(len(tops))], tops)
    ax.set_yticks([(h + 1) * (i + 0.5) for i in range(len(rows))], rows)
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    named = (": " + ", ".join(rows) if rows else "") + ("; columns: " + ", ".join(tops) if tops else "")
    figure.alt = f"{title or 'A sheet'}: {len(cells)} pictures in {count} rows{named}.".replace("\n", " with ")
    return figure


@styled
def lines(
    x: Any, series: Mapping[str, Any], xlabel: str, ylabel: str, marker: float | None = None, logx: bool = False,
    logy: bool = False, note: str = "", dashed: Mapping[str, Any] | None = None,
) -> Figure:  # fmt: skip
    """Curves over x in one frame. `series`: label → values; `marker` draws a vertical line at that x, with a `note`.

    `dashed`: one label → what each of the series should be, drawn over them as thin dashes; the series are then solid.

    Values at up to 15 places have dots. If x falls, so does the axis.
    """
    refuse_untitled(series, "series")
    x, styles = numbers_of(x, (None,), "x", infinite=True), ["-", "--", "-.", ":"] if dashed is None else ["-"]
    series = {label: numbers_of(values, x.shape, label, infinite=True) for label, values in series.items()}
    figure = Figure(WIDTH * 0.8, 3.6)
    ax = figure.subplots()
    for i, (label, values) in enumerate(series.items()):
        dots, style, colour = "o" if len(x) <= 15 else None, styles[i % len(styles)], COLOURS[i % len(COLOURS)]
        ax.plot(x, values, style, label=label, color=colour, marker=dots, markersize=4)
    for label, curves in (dashed or {}).items():
        for i, values in enumerate(curves):
            ax.plot(x, numbers_of(values, x.shape, label), "--", label=None if i else label, color=BLACK, linewidth=1)
    if x[0] > x[-1]:
        ax.invert_xaxis()
    if marker is not None:
        ax.axvline(marker, color=BLACK, linewidth=0.8)
        ax.text(marker, 0.97, f" {note} ", transform=ax.get_xaxis_transform(), va="top", ha="right")
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale="log" if logx else "linear", yscale="log" if logy else "linear")
    plain_ticks(ax, x if logx else (), logy)
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    figure.alt = f"{ylabel} over {xlabel}, from {x[0]:g} to {x[-1]:g}. " + " ".join(
        f"{label}: {values[0]:.3g} first, {values[len(values) // 2]:.3g} halfway, {values[-1]:.3g} last."
        for label, values in series.items()
    )
    if marker is not None:
        figure.alt += f" A line marks {xlabel} = {marker:g}{f' ({note})' if note else ''}."
    return figure


@styled
def histograms(
    samples: Mapping[str, Any], xlabel: str, density: Callable | None = None, bins: int = 60, outline: Any = None
) -> Figure:
    """Histograms side by side on one scale. `samples`: title → numbers; `density`: p(x), drawn over each.

    `outline`: name → numbers, whose histogram is drawn over each as an outline.
    """
    refuse_untitled(samples, "samples")
    outlines = {f"outline: {name}": x for name, x in (outline or {}).items()}
    values = {name: numbers_of(np.ravel(to_float64(x)), (None,), name) for name, x in {**samples, **outlines}.items()}
    low, high = (end([end(x) for x in values.values()]) for end in (np.min, np.max))
    low, high = (low - 0.5, high + 0.5) if low == high else (low, high)  # all equal: one bar in the middle
    figure = Figure(WIDTH * min(1, 0.2 + 0.3 * len(samples)), 2.6)
    axes = figure.subplots(1, len(samples), sharex=True, sharey=True, squeeze=False)[0]
    edges, grid = np.linspace(low, high, whole(bins, "bins") + 1), np.linspace(low, high, 300)
    for ax, title in zip(axes, samples, strict=True):
        ax.hist(values[title], bins=edges, density=True, color=SKY, histtype="stepfilled")
        for name in outlines:
            ax.hist(values[name], bins=edges, density=True, color=BLACK, histtype="step", linewidth=1, label=name)
        if density is not None:
            ax.plot(grid, density(grid), color=RED, linewidth=1)
        ax.set(title=title, ylabel="density" if ax is axes[0] else "")
    figure.supxlabel(xlabel, size="medium")  # once
    if outlines:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", frameon=False)
    figure.alt = f"Histograms of {xlabel}: " + "; ".join(
        f"{title} (mean {x.mean():.2f}, spread {x.std():.2f})" for title, x in values.items()
    )
    return figure


@styled
def clouds(
    panels: Mapping[str, Any], reference: Any = None, limit: float | None = None, around: tuple | None = None,
    label: str = "",
) -> Figure:  # fmt: skip
    """Point clouds (n, 2) side by side on one scale; `reference` points lie faintly behind each.

    A mapping title → points gives every panel reference points of its own, drawn as crosses. The frame is
    −limit … limit both ways, or, `around` a place (x, y), as far to each side of it: a close-up, with larger points.
    `label` stands once, below all panels.
    """
    refuse_untitled(panels, "panels")
    panels = {title: numbers_of(points, (None, 2), title) for title, points in panels.items()}
    if limit is None:
        limit = 1.05 * max(np.abs(points).max() for points in panels.values()) or 1.0
    columns = 3 if len(panels) in (5, 6) else min(len(panels), 4)
    figure = panelled(panels, columns, 3.0, 0.45 if label else 0.25, shared=True)
    for ax, (title, points) in zip(figure.axes, panels.items(), strict=False):
        if isinstance(reference, Mapping):
            x, y = numbers_of(reference.get(title, ()), (None, 2), f"reference {title}").T
            ax.scatter(x, y, s=16 if len(x) < 100 else 5, marker="x", color=RED, linewidths=0.6, zorder=0.5)
        elif reference is not None:
            x, y = numbers_of(reference, (None, 2), "reference").T
            ax.scatter(x, y, s=3, color=ORANGE, alpha=0.3, linewidths=0)
        ax.scatter(points[:, 0], points[:, 1], s=4 if around is None else 16, color=BLUE, alpha=0.6, linewidths=0)
        xlim, ylim = ((middle - limit, middle + limit) for middle in around or (0, 0))
        ax.set(xlim=xlim, ylim=ylim, aspect="equal")
    figure.supxlabel(label, size="medium")
    figure.alt = "Point clouds, left to right: " + "; ".join(
        "{} ({} points, mean ({:.2f}, {:.2f}), spread {:.2f})".format(title, len(x), *x.mean(0), x.std(0).mean())
        for title, x in panels.items()
    )
    return figure


def normal(x: Any, mean: float = 0.0, spread: float = 1.0) -> np.ndarray:
    """The density of N(mean, spread²) at x, to be drawn over a histogram."""
    return np.exp(-(((to_float64(x) - mean) / spread) ** 2) / 2) / (spread * (2 * np.pi) ** 0.5)
