"""A pixel editor made of ordinary buttons: Tab and Space draw as well as the mouse does."""

import ipywidgets
import numpy as np

from .. import plots
from .panel import Panel

PALETTE = {  # colours that the pixel faces have
    "grey background": "#d6d6d6", "blue background": "#a9cdf0", "light skin": "#f6d4aa", "dark skin": "#99673b",
    "white": "#ffffff", "black": "#28150a", "brown": "#6b3e16", "blond": "#f2c53d", "red": "#c8401a",
    "blue": "#009bbd", "green": "#6fb515",
}  # fmt: skip
BRUSHES = {"one pixel": 1, "2 × 2": 2, "4 × 4": 4, "everything": 32}
COLOURS = list(PALETTE.values())


class PixelEditor(Panel):
    """A picture to draw on: choose a colour and a brush, then press pixels. `picture` is what has been drawn.

    `start` is a list of equally long strings, one a row, of letters a, b, c …: places in `PALETTE`.

    >>> editor = PixelEditor(["ab", "ba"])
    >>> editor.picture.shape, round(float(editor.picture[0, 0, 0, 0]), 2)
    ((1, 3, 2, 2), 0.68)
    """

    def __init__(self, start):
        self._colours = np.array([["abcdefghijk".index(letter) for letter in row] for row in start])
        colour = ipywidgets.Dropdown(options=list(PALETTE), value="black", description="colour")
        brush = ipywidgets.Dropdown(options=list(BRUSHES), description="brush")
        height, width = self._colours.shape
        square = ipywidgets.Layout(width="20px", height="20px", padding="0", margin="0")
        self.pixels = [
            ipywidgets.Button(layout=square, tooltip=f"row {i // width + 1}, column {i % width + 1}")
            for i in range(height * width)
        ]
        for pixel in self.pixels:
            pixel.on_click(self._press)
        columns = {"grid_template_columns": f"repeat({width}, 20px)", "grid_gap": "1px"}
        grid = ipywidgets.GridBox(self.pixels, layout=columns)
        super().__init__({"colour": colour, "brush": brush}, [grid], plots.images({"start": self.picture}, height=3))
        self._paint()

    @property
    def picture(self) -> np.ndarray:
        """The drawing, float32 (1, 3, height, width) in [−1, 1]."""
        rgb = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in COLOURS])
        return (rgb[self._colours].transpose(2, 0, 1)[None] / 127.5 - 1).astype(np.float32)

    def _press(self, pixel):
        row, column = divmod(self.pixels.index(pixel), self._colours.shape[1])
        size = BRUSHES[self.controls["brush"].value]
        top, left = row // size * size, column // size * size
        self._colours[top : top + size, left : left + size] = list(PALETTE).index(self.controls["colour"].value)
        self._paint()

    def _paint(self):
        for pixel, code in zip(self.pixels, self._colours.flat, strict=True):
            if pixel.style.button_color != COLOURS[code]:
                pixel.style.button_color = COLOURS[code]
