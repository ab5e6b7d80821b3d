"""Counts the training in the student's process: how often each weight was stepped, and where it was meanwhile.

What it tells is told by a process that the student's code owns: it shows who trained nothing, not who forges a count.
`network` asks the answers themselves, from outside.
"""

import sys

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
        torch.minimum(least, weights.detach(), out=least)
        torch.maximum(largest, weights.detach(), out=largest)


def of(model) -> dict:
    """How many `weights` a model has, the `steps` that trained them, how far they `moved`, in units of their size, and
    which share of that way leads outside of all the steps: 0 ≤ `strayed` ≤ 1.

    A copy of what was trained, such as a running mean, counts as trained: it is known by its shapes, and any mean of
    weights lies between their least and their largest values.
    """
    own = list(model.parameters()) if callable(getattr(model, "parameters", None)) else []
    began = [each for key, each in TRAINING.items() if key is not None]
    pairs = []
    for weights in own:
        now = weights.detach()
        alike = [each for each in began if each[0].shape == now.shape]
        same = min(alike, key=lambda each: (_outside(now, *each[3:]), each[0] is not weights), default=None)
        pairs += [(now, *same[1:])] if same else []
    moved = sum(float((now - start).square().sum()) for now, start, *_ in pairs)
    size = sum(float(start.square().sum()) for _, start, *_ in pairs)
    outside = sum(_outside(now, least, largest) for now, _, _, least, largest in pairs)
    return {
        "weights": sum(weights.numel() for weights in own),
        "steps": max((steps for _, _, steps, _, _ in pairs), default=0),
        "moved": (moved / size) ** 0.5 if size else float(moved > 0),
        "strayed": (outside / moved) ** 0.5 if moved else 0.0,
    }


def _outside(weights, least, largest) -> float:
    """The squared distance from what lies between the least and the largest values."""
    return float((weights - weights.clamp(least, largest)).square().sum())
