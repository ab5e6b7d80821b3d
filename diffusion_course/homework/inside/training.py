"""Counts the training in the student's process: how often each weight was stepped, and where it was meanwhile.

What it tells is told by a process that the student's code owns: it shows who trained nothing, not who forges a count.
`network` asks the answers themselves, from outside.
"""

import sys
from contextlib import contextmanager

NO_COPY = 0.1  # share of the squared way from where others began that leads outside of theirs; of means it is 0
TRAINING: dict = {}  # id of a weight → [the weight, where it began, steps, its least and its largest values]


def watch() -> None:
    """Count the steps of every optimiser of torch from now on, if torch is there and not watched yet."""
    if "torch" in sys.modules and not TRAINING:
        from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

        TRAINING[None] = [None, None, 0, None, None]
        register_optimizer_step_pre_hook(_before)
        register_optimizer_step_post_hook(_after)


def _before(optimiser, args, kwargs) -> None:
    for group in optimiser.param_groups:
        for weights in group["params"]:
            if id(weights) not in TRAINING:
                began = weights.detach().clone()
                TRAINING[id(weights)] = [weights, began, 0, began.clone(), began.clone()]
            TRAINING[id(weights)][2] += 1


def _after(optimiser, args, kwargs) -> None:
    import torch

    for weights, _, _, least, largest in (TRAINING[id(w)] for group in optimiser.param_groups for w in group["params"]):
        now = weights.detach().to(least)  # a network may have become double meanwhile
        torch.minimum(least, now, out=least)
        torch.maximum(largest, now, out=largest)


def of(model) -> dict:
    """How many `weights` a model has, the `steps` that trained them, how far they `moved`, in units of their size, and
    which share of that way leads outside of all the steps: 0 ≤ `strayed` ≤ 1. `still` counts the weights that no step
    has moved.

    A copy of what was trained, such as a running mean, counts as trained: it is known by its shapes, and any mean of
    weights lies between their least and their largest values.
    """
    own = list(model.parameters()) if callable(getattr(model, "parameters", None)) else []
    pairs = [(weights.detach(), *same[1:]) for weights in own if (same := _stepped(weights))]
    moved = sum(float((now - start).square().sum()) for now, start, *_ in pairs)
    size = sum(float(start.square().sum()) for _, start, *_ in pairs)
    outside = sum(_outside(now, least, largest) for now, _, _, least, largest in pairs)
    return {
        "weights": sum(weights.numel() for weights in own),
        "still": sum(weights.numel() for weights in own) - sum(now.numel() for now, *_ in pairs),
        "steps": max((steps for _, _, steps, _, _ in pairs), default=0),
        "moved": (moved / size) ** 0.5 if size else float(moved > 0),
        "strayed": (outside / moved) ** 0.5 if moved else 0.0,
    }


def _stepped(weights) -> list | None:
    """What is known of these weights, or of those that they are a copy of. None: a frozen layer, say, is neither."""
    alike = [each for key, each in TRAINING.items() if key is not None and each[0].shape == weights.shape]
    now = weights.detach()
    found = min(alike, key=lambda each: (_outside(now, *each[3:]), each[0] is not weights), default=None)
    if found and found[0] is not weights and (not weights.requires_grad or weights.grad is not None):
        if _outside(now, *found[3:]) > NO_COPY * float((now - found[1]).square().sum()):
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
        yield model
    finally:
        with torch.no_grad():
            for each, before in kept:
                each.copy_(before)


def _first(weights):
    """The weights before the first step that moved them; frozen ones as they are."""
    same, known = _stepped(weights), list(TRAINING.values())[1:]
    if same is None:
        return weights
    first, place = same[1], [each is same for each in known].index(True)
    for each in reversed(known[:place]):
        if each[1].shape == first.shape and not _outside(first, *each[3:]):
            first = each[1]
    return first


def _mixed(weights, dice):
    """The weights with about half of their numbers in the places of others."""
    import torch

    other = weights.flatten()[torch.randperm(weights.numel(), generator=dice)].view_as(weights)
    return torch.where(torch.rand(weights.shape, generator=dice) < 0.5, weights, other)


def _outside(weights, least, largest) -> float:
    """The squared distance from what lies between the least and the largest values."""
    return float((weights - weights.clamp(least.to(weights), largest.to(weights))).square().sum())
