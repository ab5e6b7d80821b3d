"""Counts the training in the student's process: how often each weight was stepped, and where it was meanwhile.

What it tells is told by a process that the student's code owns: it shows who trained nothing, not who forges a count.
`network` asks the answers themselves, from outside.
"""

import functools
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

NO_COPY = 0.1  # share of the squared way from where others began that leads outside of theirs; of means it is 0


@dataclass(eq=False)
class Stepped:
    """Weights that an optimiser has stepped: where they began, and their least and largest values since."""

    weights: Any
    began: Any
    least: Any
    largest: Any
    steps: int = 0

    def outside(self, now) -> float:
        """The squared distance of `now` from what lies between the least and the largest values."""
        return float((now - now.clamp(self.least.to(now), self.largest.to(now))).square().sum())


TRAINING: dict[int, Stepped] = {}  # by the id of the weights, in the order in which they were stepped first


@functools.cache
def watch() -> None:
    """Count the steps of every optimiser of torch from now on."""
    from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

    register_optimizer_step_pre_hook(_before)
    register_optimizer_step_post_hook(_after)


def _before(optimiser, args, kwargs) -> None:
    for weights in (each for group in optimiser.param_groups for each in group["params"]):
        if id(weights) not in TRAINING:
            began = weights.detach().clone()
            TRAINING[id(weights)] = Stepped(weights, began, began.clone(), began.clone())
        TRAINING[id(weights)].steps += 1


def _after(optimiser, args, kwargs) -> None:
    for same in (TRAINING[id(each)] for group in optimiser.param_groups for each in group["params"]):
        now = same.weights.detach().to(same.least)  # a network may have become double meanwhile
        same.least, same.largest = same.least.minimum(now), same.largest.maximum(now)


def of(model) -> dict:
    """How many `weights` a model has, the `steps` that trained them, how far they `moved`, in units of their size, and
    which share of that way leads outside of all the steps: 0 ≤ `strayed` ≤ 1. `still` counts the weights that no step
    has moved.

    A copy of what was trained, such as a running mean, counts as trained: it is known by its shapes, and any mean of
    weights lies between their least and their largest values.
    """
    own = list(model.parameters()) if callable(getattr(model, "parameters", None)) else []
    pairs = [(weights.detach(), same) for weights in own if (same := _stepped(weights))]
    moved = sum(float((now - same.began).square().sum()) for now, same in pairs)
    size = sum(float(same.began.square().sum()) for _, same in pairs)
    return {
        "weights": sum(weights.numel() for weights in own),
        "still": sum(weights.numel() for weights in own) - sum(now.numel() for now, _ in pairs),
        "steps": max((same.steps for _, same in pairs), default=0),
        "moved": (moved / size) ** 0.5 if size else float(moved > 0),
        "strayed": (sum(same.outside(now) for now, same in pairs) / moved) ** 0.5 if moved else 0.0,
    }


def _stepped(weights) -> Stepped | None:
    """What is known of these weights, or of those that they are a copy of. None: a frozen layer, say, is neither."""
    now, alike = weights.detach(), [each for each in TRAINING.values() if each.weights.shape == weights.shape]
    found = min(alike, key=lambda each: (each.outside(now), each.weights is not weights), default=None)
    if found and found.weights is not weights and (not weights.requires_grad or weights.grad is not None):
        if found.outside(now) > NO_COPY * float((now - found.began).square().sum()):
            return None
    return found


@contextmanager
def changed(model, seed: int = 0):
    """The model with its weights as they were before the first step that moved them; buffers are kept for later. With a
    seed: with about half of the numbers of each in the places of others.

    A network that went on from the weights of another one goes back to where that one began.
    """
    import torch

    kept = [(each, each.detach().clone()) for each in (*model.parameters(), *model.buffers())]
    dice = torch.Generator().manual_seed(seed)
    try:
        with torch.no_grad():
            for weights in model.parameters():
                weights.copy_(_mixed(weights, dice) if seed else _first(weights))
        yield
    finally:
        with torch.no_grad():
            for each, before in kept:
                each.copy_(before)


def _first(weights):
    """The weights before the first step that moved them; frozen ones as they are."""
    same, known = _stepped(weights), list(TRAINING.values())
    if same is None:
        return weights
    first = same.began
    for each in reversed(known[: known.index(same)]):
        if each.began.shape == first.shape and not each.outside(first):
            first = each.began
    return first


def _mixed(weights, dice):
    """The weights with about half of their numbers in the places of others."""
    import torch

    other = weights.flatten()[torch.randperm(weights.numel(), generator=dice)].view_as(weights)
    return torch.where(torch.rand(weights.shape, generator=dice) < 0.5, weights, other)
