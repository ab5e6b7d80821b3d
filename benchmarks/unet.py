"""The course's U-Net beside those of other packages, at equal weights: `python benchmarks/unet.py`, an hour and a half.

    pace      pictures a second in training and sampling (50 steps of DDIM), 16 × 16 and 32 × 32, float32 and bfloat16
    loss      held-out loss of v after the same number of pictures
    quality   time to quality: Fréchet distance after trainings of several lengths, drawn; --parts quality alone

All are trained by the same loop with the same optimiser, batch, target and loss weights, without conditions; the
learning rate rises to 2e-3 for ours and to 1e-3 for the others. A training of so many seconds is planned by a short
trial, so that its learning rate falls to nothing just in time.
"""

from unittest.mock import patch

import numpy as np
import torch

import measure
from diffusion_course import data, metrics, samplers, schedule, training
from diffusion_course.beyond.emoji import emoji
from diffusion_course.machine import hardware
from diffusion_course.run import checkpoints
from others import PACKAGES, networks

BATCH, TRIAL = 32, 12
LR = {"ours": 2e-3}
SEEDS = (0, 1, 2)
FORMATS = (torch.float32, torch.bfloat16)
STEPS = 50  # of a sampling; some of them are taken, which tells how long all take
SECONDS = {"ours": (30, 60, 90, 150), "diffusers": (75, 150, 300)}


def records(name, x0, steps, seed=0, dtype=None):
    """The records of a training of that network, in that number format or the one chosen here."""
    torch.manual_seed(seed)
    model = networks()[name](schedule.cosine())
    how = hardware.choose_machine(torch.as_tensor(x0[:1]))
    how = how._replace(dtype=dtype or how.dtype, threads=1, most=1)
    with patch.object(training, "choose_machine", lambda _: how):
        recipe = {"batch": BATCH, "lr": LR.get(name, 1e-3), "weight": "v"}
        return training.train(model, x0, steps=steps, rng=torch.Generator().manual_seed(seed), **recipe)


def sampling(name, dtype, size, steps):
    """A function that takes so many steps of DDIM with a fresh network."""
    model, xT = networks()[name](schedule.cosine()).eval(), torch.randn(BATCH, 3, size, size)

    def take():
        with torch.no_grad(), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            *_, _ = samplers.ddim(model, model.schedule, xT, steps)

    return take


def part_pace(arguments):
    rounds, steps = (3, 2) if arguments.quick else (15, 5)
    for size, x0 in ((16, data.faces().x0), (32, emoji("train").x0[:2000])):
        pace = {}
        for dtype in FORMATS:
            runs = {name: records(name, x0, 10**6, dtype=dtype) for name in networks()}
            pace["training", dtype] = measure.in_turn({name: (lambda run=run: next(run)) for name, run in runs.items()},
                                                      rounds)  # fmt: skip
            pace["sampling", dtype] = measure.in_turn(
                {name: sampling(name, dtype, size, steps) for name in networks()}, rounds
            )
        print(f"{size} × {size}, pictures a second; in brackets: ours is so many times as quick")
        row = measure.table("network", "weights", *(f"{what}, {str(dtype)[6:]}" for what, dtype in pace))
        for name, network in networks().items():
            weights = sum(weight.numel() for weight in network(schedule.cosine()).parameters())
            cells = []
            for (what, _), taken in pace.items():
                a_second = BATCH / np.median(taken[name]) / (1 if what == "training" else STEPS / steps)
                cells.append(f"{a_second:.3g} ({measure.times_ours(taken, name):.2f})")
            row(name, f"{weights / 1e6:.2f} M", *cells)


def part_loss(arguments):
    """With one thread and one seed the losses are the same on every run."""
    steps = 50 if arguments.quick else 2000
    held_out = torch.as_tensor(data.faces("test").x0[:256])
    eps = torch.randn(held_out.shape, generator=torch.Generator().manual_seed(1))
    t = 1 + torch.arange(len(held_out)) * 999 // 255
    row = measure.table(f"after {steps * BATCH} pictures", "loss of v", "seconds")
    for name in networks():
        began = measure.clock()
        *_, last = records(name, data.faces().x0, steps)
        spent = measure.clock() - began
        with torch.no_grad():
            row(name, training.loss(last.ema, held_out, t, eps, weight="v").item(), spent)


class Judge:
    """Fréchet distance of 500 samples in 25 steps to the training pictures."""

    def __init__(self):
        self.eyes = checkpoints.pretrained("faces-classifier")
        self.real = metrics.features(self.eyes, data.faces().x0)

    def __call__(self, model, seed):
        xT = torch.randn(500, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
        with hardware.choose_machine(xT).precision():
            parts = [list(samplers.ddim(model, model.schedule, part, 25))[-1].float() for part in xT.split(50)]
        return self.of(torch.cat(parts))

    def of(self, x):
        return metrics.frechet(metrics.features(self.eyes, torch.as_tensor(x).clamp(-1, 1)), self.real)


def trained(name, seconds, seed):
    """(averaged network, steps, seconds) of a training that is planned to last so long."""
    trial = records(name, data.faces().x0, TRIAL + 1)
    next(trial)
    began = measure.clock()
    *_, _ = trial
    steps = int(seconds / ((measure.clock() - began) / TRIAL))
    began = measure.clock()
    *_, last = records(name, data.faces().x0, steps, seed)
    return last.ema, steps, measure.clock() - began


def part_quality(arguments):
    if arguments.quick:
        print("left out: it takes an hour (python benchmarks/unet.py --parts quality)")
        return
    judge, curves = Judge(), {}
    print(f"floor, 500 held-out faces: {judge.of(data.faces('test').x0[:500]):.2f}")
    row = measure.table("network", "seed", "seconds", "steps", "Fréchet")
    for name in (name for name in SECONDS if name in networks()):
        for seconds in SECONDS[name]:
            found = []
            for seed in SEEDS:
                model, steps, spent = trained(name, seconds, seed)
                found.append((spent, judge(model, seed)))
                row(name, seed, spent, steps, found[-1][1])
            curves.setdefault(name, []).append(np.mean(found, axis=0))
    drawn = {name: np.transpose(points) for name, points in curves.items()}
    measure.draw("unet", {"Time to quality, faces": ("seconds of one core", "Fréchet distance", drawn)})


PARTS = {"pace": part_pace, "loss": part_loss, "quality": part_quality}

if __name__ == "__main__":
    measure.main(__doc__, PARTS, PACKAGES)
