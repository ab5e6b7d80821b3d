"""A folder of little drawings, for lessons that work on "a folder of your own pictures"."""

from pathlib import Path

import numpy as np

COLOURS = np.array([[214, 69, 65], [242, 177, 52], [61, 153, 112], [52, 120, 200], [150, 90, 190]], dtype=float)
GROUNDS = np.array([[245, 240, 225], [35, 40, 60]], dtype=float)
SIDE = 32  # pixels


def example_pictures(folder: str | Path, n: int = 200) -> Path:
    """The path of `folder`, made if need be, with n drawings of rings and discs in it, as .png files.

    Every drawing has a place, a size, a colour and a ground of its own; drawing number i is the same each time.
    """
    from PIL import Image

    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    y, x = np.indices((SIDE, SIDE)) + 0.5
    for i in range(n):
        rng = np.random.default_rng(i)
        (row, column), radius = rng.uniform(13, 19, 2), rng.uniform(7, 11)
        distance = np.hypot(y - row, x - column)
        edge = radius - distance if i % 2 else 2.5 - np.abs(distance - radius)  # a disc, or a ring
        ink = np.clip(edge + 0.5, 0, 1)[:, :, None]
        pixels = ink * rng.choice(COLOURS) + (1 - ink) * rng.choice(GROUNDS)
        Image.fromarray(pixels.astype(np.uint8)).save(root / f"{i:04d}.png")
    return root
