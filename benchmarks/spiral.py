"""The spiral after 10,000 training steps, beside two other loops: `python benchmarks/spiral.py`, some minutes.

    ours                what lesson 4 trains, sampled in 1,000 steps of DDPM
    ours, 50 steps      the same network in 50 steps
    the plainest loop   what one writes first: t as a number, ε, Adam, linear β; sampled in 1,000 steps of DDPM
    smalldiffusion      its loop, network, schedule and sampler (20 steps) as its introduction has them

All see the same 2,048 points in batches of 128. They take turns, 500 steps each. Distances to the curve are in units of
the data's standard deviation; the last line is what the exact denoiser of the curve reaches.
"""

import numpy as np
import torch
from torch import nn

import measure
from diffusion_course import data, samplers, schedule, training
from diffusion_course.denoisers import IdealDenoiser
from diffusion_course.models import SpiralMLP
from diffusion_course.run import judges
from others import imported

STEPS, BLOCK, BATCH, SAMPLES = 10_000, 500, 128, 512


def ours(x0, seed):
    """Takes all steps, one at a time; yields what then samples, a function of the number of sampling steps."""
    model = SpiralMLP(schedule.cosine())
    rng = torch.Generator().manual_seed(seed)
    for record in training.train(model, x0, steps=STEPS, batch=BATCH, lr=4e-3, rng=rng):
        yield lambda steps, ema=record.ema: ddpm(ema, model.schedule, steps, seed)


def plainest(x0, seed):
    alpha_bar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)
    layers = [nn.Linear(3, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU()]
    network = nn.Sequential(*layers, nn.Linear(128, 2))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)

    def model(xt, t):
        return network(torch.cat([xt, torch.as_tensor(t / 1000).float().expand(len(xt), 1)], dim=1))

    for _ in range(STEPS):
        clean = x0[torch.randint(len(x0), (BATCH,))]
        t, eps = torch.randint(1, 1001, (BATCH, 1)), torch.randn(BATCH, 2)
        xt = alpha_bar[t - 1].sqrt() * clean + (1 - alpha_bar[t - 1]).sqrt() * eps
        loss = nn.functional.mse_loss(model(xt, t), eps)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield lambda steps: ddpm(model, schedule.linear(), steps, seed)


def smalldiffusion(x0, seed):
    small = imported("smalldiffusion")
    small.diffusion.tqdm = iter  # it would draw a bar
    model = small.TimeInputMLP(hidden_dims=(16, 128, 128, 128, 128, 16))
    levels = small.ScheduleLogLinear(N=200, sigma_min=0.005, sigma_max=10)
    loader = torch.utils.data.DataLoader(x0, batch_size=BATCH, shuffle=True)
    for _ in small.training_loop(loader, model, levels, epochs=STEPS * BATCH // len(x0)):
        yield lambda steps: list(small.samples(model, levels.sample_sigmas(steps), gam=2, batchsize=SAMPLES))[-1]


def ddpm(model, noise, steps, seed):
    rng = torch.Generator().manual_seed(seed)
    *_, x = samplers.ddpm(model, noise, torch.randn(SAMPLES, 2, generator=rng), steps=steps, rng=rng)
    return x


LOOPS = {"ours": (ours, 1000, 50), "the plainest loop": (plainest, 1000), "smalldiffusion": (smalldiffusion, 20)}


def part_spiral(arguments):
    row = measure.table("", "seed", "seconds", "× ours", "95 %", "mean", "coverage")
    exact = IdealDenoiser(data.spiral_curve(8192), schedule.cosine())
    for seed in (0,) if arguments.quick else (0, 1, 2):
        taken, samplers_by = trained(seed)
        for name, seconds in taken.items():
            times = [float(np.median(seconds)) * STEPS / BLOCK, measure.times_ours(taken, name)]
            torch.manual_seed(seed)
            for steps in LOOPS[name][1:]:
                row(f"{name}, {steps} steps", seed, *times, *quality(samplers_by[name](steps), seed))
        row("exact denoiser, 1000 steps", seed, "", "", *quality(ddpm(exact, exact.schedule, 1000, seed), seed))


def trained(seed):
    """(seconds of every block but the first, samplers), by loop."""
    runs, samplers_by = {}, {}
    for name, (loop, *_) in LOOPS.items():
        if name != "smalldiffusion" or measure.installed(name):
            torch.manual_seed(seed)
            runs[name] = loop(torch.from_numpy(data.spiral(rng=np.random.default_rng(seed))), seed)
    calls = {name: (lambda name=name: samplers_by.update({name: advance(runs[name])})) for name in runs}
    return measure.in_turn(calls, STEPS // BLOCK - 1), samplers_by


def advance(run):
    """Takes a block of steps; returns what samples then."""
    for _ in range(BLOCK):
        sampler = next(run)
    return sampler


def quality(x, seed):
    """(95 % distance, mean distance, coverage) of the samples."""
    report = judges.report(judges.SpiralJudge(), x.detach().numpy(), seed=seed)
    return [float(report[name].value) for name in ("distance_95", "distance", "coverage")]


if __name__ == "__main__":
    measure.main(__doc__, {"spiral": part_spiral}, ("smalldiffusion",))
