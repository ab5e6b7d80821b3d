"""Files of weights: networks that ship, and trainings that may be stopped at any moment.

A file is written beside its place, forced to the disk and then renamed: a reader finds the old file or the new one,
never half of one. The format is safetensors (names, shapes and numbers; loading runs no code). A file also holds ᾱ,
because weights belong to the schedule that they were trained with.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import nn

from ..base.files import checksum, every, shipped
from ..base.refusals import one_of
from ..beyond.dit import DiT
from ..beyond.low_rank import add_low_rank, beneath, differences, merged
from ..beyond.text import TextUNet
from ..machine.state import State, unwrapped
from ..models import Denoiser, SpiralMLP
from ..schedule import Schedule
from ..unet import UNet
from .classifiers import Classifier

VERSION = 1
KNOWN = SpiralMLP, UNet, DiT, TextUNet, Classifier
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

    A network that is wrapped (compiled, DataParallel) is written as it is inside. Of one that differs by little from
    weights that ship (`beyond.low_rank`) only the differences are written. Raises ValueError for a network
    that could not be read back, before anything is written.
    """
    model = unwrapped(model)
    name = type(model).__name__
    if type(model) is not NETWORKS.get(name):
        raise ValueError(
            f"{name} is not one of {sorted(NETWORKS)}: add it to checkpoints.KNOWN to save and load it."
        )
    tensors, about = merged(model), {"kind": "model", "network": name, "config": model.config}
    if (differs := getattr(model, "differs", None)) and differs["of"]:
        _refuse_another_base(model, differs["of"])
        sits_on = {"sha256": checksum(f"{differs['of']}.safetensors")}
        tensors, about = differences(model), {"kind": "differences", **differs, **sits_on}
    tensors = {key: _half(value) for key, value in tensors.items()}
    if not all(value.isfinite().all() for value in tensors.values()):
        raise ValueError("the weights hold NaN or infinity (or do not fit half precision): nothing was written.")
    if about["kind"] == "model" and isinstance(model, Denoiser):
        tensors["alpha_bar"] = torch.tensor(model.schedule.alpha_bar)
    _write(path, tensors, about)


def load_model(path: str | Path) -> Any:
    """The network that `save_model` wrote: in eval mode, float32, on the CPU. A denoiser has its `.schedule`."""
    tensors, about = _read(path, "model", "differences")
    if about["kind"] == "differences":
        return _differing(path, tensors, about)
    if about["network"] not in NETWORKS:
        raise ValueError(f"{path} holds a {about['network']}; this version knows {sorted(NETWORKS)}.")
    noise = [Schedule(tensors.pop("alpha_bar").numpy())] if "alpha_bar" in tensors else []
    model = NETWORKS[about["network"]](*noise, **about["config"])
    _refuse_others(path, about["network"], tensors, model.state_dict())
    model.load_state_dict(tensors)
    return model.eval()


def _differing(path: str | Path, tensors: dict[str, torch.Tensor], about: dict[str, Any]) -> Any:
    """The network that ships under the name `about["of"]`, changed by these differences."""
    if about["sha256"] != checksum(f"{about['of']}.safetensors"):
        raise ValueError(
            f"{path} holds differences to another {about['of']}.safetensors than the one that ships: distil it anew."
        )
    changed = add_low_rank(copy.deepcopy(model := pretrained(about["of"])), about["rank"])
    _refuse_others(path, f"difference to {about['of']!r}", tensors, differences(changed))
    changed.load_state_dict(tensors, strict=False)
    model.load_state_dict(merged(changed))
    return model


def _refuse_another_base(model: nn.Module, name: str) -> None:
    """ValueError unless what ships under that name is what the differences were added to."""
    base, ships = beneath(model), pretrained(name).state_dict()
    same = base.keys() == ships.keys()
    if not same or not all(torch.equal(_half(x.cpu()), _half(ships[key])) for key, x in base.items()):
        raise ValueError(
            f"beneath the differences is another network than the {name!r} that ships, so this one could not be read "
            "back: add them to `pretrained(…)`, or leave out `of`, which saves all weights."
        )


def _refuse_others(path: str | Path, network: str, tensors: dict, expected: dict) -> None:
    """ValueError unless the tensors have the expected names and shapes."""
    found, shapes = ({name: tuple(x.shape) for name, x in some.items()} for some in (tensors, expected))
    for name in sorted(found | shapes):
        if found.get(name) != shapes.get(name):
            raise ValueError(
                f"{path} holds another {network} than this version makes: {name} has shape "
                f"{found.get(name, 'nothing')}, expected {shapes.get(name, 'nothing')}."
            )


def pretrained(name: str) -> Any:
    """The network of that name that ships: "spiral", "faces-student", "fashion-classifier", …

    Raises ValueError for a file that is not what was shipped.
    """
    one_of(name, [file.removesuffix(".safetensors") for file in every() if file.endswith(".safetensors")], "network")
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


def _read(path: str | Path, *kinds: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """All tensors and the description of a whole file of ours; refuses anything else by name."""
    if Path(path).is_dir():
        raise ValueError(f"{path} is a folder: give the file of weights.")
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
    if found not in kinds:
        raise ValueError(f"{path} holds a {found}, not a {kinds[0]}.")
    return tensors, about
