"""Moments of a motion, drawn side by side for a page on which nothing can move."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import hsv_to_rgb

from ..base.figure import BLACK, COLOURS, ORANGE, WIDTH, Figure, as_rgb, folded, styled
from ..plots import normal

SIDE = 2.3  # inches of one panel, at most
DRAWN = 40  # paths of a group, on average
FEW = 24  # paths of a group are drawn thick
ARROWS = "#595959"  # 7 : 1 against white, and unlike the points


def by_direction(points: np.ndarray) -> np.ndarray:
    """A colour (n, 3) for each of the points (n, 2), by its direction from the middle; 3 : 1 against white at least."""
    share = np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi) % 1
    colours = hsv_to_rgb(np.stack([share, np.full_like(share, 0.9), np.full_like(share, 0.75)], axis=1))
    bright = colours**2.2 @ np.array([0.2126, 0.7152, 0.0722])  # about the luminance, of which 0.3 is 3 : 1
    return colours * np.minimum(1, (0.28 / bright) ** (1 / 2.2))[:, None]


@styled
def snapshots(
    panels: Mapping[str, np.ndarray], captions: Sequence[str], colours: Mapping[str, np.ndarray], *,
    behind: np.ndarray | None = None, field: np.ndarray | None = None, trails: int = 0, limit: float = 3.0,
    moments: Sequence[int] | None = None, radius: float = 1.9,
) -> Figure:  # fmt: skip
    """Points at the start, after a fifth of the way and at the end, or at the frames `moments`: a row for each moment.

    Each panel has a column. One alone, or fewer than there are `moments`, have a row each.
    `panels`: title → points (frames, n, 2); `colours`: title → (n, 3); `behind` (m, 2) lies under them; `field`
    (1 or frames, m, 4) holds where each arrow begins and how far it goes; tails are `trails` frames long.

    >>> snapshots({"a": np.zeros((6, 2, 2))}, "543210", {"a": np.zeros((2, 3))}).alt
    'Points at 5, 4, 0. a: spread 0.00, 0.00, 0.00.'
    """
    count = len(captions)
    across = len(panels) == 1 or len(panels) < len(moments or ())
    moments = sorted({0, round((count - 1) / 5), count - 1}) if moments is None else moments
    heads, names = [captions[i] for i in moments], list(panels)
    if not across:
        heads, names = names, heads
    side = min(WIDTH / len(heads), SIDE)
    figure = Figure(side * len(heads) + 0.4, side * len(names) + 0.3)
    axes = figure.subplots(len(names), len(heads), squeeze=False)
    grid = axes.T if across else axes
    for row, i in zip(grid, moments, strict=True):
        for ax, (title, points) in zip(row, panels.items(), strict=True):
            if behind is not None:
                ax.scatter(*behind.T, s=2, color=ORANGE, alpha=0.4, linewidths=0)
            if field is not None:
                x, y, *arrow = field[i % len(field)].T
                ax.quiver(x, y, *arrow, angles="xy", scale_units="xy", scale=1, color=ARROWS, width=0.004)
            tails = points[max(i - trails, 0) : i + 1].transpose(1, 0, 2)
            ax.add_collection(LineCollection(list(tails), colors=colours[title], linewidths=0.7))
            ax.scatter(*points[i].T, s=2.5 * radius**2, c=colours[title], zorder=3, linewidths=0)
            ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
    for ax, head in zip(axes[0], heads, strict=True):
        ax.set_title(folded(f"{names[0]}\n{head}".strip() if len(panels) == 1 else head, side))
    for ax, name in zip(axes[:, 0], names if len(panels) > 1 else [""], strict=True):
        ax.set_ylabel(name)
    spreads = {title: ", ".join(f"{points[i].std(0).mean():.2f}" for i in moments) for title, points in panels.items()}
    figure.alt = f"Points at {', '.join(captions[i] for i in moments)}. " + " ".join(
        f"{title}: spread {spread}." for title, spread in spreads.items()
    )
    return figure


@styled
def whole_paths(
    points: np.ndarray, colours: np.ndarray, axes: tuple[str, str], marks: Mapping[str, tuple], limit: float,
    names: Sequence[str] = (),
) -> Figure:  # fmt: skip
    """The whole paths of points (frames, n, 2) in one frame with ticks, and rings with names around places (x, y).

    `names` of the paths, in their colours, stand in the corner.

    >>> whole_paths(np.zeros((2, 1, 2)), np.zeros((1, 3)), ("θ", "ψ"), {"goal": (0, 0)}, 1.0).alt
    '1 paths over θ and ψ; distance from 0: 0.00 at first, 0.00 at the end. Marked: goal (0, 0).'
    """
    figure = Figure(5.2, 4.8)
    ax = figure.subplots()
    ax.axhline(0, color="0.55", linewidth=0.8, zorder=0)
    ax.axvline(0, color="0.55", linewidth=0.8, zorder=0)
    ax.add_collection(LineCollection(list(points.transpose(1, 0, 2)), colors=colours, linewidths=0.9))
    for name, (x, y) in marks.items():
        ax.plot(x, y, "o", color=BLACK, markersize=11, fillstyle="none", markeredgewidth=1.2)
        ax.annotate(name, (x, y), (-7, 7), textcoords="offset points", fontweight="bold", ha="right")
    for i, (name, colour) in enumerate(zip(names, colours, strict=False)):
        ax.text(0.03, 0.96 - 0.06 * i, name, transform=ax.transAxes, color=colour, fontweight="bold", va="top")
    ax.scatter(points[-1, :, 0], points[-1, :, 1], s=30, c=colours, zorder=3, linewidths=0)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel=axes[0], ylabel=axes[1])
    near, far = (", ".join(f"{r:.2f}" for r in np.hypot(*points[i].T)) for i in (0, -1))
    told = "; ".join(f"{name} ({x:g}, {y:g})" for name, (x, y) in marks.items())
    figure.alt = f"{points.shape[1]} paths over {axes[0]} and {axes[1]}; distance from 0: {near} at first, "
    figure.alt += f"{far} at the end." + (f" Marked: {told}." if told else "")
    return figure


def side_by_side(panels: Mapping[str, Any], rows: Sequence[str]) -> Figure:
    """Sheets of pictures beside each other: name → (rows, columns, c, h, w) in [−1, 1]; `rows` names their rows.

    >>> side_by_side({"a": np.zeros((1, 2, 3, 4, 4)), "b": np.zeros((1, 2, 3, 4, 4))}, ["t = 1"]).alt
    'a, b. Rows: t = 1.'
    """
    sheets = {}
    for name, pictures in panels.items():
        tall = [np.concatenate([_framed(as_rgb(picture)) for picture in row], axis=1) for row in pictures]
        sheets[name] = np.rint(255 * np.concatenate(tall)).astype(np.uint8)
    return moments_of_sheets(sheets, rows, wide=False)


def _framed(picture: np.ndarray) -> np.ndarray:
    return np.pad(picture, ((0, 1), (0, 1), (0, 0)), constant_values=1)  # white at two sides


@styled
def moments_of_sheets(sheets: Mapping[str, np.ndarray], rows: Sequence[str], wide: bool) -> Figure:
    """Sheets of pictures (h, w, c) in bytes under their titles; `rows` names their rows, at the left.

    Side by side, or, where they are `wide`, below each other.

    >>> moments_of_sheets({"t = 1": np.zeros((4, 8, 3)), "t = 0": np.zeros((4, 8, 3))}, ["a"], True).alt
    't = 1, t = 0. Rows: a.'
    """
    height, width = next(iter(sheets.values())).shape[:2]
    longest = max(map(len, rows), default=0)
    columns = 1 if wide else len(sheets)
    side = (WIDTH * (0.7 if wide else 1) - 0.1 * longest) / columns  # inches of one sheet
    lines = max(folded(title, side).count("\n") for title in sheets) + 1
    tall = side * height / width + 0.2 * lines + 0.2
    figure = Figure(side * columns + 0.1 * longest, tall * len(sheets) / columns)
    axes = figure.subplots(len(sheets) // columns, columns, squeeze=False).flat
    for ax, (title, sheet) in zip(axes, sheets.items(), strict=True):
        ax.imshow(sheet, interpolation="nearest", cmap="gray", vmin=0, vmax=255)
        ax.set_title(folded(title, side))
        ax.set(xticks=[], yticks=[])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        if rows and (wide or ax is figure.axes[0]):
            ax.set_yticks([height / len(rows) * (k + 0.5) for k in range(len(rows))], rows)
    figure.alt = f"{', '.join(sheets)}." + (f" Rows: {'; '.join(rows)}." if rows else "")
    return figure


@styled
def fan(
    groups: Mapping[str, np.ndarray], label: str, ends: Sequence[str], limit: float, bell: bool | str,
    stops: Mapping[str, int],
) -> Figure:  # fmt: skip
    """Paths x_t of numbers, name → (frames, n), from left to right, and the histogram of their ends at the right edge.

    A group that starts at one place has its name there, others have theirs above. `label` names the axis of time,
    `ends` its two ends and places evenly between. `bell` and `stops` as in `play.play_paths`.

    >>> fan({"": np.zeros((3, 5))}, "t", ("0", "T"), 4.0, bell=True, stops={}).alt
    '5 paths; spread 0.00 at first, 0.00 at the end.'
    """
    figure = Figure(WIDTH * 0.8, 3.6)
    early = bell == "start"
    *first, ax, edge = figure.subplots(1, 2 + early, width_ratios=[1] * early + [4, 1], sharey=True)
    ax.tick_params(labelleft=True)
    every = -(-sum(paths.shape[1] for paths in groups.values()) // (DRAWN * len(groups)))
    at_start = len(groups) > 1 and all(np.ptp(paths[0]) < limit / 50 for paths in groups.values())
    for (name, paths), colour in zip(groups.items(), COLOURS, strict=False):
        ax.plot(paths[:, ::every], color=colour, linewidth=0.4 if len(paths[0]) > FEW else 1.5)
        if name in stops:
            ax.plot(range(0, len(paths), stops[name]), paths[:: stops[name], ::every], "o", color=colour, markersize=4)
        if at_start:
            ax.annotate(name, (0, paths[0, 0]), (-32, 0), textcoords="offset points", color=colour, ha="right",
                        va="center", weight="bold")  # fmt: skip
        else:
            ax.plot([], color=colour, label=name)
    if any(groups) and not at_start:
        figure.legend(loc="outside upper center", ncols=5, frameon=False)
    together = np.concatenate(list(groups.values()), axis=1)
    last = len(together) - 1
    part = f"   (one path in {every} is drawn)" if every > 1 else ""
    ax.set(xlim=(0, last), ylim=(-limit, limit), xlabel=label + part)
    ax.set_xticks(np.linspace(0, last, len(ends)), ends)
    ax.set_title("xₜ", loc="left")
    ended, colours = [paths[-1] for paths in groups.values()], [COLOURS[i % len(COLOURS)] for i in range(len(groups))]
    if not bell and max(map(len, ended)) <= FEW:
        for i, (places, colour) in enumerate(zip(ended, colours, strict=True)):
            edge.scatter(np.full(len(places), i), places, s=25, color=colour)
        edge.set_xlim(-1, max(len(groups), 4))
    elif bell:
        for side, i in zip((edge, *first), (-1, 0), strict=False):
            side.hist([paths[i] for paths in groups.values()], np.linspace(-limit, limit, 37), density=True,
                      stacked=True, orientation="horizontal", color=colours, alpha=0.65)  # fmt: skip
    else:
        for places, colour in zip(ended, colours, strict=True):
            height, edges = np.histogram(places, np.linspace(-limit, limit, 37), density=True)
            height[height == 0] = np.nan  # no line where there is nothing
            edge.stairs(height, edges, orientation="horizontal", color=colour, linewidth=1.5)
    if bell:
        height = np.linspace(-limit, limit, 200)
        [*first, edge][0].plot(normal(height), height, color=BLACK)
    stacked = f"{together.shape[1]} stacked,\nblack: N(0, 1)"
    everyone = "at the end\n(all of them)" if part else "at the end"
    edge.set_title(stacked if bell and not early and len(groups) > 1 else everyone)
    for side in (edge, *first):
        side.axis("off")
    if early:
        first[0].set_title("at the start:\na bell curve")
    figure.alt = (
        f"{together.shape[1]} paths; spread {together[0].std():.2f} at first, {together[-1].std():.2f} at the end."
    )
    return figure
