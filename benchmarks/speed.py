"""What a batch, half precision, channels last and torch.compile give on this machine: `python benchmarks/speed.py`.

Milliseconds an evaluation and sample, best of three, one thread. Compilation takes a minute or two on a CPU; where it
is not possible, the table says why. Lesson 6 prints the rows without it.
"""

import itertools

import torch

from diffusion_course.run import timing
from diffusion_course.run.checkpoints import pretrained

SHAPES = {"spiral": (2,), "faces": (3, 16, 16)}
BATCHES = (1, 64)


def main():
    torch.set_num_threads(1)
    print("network  as it is or compiled  numbers   memory             " + "".join(f"batch {n:3d}  " for n in BATCHES))
    for name, shape in SHAPES.items():
        network = pretrained(name)
        fast, told = timing.compiled(network)
        layouts = (torch.contiguous_format, torch.channels_last) if len(shape) == 3 else (torch.contiguous_format,)
        models = {"as it is": network, "compiled": fast}
        for (how, model), dtype, layout in itertools.product(models.items(), (torch.float32, torch.bfloat16), layouts):
            if model is not None:
                took = "".join(f"{1000 * timing.seconds(model, shape, n, dtype, layout):9.4f}  " for n in BATCHES)
                print(f"{name:8} {how:21} {_short(dtype):9} {_short(layout):18} {took}", flush=True)
        print(f"{name:8} {told}" if fast is None else f"{name:8} {told:.0f} s until the first compiled answer")


def _short(setting):
    return str(setting).removeprefix("torch.")


if __name__ == "__main__":
    main()
