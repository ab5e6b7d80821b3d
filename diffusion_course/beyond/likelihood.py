"""How likely is a sample? The log-density of the model's own ODE.

With the angle φ of lesson 2 the ODE is dx/dφ = v̂. It carries probability along, so density falls as volume grows:

    log p(x_t) = log N(x_T; 0, I) + ∫ div v̂ dφ  from φ_t to φ_T

Sources: Chen et al. 2018 (arXiv:1806.07366); Song et al. 2021 (arXiv:2011.13456), section 4.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..base.arrays import Array, cast
from ..base.refusals import wholes
from ..forward import eps_from_x0, v_from_eps
from ..predictor import Predictor
from ..schedule import Schedule

STEP = 1e-6  # of the differences: in float64 ten digits are left, near T, where √ᾱ divides, five


def log_likelihood(model: Callable, schedule: Schedule, xt: Array, times: Sequence[int]) -> Any:
    """log p(x_t) in nats, shape (B,): the log density of N(0, I) where `ride` arrives, and the growth on the way."""
    xT, grown = ride(model, schedule, xt, times)
    return grown - (xT**2).sum(1) / 2 - xT.shape[1] / 2 * float(np.log(2 * np.pi))


def divergence(velocity: Callable, x: Any) -> Any:
    """div v̂ = Σ_i ∂v̂_i/∂x_i (B,) at each point of x (B, d): how fast a small volume grows, as a share."""
    v, moves = velocity(x), [cast(move, x) for move in STEP * np.eye(x.shape[1])]
    return sum((velocity(x + move) - v)[:, i] for i, move in enumerate(moves)) / STEP


def ride(
    model: Callable, schedule: Schedule, xt: Array, times: Sequence[int], divergence: Callable = divergence
) -> tuple[Any, Any]:
    """x_T (B, d) to which the ODE takes x_t from t = times[0], and ∫ div v̂ dφ (B,), by Heun's method through `times`.

    `times` are whole numbers, at least 1, that rise from t to T. A step costs 2 (1 + d) network evaluations, so this is
    meant for a few dimensions. Compare with twice as many times.
    Raises ValueError unless x_t is (B, d) in float64 (a network: `model.double()`), because differences are taken.
    """
    if getattr(xt, "ndim", 0) != 2 or str(xt.dtype).rpartition(".")[2] != "float64":
        given = f"{getattr(xt, 'dtype', type(xt).__name__)} of shape {np.shape(xt)}"
        raise ValueError(f"xt must be points (B, d) in float64, not {given}: differences need the digits.")
    times = wholes(times, "times")
    if len(times) < 2 or times[-1] != schedule.T or any(s <= t for t, s in pairwise(times)):
        raise ValueError(f"times must rise from at least 1 to T = {schedule.T}, not {times[:3]} … {times[-1:]}.")
    predict, x, grown = Predictor(model, schedule), xt, 0.0
    angle = np.arctan2((1 - schedule.alpha_bar) ** 0.5, schedule.alpha_bar**0.5)

    def moving(x: Any, t: int) -> tuple[Any, Any]:
        def velocity(x: Any) -> Any:
            return v_from_eps(x, schedule.at(t), eps_from_x0(x, schedule.at(t), predict(x, t)))

        v = velocity(x)
        return v, divergence(lambda place: v if place is x else velocity(place), x)  # x is not asked for twice

    for t, s in pairwise(times):
        turn = float(angle[s] - angle[t])
        v, growth = moving(x, t)
        v_there, growth_there = moving(x + turn * v, s)
        x = x + turn * (v + v_there) / 2
        grown = grown + turn * (growth + growth_there) / 2
    predict.report()
    return x, grown
