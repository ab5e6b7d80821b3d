"""What the commands of `cli` share: their options, one line for every expected failure, networks and devices."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from . import recipes
from .choices import SAMPLERS

SEED = click.IntRange(0, 2**32 - 1)
SAMPLER_NAMES = click.Choice([name for name in SAMPLERS if name != "student"])
TRAINED = click.Choice(list(recipes.EXPERIMENTS))
DISTILLED = click.Choice([name for name, entry in recipes.EXPERIMENTS.items() if entry.student])
SAMPLED = click.Choice([*recipes.EXPERIMENTS, *recipes.students()])
JUDGED = [name for name, entry in recipes.EXPERIMENTS.items() if entry.judge]
MEASURED = click.Choice([*JUDGED, *(name for name in recipes.students() if recipes.experiment(name).judge)])
CLASSIFIED = click.Choice([name for name, entry in recipes.EXPERIMENTS.items() if entry.codes and entry.judge])

WEIGHTS = click.option("--weights", type=click.Path(path_type=Path), help="Weights to use.  [default: those that ship]")
NFE = click.option("--steps", type=click.IntRange(1, 1000),
                   help="Network evaluations; a student takes 1, 2 or 4.  [default: the recipe's]")
SAMPLER = click.option("--sampler", type=SAMPLER_NAMES, help="How to sample.  [default: the recipe's]")
PROMPTS = ", ".join(f'"{entry.prompt}" ({name})' for name, entry in recipes.EXPERIMENTS.items() if entry.prompt)
SEEDED = click.option("--seed", type=SEED, default=0, help="Source of all chance.")
OUT = partial(click.option, "--out", type=click.Path(path_type=Path), required=True)
STREAM = click.option("--stream", is_flag=True, help="Read your pictures when they are needed; else all are in memory.")
ACCUMULATE = click.option("--accumulate", type=click.IntRange(1), default=1,
                          help="Parts in which a batch is computed, where memory does not hold it whole.")
FOLDER = click.option("--folder", type=click.Path(path_type=Path), help="Your own pictures, for `train folder`.")
SIZE = click.option("--size", type=click.IntRange(4, 512), help="Pixels a side of your own pictures.  [default: 32]")


class OneLine(click.Group):
    """Commands whose expected failures are told in one line. DIFFUSION_COURSE_TRACEBACK=1 shows where they arose."""

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows "?"
        try:
            return super().invoke(ctx)
        except (ValueError, OSError, FloatingPointError, RuntimeError) as error:
            expected = not isinstance(error, RuntimeError) or type(error).__name__ == "OutOfMemoryError"
            if not expected or os.environ.get("DIFFUSION_COURSE_TRACEBACK"):
                raise
            raise click.ClickException(" ".join(str(error).split())) from error


def sized(name: str, size: int | None) -> recipes.Experiment:
    """The experiment; `size` is that of your own pictures, where it has no pictures of its own."""
    entry = recipes.experiment(name)
    if size is not None and not entry.own:
        raise click.BadParameter(f"{name} has one size: only your own pictures have another.", param_hint="--size")
    return recipes.own(".", size or 32) if entry.own else entry


def entry_of(name: str, folder: Path | None, size: int | None, stream: bool) -> recipes.Experiment:
    """The experiment to train; your own pictures come from `folder`."""
    entry = sized(name, size)
    if entry.own and folder is None:
        raise click.BadParameter("say where your pictures lie.", param_hint="--folder")
    if folder is not None and not entry.own:
        raise click.BadParameter(f"{name} has pictures of its own: `train folder` takes yours.", param_hint="--folder")
    if stream and folder is None:
        raise click.BadParameter("the data that ship fit into memory: it goes with --folder.", param_hint="--stream")
    return entry if folder is None else recipes.own(folder, size or 32, stream)


def network_of(name: str, entry: recipes.Experiment, weights: Path | None) -> Any:
    """The network in the file `weights`, or the one that ships; refused unless it is one for this experiment."""
    from . import checkpoints

    if weights is None and name not in recipes.shipping():
        raise ValueError(f"no weights ship for {name}: train them, then give --weights.")
    model = checkpoints.load_model(weights) if weights else checkpoints.pretrained(name)
    expected = entry.network(entry.schedule())
    facts = [
        {key: some.config.get(key) for key in ("dim", "channels", "attributes", "vocabulary")}
        for some in (model, expected)
    ]
    if type(model) is not type(expected) or facts[0] != facts[1]:
        raise ValueError(
            f"{weights} holds a {type(model).__name__} of {facts[0]}; {name} needs a "
            f"{type(expected).__name__} of {facts[1]}."
        )
    return model


def path_of(
    name: str, entry: recipes.Experiment, weights: Path | None, n: int, steps: int | None, sampler: str | None,
    seed: int, cond: Any, guidance: float | None, usual: float = 1.0,
) -> list[Any]:  # fmt: skip
    """The path x_T, …, x_0 of n samples as arrays (n, …), with a bar; only the ends for many samples.

    Without a `guidance` conditions are followed with the `usual` one. A student may have its teacher's built in.
    """
    from . import sampling

    student = entry.student if name.endswith(recipes.STUDENT) else None
    built_in = student.guidance if student else 1.0
    if student and sampler:
        raise click.BadParameter("a student has its own sampling steps.", param_hint="--sampler")
    if guidance is not None and cond is None:
        raise click.BadParameter("it strengthens a prompt or conditions, and there are none.", param_hint="--guidance")
    if guidance is not None and built_in != 1:
        raise click.BadParameter(f"this student has guidance {built_in:g} built in.", param_hint="--guidance")
    how, nfe = "student" if student else sampler or entry.sampler, steps or (4 if student else entry.steps)
    model = network_of(name, entry, weights)
    sampling.SAMPLERS[how].times(model.schedule, nfe)  # refuses what it cannot do, before the first evaluation
    if student and nfe not in student.ways:
        raise click.BadParameter(f"this student takes {', '.join(map(str, student.ways))} steps.", param_hint="--steps")

    import torch
    from tqdm import tqdm

    if guidance is None:
        guidance = 1.0 if cond is None or built_in != 1 else usual
    asked = {"cond": cond, "guidance": guidance, "clip": None if student else entry.clip}
    xT, rng = sampling.pure_noise(n, entry.shape, seed), torch.Generator().manual_seed(seed)
    batches = sampling.paths(model.to(device()), xT, how, nfe, **asked, rng=rng)
    parts = list(tqdm(batches, total=-(-n // sampling.BATCH), unit="batch"))
    return [torch.cat(x).numpy() for x in zip(*(path for _, path in parts), strict=True)]


def device() -> str:
    """Where this process computes: on the GPU that is its own, or the only one; without any on the CPU.

    ValueError where there are GPUs, but fewer than processes.
    """
    import torch

    own = os.environ.get("LOCAL_RANK")  # set by `accelerate launch` and torchrun
    if not torch.cuda.is_available():
        return "cpu"
    if own is not None and int(own) >= (there := torch.cuda.device_count()):
        raise ValueError(f"process {int(own) + 1} has no GPU of its own: start one for each, --num_processes {there}.")
    return "cuda" if own is None else f"cuda:{own}"


def join_others() -> int:
    """This process's rank among those that `accelerate launch` or torchrun has started, once all have met; alone 0."""
    import torch

    if "WORLD_SIZE" not in os.environ:
        return 0
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group("gloo" if device() == "cpu" else "nccl")
    return torch.distributed.get_rank()


def shared(model: Any) -> Any:
    """The network, wrapped if several processes train it together."""
    import torch

    return torch.nn.parallel.DistributedDataParallel(model) if torch.distributed.is_initialized() else model
