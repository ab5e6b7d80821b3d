"""A folder of little drawings, for lessons that work on "a folder of your own pictures"."""

from pathlib import Path

import numpy as np

SKIES = ((150, 205, 240), (250, 190, 140), (40, 50, 95))
WALLS = ((245, 235, 210), (230, 160, 120), (180, 200, 175), (160, 140, 190))
ROOFS = ((175, 60, 50), (90, 65, 55), (60, 95, 130))
MEADOW, DOOR, LIGHT = (90, 150, 75), (95, 60, 45), (255, 235, 140)


def example_pictures(folder: str | Path, n: int = 200) -> Path:
    """The path of `folder`, made if need be, with n drawings of little houses in it, as .png files.

    Sky, walls, roof, door and chimney vary; drawing number i is the same each time.
    """
    from PIL import Image

    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        pixels = _house(np.random.default_rng(i)).repeat(2, axis=0).repeat(2, axis=1)
        Image.fromarray(pixels).save(root / f"{i:04d}.png")
    return root


def _house(rng: np.random.Generator) -> np.ndarray:
    """One house of 16 × 16 pixels, as bytes (16, 16, 3)."""
    picture = np.empty((16, 16, 3), np.uint8)
    picture[:13], picture[13:] = SKIES[rng.integers(len(SKIES))], MEADOW
    roof = ROOFS[rng.integers(len(ROOFS))]
    if rng.random() < 0.5:
        picture[3:7, 10:12] = roof  # the chimney
    for row in range(4):
        picture[3 + row, 6 - row : 10 + row] = roof
    picture[7:13, 3:13] = WALLS[rng.integers(len(WALLS))]
    door, window = (4, 9) if rng.random() < 0.5 else (10, 5)
    picture[9:13, door : door + 2] = DOOR
    picture[8:11, window : window + 2] = LIGHT
    return picture
