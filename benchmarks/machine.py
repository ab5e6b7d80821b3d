"""Is the choice of `diffusion_course.machine.hardware` the quick one here? `python benchmarks/machine.py`.

Training steps a second on the wall: the spiral's network with one thread and with all, the U-Net in each number format
and memory layout. The ways take turns; the best time of each counts, for others only ever make it longer.
"""

import time

import torch

import measure
from diffusion_course import schedule
from diffusion_course.machine import hardware
from diffusion_course.models import SpiralMLP
from diffusion_course.unet import UNet

CPU, THREADS = torch.device("cpu"), torch.get_num_threads()
FORMATS = torch.float32, torch.bfloat16


def training(network, x, how):
    """A function that takes one step forward, backward and of Adam."""
    x, t = x.to(memory_format=how.layout), torch.randint(1, 1001, (len(x),))
    model = network(schedule.cosine()).to(memory_format=how.layout)
    optimiser = torch.optim.Adam(model.parameters(), fused=True)

    def step():
        with how.at_work():
            with how.precision():
                loss = (model(x, t) - x).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return step


def compare(network, x, ways, rounds):
    chosen = hardware.choose_machine(x)._replace(most=1)
    taken = measure.in_turn({how: training(network, x, how) for how in ways}, rounds, clock=time.perf_counter)
    row = measure.table(f"{network.__name__}, batch {len(x)}", "layout".rjust(18), "steps/s", "samples/s")
    for how, seconds in taken.items():
        layout = str(how.layout).removeprefix("torch.")
        row(f"{how}{' (chosen)' * (how == chosen)}", layout, 1 / seconds.min(), len(x) / seconds.min())


def part_spiral(arguments):
    threads = sorted({1, THREADS})
    ways = [hardware.Machine(CPU, n, torch.float32, torch.preserve_format) for n in threads]
    compare(SpiralMLP, torch.randn(128, 2), ways, 500)


def part_faces(arguments):
    layouts = torch.contiguous_format, torch.channels_last
    ways = [hardware.Machine(CPU, THREADS, dtype, layout) for dtype in FORMATS for layout in layouts]
    compare(UNet, torch.randn(32, 3, 16, 16), ways, 5 if arguments.quick else 40)


if __name__ == "__main__":
    measure.main(__doc__, {"spiral": part_spiral, "faces": part_faces})
