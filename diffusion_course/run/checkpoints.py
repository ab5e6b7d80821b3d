"""Files of weights: a run that can be killed at any moment, and networks that ship.

A file is written beside its place, forced to the disk and then renamed: a reader finds the old file or the new one,
never half of one. Format: safetensors (names, shapes and bytes; loading runs no code). It also holds ᾱ, because
weights belong to the schedule that they were trained with.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import nn

from .. import classifier, models, shipped, text, unet
from ..schedule import Schedule
from . import judge

VERSION = 1
CLASSES = (models.SpiralMLP, unet.UNet, text.TextUNet, classifier.Classifier, judge.Judge)
NETWORKS = {network.__name__: network for network in CLASSES}


class Run(NamedTuple):
    """All that changes from step to step, and the recipe: arguments that must stay the same in one run."""

    model: nn.Module
    ema: nn.Module
    optimiser: torch.optim.Optimizer
    rng: torch.Generator
    schedule: Schedule
    recipe: dict


def save_run(path, run, step):
    """Write a checkpoint of `run` after `step` to `path`, in place of what was there."""
    tensors = {"rng": run.rng.get_state(), "alpha_bar": torch.tensor(run.schedule.alpha_bar)}
    tensors |= _prefixed("model", run.model.state_dict())
    tensors |= _prefixed("ema", run.ema.state_dict())
    for name, weight in run.model.named_parameters():
        tensors |= _prefixed(f"optimiser.{name}", run.optimiser.state[weight])
    about = {"kind": "run", "step": step, "recipe": run.recipe, "network": type(run.model).__name__}
    _write(path, tensors, about)


def load_run(path, run):
    """Put what `path` holds into `run`; return its step. Raises ValueError if it does not fit, changing nothing."""
    tensors, about = _read(path, "run")
    _refuse_other_shapes(path, about, _without("model", tensors), run.model.state_dict())
    if about["recipe"] != run.recipe:
        raise ValueError(f"{path} was trained with {about['recipe']}, not with {run.recipe}: use the same arguments.")
    if not np.array_equal(tensors["alpha_bar"].numpy(), run.schedule.alpha_bar):
        raise ValueError(f"{path} was trained with another schedule: use the same one to go on.")
    run.rng.set_state(tensors["rng"])
    run.model.load_state_dict(_without("model", tensors))
    run.ema.load_state_dict(_without("ema", tensors))
    for name, weight in run.model.named_parameters():
        state = _without(f"optimiser.{name}", tensors)
        # empty_like keeps the memory layout of the weight, which the fused optimiser relies on
        moments = {key: torch.empty_like(weight).copy_(state[key]) for key in ("exp_avg", "exp_avg_sq")}
        run.optimiser.state[weight] = {"step": state["step"].to(weight.device), **moments}
    return about["step"]


def save_model(path, model):
    """Write a network that ships: weights in half precision, its arguments and, of a denoiser, its schedule."""
    tensors = {name: weight.half() for name, weight in model.state_dict().items()}
    if isinstance(model, models.Denoiser):
        tensors["alpha_bar"] = torch.tensor(model.schedule.alpha_bar)
    _write(path, tensors, {"kind": "model", "network": type(model).__name__, "config": model.config})


def load_model(path):
    """The network that `save_model` wrote: in eval mode, float32, on the CPU. A denoiser has its `.schedule`."""
    tensors, about = _read(path, "model")
    if about["network"] not in NETWORKS:
        raise ValueError(f"{path} holds a {about['network']}; this version knows {sorted(NETWORKS)}.")
    schedule = [Schedule(tensors.pop("alpha_bar").numpy())] if "alpha_bar" in tensors else []
    model = NETWORKS[about["network"]](*schedule, **about["config"])
    _refuse_other_shapes(path, about, tensors, model.state_dict())
    model.load_state_dict(tensors)
    return model.eval()


def pretrained(name):
    """A network that ships: "spiral", "faces", "fashion", the first two's "…-student", the last two's "…-classifier".

    Raises ValueError for a file that is not what was shipped.
    """
    return load_model(shipped.path(f"{name}.safetensors"))


def _write(path, tensors, about):
    path = Path(path)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = safetensors.torch.save(tensors, {"diffusion_course": json.dumps({"version": VERSION, **about})})
    beside = path.with_name(f"{path.name}.part")  # what a kill leaves here, the next write replaces
    try:
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()


def _read(path, kind):
    """All tensors and the description of a whole file of ours; refuses anything else by name."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is cut off or no safetensors file ({error}). It was left as it is.") from error
    if "diffusion_course" not in metadata:
        raise ValueError(f"{path} is a safetensors file, but not one of this course.")
    about = json.loads(metadata["diffusion_course"])
    if about["version"] > VERSION:
        raise ValueError(
            f"{path} was written by a newer version of the course (format {about['version']}, "
            f"this one reads up to {VERSION}): update the course."
        )
    if about["kind"] != kind:
        raise ValueError(f"{path} holds a {about['kind']}, not a {kind}.")
    return tensors, about


def _refuse_other_shapes(path, about, found, expected):
    found = {name: tuple(tensor.shape) for name, tensor in found.items()}
    expected = {name: tuple(tensor.shape) for name, tensor in expected.items()}
    for name in sorted(found | expected):
        if found.get(name) != expected.get(name):
            raise ValueError(
                f"{path} holds another architecture ({about['network']}): {name} has shape "
                f"{found.get(name, 'nothing')}, the network here {expected.get(name, 'nothing')}."
            )


def _prefixed(prefix, tensors):
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def _without(prefix, tensors):
    return {
        name.removeprefix(f"{prefix}."): tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}.")
    }
