"""Make data/opening.npz and media/opening.gif: 24 portraits on their way from pure noise.

    python data/build/opening.py

The shipped network of the faces, 40 steps of DDIM from the noise of one seed; every second picture is kept, and
written as bytes. Lesson 1 opens with the first file, the README with the second. The same machine makes the same files
byte for byte.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from diffusion_course.run.checkpoints import pretrained
from diffusion_course.samplers import ddim

SEED, PORTRAITS, STEPS = 3, 24, 40
COLUMNS, ZOOM = 12, 3
ROOT = Path(__file__).parents[2]


def main() -> None:
    model = pretrained("faces")
    noise = torch.randn(PORTRAITS, 3, 16, 16, generator=torch.Generator().manual_seed(SEED))
    path = list(ddim(model, model.schedule, noise, STEPS))[::2]
    frames = (np.clip(np.stack([x.numpy() for x in path]), -1, 1) * 127.5 + 127.5).round().astype(np.uint8)
    np.savez_compressed(ROOT / "data" / "opening.npz", frames=frames, times=model.schedule.steps(STEPS)[::2])
    pages = [Image.fromarray(sheet(pictures)) for pictures in frames]
    waits = [500] + [120] * (len(pages) - 2) + [3000]  # milliseconds: time to look at the end
    animation = {"save_all": True, "append_images": pages[1:], "duration": waits, "loop": 0, "optimize": True}
    pages[0].save(ROOT / "media" / "opening.gif", **animation)


def sheet(pictures: np.ndarray) -> np.ndarray:
    """Pictures (n, 3, h, w) as one page (rows h zoom, columns w zoom, 3)."""
    n, c, h, w = pictures.shape
    page = pictures.reshape(n // COLUMNS, COLUMNS, c, h, w).transpose(0, 3, 1, 4, 2)
    return page.reshape(n // COLUMNS * h, COLUMNS * w, c).repeat(ZOOM, 0).repeat(ZOOM, 1)


if __name__ == "__main__":
    main()
