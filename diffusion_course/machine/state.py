"""What changes from training step to training step: weights, their average, the optimiser's moments, chance.

A `Run` holds it on the device while `training.train` works on it; a `State` is a copy of it that can be put away and
taken up again, here as plain tensors and words (`run.checkpoints` writes them to a file).
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..base.refusals import TINY, number, whole
from .hardware import Machine

MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam keeps of each weight


class State(NamedTuple):
    """A run between two steps: tensors by name, on the CPU, and the rest as numbers and words (for JSON)."""

    tensors: dict[str, Tensor]
    about: dict[str, Any]


class Run:
    """A training at work. `recipe` holds what must stay the same from its first step to its last.

    `model` may be wrapped, `bare` is the network in it and `ema` the average of that. `lr`, `share` (how far the
    average moves), `alive` (1 until a loss is not finite) and `good` (the number of finite losses) are numbers on the
    device. `capturable` says whether a step may be recorded and played back (`machine.capture`). This process, number
    `rank` of `ranks` under DistributedDataParallel, computes its share of each batch in `parts` parts, and only adds
    their gradients up.
    """

    def __init__(
        self, model: nn.Module, machine: Machine, recipe: dict[str, Any], weight: Any, rng: torch.Generator,
        draw: Callable, parts: int = 1,
    ) -> None:  # fmt: skip
        if not callable(draw):
            raise ValueError(f"draw must be a function like training.draw_batch, not {draw!r}.")
        self.model, self.bare, self.machine, self.recipe = model, unwrapped(model), machine, recipe
        self.weight, self.rng, self.draw, self.done = weight, rng, draw, 0
        self.capturable = self.model is self.bare  # a wrapper has plans of its own
        self.group = getattr(model, "process_group", None)  # of DistributedDataParallel
        self.rank, self.ranks = (0, 1) if self.group is None else (self.group.rank(), self.group.size())
        self.parts = _equal_parts(recipe["batch"], self.ranks, parts)
        self.bare.to(memory_format=machine.layout).train()  # type: ignore[call-overload]
        self.ema = copy.deepcopy(self.bare).eval().requires_grad_(False)
        self.weights = [weight for weight in self.bare.parameters() if weight.requires_grad]
        self.lr, self.share, self.alive, self.good = (torch.ones((), device=machine.device) for _ in range(4))
        self.good.zero_()
        on_gpu = machine.device.type == "cuda"
        self.optimiser = torch.optim.Adam(self.weights, lr=self.lr, betas=(0.9, 0.99), fused=True, capturable=on_gpu)
        self.scaler = machine.scaler()
        pairs = list(zip(self.ema.state_dict().values(), self.bare.state_dict().values(), strict=True))
        self.averaged = [kept for kept, _ in pairs if kept.is_floating_point()]
        self.current = [now for _, now in pairs if now.is_floating_point()]
        self.counts = [pair for pair in pairs if not pair[0].is_floating_point()]  # as BatchNorm has one

    def renew_scaler(self) -> None:
        """Forget what a step that broke off has told the scaler; keep the scale."""
        kept, self.scaler = self.scaler.state_dict(), self.machine.scaler()
        if kept:
            self.scaler.load_state_dict(kept)

    def shares(self, batch: tuple) -> Iterator[tuple]:
        """The parts of a batch that are this process's to compute: every so many-th sample each."""
        every = self.ranks * self.parts
        for start in range(self.rank, every, self.ranks):
            yield batch if every == 1 else tuple(x if x is None else x[start::every] for x in batch)

    def gradients_alone(self, part: int) -> AbstractContextManager:
        """Where gradients are only added up; after the last part DistributedDataParallel averages them."""
        return nullcontext() if self.group is None or part == self.parts - 1 else self.model.no_sync()  # type: ignore

    def over_processes(self, number: Tensor) -> Tensor:
        """The mean of a number over all processes."""
        if self.group is not None:
            torch.distributed.all_reduce(number, group=self.group)
        return number / self.ranks

    def refuse_not_finite(self) -> None:
        """Raise FloatingPointError if a loss was not finite, naming its step."""
        if self.alive.item() == 0:
            step, lr = int(self.good.item()) + 1, self.recipe["lr"]
            raise FloatingPointError(
                f"the loss was not finite at step {step} (lr = {lr:g}). The weights are still those of step {step - 1}."
                f" Try lr = {lr / 4:.1g}, and look whether the data lie in [−1, 1] or have standard deviation 1."
            )

    def state(self) -> State:
        """A copy of everything, from which `load_state` goes on exactly. Raises FloatingPointError as above."""
        self.refuse_not_finite()
        tensors = {"rng": self.rng.get_state(), "alpha_bar": torch.tensor(self.bare.schedule.alpha_bar)}
        tensors |= _prefixed("model", self.bare.state_dict()) | _prefixed("ema", self.ema.state_dict())
        for name, weight in self.bare.named_parameters():
            tensors |= _prefixed(f"optimiser.{name}", self.optimiser.state.get(weight, {}))
        about = {"step": self.done, "network": type(self.bare).__name__, "recipe": self.recipe}
        about["scaler"] = self.scaler.state_dict()
        return State({name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}, about)

    def load_state(self, state: State) -> None:
        """Go on from there. Raises ValueError if it does not fit, changing nothing."""
        if not isinstance(state, State):
            raise ValueError(f"resume must be the State of a run (see `run.checkpoints.load_run`), not {state!r:.60}.")
        tensors, about = state
        self._refuse_other_shapes(tensors, about["network"])
        if about["recipe"] != self.recipe:
            raise ValueError(
                f"that run was trained with {about['recipe']}, not with {self.recipe}: use the same arguments."
            )
        if not np.array_equal(tensors["alpha_bar"].numpy(), self.bare.schedule.alpha_bar):  # type: ignore[arg-type]
            raise ValueError("that run was trained with another schedule: use the same one to go on.")
        self.bare.load_state_dict(_without("model", tensors))
        self.ema.load_state_dict(_without("ema", tensors))
        for name, weight in self.bare.named_parameters():
            if moments := _without(f"optimiser.{name}", tensors):
                # empty_like keeps the memory layout of the weight, which the fused optimiser relies on
                kept = {key: torch.empty_like(weight).copy_(moments[key]) for key in MOMENTS[1:]}
                self.optimiser.state[weight] = {"step": moments["step"].to(weight.device, copy=True), **kept}
        if self.scaler.is_enabled() and about["scaler"]:
            self.scaler.load_state_dict(about["scaler"])
        if tensors["rng"].shape == self.rng.get_state().shape:
            self.rng.set_state(tensors["rng"])
        else:  # of another kind of device: its chance cannot go on here, but is still decided by where it was
            self.rng.manual_seed(zlib.crc32(tensors["rng"].numpy().tobytes()))
        self.done = about["step"]
        self.good.fill_(self.done)

    def _refuse_other_shapes(self, tensors: Mapping[str, Tensor], network: str) -> None:
        expected = _shapes(_prefixed("model", self.bare.state_dict()) | _prefixed("ema", self.ema.state_dict()))
        found = _shapes({name: tensor for name, tensor in tensors.items() if name.split(".")[0] in ("model", "ema")})
        for name, weight in self.bare.named_parameters():
            if weight.requires_grad and f"optimiser.{name}.step" in tensors:
                sizes = ((), weight.shape, weight.shape)
                expected |= {f"optimiser.{name}.{key}": tuple(size) for key, size in zip(MOMENTS, sizes, strict=True)}
        found |= _shapes({name: tensor for name, tensor in tensors.items() if name.startswith("optimiser.")})
        for name in sorted(found | expected):
            if found.get(name) != expected.get(name):
                raise ValueError(
                    f"that run is of another architecture ({network}): {name} has shape {found.get(name, 'nothing')}, "
                    f"the network here {expected.get(name, 'nothing')}."
                )


def recipe_of(steps: int, batch: int, lr: float, weight: Any, x0: Tensor, cond: Tensor | None) -> dict[str, Any]:
    """What must stay the same in one run, as plain numbers and words."""
    for name, count in (("steps", steps), ("batch", batch)):
        whole(count, name)
    number(lr, "lr, the peak of the learning rate (usual: 1e-3),", TINY)
    weighted = weight if weight is None or isinstance(weight, str) else _print_of(weight)
    data = {"x0": _print_of(x0), "conditions": None if cond is None else _print_of(cond)}
    return {"steps": int(steps), "batch": int(batch), "lr": float(lr), "weight": weighted, **data}


def _print_of(numbers: Tensor) -> str:
    """Shape and checksum: equal for equal numbers, on any device, and for no others."""
    return f"{tuple(numbers.shape)} {zlib.crc32(numbers.cpu().contiguous().numpy().data):08x}"


def _equal_parts(batch: int, ranks: int, parts: int) -> int:
    """`parts`, if a batch can be dealt out equally to so many processes and so many parts in each."""
    whole(parts, "accumulate")
    if batch % (ranks * parts):
        raise ValueError(
            f"a batch of {batch} cannot be cut into {ranks} (processes) × {parts} (accumulate) equal parts: choose "
            f"numbers that divide it, or another batch."
        )
    return int(parts)


def chance(rng: torch.Generator | None, device: torch.device) -> torch.Generator:
    """A generator on the device: `rng` itself if it is there, one seeded by it if not, by the system without any."""
    if rng is not None and not isinstance(rng, torch.Generator):
        raise ValueError(f"rng must be a torch.Generator, such as torch.Generator().manual_seed(0), not {rng!r}.")
    if rng is not None and rng.device == device:
        return rng
    other = torch.Generator(device)
    if rng is None:
        other.seed()
    else:
        other.manual_seed(int(torch.randint(2**62, (), generator=rng, device=rng.device)))
    return other


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _prefixed(prefix: str, tensors: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def _without(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


def unwrapped(model: nn.Module) -> nn.Module:
    """The network itself, inside DistributedDataParallel, DataParallel or torch.compile."""
    while True:
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        elif isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
            model = inner
        else:
            return model
