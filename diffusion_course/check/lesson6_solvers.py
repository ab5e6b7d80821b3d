"""Exercises of lesson 6, continued: Heun's step and DPM-Solver++(2M)."""

from itertools import pairwise

import numpy as np

from ..denoisers import GaussianDenoiser
from ..forward import x0_from_eps
from .lesson6 import LONG, SHORT, STARTS, WIDE
from .stepwise import Stepwise
from .table import exercise

LONG_WIDE = GaussianDenoiser(0.5, 0.3, LONG)


def euler_step(xt, eps_hat, t, s, schedule):
    """x_s by Euler's method, which is DDIM's step at η = 0."""
    a_t, a_s = schedule.at(t), schedule.at(s)
    return a_s**0.5 * (xt - (1 - a_t) ** 0.5 * eps_hat) / a_t**0.5 + (1 - a_s) ** 0.5 * eps_hat


def predictor(model, schedule):
    """`predict(x, t)` → (x̂_0, ε̂) of a model. At t = 0 there is no noise, and it says so."""

    def predict(x, t):
        if t < 1:
            raise ValueError("the model is asked at t = 0, where there is no noise to estimate")
        eps_hat = model(x, t)
        return x0_from_eps(x, schedule.at(t), eps_hat), eps_hat

    return predict


PREDICT = predictor(WIDE, SHORT)


def _off(f, n: int) -> float:
    """Mean distance from the ODE's exact end for data of mean ½ and spread 0.3, from t = 800 to 200 in n steps."""
    x, predict = STARTS, predictor(LONG_WIDE, LONG)
    for t, s in pairwise(np.linspace(800, 200, n + 1).astype(int).tolist()):
        x = f(predict, x, t, s, LONG)
    (m_t, s_t), (m_s, s_s) = [(0.5 * a**0.5, (a * 0.3**2 + 1 - a) ** 0.5) for a in (LONG.at(800), LONG.at(200))]
    return float(np.abs(x - (m_s + s_s * (STARTS - m_t) / s_t)).mean())


@Stepwise.of(
    run=lambda f, network, x, rng: f(predictor(network, SHORT), x, 30, 10, SHORT),
    inputs=("x_t", "ε̂ at t", "ε̂ at s"),
    case="From t = 30 to s = 10",
)
@exercise(
    probes=(
        *((PREDICT, STARTS, t, s, SHORT) for t, s in ((45, 40), (30, 10), (10, 9), (2, 1), (5, 0), (1, 0))),
        (PREDICT, STARTS[:1], 30, 10, SHORT),
    ),
    returns=("x_s",),
    hints=(
        "Make Euler's step first. Where it ends, the network gives a second slope. Which noise level is there?",
        "Go back to x_t and make Euler's step once more, with the mean of both slopes.",
        "At s = 0 there is no noise, so there is no second slope to ask for: Euler's step is all.",
    ),
    why="The slope changes along the step; the mean of both ends is right to second order. It costs two evaluations "
    "a step, but for the last, which ends at 0.",
    shows={
        "order": lambda f: "With twice the steps a quarter of the error should be left; 10 and 20 of yours are off by "
        f"{_off(f, 10):.2g} and {_off(f, 20):.2g}."
    },
    mistakes="""
    the second slope is not used | (eps_hat + eps_there) / 2 → eps_hat | {order} This is Euler's step.
    the second slope is taken at the old place | predict(xs, s) → predict(xt, s) |
        {order} Level s belongs to the place where Euler's step ends.
    the second slope is taken at the old time | predict(xs, s) → predict(xs, t) |
        {order} The place where Euler's step ends has noise of level s.
    the slopes are added, not averaged | (eps_hat + eps_there) / 2 → eps_hat + eps_there | {order} Take the mean.
    only the second slope is halved | (eps_hat + eps_there) / 2 → eps_hat + eps_there / 2 |
        {order} Brackets: `(a + b) / 2`.
    only the second slope is taken | (eps_hat + eps_there) / 2 → eps_there |
        {order} The slope at the end is as one-sided as that at the start.
    the second half starts where the first ended | euler_step(xt, (eps_hat → euler_step(xs, (eps_hat |
        The mean slope leads from x_t to x_s. You follow it from the place that Euler's step had reached.
    x̂_0 is taken for ε̂ | _, eps_hat = → eps_hat, _ = && _, eps_there = → eps_there, _ = |
        `predict` returns x̂_0, then ε̂.
    no way out at s = 0 | if s > 0: → if True: |
        At s = 0 nothing is left to estimate, so the network cannot be asked there. Return Euler's step.
    Euler's step stops one step early | if s > 0: → if s > 1: | Only at s = 0 is there no second slope.
    """,
)
def heun_step(predict, xt, t, s, schedule):
    _, eps_hat = predict(xt, t)
    xs = euler_step(xt, eps_hat, t, s, schedule)
    if s > 0:
        _, eps_there = predict(xs, s)
        xs = euler_step(xt, (eps_hat + eps_there) / 2, t, s, schedule)
    return xs


NOW, BEFORE = np.array([0.4, -1.2, 2.0]), np.array([0.1, -0.7, 2.5])


@exercise(
    probes=((2.0, 1.0, 1.0, 1.0), (NOW, BEFORE, 0.5, 0.5), (NOW, BEFORE, 0.3, 0.6), (NOW[:1], BEFORE[:1], 0.9, 0.2)),
    kinds=("numpy", "torch"),
    linear=("x0_hat", "x0_before"),
    returns=("guess",),
    hints=(
        "Draw the line through the two guesses: what is its slope on the clock u?",
        "The slope is the change of the guess, divided by `h_before`. Follow it from the newer guess for h / 2.",
    ),
    why="Along the step ahead the guess changes about as it did before. Its value half-way stands for the whole step: "
    "second order, without an extra network evaluation.",
    shows={
        "line": lambda f: f"Guesses 1, then 2, with h = h_before = 1 give 2.5; you return {f(2.0, 1.0, 1.0, 1.0):.3g}.",
        "half": lambda f: f"Guesses 1, then 2, with h = h_before = ½ give 2.5; you return {f(2.0, 1.0, 0.5, 0.5):.3g}.",
    },
    mistakes="""
    the line is followed backwards | x0_hat + h → x0_hat - h | {line} The change is new minus old.
    the line is followed for the whole step | h / (2 * h_before) → h / h_before | {line} Take the middle of the step.
    the lengths of the two steps are exchanged | h / (2 * h_before) → h_before / (2 * h) |
        The slope is the change of the guess by `h_before`, the step behind; it is followed for half of `h`.
    the change is not divided by `h_before` | h / (2 * h_before) → h / 2 |
        {half} A slope is a change divided by a length.
    the steps are taken for equally long | h / (2 * h_before) → 1 / 2 |
        With h = 0.3 after h_before = 0.6 the line is followed half as far as with equal steps.
    the bracket is missing | (2 * h_before) → 2 * h_before | {half} `h / 2 * h_before` multiplies by `h_before`.
    the line starts at the older guess | x0_hat + h → x0_before + h | {line} The step begins at the newer guess.
    the mean of the two guesses | body → return (x0_hat + x0_before) / 2 | {line} Yours lies behind.
    """,
)
def extended_guess(x0_hat, x0_before, h, h_before):
    return x0_hat + h / (2 * h_before) * (x0_hat - x0_before)
