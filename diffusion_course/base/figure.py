"""What a figure is here: displayed at the size of the page around it, with a text alternative, kept by nobody else.

Colours follow the colour-blind-safe palette of Okabe & Ito (2008), darkened where a line would not stand out from
white.
"""

from __future__ import annotations

import base64
import functools
import html
import textwrap
from collections.abc import Callable, Collection
from io import BytesIO
from typing import Any

import matplotlib
import matplotlib.figure
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from .arrays import to_float64
from .refusals import refuse_bytes, whole

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK = (
    "#0072b2", "#b57900", "#00855f", "#d55e00", "#b0548c", "#2f8fc9", "#000000"
)  # fmt: skip
COLOURS = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY, BLACK)  # as in player.js
DPI = 144  # twice the screen's 72, so that text stays sharp on dense displays
WIDTH = 9.0  # inches of a figure as wide as a notebook's column
STYLE = {"font.size": 11, "axes.titlesize": 11}  # all else follows


def styled(draw: Callable) -> Callable:
    """`draw`, its text at the size of the page around it: 11 pixels where the page has 14."""

    @functools.wraps(draw)
    def drawn(*args: Any, **kwargs: Any) -> Any:
        with matplotlib.rc_context(STYLE):  # type: ignore[arg-type]
            return draw(*args, **kwargs)

    return drawn


class Figure(matplotlib.figure.Figure):
    """A matplotlib figure that nothing else keeps (no pyplot, so no leak), with a text alternative `alt`."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), dpi=DPI, layout="constrained")
        FigureCanvasAgg(self)
        self.alt = ""

    @property
    def alt(self) -> str:
        """What the figure shows, in words: one line, with a comma where a title had a new one."""
        return self._alt

    @alt.setter
    def alt(self, text: str) -> None:
        self._alt = text.replace("\n", ", ")

    def png(self) -> bytes:
        """The picture as a PNG file."""
        self.savefig(file := BytesIO(), format="png")
        return file.getvalue()

    def html(self, png: str = "") -> str:
        """The picture (or `png`, in base 64) as an <img> with its text alternative; on a phone it scrolls sideways."""
        src = f"data:image/png;base64,{png or base64.b64encode(self.png()).decode()}"
        image = f'<img alt="{html.escape(self.alt, quote=True)}" src="{src}" style="{self.size()}">'
        return f'<div class="dc-figure" style="overflow-x:auto; margin-top:6px">{image}</div>'

    def size(self) -> str:
        """Its share of the page's width, as CSS: text has 11 pixels where the page has 648, at least 7, at most 14."""
        share, px = self.get_figwidth() / WIDTH, self.get_figwidth() * 72
        return f"width:max({share:.0%}, {px:.0f}px); max-width:min(100%, {1.3 * px:.0f}px); min-width:{0.67 * px:.0f}px"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self.alt}


def folded(title: str, inches: float) -> str:
    """The title in lines of at most that many inches, about, broken between words.

    >>> folded("after 10,000 training steps", 1.5).splitlines()
    ['after 10,000', 'training steps']
    """
    return "\n".join(textwrap.fill(line, int(11.5 * inches)) for line in title.split("\n"))


def panelled(
    titles: Collection[str], columns: int, side: float, gap: float = 0.0, shared: bool = False
) -> Figure:
    """A figure with a square panel, of at most `side` inches, under each title, row by row; places left over are empty.

    A row is as high as a panel, its title and `gap`. `shared` axes have numbers along the figure's edges only.
    """
    side, rows = min(side, WIDTH / whole(columns, "columns")), -(-len(titles) // columns)
    text = [folded(title, side) for title in titles]
    height = side + 0.2 * (1 + max(title.count("\n") for title in text)) + gap
    figure = Figure(side * columns, rows * height)
    full = rows * columns == len(text)  # else the lowest panel of a column may stand higher
    for ax in figure.subplots(rows, columns, sharex=shared and full, sharey=shared, squeeze=False).flat[len(text) :]:
        ax.axis("off")
    for ax, title in zip(figure.axes, text, strict=False):
        ax.set_title(title)
    return figure


def plain_ticks(ax: Any, x: Any, logy: bool) -> None:
    """Numbers as one writes them on log axes: x at its places, if there are few; y at 1, 2, 5, 10 … if it spans few."""
    if 0 < len(x) <= 8:
        ax.set_xticks(x, [f"{value:g}" for value in x])
        ax.minorticks_off()
    low, high = ax.get_ylim()
    if logy and 1e-3 < low and high < 1000 * low:
        ticks = [digit * 10.0**power for power in range(-3, 7) for digit in (1, 2, 5)]
        ax.set_yticks([y for y in ticks if low <= y <= high], [f"{y:g}" for y in ticks if low <= y <= high])
        ax.set_yticks([], minor=True)


def as_rgb(picture: Any) -> np.ndarray:
    """One picture (c, h, w) or (1, c, h, w) in [−1, 1], c = 1 or 3, as (h, w, 3) in [0, 1], clipped to it."""
    picture = to_float64(picture)
    picture = picture[0] if picture.ndim == 4 and len(picture) == 1 else picture
    if picture.ndim != 3 or picture.shape[0] not in (1, 3):
        raise ValueError(f"a picture has shape (c, h, w) with c = 1 or 3, not {picture.shape}.")
    if not np.isfinite(picture).all():
        raise ValueError("a picture with NaN or infinity cannot be shown: look where it comes from.")
    refuse_bytes(picture, "the picture")
    rgb = np.clip((picture.transpose(1, 2, 0) + 1) / 2, 0, 1)
    return np.broadcast_to(rgb, (*rgb.shape[:2], 3))
