"""The measurements of `gpu.py`: each part yields rows (what, number, unit, goal), and is a process of its own.

    python benchmarks/gpu_parts.py sampling 40 --tiny
"""

import argparse
import json
import time
from functools import partial
from unittest.mock import patch

import numpy as np
import torch
from torch.nn import functional as F

import course
import t4
from diffusion_course import data, metrics, schedule, training
from diffusion_course.machine import capture, hardware
from diffusion_course.models import given
from diffusion_course.run import checkpoints, recipes, sampling
from diffusion_course.samplers import ddim
from others import Diffusers, imported

DEVICE = hardware.choose_device()
GPU = DEVICE == "cuda"
HALF = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
LESSONS = [path for path in course.NOTEBOOKS if path.parent.name == "notebooks"]
LESSONS.sort(key=lambda path: (path.stem[:2] < "04", path.stem))  # those that use the card first


class Sizes:
    """How much is measured, until when; `tiny` in the second column."""

    def __init__(self, tiny, until):
        self.tiny, self.until = tiny, until

        def pick(full, small):
            return small if tiny else full

        self.faces, self.emoji, self.spiral = pick((32, 128, 512, 2048), (2,)), pick((32, 256), (2,)), 128
        self.seconds = pick(1.5, 0)
        self.counts, self.nfe = pick((1, 64), (2,)), pick(50, 6)
        self.agree = pick({"steps": 100, "batch": 32}, {"steps": 5, "batch": 2})
        self.short, self.judged = pick({"steps": 1000, "batch": 256}, {"steps": 3, "batch": 2}), pick(500, 4)
        self.seeds = pick((0, 1, 2), (0, 1))
        self.recipe = pick({}, {"steps": 4, "batch": 2})
        self.lessons = pick(LESSONS, [path for path in LESSONS if path.stem == "02_forward_process"])


def row(what, number, unit, goal=None, **more):
    return {"what": what, "number": float(number), "unit": unit, **({"goal": goal} if goal else {}), **more}


def start(entry, plain=False, how=None, seed=0, device=DEVICE, **recipe):
    """The records of a training of that experiment, or its name: uncaptured if `plain`, in the number format `how`."""
    entry = recipes.experiment(entry) if isinstance(entry, str) else entry
    torch.manual_seed(seed)
    model, (x0, cond, draw) = entry.network(entry.schedule()).to(device), entry.load("train", seed)
    chosen = hardware.choose_machine(torch.as_tensor(x0[:1]).to(device))
    chosen = chosen._replace(dtype=how or chosen.dtype)
    rng = torch.Generator().manual_seed(seed)
    recipe = {**entry.recipe(device), **recipe}
    stepper = (lambda step, run: step) if plain else capture.stepper
    with patch.object(training, "choose_machine", lambda _: chosen), patch.object(training, "stepper", stepper):
        records = training.train(model, x0, cond, draw=draw, rng=rng, **recipe)
        yield next(records)
    yield from records


def wait():
    if GPU:
        torch.cuda.synchronize()


def pace(take, seconds):
    """Calls a second of `take()`, after five that prepare it."""
    for _ in range(5):
        take()
    wait()
    began, calls = time.perf_counter(), 0
    while not calls or time.perf_counter() - began < seconds:
        for _ in range(5):
            take()
        calls += 5
        wait()
    return calls / (time.perf_counter() - began)


def timed(call):
    wait()
    began = time.perf_counter()
    call()
    wait()
    return time.perf_counter() - began


# ---- training ------------------------------------------------------------------------------------


def their_loop(batch):
    """A step of the training loop of diffusers' tutorial, on its network and our faces."""
    network, x0 = Diffusers(schedule.cosine()).network.to(DEVICE), torch.as_tensor(data.faces().x0).to(DEVICE)
    noising, optimiser = imported("diffusers").DDPMScheduler(), torch.optim.AdamW(network.parameters(), lr=1e-3)
    how = hardware.choose_machine(x0)

    def take():
        clean = x0[torch.randint(len(x0), (batch,), device=DEVICE)]
        eps, t = torch.randn_like(clean), torch.randint(1000, (batch,), device=DEVICE)
        with how.precision():
            loss = F.mse_loss(network(noising.add_noise(clean, eps, t), t).sample.float(), eps)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()

    return take


def part_training(sizes):
    for batch in sizes.faces:
        ours = yield from paces("faces", batch, sizes, ("≥", 400) if batch == 32 else None)
        theirs = pace(their_loop(batch), sizes.seconds)
        yield row(f"faces, batch {batch}: diffusers", theirs, "steps/s")
        yield row(f"faces, batch {batch}: captured ÷ diffusers", ours / theirs, "", *[("≥", 5)] * (batch == 32))
    for batch in sizes.emoji:
        yield from paces("emoji", batch, sizes)
    card = yield from paces("spiral", sizes.spiral, sizes)
    records = start("spiral", steps=10**6, batch=sizes.spiral, device="cpu")
    cpu = pace(partial(next, records), sizes.seconds)
    yield row(f"spiral, batch {sizes.spiral}: on the CPU", cpu, "steps/s")
    yield row(f"spiral, batch {sizes.spiral}: card ÷ CPU", card / cpu, "", ("≥", 1))


def paces(name, batch, sizes, goal=None):
    """Rows of our training, plain and captured, with the peak memory; returns the captured steps a second."""
    for way in ("plain", "captured"):
        if GPU:
            torch.cuda.reset_peak_memory_stats()
        rate = pace(partial(next, start(name, way == "plain", steps=10**6, batch=batch)), sizes.seconds)
        yield row(f"{name}, batch {batch}: {way}", rate, "steps/s", goal if way == "captured" else None)
    if GPU:
        yield row(f"{name}, batch {batch}: peak memory", torch.cuda.max_memory_allocated() / 1e9, "GB")
    return rate


# ---- sampling ------------------------------------------------------------------------------------


def their_sampling(network, xT, nfe):
    scheduler, x = imported("diffusers").DDIMScheduler(), xT
    scheduler.set_timesteps(nfe)
    for t in scheduler.timesteps:
        x = scheduler.step(network(x, t.to(DEVICE)).sample.float(), t, x).prev_sample
    return x


def part_sampling(sizes):
    faces, plain = checkpoints.pretrained("faces").to(DEVICE), checkpoints.pretrained("faces").to(DEVICE)
    plain.recordings = lambda network, *inputs: network.answer(*inputs)
    theirs = Diffusers(schedule.cosine()).network.to(DEVICE)
    for n in sizes.counts:
        xT = sampling.pure_noise(n, (3, 16, 16)).to(DEVICE)
        ways = {
            "plain": lambda xT=xT: list(ddim(plain, plain.schedule, xT, sizes.nfe)),
            "captured": lambda xT=xT: list(ddim(faces, faces.schedule, xT, sizes.nfe)),
            "diffusers": lambda xT=xT: their_sampling(theirs, xT, sizes.nfe),
        }
        for name, way in ways.items():
            with torch.no_grad(), hardware.choose_machine(xT).precision():
                way()
                took = min(timed(way) for _ in range(3))
            goal = [("≤", 40)] * (n == 64 and name == "captured")
            yield row(f"{sizes.nfe} sampling steps for {n} faces: {name}", 1000 * took, "ms", *goal)


def part_agreement(sizes):
    for name in HALF:
        ways = [start("faces", plain, HALF[name], **sizes.agree) for plain in (True, False)]
        plain, captured = (torch.stack([record.loss for record in way]).cpu() for way in ways)
        apart = ((captured - plain).abs() / plain).max()
        yield row(f"{name}: captured losses of {len(plain)} steps off plain ones by at most", apart, "of them")
    faces, xT = checkpoints.pretrained("faces"), sampling.pure_noise(8, (3, 16, 16))
    *_, here = ddim(faces, faces.schedule, xT, sizes.nfe)
    *_, there = ddim(faces.to(DEVICE), faces.schedule, xT.to(DEVICE), sizes.nfe)
    yield row("float32: samples here off those of the CPU by at most", (here - there.cpu()).abs().max(), "")


# ---- quality -------------------------------------------------------------------------------------


class Judge:
    """Fréchet distance of samples, given held-out conditions, to the training pictures."""

    def __init__(self, n):
        self.n, self.eyes = n, checkpoints.pretrained("faces-classifier")
        self.real = metrics.features(self.eyes, data.faces().x0)
        self.cond = data.faces("test").codes[:n]

    def __call__(self, model, seed):
        xT = sampling.pure_noise(self.n, (3, 16, 16), seed).to(DEVICE)
        with hardware.choose_machine(xT).precision():
            *_, x = ddim(given(model, self.cond), model.schedule, xT, 25)
        return metrics.frechet(metrics.features(self.eyes, x.float().clamp(-1, 1).cpu()), self.real)


def judged(what, found, exact=None):
    """Rows for Fréchet distances of several seeds, and how many spreads they lie above those of `exact`."""
    yield row(f"{what}: Fréchet", np.mean(found), f"± {np.std(found, ddof=1):.3f}")
    if exact is not None:
        spread = max(np.std(found, ddof=1), np.std(exact, ddof=1))
        yield row(f"{what}: Fréchet above, in spreads", (np.mean(found) - np.mean(exact)) / spread, "", ("≤", 1))


def part_quality(sizes):
    began = time.perf_counter()
    for record in start("faces", **sizes.recipe):  # noqa: B007
        pass
    wait()
    yield row(f"faces, {record.step} steps on {record.machine}", time.perf_counter() - began, "s", ("≤", 60))
    judge, shipped = Judge(sizes.judged), checkpoints.pretrained("faces").to(DEVICE)
    found, exact = ([judge(model, seed) for seed in sizes.seeds] for model in (record.ema, shipped))
    yield from judged("faces, weights that ship", exact)
    yield from judged("faces, this training", found, exact)


def part_formats(sizes):
    judge, exact = Judge(sizes.judged), None
    for name in reversed(HALF):
        found = []
        for seed in sizes.seeds:
            *_, record = start("faces", how=HALF[name], seed=seed, **sizes.short)
            found.append(judge(record.ema, seed))
        yield from judged(f"{name}, {record.step} steps", found, exact)
        exact = exact or found


# ---- lessons -------------------------------------------------------------------------------------


def part_lessons(sizes):
    total = 0.0
    for path in sizes.lessons:
        left = sizes.until - time.monotonic()
        _, _, wall, _ = course.run(path, max(int(left), 1))
        total += wall
        goal = [("≤", 120)] * (path.stem == "04_training")
        yield row(path.stem, wall, "s", *goal, notebook=path.name, gpu=GPU, tiny=sizes.tiny)
    yield row("all of them", total, "s", ("≤", 300))


def part_estimate(sizes):
    found = t4.estimate(partial(start, plain=True, how=torch.bfloat16))
    for what, number, unit in found:
        yield row(f"T4, {what}", number, unit, *[("≤", t4.GOAL)] * (unit == "minutes"))


PARTS = {name.removeprefix("part_"): part for name, part in list(globals().items()) if name.startswith("part_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--tiny", action="store_true")
    arguments = parser.parse_args()
    card = torch.cuda.get_device_name() if GPU else "no GPU, these numbers are of the CPU"
    how = hardware.choose_machine(torch.zeros(1, 3, 16, 16, device=DEVICE))
    print(json.dumps({"what": f"{card}; torch {torch.__version__}; pictures on {how}"}), flush=True)
    try:
        for found in PARTS[arguments.part](Sizes(arguments.tiny, time.monotonic() + arguments.seconds)):
            if arguments.tiny:
                found.pop("goal", None)
            print(json.dumps(found), flush=True)
    except Exception as error:
        print(json.dumps({"what": "the rest", "failed": f"{type(error).__name__}: {error}".splitlines()[0]}))


if __name__ == "__main__":
    main()
