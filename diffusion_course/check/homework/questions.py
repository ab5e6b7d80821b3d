"""An exercise of the homework draws its questions: the public check with a seed that everyone knows, the hidden test
from the secret of the class. So both ask the same, with other numbers.

Answers must be what the cells below can compute with; right numbers are not enough.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from ..engine import Exercise
from ..table import exercise
from .affine import Affine

LAST = 30  # T of the questions


def no_tensor(answer) -> str | None:
    """Is it a torch tensor?"""
    if isinstance(answer, torch.Tensor):
        return None
    return f"it returns a {type(answer).__name__}; the cells below compute with a torch tensor."


def no_float32(answer) -> str | None:
    """Is it a tensor that points of float32 can be multiplied by?"""
    if no_tensor(answer) or answer.dtype == torch.float32:
        return no_tensor(answer)
    return f"it returns {answer.dtype}; the points and the network are float32. Append `.float()`."


def no_gradient(answer) -> str | None:
    """Is it a tensor through which the gradient reaches the model?"""
    if no_tensor(answer) or answer.requires_grad:
        return no_tensor(answer)
    return "no gradient reaches the model through it: no `.item()`, `.detach()` or `no_grad` in here."


@dataclass(frozen=True, repr=False)
class Question(Exercise):
    """An exercise whose questions are those that `draw(rng)` draws."""

    draw: Callable = field(kw_only=True)


def asked(draw: Callable, tolerance: float = 1e-4, refuse: Callable = no_tensor, **rest) -> Callable:
    """The decorator that makes such an exercise of its solution; its public questions have two decimals."""
    public = tuple(tuple(tensors(*given, decimals=2)) for given in draw(np.random.default_rng(0)))
    return exercise(cls=Question, draw=draw, probes=public, tolerance=tolerance, refuse=refuse, **rest)


def tensors(*given, decimals: int = 9) -> list:
    """Arrays as the homework's functions are given them: tensors, float32, int64 or bool. The rest as it is."""

    def made(value):
        if not isinstance(value, (np.ndarray, np.floating)):
            return value
        return torch.tensor(value.round(decimals)).float() if value.dtype.kind == "f" else torch.tensor(value)

    return [made(value) for value in given]


# ---- what is drawn for several exercises ---------------------------------------------------------


def levels(rng: np.random.Generator) -> np.ndarray:
    """ᾱ_0 … ᾱ_LAST of a question, no two of them near each other."""
    return np.concatenate([[1.0], 1 - (np.arange(1, LAST + 1) + rng.uniform(-0.3, 0.3, LAST)) / (LAST + 1.5)])


def falling(rng: np.random.Generator, steps: int, end: int = 0) -> list[int]:
    """Uneven times from LAST to `end`."""
    return [LAST, *sorted(rng.choice(np.arange(end + 2, LAST - 1), steps - 1, replace=False).tolist())[::-1], end]


def centre(rng: np.random.Generator) -> np.ndarray:
    """The mean (2,) of some data, away from 0."""
    return rng.uniform(0.4, 1.4, 2) * rng.choice([-1, 1], 2)


def exact(alpha_bar, mean, std, kind=Affine) -> Affine:
    """`denoisers.GaussianDenoiser` of N(mean, std²), mean (2,), as tables: arrays, for levels alpha_bar (T+1,)."""
    gain = (1 - alpha_bar) ** 0.5 / (alpha_bar * std**2 + 1 - alpha_bar)
    return kind(gain, alpha_bar[:, None] ** 0.5 * np.asarray(mean))
