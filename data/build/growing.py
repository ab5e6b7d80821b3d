"""Make data/growing.npz, twelve portraits while a network learns to paint them, and data/faces-early.safetensors.

    python data/build/growing.py

A short training of the U-Net of faces (1,500 steps, about two minutes on a CPU). At 14 moments its averaged weights
paint from the same noise and the same attributes, in 20 steps of DDIM; the pictures are written as bytes, all but the
last in 32 shades, which makes the file smaller, for the first screen of lesson 4. The weights at the end are the
network that lesson 5 guides. The same machine makes the same files byte for byte.
"""

from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from build import npz_bytes
from diffusion_course import data, schedule
from diffusion_course.models import given
from diffusion_course.run import recipes
from diffusion_course.run.checkpoints import save_model
from diffusion_course.samplers import ddim
from diffusion_course.training import train

SEED, PORTRAITS, STEPS, MOMENTS = 3, 12, 1500, 14


def main() -> None:
    noise, experiment, portraits = schedule.cosine(), recipes.experiment("faces"), data.faces()
    moments = np.unique(np.geomspace(30, STEPS, MOMENTS).round().astype(int))
    start = torch.randn(PORTRAITS, 3, 16, 16, generator=torch.Generator().manual_seed(SEED))
    codes, frames = data.faces("test").codes[:PORTRAITS], []
    torch.manual_seed(SEED)
    recipe = {**experiment.recipe("cpu"), "steps": STEPS, "rng": torch.Generator().manual_seed(SEED)}
    for record in tqdm(train(experiment.network(noise), portraits.x0, portraits.codes, **recipe), total=STEPS):
        if record.step in moments:
            *_, x = ddim(given(record.ema, codes), noise, start, 20)
            frames.append((x.clamp(-1, 1).numpy() * 127.5 + 127.5).round().astype(np.uint8))
    home = Path(__file__).parents[1]
    save_model(home / "faces-early.safetensors", record.ema)
    shown = np.stack(frames)
    shown[:-1] = shown[:-1] // 8 * 8 + 4
    (home / "growing.npz").write_bytes(npz_bytes({"frames": shown, "steps": moments}, lc=1, pb=0))


if __name__ == "__main__":
    main()
