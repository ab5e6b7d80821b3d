"""What a figure is here: displayed at the size of the page around it, with a text alternative, kept by nobody else.

Colours follow the colour-blind-safe palette of Okabe & Ito (2008), darkened where a line would not stand out from
white.
"""

from __future__ import annotations

import base64
import functools
import html
import textwrap
from collections.abc import Callable
from io import BytesIO
from typing import Any

import matplotlib
import matplotlib.figure
from matplotlib.backends.backend_agg import FigureCanvasAgg

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

    def png(self) -> bytes:
        """The picture as a PNG file."""
        self.savefig(file := BytesIO(), format="png")
        return file.getvalue()

    def html(self, png: str = "") -> str:
        """The picture (or `png`, in base 64) as an <img> with its text alternative; on a phone it scrolls sideways."""
        src = f"data:image/png;base64,{png or base64.b64encode(self.png()).decode()}"
        alt, style = html.escape(self.alt, quote=True), self.size()
        return f'<div class="dc-figure" style="overflow-x:auto"><img alt="{alt}" src="{src}" style="{style}"></div>'

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
