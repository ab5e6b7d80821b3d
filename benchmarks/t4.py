"""How long lesson 4 takes on the common free card (a T4), estimated from counted operations: a part of `gpu.py`.

A training step is run here and its operations are counted: how many start a kernel, how many numbers they multiply,
how many bytes they read and write. Each of the three takes its time on a T4; the estimate is their sum, as if nothing
overlapped. What the card cannot do is said by `ASSUMED`.
"""

import dataclasses

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from diffusion_course import data
from diffusion_course.run import recipes, sets
from diffusion_course.unet import UNet

ASSUMED = {  # what, number, unit
    "operations": ("share of 65 TFLOP/s (float16) that products reach", 0.25, ""),
    "bytes": ("share of 320 GB/s that memory reaches", 0.7, ""),
    "kernels": ("kernels that an operation starts", 2, ""),
    "launch": ("to start a kernel", 3, "µs"),
    "beside": ("beside the card: 80 s on two cores of a desktop, twice that on Colab's", 160, "s"),
}
OPERATIONS, BYTES = 65e12, 320e9  # a second
GOAL = 6  # minutes


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


def work(records):
    """(operations, multiplications and additions, bytes) of one training step."""
    next(records), next(records)
    with Counted() as counted:
        next(records)
    with FlopCounterMode(display=False) as flops:
        next(records)
    return np.array([counted.count, flops.get_total_flops(), counted.bytes])


def seconds(count, flops, size):
    """Seconds that one step takes on a T4: starting its kernels, computing, memory."""
    assumed = {name: number for name, (_, number, _) in ASSUMED.items()}
    starting = assumed["kernels"] * count * assumed["launch"] * 1e-6
    return starting + flops / (assumed["operations"] * OPERATIONS) + size / (assumed["bytes"] * BYTES)


def trainings():
    """Those of lesson 4 that use the card: name → (experiment, training steps, batch)."""
    faces = recipes.experiment("faces")
    recipe = faces.recipe("cuda")
    own = dataclasses.replace(
        recipes.experiment("folder"),
        load=lambda split, seed: sets.Samples(data.faces().x0[:200]),
        network=lambda noise: UNet(noise, channels=3, widths=(48, 96)),
    )
    return {"faces": (faces, recipe["steps"], recipe["batch"]), "own pictures": (own, 6000, 16)}


def estimate(start):
    """(what, number, unit) of all that is assumed, counted, estimated; `start(experiment, batch=…)` gives records."""
    for what, number, unit in ASSUMED.values():
        yield f"assumed: {what}", number, unit
    total = ASSUMED["beside"][1]
    for name, (entry, steps, batch) in trainings().items():
        small, large = (work(start(entry, steps=5, batch=n)) for n in (4, 8))
        counted = small + (batch - 4) * (large - small) / 4
        for what, number, unit in zip(("operations", "products", "memory"), counted, ("", "GFLOP", "GB"), strict=True):
            yield f"{name}: {what} a step of {batch}", number / (1e9 if unit else 1), unit
        yield f"{name}: {steps} steps", steps * seconds(*counted), "s"
        total += steps * seconds(*counted)
    yield "lesson 4", total / 60, "minutes"
