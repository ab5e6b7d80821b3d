"""A small picture to draw by hand, pixel by pixel: where lesson 5's journey from a sketch to a portrait begins."""

import anywidget
import numpy as np
import traitlets

from .. import plots
from .panel import Panel, script, style

PALETTE = {  # colours that the pixel faces have
    "grey background": "#d6d6d6", "blue background": "#a9cdf0", "light skin": "#f6d4aa", "dark skin": "#99673b",
    "white": "#ffffff", "black": "#28150a", "brown": "#6b3e16", "blond": "#f2c53d", "red": "#c8401a",
    "blue": "#009bbd", "green": "#6fb515",
}  # fmt: skip
BRUSHES = {"one pixel": 1, "2 × 2": 2, "4 × 4": 4, "everything": 32}
LETTERS = "abcdefghijk"  # one for each colour


class Grid(anywidget.AnyWidget):
    """The drawing in the browser: `codes`, row by row, are places in the palette."""

    _esm = script("pixel_editor")
    _css = style("pixel_editor")
    codes = traitlets.List(traitlets.Int()).tag(sync=True)
    width = traitlets.Int().tag(sync=True)
    palette = traitlets.List([*PALETTE.items()]).tag(sync=True)  # of a dictionary a saved notebook loses the order
    brushes = traitlets.List([*BRUSHES.items()]).tag(sync=True)


class PixelEditor(Panel):
    """A picture to draw on with mouse, finger or keys, to end a cell with. `picture` is what has been drawn.

    `start` is a list of equally long strings, one a row, of the letters a … k: places in `PALETTE`.
    Raises ValueError for other letters, and for rows that differ in length.

    >>> editor = PixelEditor(["ab", "ba"])
    >>> editor.picture.shape, round(float(editor.picture[0, 0, 0, 0]), 2)
    ((1, 3, 2, 2), 0.68)
    """

    def __init__(self, start: list[str]) -> None:
        widths = {len(row) for row in start}
        if len(widths) != 1 or 0 in widths:
            raise ValueError(f"start must hold rows of one length, at least one letter; theirs are {sorted(widths)}.")
        if strange := sorted(set("".join(start)) - set(LETTERS)):
            raise ValueError(f"start holds {', '.join(strange)}; the colours are the letters a to {LETTERS[-1]}.")
        self.grid = Grid(codes=[LETTERS.index(letter) for row in start for letter in row], width=widths.pop())
        super().__init__(self.grid, plots.images({"your drawing": self.picture}, height=3))

    @property
    def picture(self) -> np.ndarray:
        """The drawing, float32 (1, 3, height, width) in [−1, 1]."""
        rgb = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in PALETTE.values()])
        drawn = rgb[np.array(self.grid.codes)].reshape(-1, self.grid.width, 3)
        return (drawn.transpose(2, 0, 1)[None] / 127.5 - 1).astype(np.float32)
