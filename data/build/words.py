"""Make media/words.webp, the README's first picture: prompts, and what the network of words makes of them.

    python data/build/words.py

Above each prompt is the first picture that it gets (`paint` with seed 2), as it appears, every second of 20 sampling
steps. The same machine makes the same file byte for byte.
"""

from pathlib import Path

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from diffusion_course.run.paint import painting

PROMPTS = (
    "blue cat", "butterfly", "rocket", "orange heart", "watermelon",
    "panda", "frog", "hamburger", "tulip", "crying cat",
)  # fmt: skip
SEED = 2  # of 0 … 7 the one with the best cats
COLUMNS, ZOOM, TEXT, GAP = 5, 4, 22, 12
FILE = Path(__file__).parents[2] / "media" / "words.webp"


def main() -> None:
    drawn = [np.concatenate(frames) for frames in zip(*(painting(p, n=1, seed=SEED) for p in PROMPTS), strict=True)]
    pages = [page((255 * (frame.clip(-1, 1) + 1) / 2).round().astype(np.uint8)) for frame in drawn[1::2]]
    waits = [250] * (len(pages) - 1) + [4000]  # milliseconds: time to look at the end
    pages[0].save(FILE, save_all=True, append_images=pages[1:], duration=waits, loop=0, quality=18, method=6)


def page(pictures: np.ndarray) -> Image.Image:
    """Pictures (n, 3, h, w) as bytes, each above its prompt."""
    side = ZOOM * pictures.shape[-1]
    rows = -(-len(pictures) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (side + GAP) + GAP, rows * (side + TEXT + GAP) + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 15)
    for i, (picture, prompt) in enumerate(zip(pictures, PROMPTS, strict=True)):
        x, y = GAP + i % COLUMNS * (side + GAP), GAP + i // COLUMNS * (side + TEXT + GAP)
        large = Image.fromarray(picture.transpose(1, 2, 0)).resize((side, side), Image.Resampling.NEAREST)
        sheet.paste(large, (x, y))
        pen.text((x + side / 2, y + side + 2), prompt, fill="black", font=font, anchor="ma")
    return sheet


if __name__ == "__main__":
    main()
