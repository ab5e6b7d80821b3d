"""A network that differs little from another: to the matrix of each layer, a product of two thin ones is added.

    W  →  W + up down,     up (rows, rank) starts at zero,     down (rank, columns) at random

Only `up` and `down` are trained. A network of five million weights is changed in all its layers by a few hundred
thousand numbers, so a student that is kept beside its teacher needs a small file (`run.checkpoints`).

Source: Hu et al. 2021 (arXiv:2106.09685), LoRA; Luo et al. 2023 (arXiv:2311.05556) for students that are kept so.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ..base.refusals import whole

Network = TypeVar("Network", bound=nn.Module)


class LowRank(nn.Module):
    """W (rows, …) → W + up down, seen as a matrix (rows, columns). At first it changes nothing."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        rows, columns = weight.flatten(1).shape
        self.up = nn.Parameter(weight.new_zeros(rows, rank))
        self.down = nn.Parameter(torch.randn(rank, columns).to(weight) * columns**-0.5)

    def forward(self, weight: Tensor) -> Tensor:
        return weight + (self.up @ self.down).view_as(weight)


def add_low_rank(model: Network, rank: int, of: str | None = None) -> Network:
    """The same network, frozen but for a difference of that rank to each layer's matrix of weights.

    `of` is the name of the weights that it has now, if they ship; then `run.checkpoints` writes the differences alone.
    Layers are linear or convolutions. Raises ValueError for a rank below 1, and for a network that differs already.
    """
    whole(rank, "rank")
    if hasattr(model, "differs"):
        raise ValueError(f"this {type(model).__name__} has differences already: add them to a plain network.")
    model.requires_grad_(False)
    model.differs = {"of": of, "rank": rank}  # type: ignore[assignment]
    layers = [layer for layer in model.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))]
    for layer in layers:
        parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, rank))
    return model


def differences(model: nn.Module) -> dict[str, Tensor]:
    """What was added to a network, by the names of its state; empty for a network to which nothing was."""
    ends = (".0.up", ".0.down")
    return {name: x for name, x in model.state_dict().items() if "parametrizations" in name and name.endswith(ends)}


def beneath(model: nn.Module) -> dict[str, Tensor]:
    """The weights, by name, of the plain network to which differences were added."""
    state, added = model.state_dict(), differences(model)
    return {name.replace("parametrizations.weight.original", "weight"): state[name] for name in state.keys() - added}


def merged(model: nn.Module) -> dict[str, Tensor]:
    """The weights, by name, of a plain network that answers as this one does: each W with its up down added."""
    plain = {name: x for name, x in model.state_dict().items() if "parametrizations" not in name}
    layers = {name: layer for name, layer in model.named_modules() if parametrize.is_parametrized(layer)}
    return plain | {f"{name}.weight": layer.weight.detach() for name, layer in layers.items()}
