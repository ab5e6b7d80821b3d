"""Is the choice of `machine.hardware` the quick one here? `python benchmarks/machine.py`, half a minute.

Prints optimiser steps a second of the spiral network with one thread and with all, and pictures a second of the
U-Net in each number format and memory layout. The rows take turns, five times; the best time of each counts.
"""

import time

import torch

from diffusion_course import schedule
from diffusion_course.machine import hardware
from diffusion_course.models import SpiralMLP
from diffusion_course.unet import UNet

ROUNDS = 8
CPU, THREADS = torch.device("cpu"), torch.get_num_threads()


def seconds_a_step(model, x, how, repeats):
    """Mean seconds of forward, backward and Adam over so many steps."""
    x, t = x.to(memory_format=how.layout), torch.randint(1, 1001, (len(x),))
    model = model.to(memory_format=how.layout)
    optimiser = torch.optim.Adam(model.parameters(), fused=True)
    with how.at_work():
        for step in range(repeats + 1):
            if step == 1:  # the first one prepares the kernels
                started = time.perf_counter()
            with how.precision():
                loss = (model(x, t) - x).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return (time.perf_counter() - started) / repeats


def compare(title, make, x, ways, repeats):
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for how in ways:
            best[how] = min(best[how], seconds_a_step(make(schedule.cosine()), x, how, repeats))
    print(title)
    for how, seconds in best.items():
        chosen = "  <- chosen" if how == hardware.choose_machine(x)._replace(most=1) else ""
        layout = str(how.layout).removeprefix("torch.")
        print(f"  {how!s:24} {layout:16} {1 / seconds:8.1f} steps/s {len(x) / seconds:8.0f} samples/s{chosen}")


def main():
    points = [hardware.Machine(CPU, threads, torch.float32, torch.preserve_format) for threads in (1, THREADS)]
    compare("spiral, batch 128", SpiralMLP, torch.randn(128, 2), points, 300)
    pictures = [
        hardware.Machine(CPU, THREADS, dtype, layout)
        for dtype in (torch.float32, torch.bfloat16)
        for layout in (torch.contiguous_format, torch.channels_last)
    ]
    compare("faces, batch 32", UNet, torch.randn(32, 3, 16, 16), pictures, 8)


if __name__ == "__main__":
    main()
