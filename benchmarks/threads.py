"""What other work on the machine costs: `python benchmarks/threads.py`, some minutes.

With no, one and two busy programs beside it: milliseconds of a training step of the faces' U-Net, and of the products
and network evaluations of a lesson's cell, with one thread, with all, and with as many as the trial chooses
(`machine.threads`; the time of its trials is included). The last column is what the choice costs beside the
best of the others. `--busy 0` measures with nothing beside it only.
"""

import argparse
import subprocess
import sys
import time
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import torch

from diffusion_course import data, schedule, training
from diffusion_course.machine import hardware, threads
from diffusion_course.unet import UNet

MOST = threads.allowed()
X0 = data.faces().x0
STEPS, SECONDS = 120, 15  # of a training, whichever ends first


@contextmanager
def beside(n):
    """n other programs that never rest."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def train(count):
    """Milliseconds of a training step with so many threads; None: as many as the trials find."""
    torch.manual_seed(0)
    chosen = hardware.choose_machine(torch.as_tensor(X0))
    fixed = chosen._replace(threads=count, most=1) if count else chosen
    with patch.object(training, "choose_machine", lambda _: fixed):
        records = training.train(UNet(schedule.cosine()), X0, steps=STEPS + 1, batch=32)
    next(records)  # prepares the kernels
    began = time.perf_counter()
    while time.perf_counter() - began < SECONDS and (record := next(records, None)):
        taken = record.step - 1
    return 1000 * (time.perf_counter() - began) / taken


@torch.no_grad()
def cell(count):
    """Milliseconds of thirty products in NumPy and ten evaluations of the U-Net, as in a cell of a lesson."""
    model, xt, matrix = UNet(schedule.cosine()), torch.zeros(8, 3, 16, 16), np.ones((300, 300))
    model(xt, 500)
    began = time.perf_counter()
    if count:
        threads.use(count)
    else:
        threads.adapt()
    for _ in range(30):
        matrix @ matrix
    for _ in range(10):
        model(xt, 500)
    took = time.perf_counter() - began
    threads.use(MOST)
    return 1000 * took


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2], help="programs beside it")
    arguments = parser.parse_args()
    print(f"busy programs   what            1 thread   {MOST} threads   chosen   chosen / best   (ms)")
    for n in arguments.busy:
        with beside(n):
            for name, work in (("training step", train), ("lesson's cell", cell)):
                one, every, chosen = (work(count) for count in (1, MOST, None))
                print(f"{n:13}   {name:13} {one:10.1f} {every:11.1f} {chosen:8.1f} {chosen / min(one, every):15.2f}",
                      flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
