"""The course's samplers beside the schedulers of `diffusers`, with our networks: `python benchmarks/samplers.py`.

quality    the score of the course's table (distance to the spiral, Fréchet distance of the faces) at equal network
           evaluations, from the same noise: mean ± standard deviation over seeds
overhead   time outside the network, for a network that answers at once
"""

from collections import deque

import numpy as np
import torch

import measure
from diffusion_course import samplers, schedule
from diffusion_course.machine import hardware
from diffusion_course.run import quality
from diffusion_course.run.recipes import experiment
from others import imported

OURS = ("DDIM", "DPM-Solver++", "DPM-Solver++, log-SNR")
THEIRS = {"DDIM": samplers.ddim, "DPMSolverMultistep": samplers.dpm_solver, "UniPCMultistep": samplers.dpm_solver}
STEPS = 20  # in the overhead's samplings


def scheduler(name, noise):
    """One of theirs on our noise schedule, with the same times."""
    options = {"trained_betas": noise.beta[1:], "timestep_spacing": "trailing"}
    options |= {"clip_sample": False} if name == "DDIM" else {}
    return getattr(imported("diffusers"), f"{name}Scheduler")(num_train_timesteps=noise.T, **options)


def theirs(plan, model, x, steps):
    """Their loop, as their documentation has it; their times count from 0."""
    plan.set_timesteps(steps)
    for t in plan.timesteps:
        x = plan.step(model(x, int(t) + 1), t, x).prev_sample
    return x


def part_quality(arguments):
    seeds, counts = (range(2), (10,)) if arguments.quick else (range(5), (5, 10, 20, 50))
    for dataset in ("spiral", "faces"):
        row = measure.table(f"{dataset}, evaluations", *map(str, counts))
        for name in (*OURS, *(f"their {name}" for name in THEIRS)):
            row(name, *(spread([score(dataset, name, n, seed) for seed in seeds]) for n in counts))
        row("real data", spread([quality.measure(dataset, quality.REAL, 0, seed).score for seed in seeds]))


def score(dataset, name, n, seed):
    """The score of samples by one of ours (its label in the course's table), or by one of theirs."""
    judge, xT = quality.judge_of(dataset), quality.noise(dataset, seed)
    if name in OURS:
        x, _ = quality.draw(dataset, name, n, xT, seed)
    else:
        name = name.removeprefix("their ")
        x = torch.cat([drawn(name, quality.network(dataset), part, n) for part in xT.split(quality.BATCH)])
    return judge.numbers(x, None, seed)[judge.score]


@torch.no_grad()
def drawn(name, network, xT, n):
    with hardware.choose_machine(xT).precision():
        return theirs(scheduler(name, network.schedule), network, xT, n).float()


def spread(scores):
    return f"{np.mean(scores):.3g} ± {np.std(scores, ddof=1):.1g}"


def part_overhead(arguments):
    noise, rounds = schedule.cosine(), 20 if arguments.quick else 100
    row = measure.table("outside the network", "batch", "ours µs", "theirs µs", "theirs / ours")
    for batch in (1, 64):
        xT = torch.randn(batch, *experiment("faces").shape)
        eps = torch.randn_like(xT)
        for name, sampler in THEIRS.items():
            plan = scheduler(name, noise)
            calls = {
                "ours": lambda sampler=sampler, xT=xT, eps=eps: last(sampler(lambda x, t: eps, noise, xT, STEPS)),
                "theirs": lambda plan=plan, xT=xT, eps=eps: theirs(plan, lambda x, t: eps, xT, STEPS),
            }
            taken = measure.in_turn(calls, rounds)
            a_step = {who: 1e6 * float(np.median(seconds)) / STEPS for who, seconds in taken.items()}
            row(name, batch, a_step["ours"], a_step["theirs"], measure.times_ours(taken, "theirs"))


def last(path):
    """x_0 at the end of a path that is not kept, as theirs is not."""
    return deque(path, maxlen=1)[0]


if __name__ == "__main__":
    measure.main(__doc__, {"quality": part_quality, "overhead": part_overhead}, ("diffusers",))
