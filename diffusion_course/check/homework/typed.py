"""An exercise whose answers must be of the kind that the cells below compute with; right numbers are not enough."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..engine import Exercise, Mistake


@dataclass(frozen=True)
class TypedExercise(Exercise):
    """An `Exercise` that `refuse`s an answer by the sentence that it returns, before the numbers are looked at."""

    refuse: Callable[[object], str | None] = lambda answer: None

    def __call__(self, attempt) -> None:
        super().__call__(self._typed(attempt) if callable(attempt) else attempt)

    def _typed(self, attempt):
        @functools.wraps(attempt, updated=())
        def typed(*given):
            answer = attempt(*given)
            if answer is not None and (why := self.refuse(answer)):
                raise Mistake(f"{self.name}: {why}", "another type")
            return answer

        return typed


def no_tensor(answer) -> str | None:
    """Is it a torch tensor?"""
    if isinstance(answer, torch.Tensor):
        return None
    return f"it returns a {type(answer).__name__}; the cells below compute with a torch tensor."


def no_float32(answer) -> str | None:
    """Is it a tensor that points of float32 can be multiplied by?"""
    if why := no_tensor(answer):
        return why
    if answer.dtype == torch.float32:
        return None
    return f"it returns {answer.dtype}; the points and the network are float32. Append `.float()`."


def no_gradient(answer) -> str | None:
    """Is it a tensor through which the gradient reaches the model?"""
    if why := no_tensor(answer):
        return why
    if answer.requires_grad:
        return None
    return "no gradient reaches the model through it: no `.item()`, `.detach()` or `no_grad` in here."


def no_whole_numbers(times) -> str | None:
    """Can they be used as indices?"""
    if any(isinstance(time.item() if hasattr(time, "item") else time, float) for time in times):
        return "its times are floats; `alpha_bar[t]` needs whole numbers: round, and int(…)."
    return None
