"""Pictures of the route, as pure functions: data in, a `Figure` out; nothing is shown, saved or remembered.

Every figure carries `alt`, a text alternative made from the data it shows, and displays itself in a notebook
as an image with that text. Colours are the colour-blind-safe palette of Okabe & Ito (2008).
"""

import base64
import html
from io import BytesIO

import matplotlib.figure
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from .forward import to_float64

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000"
)  # fmt: skip
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED, SKY, BLACK)
DPI = 144  # twice the screen's 72, so that text stays sharp on dense displays


class Figure(matplotlib.figure.Figure):
    """A matplotlib figure that nothing else keeps (no pyplot, so no leak), with a text alternative `alt`."""

    def __init__(self, width: float, height: float):
        super().__init__(figsize=(width, height), dpi=DPI, layout="constrained")
        FigureCanvasAgg(self)
        self.alt = ""

    def png(self) -> bytes:
        """The picture as a PNG file."""
        file = BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()

    def html(self) -> str:
        """The picture as an <img> with its text alternative, at most as wide as the page."""
        data, width = base64.b64encode(self.png()).decode(), int(self.get_figwidth() * 72)
        alt = html.escape(self.alt, quote=True)
        return f'<img alt="{alt}" src="data:image/png;base64,{data}" style="width:{width}px; max-width:100%">'

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html(), "text/plain": self.alt}


def images(pictures: dict, columns: int | None = None, height: float = 1.7) -> Figure:
    """Pictures side by side under their titles. `pictures`: title → (c, h, w) or (1, c, h, w) in [−1, 1].

    Values outside [−1, 1] (noisy pictures have many) are clipped for display only.
    """
    _refuse_empty(pictures, "pictures")
    columns = min(len(pictures), 10) if columns is None else columns
    rows = -(-len(pictures) // columns)
    figure = Figure(columns * height * 0.9, rows * height)
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for ax in axes:
        ax.axis("off")
    for ax, (title, picture) in zip(figure.axes, pictures.items(), strict=False):
        ax.imshow(as_rgb(picture), interpolation="nearest")
        ax.set_title(title, fontsize=8)
    figure.alt = "Pictures, left to right: " + "; ".join(title.replace("\n", ", ") for title in pictures) + "."
    return figure


def sheet(pictures, title: str, columns: int = 12) -> Figure:
    """A contact sheet of many pictures (n, c, h, w) in [−1, 1], with one title."""
    _refuse_empty(pictures, "pictures")
    cells = [as_rgb(picture) for picture in pictures]
    h, w, _ = cells[0].shape
    rows = -(-len(cells) // columns)
    page = np.ones((rows * (h + 1) + 1, columns * (w + 1) + 1, 3))
    for i, cell in enumerate(cells):
        top, left = i // columns * (h + 1) + 1, i % columns * (w + 1) + 1
        page[top : top + h, left : left + w] = cell
    figure = Figure(8, 8 * page.shape[0] / page.shape[1] + 0.3)
    ax = figure.subplots()
    ax.imshow(page, interpolation="nearest")
    ax.axis("off")
    ax.set_title(title, fontsize=10)
    figure.alt = f"{title}: {len(cells)} pictures in {rows} rows."
    return figure


def lines(x, series: dict, xlabel: str, ylabel: str, marker=None, logy: bool = False) -> Figure:
    """Curves over x in one frame. `series`: label → values; `marker` draws a vertical line at that x."""
    _refuse_empty(series, "series")
    x, styles = to_float64(x), ["-", "--", "-.", ":"]
    series = {label: _numbers(values, x.shape, label, infinite=True) for label, values in series.items()}
    figure = Figure(6.4, 3)
    ax = figure.subplots()
    for i, (label, values) in enumerate(series.items()):
        ax.plot(x, values, styles[i % 4], label=label, color=COLOURS[i % len(COLOURS)])
    if marker is not None:
        ax.axvline(marker, color=BLACK, linewidth=0.8)
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if logy else "linear")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    figure.alt = f"{ylabel} over {xlabel}, from {x[0]:g} to {x[-1]:g}. " + " ".join(
        f"{label}: {values[0]:.3g} first, {values[len(values) // 2]:.3g} halfway, {values[-1]:.3g} last."
        for label, values in series.items()
    )
    if marker is not None:
        figure.alt += f" A line marks {xlabel} = {marker:g}."
    return figure


def histograms(samples: dict, xlabel: str, density=None, bins: int = 60) -> Figure:
    """Histograms side by side on one scale. `samples`: title → numbers; `density`: p(x), drawn over each."""
    _refuse_empty(samples, "samples")
    values = [_numbers(np.ravel(to_float64(x)), (None,), title) for title, x in samples.items()]
    low, high = min(x.min() for x in values), max(x.max() for x in values)
    if low == high:  # all equal: one bar in the middle
        low, high = low - 0.5, high + 0.5
    figure = Figure(2.9 * len(samples), 2.4)
    axes = figure.subplots(1, len(samples), sharex=True, sharey=True, squeeze=False)[0]
    grid = np.linspace(low, high, 300)
    for ax, title, x in zip(axes, samples, values, strict=True):
        ax.hist(x, bins=np.linspace(low, high, bins), density=True, color=SKY)
        if density is not None:
            ax.plot(grid, density(grid), color=RED, linewidth=1)
        ax.set_title(title, fontsize=9)
        ax.set_xlabel(xlabel)
    axes[0].set_ylabel("density")
    figure.alt = f"Histograms of {xlabel}: " + "; ".join(
        f"{title.replace(chr(10), ', ')} (mean {x.mean():.2f}, spread {x.std():.2f})"
        for title, x in zip(samples, values, strict=True)
    )
    return figure


def clouds(panels: dict, reference=None, limit: float | None = None) -> Figure:
    """Point clouds (n, 2) side by side on one scale; `reference` points lie faintly behind each."""
    _refuse_empty(panels, "panels")
    panels = {title: _numbers(points, (None, 2), title) for title, points in panels.items()}
    if limit is None:
        limit = 1.05 * max(np.abs(points).max() for points in panels.values()) or 1.0
    lines = max(title.count("\n") for title in panels)  # room for titles of several lines above square axes
    figure = Figure(2.4 * len(panels), 2.6 + 0.2 * lines)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, (title, points) in zip(axes, panels.items(), strict=True):
        if reference is not None:
            ax.scatter(*_numbers(reference, (None, 2), "reference").T, s=3, color=ORANGE, alpha=0.3, linewidths=0)
        ax.scatter(*points.T, s=4, color=BLUE, alpha=0.6, linewidths=0)
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
        ax.tick_params(labelsize=7)
        ax.set_title(title, fontsize=9)
    figure.alt = "Point clouds, left to right: " + "; ".join(
        f"{title.replace(chr(10), ', ')} ({len(points)} points, mean ({points[:, 0].mean():.2f}, "
        f"{points[:, 1].mean():.2f}), spread {points.std(0).mean():.2f})"
        for title, points in panels.items()
    )
    return figure


def scales(rows: dict) -> Figure:
    """One idea on three scales, a row for each title → (numbers (n,), points (n, 2), picture (c, h, w)).

    The first of the numbers is marked by a line in their histogram. Numbers and points share −4 … 4.
    """
    _refuse_empty(rows, "rows")
    figure = Figure(6.6, 2.1 * len(rows))
    axes = figure.subplots(len(rows), 3, squeeze=False)
    for (left, middle, right), (title, (numbers, points, picture)) in zip(axes, rows.items(), strict=True):
        left.hist(np.ravel(numbers), bins=np.linspace(-4, 4, 65), density=True, color=SKY)
        left.axvline(np.ravel(numbers)[0], color=RED, linewidth=1.5)
        left.set(ylabel="density", xlim=(-4, 4), ylim=(0, 1.6))
        middle.scatter(*np.asarray(points).T, s=3, color=BLUE, alpha=0.6, linewidths=0)
        middle.set(xlim=(-4, 4), ylim=(-4, 4), xticks=(-4, 0, 4), yticks=(-4, 0, 4), aspect="equal")
        middle.set_title(title, fontsize=9)
        right.imshow(as_rgb(picture), interpolation="nearest")
        right.axis("off")
    figure.alt = "A number (marked among its copies), a cloud and a picture. " + " ".join(
        f"{title}: number {np.ravel(numbers)[0]:.2f}, cloud spread {np.std(points):.2f}."
        for title, (numbers, points, _) in rows.items()
    )
    return figure


def as_rgb(picture) -> np.ndarray:
    """One picture (c, h, w) or (1, c, h, w) in [−1, 1], c = 1 or 3, as (h, w, 3) in [0, 1], clipped to it."""
    picture = to_float64(picture)
    picture = picture[0] if picture.ndim == 4 and len(picture) == 1 else picture
    if picture.ndim != 3 or picture.shape[0] not in (1, 3):
        raise ValueError(f"a picture has shape (c, h, w) with c = 1 or 3, not {picture.shape}.")
    if not np.isfinite(picture).all():
        raise ValueError("a picture with NaN or infinity cannot be shown: look where it comes from.")
    rgb = np.clip((picture.transpose(1, 2, 0) + 1) / 2, 0, 1)
    return np.broadcast_to(rgb, (*rgb.shape[:2], 3))


def _refuse_empty(given, name: str) -> None:
    if len(given) == 0:
        raise ValueError(f"{name} is empty: give at least one.")


def _numbers(values, shape: tuple, title: str, infinite: bool = False) -> np.ndarray:
    """`values` as float64, refused unless of that shape (None: any length but 0) and finite (or no NaN)."""
    values = to_float64(values)
    right = [n == asked or (asked is None and n > 0) for n, asked in zip(values.shape, shape, strict=False)]
    if values.ndim != len(shape) or not all(right):
        raise ValueError(f"{title!r} has shape {values.shape}, but {str(shape).replace('None', 'n')} is needed.")
    bad = np.isnan(values) if infinite else ~np.isfinite(values)
    if bad.any():
        raise ValueError(f"{title!r} holds {values[bad][0]}: look where it comes from.")
    return values
