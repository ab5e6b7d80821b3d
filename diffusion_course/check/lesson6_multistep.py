"""The last exercise of lesson 6: DPM-Solver++(2M), a whole sampler, with the learner's `extended_guess` in it."""

from itertools import pairwise

import numpy as np

from . import lesson6_solvers
from .lesson6 import SHORT, STARTS, WIDE
from .stepwise import Stepwise
from .table import exercise

extended_guess = lesson6_solvers.extended_guess.reference  # in the notebook it is the learner's own


@Stepwise.of(
    run=lambda f, network, x, rng: f(network, SHORT, x, [40, 30, 15, 5, 0]),
    inputs=("x_T", "ε̂_1", "ε̂_2", "ε̂_3", "ε̂_4"),
    case="With the times 40, 30, 15, 5, 0",
)
@exercise(
    probes=(
        *((WIDE, SHORT, STARTS, times) for times in ([50, 20, 0], SHORT.steps(8), [45, 30, 22, 10, 3, 0], [50, 0])),
        (WIDE, SHORT, STARTS[:1], [50, 20, 10]),
    ),
    returns=("x_0",),
    given=6,
    hints=(
        "From the second step on, `guess` is what `extended_guess` makes of this x̂_0 and of the one before.",
        "The first step has no guess before it, and at s = 0 the clock u is infinite: both take x̂_0 as it is.",
        "Last in the loop: remember x̂_0 itself (not the extended one) and h for the next step.",
    ),
    why="The linear part of the ODE is solved exactly; only x̂_0 is approximated, by the line through the last two "
    "guesses. One evaluation a step, second order.",
    mistakes="""
    the log-SNR itself is taken for u | log_snr / 2 → log_snr | The clock u is half the log-SNR, log(√ᾱ / √(1−ᾱ)).
    the guess is never extended | before is not None and → False and |
        Then it is DDIM. From the second step on, use `extended_guess` with the guess before.
    the extended guess is remembered | before, h_before = x0_hat, h → before, h_before = guess, h |
        The line goes through what the network said: remember x̂_0 itself, or every error is extended too.
    the guess before is never renewed | before, h_before = x0_hat, h → before, h_before = (x0_hat, h) if before is
        None else (before, h_before) |
        Remember this step's x̂_0 and h at the end of every step.
    the guess is also extended at s = 0 | and s > 0 → and True | At s = 0 u and h are infinite: take x̂_0 as it is.
    the old length is forgotten | h, h_before) → h, h) | The two steps are not equally long in u: remember h beside
        the guess.
    the two guesses are exchanged | (x0_hat, before, h → (before, x0_hat, h |
        `extended_guess` wants the newer guess first.
    the sign of h is wrong | u[s] - u[t] → u[t] - u[s] |
        u grows as the noise falls, so h = u_s − u_t is positive, and 1 − e^(−h) too.
    the factor 1 − e^(−h) is missing | (1 - np.exp(-h)) * → | What is left of x and the guess then add up to too much.
    ᾱ_s without its root | a_s**0.5 * → a_s * | The guess is an amplitude: √ᾱ_s.
    the noise levels without their roots | ((1 - a_s) / (1 - a_t)) ** 0.5 → ((1 - a_s) / (1 - a_t)) |
        x is an amplitude: √(1−ᾱ_s) / √(1−ᾱ_t).
    the noise levels are upside down | (1 - a_s) / (1 - a_t) → (1 - a_t) / (1 - a_s) |
        Noise falls from t to s: x is multiplied by less than 1.
    every step asks at x_T | model(x, t) → model(xT, t) | The network must be asked where x is now.
    `return` stands inside the loop | = x0_hat, h → = x0_hat, h⏎        return x |
        Your first step is the last. `return x` comes after the loop.
    """,
)
def dpm_2m(model, schedule, xT, times):
    u, x, before, h_before = schedule.log_snr / 2, xT, None, None
    for t, s in pairwise(times):
        a_t, a_s = schedule.at(t), schedule.at(s)
        x0_hat = (x - (1 - a_t) ** 0.5 * model(x, t)) / a_t**0.5
        h, guess = float(u[s] - u[t]), x0_hat
        if before is not None and s > 0:
            guess = extended_guess(x0_hat, before, h, h_before)
        x = ((1 - a_s) / (1 - a_t)) ** 0.5 * x + a_s**0.5 * (1 - np.exp(-h)) * guess
        before, h_before = x0_hat, h
    return x
