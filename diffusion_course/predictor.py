"""What a sampler asks of a model: x̂_0 of x_t from one network evaluation, checked, at the times to visit.

`prepared` tests all that a sampler is given, before the first evaluation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from .base.arrays import brief, is_tensor, may_read, total, widened
from .base.refusals import TINY, behind, number, refuse_other_samples, refuse_other_shape, refuse_rng, require_floats
from .forward import x0_from_eps
from .schedule import Schedule, a_schedule

Clip: TypeAlias = "float | Callable[[Any], Any] | None"


def prepared(
    model: Callable, schedule: Schedule, xT: Any, steps: Any, rng: Any = None, clip: Clip = None, start: str = "xT"
) -> tuple[Any, Predictor, Iterator[tuple[int, int]]]:
    """What a sampler works with, all tested: x_T (not in half precision), its `Predictor`, its steps (t, s).

    `start` is what the caller's argument is called, for messages.
    """
    predict = Predictor(model, schedule, clip)
    require_floats(**{start: xT})
    if behind(model, "parameters") and not is_tensor(xT):
        raise ValueError(f"a network takes tensors, not a {type(xT).__name__}: give torch.as_tensor({start}).")
    if may_read(xT) and not math.isfinite(total(xT)):
        raise ValueError(f"{start} holds NaN or infinity: look where it comes from (x_T is standard Gaussian noise).")
    refuse_rng(rng, xT)
    refuse_other_samples(xT, behind(model, "shape"), start)
    return widened(xT), predict, predict.watched(pairs(schedule, steps))


def refuse_other_schedule(model: Any, schedule: Any) -> None:
    """Raise ValueError unless `model` can be called, and `schedule` is a Schedule: the model's, where it has one."""
    if not callable(model):
        raise ValueError(f"model must be a function eps_hat = model(xt, t), not {brief(model)}.")
    a_schedule(schedule)
    own = behind(model, "schedule")
    if isinstance(own, Schedule) and not np.array_equal(own.alpha_bar, schedule.alpha_bar):
        raise ValueError(f"this is not the model's schedule (T = {own.T}, here {schedule.T}): pass model.schedule.")


class Predictor:
    """The model as a sampler asks it: `predict(x, t)` is the guess x̂_0 of x_t, clipped, from one evaluation.

    Raises ValueError for another schedule than the model's, and for an answer not finite or not of x_t's shape.
    """

    def __init__(self, model: Callable, schedule: Schedule, clip: Clip = None) -> None:
        refuse_other_schedule(model, schedule)
        self.model, self.schedule = model, schedule
        self.totals: list[tuple[int, str, Any]] = []  # what was asked for at t, and the sum of its numbers
        self.clip = clip if callable(clip) or clip is None else clip_to(clip)
        self.name = getattr(model, "__name__", type(model).__name__)

    def __call__(self, xt: Any, t: int) -> Any:
        if self.schedule.at(t) == 0:  # pure noise: x_t is the noise, and only a v- or x_0-network can say more
            x0_hat = self._ask(self._x0_hat, xt, t)
        else:
            x0_hat = x0_from_eps(xt, self.schedule.at(t), self._ask(self.model, xt, t))
        if self.clip is not None:
            clipped = self.clip(x0_hat)
            refuse_other_shape(clipped, x0_hat, "clip must return x̂_0,", f" at t = {t}")
            return clipped
        return x0_hat

    def tested(self, step: Callable, ours: Callable) -> Callable:
        """`step` for a sampler whose own is `ours`. Any other must return x_s, of x_t's shape and finite."""
        if not callable(step):
            raise ValueError(f"step must be a function like {ours.__name__}, not {brief(step)}.")
        return step if step is ours else lambda xt, x0_hat, t, *rest: self._like(
            xt, step(xt, x0_hat, t, *rest), t, "step(xt, x0_hat, t, …)", "x_s"
        )

    def watched(self, steps: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """The steps (t, s); after the last one, whether all answers were finite."""
        yield from steps
        self.report()

    def report(self) -> None:
        """Raise ValueError for the first answer that was not finite."""
        for t, asked, found in self.totals:
            if not math.isfinite(found):
                raise ValueError(f"{asked} returned NaN or infinity at t = {t}: look there first.")
        self.totals.clear()

    def _x0_hat(self, xt: Any, t: int) -> Any:
        if not hasattr(self.model, "x0_hat"):
            raise ValueError(
                f"ᾱ_{t} = 0: x_t is pure noise, and ε̂ says nothing of x_0 there. {self.name} needs a method "
                "x0_hat(xt, t), as v- and x_0-networks have; or sample from a later time, or by another schedule."
            )
        return self.model.x0_hat(xt, t)

    def _ask(self, answer: Callable, xt: Any, t: int) -> Any:
        found = _keeping_gradients(answer, xt, t) if is_tensor(xt) else answer(xt, t)
        return self._like(xt, found, t, f"{self.name}(xt, t)", "ε̂")

    def _like(self, xt: Any, found: Any, t: int, asked: str, what: str) -> Any:
        """What was found, in float32 at least; refused unless it has x_t's shape and is finite."""
        refuse_other_shape(found, xt, f"{asked} must return {what}", f" at t = {t}")
        found = widened(found)
        self.totals.append((t, asked, total(found)))
        if may_read(found):
            self.report()
        return found


def clip_to(bound: float) -> Callable[[Any], Any]:
    """A `clip`: each number of x̂_0 cut to [−bound, bound]. Raises ValueError unless bound > 0."""
    bound = number(bound, "clip, if it is neither None nor a function of x̂_0,", TINY)
    return lambda x0_hat: x0_hat.clip(-bound, bound) if is_tensor(x0_hat) else np.clip(x0_hat, -bound, bound)


def pairs(schedule: Schedule, steps: Any) -> Iterator[tuple[int, int]]:
    """The pairs (t, s): from each visited time to the next, cleaner one.

    `steps` is a number of steps (spaced by `schedule.steps`; None: every t), or the falling times themselves, ending
    at 0.
    """
    steps = schedule.T if steps is None else steps
    times = schedule.steps(steps) if np.ndim(steps) == 0 else np.asarray(steps)
    schedule.at(times)  # refuses what is no whole number, or outside 0 … T
    times = times.astype(int)  # of unsigned numbers no difference is negative
    if times.ndim != 1 or len(times) < 2 or times[-1] != 0 or (np.diff(times) >= 0).any():
        raise ValueError(f"steps must fall, at least two of them, and end at 0 (clean); given: {times}.")
    return pairwise(times.tolist())


def _keeping_gradients(answer: Callable, xt: Any, t: int) -> Any:
    import torch  # only here, so that sampling arrays never loads it

    with torch.set_grad_enabled(torch.is_grad_enabled() and xt.requires_grad):
        return answer(xt, t)
