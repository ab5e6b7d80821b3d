"""Inversion: from a picture to the noise that a deterministic sampler makes it of, so that it can be edited.

Source: Song et al. 2021 (arXiv:2010.02502), section 4.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..base.arrays import Array
from ..base.refusals import refusing_at_once
from ..forward import add_noise, eps_from_x0, x0_from_eps
from ..predictor import prepared
from ..schedule import Schedule


@refusing_at_once
def encode(model: Callable, schedule: Schedule, x0: Array, steps: Any = 50) -> Iterator[Any]:
    """Follow the ODE upwards by Euler's method: the x_T from which `ddim` comes back to x_0, nearly.

    Yields x_0 first, x_T last; `steps` as in the samplers. The way up and the way down take the slope at opposite
    ends of a step, so x_0 returns with an error of order 1. At t = 0, where there is no noise to estimate, the slope
    of t = 1 is taken.
    """
    x, predict, times = prepared(model, schedule, x0, steps, start="x0")
    yield x0
    for t, s in reversed(list(times)):
        seen = max(s, 1)
        slope = eps_from_x0(x, schedule.at(seen), predict(x, seen))
        x = add_noise(x0_from_eps(x, schedule.at(s), slope), schedule.at(t), slope)
        yield x
    predict.report()
