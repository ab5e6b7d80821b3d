"""What the command line draws: a page of samples, and a moving one of how they appear."""

from __future__ import annotations

from io import BytesIO

import numpy as np

from .. import plots

FRAMES = 40  # at most, of a moving page
LAST = 2000  # milliseconds that the finished samples stay


def page(x: np.ndarray, title: str) -> plots.Figure:
    """Samples (n, 2) or (n, c, h, w) as one figure."""
    return plots.clouds({title: x}) if x.ndim == 2 else plots.sheet(x, title, columns=min(12, len(x)))


def gif(path: list[np.ndarray], title: str) -> bytes:
    """The path from noise to samples as a GIF file that repeats."""
    from PIL import Image

    shown = [path[i] for i in np.unique(np.linspace(0, len(path) - 1, min(FRAMES, len(path))).round().astype(int))]
    limit = 1.05 * max(np.abs(path[0]).max(), np.abs(path[-1]).max())
    frames = []
    for x in shown:
        figure = plots.clouds({title: x}, limit=limit) if x.ndim == 2 else page(x, title)
        with Image.open(BytesIO(figure.png())) as image:
            frames.append(image.convert("RGB"))
    file = BytesIO()
    waits = [80] * (len(frames) - 1) + [LAST]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=waits, loop=0)
    return file.getvalue()
