"""What a GPU makes of the course, beside `diffusers` on the same card: `python benchmarks/gpu.py`, eight minutes.

It prints, part by part, so that what was measured stays when it is interrupted:

    training    steps a second and peak memory: faces, emoji and spiral, plain and captured; diffusers' network and loop
    sampling    milliseconds of 50 steps of DDIM for 1 and 64 faces: plain, captured, diffusers
    agreement   captured losses beside plain ones for 100 steps; the same samples on the card and on its CPU
    formats     Fréchet distance of a short training in each number format, three seeds
    quality     the full recipe of the faces: seconds, and its Fréchet distance beside that of the weights that ship
    lessons     seconds of each
    estimate    lesson 4 on the common free card, by counted operations

`--tiny` makes all of it so small that a CPU shows in a minute or two that it runs; its numbers say nothing. `--parts`
chooses. What no longer fits into `--minutes` is left out, and said.
"""

import argparse
import sys
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from others import Diffusers
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from diffusion_course import data, metrics, schedule, training
from diffusion_course.machine import hardware
from diffusion_course.machine.capture import CapturedNetwork
from diffusion_course.models import given
from diffusion_course.run import checkpoints, recipes, sampling
from diffusion_course.samplers import ddim

DEVICE = hardware.choose_device()
GPU = DEVICE == "cuda"
HALF = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
LESSONS = sorted((Path(__file__).parent.parent / "notebooks").glob("0*.ipynb"))
T4 = {"operations": 0.25 * 65e12, "bytes": 0.7 * 320e9, "launch": 3e-6}  # a second, half precision; seconds a kernel
KERNELS = 2  # an operation starts one to three
LESSON_4_CPU = 2 * 80  # seconds of all that is not on the card: 80 on two cores of a desktop, twice that on Colab's


class Sizes:
    """How much is measured, until when; `tiny` in the second column."""

    def __init__(self, tiny, until):
        self.until = until

        def pick(full, small):
            return small if tiny else full

        self.batches = pick({"faces": (32, 128, 512, 2048), "emoji": (32, 256), "spiral": (128, 2048)}, {"faces": (4,)})
        self.seconds = pick(1.5, 0.2)
        self.counts, self.nfe = pick((1, 64), (1, 2)), pick(50, 6)
        self.agree = pick(100, 6)
        self.short, self.judged = pick({"steps": 1000, "batch": 256}, {"steps": 3, "batch": 4}), pick(500, 12)
        self.seeds = pick((0, 1, 2), (0, 1))
        self.recipe = pick({}, {"steps": 4, "batch": 4})
        self.lessons = pick(LESSONS, LESSONS[1:2])


def start(name, plain=False, how=None, seed=0, **recipe):
    """The records of a training of that experiment here, uncaptured if `plain`, in the number format `how`."""
    entry = recipes.experiment(name)
    torch.manual_seed(seed)
    model, (x0, cond, draw) = entry.network(entry.schedule()).to(DEVICE), entry.load("train", seed)
    chosen = hardware.choose_machine(torch.as_tensor(x0[:1]).to(DEVICE))
    chosen = chosen._replace(dtype=how or chosen.dtype)
    rng = torch.Generator().manual_seed(seed)
    recipe = {**entry.recipe(DEVICE), **recipe}
    stepper = (lambda step, run: step) if plain else training.stepper
    with patch.object(training, "choose_machine", lambda _: chosen), patch.object(training, "stepper", stepper):
        records = training.train(model, x0, cond, draw=draw, rng=rng, **recipe)
        yield next(records)
    yield from records


def wait():
    if GPU:
        torch.cuda.synchronize()


def pace(take, seconds):
    """(calls a second, GB at the peak) of `take()`, after ten calls that prepare it."""
    for _ in range(10):
        take()
    if GPU:
        torch.cuda.reset_peak_memory_stats()
    wait()
    began, calls = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        for _ in range(5):
            take()
        calls += 5
        wait()
    spent = time.perf_counter() - began
    return calls / spent, torch.cuda.max_memory_allocated() / 1e9 if GPU else float("nan")


def their_loop(batch):
    """A step of the training loop of diffusers' tutorial, on its network and our faces."""
    from diffusers import DDPMScheduler

    network, x0 = Diffusers(schedule.cosine()).network.to(DEVICE), torch.as_tensor(data.faces().x0).to(DEVICE)
    noising, optimiser = DDPMScheduler(), torch.optim.AdamW(network.parameters(), lr=1e-3)
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
    print(
        f"{'':8} {'batch':>6}  {'plain':>8} {'captured':>9} {'diffusers':>10} {'ratio':>6}  steps a second; GB captured"
    )
    for name, batches in sizes.batches.items():
        for batch in batches:
            rates = {}
            for way in ("plain", "captured"):
                records = start(name, plain=way == "plain", steps=10**6, batch=batch)
                rates[way], memory = pace(lambda records=records: next(records), sizes.seconds)
            theirs = pace(their_loop(batch), sizes.seconds)[0] if name == "faces" else float("nan")
            print(f"{name:8} {batch:6}  {rates['plain']:8.1f} {rates['captured']:9.1f} {theirs:10.1f} "
                  f"{rates['captured'] / theirs:6.1f}  {memory:.2f}", flush=True)  # fmt: skip


def their_sampling(network, xT, nfe):
    from diffusers import DDIMScheduler

    scheduler, x = DDIMScheduler(), xT
    scheduler.set_timesteps(nfe)
    for t in scheduler.timesteps:
        x = scheduler.step(network(x, t.to(DEVICE)).sample.float(), t, x).prev_sample
    return x


def part_sampling(sizes):
    faces, network = checkpoints.pretrained("faces").to(DEVICE), Diffusers(schedule.cosine()).network.to(DEVICE)
    captured = CapturedNetwork(faces)
    print(f"milliseconds of {sizes.nfe} steps:  faces   plain  captured  diffusers")
    for n in sizes.counts:
        xT = sampling.pure_noise(n, (3, 16, 16)).to(DEVICE)
        how, took = hardware.choose_machine(xT), []
        ways = (
            lambda xT=xT: list(ddim(faces, faces.schedule, xT, sizes.nfe)),
            lambda xT=xT: list(ddim(captured, faces.schedule, xT, sizes.nfe)),
            lambda xT=xT: their_sampling(network, xT, sizes.nfe),
        )
        for way in ways:
            with torch.no_grad(), how.precision():
                way()
                took.append(min(_seconds(way) for _ in range(3)))
        print(f"{n:31}  " + "".join(f"{1000 * seconds:8.1f} " for seconds in took), flush=True)


def _seconds(call):
    wait()
    began = time.perf_counter()
    call()
    wait()
    return time.perf_counter() - began


def part_agreement(sizes):
    for name in HALF:
        pair = [
            torch.stack(
                [record.loss for record in start("faces", plain, HALF[name], steps=sizes.agree, batch=32)]
            ).cpu()
            for plain in (True, False)
        ]
        apart = ((pair[1] - pair[0]).abs() / pair[0]).max()
        print(f"{name}: captured losses of {sizes.agree} steps differ from plain ones by at most {apart:.1e} of them")
    faces, xT = checkpoints.pretrained("faces"), sampling.pure_noise(8, (3, 16, 16))
    with torch.no_grad():
        here = list(ddim(faces, faces.schedule, xT, sizes.nfe))[-1]
        there = list(ddim(CapturedNetwork(faces.to(DEVICE)), faces.schedule, xT.to(DEVICE), sizes.nfe))[-1]
    print(f"float32: samples here, captured, and on the CPU differ by at most {(here - there.cpu()).abs().max():.1e}")


class Judge:
    """Fréchet distance of samples, given held-out conditions, to the training pictures."""

    def __init__(self, n):
        self.n, self.eyes = n, checkpoints.pretrained("faces-classifier")
        self.real = metrics.features(self.eyes, data.faces().x0)
        self.cond = data.faces("test").codes[:n]

    def __call__(self, model, seed):
        xT = sampling.pure_noise(self.n, (3, 16, 16), seed).to(DEVICE)
        with torch.no_grad(), hardware.choose_machine(xT).precision():
            *_, x = ddim(given(CapturedNetwork(model), self.cond), model.schedule, xT, 25)
        return metrics.frechet(metrics.features(self.eyes, x.float().clamp(-1, 1).cpu()), self.real)


def _spread(numbers):
    return f"{np.mean(numbers):.3f} ± {np.std(numbers, ddof=1):.3f}"


def part_formats(sizes):
    judge = Judge(sizes.judged)
    for name, dtype in HALF.items():
        began, found = time.perf_counter(), []
        for seed in sizes.seeds:
            *_, record = start("faces", how=dtype, seed=seed, **sizes.short)
            found.append(judge(record.ema, seed))
        told = f"{time.perf_counter() - began:.0f} s"
        print(f"{name:9} {sizes.short}: Fréchet {_spread(found)} (standard deviation of seeds), {told}", flush=True)


def part_quality(sizes):
    judge, began = Judge(sizes.judged), time.perf_counter()
    for record in start("faces", **sizes.recipe):  # noqa: B007
        pass
    wait()
    print(f"faces, {record.step} steps: {time.perf_counter() - began:.1f} s on {record.machine}")
    for name, model in (("this training", record.ema), ("shipped", checkpoints.pretrained("faces").to(DEVICE))):
        print(f"  {name:14} Fréchet {_spread([judge(model, seed) for seed in sizes.seeds])}", flush=True)


def part_lessons(sizes):
    import nbformat
    from nbclient import NotebookClient

    total = 0.0
    for path in sizes.lessons:
        began = time.perf_counter()
        if (left := int(sizes.until - began)) < 10:
            print(f"{path.stem:20} left out: no time is left")
            continue
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=left, resources={"metadata": {"path": str(path.parent)}}).execute()
        total += (took := time.perf_counter() - began)
        print(f"{path.stem:20} {took:6.1f} s", flush=True)
    print(f"{'together':20} {total:6.1f} s")


class Counted(TorchDispatchMode):
    """Operations that start a kernel, and the bytes that they read and write."""

    def __init__(self):
        super().__init__()
        self.count, self.bytes = 0, 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        found = operation(*args, **(kwargs or {}))
        inputs, outputs = ([x for x in tree_leaves(some) if torch.is_tensor(x)] for some in ((args, kwargs), found))
        if not operation.is_view and {x.data_ptr() for x in outputs} - {x.data_ptr() for x in inputs}:
            self.count += 1
            self.bytes += sum(x.numel() * x.element_size() for x in inputs + outputs)
        return found


def work(name, batch, **options):
    """(operations on tensors, multiplications and additions, bytes) of one training step, counted on this device."""
    records = start(name, plain=True, how=torch.bfloat16, steps=5, batch=batch, **options)
    next(records), next(records)
    with Counted() as counted:
        next(records)
    with FlopCounterMode(display=False) as flops:
        next(records)
    return np.array([counted.count, flops.get_total_flops(), counted.bytes])


def part_estimate(sizes):
    small, large = work("faces", 8), work("faces", 16)
    total = 0.0
    # the network on your own pictures has a third of the work of that for faces
    for told, steps, batch, share in (("faces", 9000, 256, 1.0), ("own pictures", 6000, 16, 0.36)):
        count, flops, size = small + (batch - 8) * (large - small) / 8
        parts = [KERNELS * count * T4["launch"], share * flops / T4["operations"], share * size / T4["bytes"]]
        total += steps * sum(parts)
        print(f"T4, {told}: {count:.0f} operations, {share * flops / 1e9:.0f} GFLOP, {share * size / 1e9:.2f} GB "
              f"a step: {' + '.join(f'{1000 * part:.1f}' for part in parts)} ms (starting, computing, memory), "
              f"{steps * sum(parts):.0f} s for {steps} steps")  # fmt: skip
    print(
        f"T4, lesson 4: {total:.0f} s on the card and {LESSON_4_CPU} s beside it: {(total + LESSON_4_CPU) / 60:.1f} min"
    )


PARTS = {
    "training": part_training, "sampling": part_sampling, "agreement": part_agreement, "quality": part_quality,
    "formats": part_formats, "estimate": part_estimate, "lessons": part_lessons,
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="so small that a CPU shows that all of it runs")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--minutes", type=float, default=8)
    arguments = parser.parse_args()
    began = time.perf_counter()
    card = torch.cuda.get_device_name() if GPU else "no GPU: the numbers below are of the CPU"
    print(f"{card}; torch {torch.__version__}; {hardware.choose_machine(torch.zeros(1, 3, 16, 16, device=DEVICE))}")
    for name in arguments.parts:
        spent = (time.perf_counter() - began) / 60
        if spent > arguments.minutes - 0.5:
            print(f"-- {name}: left out after {spent:.1f} minutes (--parts {name} measures it)")
            continue
        print(f"-- {name}", flush=True)
        try:
            PARTS[name](Sizes(arguments.tiny, began + 60 * arguments.minutes))
        except Exception as error:  # one part that fails must not cost the others
            print(f"   {name} failed: {type(error).__name__}: {error}", file=sys.stderr)
    print(f"-- {(time.perf_counter() - began) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
