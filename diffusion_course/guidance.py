"""Guidance: the same samplers, steered. Each function here makes a denoiser out of a denoiser.

A sampler only ever calls `eps_hat = model(xt, t)`. So a condition, its strength or some known pixels need no sampler of
their own: they change what that call answers. Starting in the middle (image-to-image) needs not even that:

    xt = add_noise(picture, schedule.at(t), eps)
    *path, x0 = ddpm(model, schedule, xt, steps=times)        # falling times from that t to 0

Source: Ho & Salimans 2022 (arXiv:2207.12598) for classifier-free guidance, whose w is `scale` − 1 here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .base.arrays import Array, is_tensor, joined, may_read, total
from .base.refusals import number, power_of, refuse_other_parts, require_floats
from .base.words import NOT_SAID, codes_for
from .forward import eps_from_x0, x0_from_eps
from .predictor import refuse_other_schedule
from .schedule import Schedule


class guided:
    """ε̂ = ε̂(x_t) + scale · (ε̂(x_t | cond) − ε̂(x_t)): classifier-free guidance.

    scale = 0 is the model without the condition, 1 the model with it; above 1 exaggerates what the condition changes.
    `model` takes (xt, t, cond); `cond` has one row a sample, or one row for all. Both halves, with `cond` and with
    nothing said (−1 everywhere), are evaluated in one batch; at scale 1 only the one that counts.
    """

    def __init__(self, model: Callable, cond: Array, scale: float) -> None:
        self.model, self.scale, self.cond = model, number(scale, "scale"), codes_for(model, cond)

    def __call__(self, xt: Array, t: Any) -> Any:
        """ε̂ for x_t at step t."""
        return self._mix(self.model, xt, t)

    @property
    def x0_hat(self) -> Callable:
        """x̂_0 for x_t at step t, mixed in the same way: asked for where ᾱ_t = 0. Only if the model has x0_hat."""
        return partial(self._mix, self.model.x0_hat)  # type: ignore[attr-defined]

    def _mix(self, answer: Callable, xt: Any, t: Any) -> Any:
        n = len(xt)
        cond = for_all(self.cond, n)
        if self.scale == 1:
            return answer(xt, t, cond)
        both = answer(joined(xt, xt), t if np.ndim(t) == 0 else joined(t, t), joined(0 * cond + NOT_SAID, cond))
        free, conditioned = both[:n], both[n:]
        return free + self.scale * (conditioned - free)


class inpainted:
    """The model, told some pixels of x_0. `mask` is 1 where `known` holds, 0 where to invent.

    Its guess x̂_0 is overruled where the truth is known, so that the known pixels follow q(x_s | x_t, x_0) exactly. The
    rest is drawn to go with *noisy* known pixels, for the model sees no others: a bias, so this is not quite a draw
    from p(unknown | known). `known` and `mask` broadcast to x_t's shape, of x_t's library.
    """

    def __init__(self, model: Callable, schedule: Schedule, known: Array, mask: Array) -> None:
        refuse_other_schedule(model, schedule)
        require_floats(known=known)
        if may_read(known) and not np.isfinite(float(total(known))):
            raise ValueError("known holds NaN or infinity: look where it comes from.")
        power_of("mask", mask)  # lies in [0, 1]
        self.model, self.schedule, self.known, self.mask = model, schedule, known, mask

    def __call__(self, xt: Array, t: Any) -> Any:
        """ε̂ for x_t at step t, such that x̂_0 has the known pixels."""
        return eps_from_x0(xt, self.schedule.at(t), self._told(x0_from_eps(xt, self.schedule.at(t), self.model(xt, t))))

    @property
    def x0_hat(self) -> Callable:
        """x̂_0 with the known pixels: asked for where ᾱ_t = 0. Only if the model has x0_hat."""
        answer = self.model.x0_hat  # type: ignore[attr-defined]
        return lambda xt, t: self._told(answer(xt, t))

    def _told(self, x0_hat: Any) -> Any:
        refuse_other_parts(x0_hat, known=self.known, mask=self.mask)
        return x0_hat + self.mask * (self.known - x0_hat)  # a mask of bools has no 1 − mask


def for_all(cond: Any, n: int) -> Any:
    """`cond` with one row for each of n samples: as it is, or its only row n times."""
    cond = cond if is_tensor(cond) else np.asarray(cond)
    rows = len(cond) if cond.ndim else 0
    if rows == n:
        return cond
    if rows != 1:
        raise ValueError(f"cond has {rows} rows for {n} samples: give one a sample, or one row for all.")
    return cond.expand(n, *cond.shape[1:]) if is_tensor(cond) else np.repeat(cond, n, axis=0)
