"""The spiral network against the exact denoiser: `python benchmarks/spiral.py`, about a minute and a half.

Prints, for three seeds: seconds of training, held-out loss of fresh points against its floor (the loss of the exact
denoiser of the curve), and the quality of 512 samples after 1,000, 50 and 10 steps.
"""

import time

import numpy as np
import torch

from diffusion_course import data, metrics, samplers, schedule, training
from diffusion_course.denoisers import IdealDenoiser
from diffusion_course.models import SpiralMLP

SEEDS = (0, 1, 2)
HELD_OUT = 16_000


def train(seed):
    """(the averaged network, seconds, what ran) after 10,000 steps on 2,048 points."""
    torch.manual_seed(seed)
    model = SpiralMLP(schedule.cosine())
    x0 = data.spiral(rng=np.random.default_rng(seed))
    started = time.perf_counter()
    rng = torch.Generator().manual_seed(seed)
    *_, last = training.train(model, x0, steps=10_000, lr=4e-3, rng=rng)
    return last.ema, time.perf_counter() - started, last.machine


def held_out_loss(denoiser):
    """The simple loss over fresh points of the curve, every t equally often; the same points for every denoiser."""
    rng = np.random.default_rng(1000)
    x0 = torch.from_numpy(data.spiral(HELD_OUT, rng=rng))
    eps = torch.from_numpy(rng.standard_normal(x0.shape, dtype=np.float32))
    t = torch.arange(HELD_OUT) % denoiser.schedule.T + 1
    with torch.no_grad():
        return training.loss(denoiser, x0, t, eps).item()


def main():
    floor = held_out_loss(IdealDenoiser(data.spiral_curve(8192), schedule.cosine()))
    print(f"held-out loss of the exact denoiser (the floor): {floor:.4f}")
    print("seed  seconds  loss/floor    steps  distance  95 %     coverage  W1      (W1 of real points)")
    for seed in SEEDS:
        model, seconds, machine = train(seed)
        ratio = held_out_loss(model) / floor
        for steps in (1000, 50, 10):
            rng = torch.Generator().manual_seed(seed)
            xT = torch.randn(512, 2, generator=rng)
            *_, x = samplers.ddpm(model, model.schedule, xT, steps=steps, rng=rng)
            report = metrics.spiral_report(x.numpy(), rng=np.random.default_rng(seed))
            values = {name: measure.value for name, measure in report.items()}
            print(
                f"{seed:4}  {seconds:7.1f}  {ratio:10.4f}  {steps:7}  {values['distance']:8.4f}  "
                f"{values['distance_95']:.4f}  {values['coverage']:9.3f}  {values['wasserstein']:.4f}  "
                f"{report['wasserstein'].floor:.4f}"
            )
    noise = {name: measure.noise for name, measure in report.items()}
    print("pure noise:", ", ".join(f"{name} {value:.4f}" for name, value in noise.items()))
    print(f"on {machine}")


if __name__ == "__main__":
    main()
