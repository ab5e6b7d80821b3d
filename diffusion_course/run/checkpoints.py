"""Files of weights: networks that ship, and trainings that may be stopped at any moment.

A file is written beside its place, forced to the disk and then renamed: a reader finds the old file or the new one,
never half of one. The format is safetensors (names, shapes and numbers; loading runs no code). A file also holds ᾱ,
because weights belong to the schedule that they were trained with.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import nn

from ..beyond.dit import DiT
from ..beyond.text import TextUNet
from ..files import shipped
from ..machine.state import State
from ..metrics import Classifier
from ..models import Denoiser, SpiralMLP, unwrapped
from ..schedule import Schedule
from ..unet import UNet
from .judge import Judge

VERSION = 1
KNOWN = SpiralMLP, UNet, DiT, TextUNet, Classifier, Judge
NETWORKS: dict[str, Any] = {network.__name__: network for network in KNOWN}


def save_run(path: str | Path, state: State) -> None:
    """Write a training's state (`record.run.state()`) to `path`, in place of what was there."""
    _write(path, state.tensors, {"kind": "run", **state.about})


def load_run(path: str | Path) -> State:
    """The state that `save_run` wrote: `train(…, resume=load_run(path))` goes on from it."""
    tensors, about = _read(path, "run")
    return State(tensors, {name: value for name, value in about.items() if name not in ("kind", "version")})


def save_model(path: str | Path, model: nn.Module) -> None:
    """Write a network that ships: weights in half precision, its arguments and, of a denoiser, its schedule.

    A network that is wrapped (compiled, DataParallel) is written as it is inside. Raises ValueError for a network
    that could not be read back, before anything is written.
    """
    model = unwrapped(model)
    name = type(model).__name__
    if type(model) is not NETWORKS.get(name):
        raise ValueError(
            f"{name} is not one of {sorted(NETWORKS)}: add it to checkpoints.NETWORKS to save and load it."
        )
    tensors = {key: _half(value) for key, value in model.state_dict().items()}
    if not all(value.isfinite().all() for value in tensors.values()):
        raise ValueError("the weights hold NaN or infinity (or do not fit half precision): nothing was written.")
    if isinstance(model, Denoiser):
        tensors["alpha_bar"] = torch.tensor(model.schedule.alpha_bar)
    _write(path, tensors, {"kind": "model", "network": name, "config": model.config})


def load_model(path: str | Path) -> Any:
    """The network that `save_model` wrote: in eval mode, float32, on the CPU. A denoiser has its `.schedule`."""
    tensors, about = _read(path, "model")
    if about["network"] not in NETWORKS:
        raise ValueError(f"{path} holds a {about['network']}; this version knows {sorted(NETWORKS)}.")
    noise = [Schedule(tensors.pop("alpha_bar").numpy())] if "alpha_bar" in tensors else []
    model = NETWORKS[about["network"]](*noise, **about["config"])
    found, expected = ({name: tuple(x.shape) for name, x in some.items()} for some in (tensors, model.state_dict()))
    for name in sorted(found | expected):
        if found.get(name) != expected.get(name):
            raise ValueError(
                f"{path} holds another {about['network']} than this version makes: {name} has shape "
                f"{found.get(name, 'nothing')}, expected {expected.get(name, 'nothing')}."
            )
    model.load_state_dict(tensors)
    return model.eval()


def pretrained(name: str) -> Any:
    """The network of that name that ships: "spiral", "faces-student", "fashion-classifier", …

    Raises ValueError for a file that is not what was shipped.
    """
    return load_model(shipped(f"{name}.safetensors"))


def _half(value: torch.Tensor) -> torch.Tensor:
    return value.half() if value.is_floating_point() else value


def _write(path: str | Path, tensors: dict[str, torch.Tensor], about: dict[str, Any]) -> None:
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


def _read(path: str | Path, kind: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """All tensors and the description of a whole file of ours; refuses anything else by name."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is cut off or no safetensors file ({error}). It was left as it is.") from error
    try:
        about = json.loads(metadata["diffusion_course"])
        version, found = about["version"], about["kind"]
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(f"{path} is a safetensors file, but not one of this course.") from error
    if version > VERSION:
        raise ValueError(f"{path} has format {version}, but this version reads up to {VERSION}: update the course.")
    if found != kind:
        raise ValueError(f"{path} holds a {found}, not a {kind}.")
    return tensors, about
