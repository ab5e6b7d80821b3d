"""Make data/opening.npz: 24 portraits on their way from pure noise.

    python data/build/opening.py

The shipped network of the faces, 40 steps of DDIM from the noise of one seed; every second picture is kept, and
written as bytes, all but the last four in 16 shades, which noise does not show and which makes the file smaller.
Lesson 1 opens with it. The same machine makes the same file byte for byte.
"""

from pathlib import Path

import numpy as np
import torch

from build import npz_bytes
from diffusion_course.run.checkpoints import pretrained
from diffusion_course.samplers import ddim

SEED, PORTRAITS, STEPS = 3, 24, 40
ROOT = Path(__file__).parents[2]


def main() -> None:
    model = pretrained("faces")
    noise = torch.randn(PORTRAITS, 3, 16, 16, generator=torch.Generator().manual_seed(SEED))
    path = list(ddim(model, model.schedule, noise, STEPS))[::2]
    frames = (np.clip(np.stack([x.numpy() for x in path]), -1, 1) * 127.5 + 127.5).round().astype(np.uint8)
    frames[:-4] = frames[:-4] // 16 * 16 + 8
    arrays = {"frames": frames, "times": model.schedule.steps(STEPS)[::2]}
    (ROOT / "data" / "opening.npz").write_bytes(npz_bytes(arrays, lc=0, pb=0))


if __name__ == "__main__":
    main()
