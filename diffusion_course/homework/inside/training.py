"""Counts the training in the student's process: how often each weight was stepped, and where it began.

What it tells is told by a process that the student's code owns: it shows who trained nothing, not who forges a count.
`network` asks the answers themselves, from outside.
"""

import sys

TRAINING: dict = {}  # id of a weight → [the weight, a copy from before its first step, steps]


def watch() -> None:
    """Count the steps of every optimiser of torch from now on, if torch is there and not watched yet."""
    if "torch" in sys.modules and not TRAINING:
        from torch.optim.optimizer import register_optimizer_step_pre_hook

        TRAINING[None] = [None, None, 0]
        register_optimizer_step_pre_hook(_before)


def _before(optimiser, args, kwargs) -> None:
    for group in optimiser.param_groups:
        for weights in group["params"]:
            if id(weights) not in TRAINING:
                TRAINING[id(weights)] = [weights, weights.detach().clone(), 0]
            TRAINING[id(weights)][2] += 1


def of(model) -> dict:
    """How many `weights` a model has, the `steps` that trained them, and how far they `moved`, in units of their size.

    A copy of what was trained, such as a running mean, counts as trained: it is known by its shapes.
    """
    own = list(model.parameters()) if callable(getattr(model, "parameters", None)) else []
    began = [each for key, each in TRAINING.items() if key is not None]
    pairs = []
    for weights in own:
        same = TRAINING.get(id(weights)) or next((each for each in began if each[0].shape == weights.shape), None)
        pairs += [(weights.detach(), *same[1:])] if same else []
    moved = sum(float((weights - start).square().sum()) for weights, start, _ in pairs)
    size = sum(float(start.square().sum()) for _, start, _ in pairs)
    return {
        "weights": sum(weights.numel() for weights in own),
        "steps": max((steps for *_, steps in pairs), default=0),
        "moved": (moved / size) ** 0.5 if size else float(moved > 0),
    }
