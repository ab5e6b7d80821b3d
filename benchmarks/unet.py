"""Time to quality on the faces: this course's U-Net beside `diffusers`' UNet2DModel.

    python benchmarks/unet.py --seconds 300

Both are trained by the same loop with the same optimiser, batch, target and loss weights, without conditions: theirs
for all of the seconds, ours for half of them. The number of steps is planned by a short trial, so that the learning
rate falls to nothing just in time. The averaged network is judged by the Fréchet distance of 500 samples in 25
steps, for each of three seeds. `--cpu-seconds` counts processor seconds of one thread instead, which other work on
the machine hardly changes.
"""

import argparse
import time

import numpy as np
import torch

from diffusion_course import data, metrics, samplers, schedule, training
from diffusion_course.machine import hardware
from diffusion_course.models import Denoiser
from diffusion_course.run import checkpoints
from diffusion_course.unet import UNet

X0, DEVICE = data.faces().x0, hardware.choose_device()
BATCH, TRIAL, SAMPLES = 32, 12, 500
SEEDS = (0, 1, 2)
DIFFUSERS_LR = 1e-3


class Diffusers(Denoiser):
    """UNet2DModel with about as many weights as ours, given our steps t and asked for v like ours."""

    def __init__(self, noise_schedule):
        from diffusers import UNet2DModel

        super().__init__(noise_schedule)
        self.network = UNet2DModel(
            sample_size=16, in_channels=3, out_channels=3, layers_per_block=1, norm_num_groups=8,
            block_out_channels=(40, 80, 88), attention_head_dim=8,
            down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        )  # fmt: skip

    def forward(self, xt, t, cond=None, want="eps"):
        self.now = torch.as_tensor(t, device=xt.device).expand(len(xt))
        return super().forward(xt, t, cond, want)

    def answer(self, xt, time):
        return self.network(xt, self.now).sample


def judge(model, real, eyes, seed):
    """Fréchet distance of samples to the training pictures."""
    xT = torch.randn(SAMPLES, 3, 16, 16, generator=torch.Generator().manual_seed(seed)).to(DEVICE)
    how = hardware.choose_machine(xT)
    samples = []
    for part in xT.split(250):
        with how.at_work(), how.precision():
            *_, x = samplers.ddim(model, model.schedule, part, steps=25)
        samples.append(x.float().clamp(-1, 1).cpu())
    return metrics.frechet(metrics.features(eyes, torch.cat(samples)), real)


def run(make, lr, seconds, clock, seed):
    """(averaged network, steps, seconds) of a training that is planned, by a trial, to last so long."""

    def records(steps):
        torch.manual_seed(seed)
        model = make(schedule.cosine()).to(DEVICE)
        rng = torch.Generator().manual_seed(seed)
        return training.train(model, X0, steps=steps, batch=BATCH, lr=lr, weight="v", rng=rng)

    trial = records(TRIAL)
    next(trial)  # the first step also prepares the kernels
    started = clock()
    *_, _ = trial
    steps = int(seconds / ((clock() - started) / (TRIAL - 1)))
    started = clock()
    *_, last = records(steps)
    return last.ema, steps, clock() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300, help="the longer of the two budgets")
    parser.add_argument("--cpu-seconds", action="store_true", help="count processor seconds, one thread")
    arguments = parser.parse_args()
    if arguments.cpu_seconds:
        torch.set_num_threads(1)
    clock = time.process_time if arguments.cpu_seconds else time.perf_counter
    eyes = checkpoints.pretrained("faces-classifier")
    real = metrics.features(eyes, X0)
    floor = metrics.frechet(metrics.features(eyes, data.faces("test").x0[:SAMPLES]), real)
    print(f"floor, {SAMPLES} held-out faces: {floor:.2f};  {hardware.choose_machine(torch.as_tensor(X0))}")
    print("network    weights  seed  seconds  steps  images/s  Fréchet distance")
    for make, lr, seconds in ((UNet, 2e-3, arguments.seconds / 2), (Diffusers, DIFFUSERS_LR, arguments.seconds)):
        distances = []
        for seed in SEEDS:
            model, steps, spent = run(make, lr, seconds, clock, seed)
            distances.append(judge(model, real, eyes, seed))
            weights = sum(weight.numel() for weight in model.parameters())
            print(
                f"{make.__name__:9}  {weights / 1e6:5.2f} M  {seed:4}  {spent:7.0f}  {steps:5}  "
                f"{BATCH * steps / spent:8.0f}  {distances[-1]:.2f}",
                flush=True,
            )
        spread = np.std(distances, ddof=1)
        print(f"{make.__name__:9}  mean {np.mean(distances):.2f} ± {spread:.2f} (standard deviation)")


if __name__ == "__main__":
    main()
