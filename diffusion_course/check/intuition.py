"""Exercises of lesson 1: one step, the closed form, solving for x_0, the best guess."""

import numpy as np

from .. import forward
from ..exercise import Exercise, Fault

# Mean 0, variance 1, uncorrelated: with these four numbers the moments of a mixture are exact, not random.
UNIT_X = np.array([1.0, 1.0, -1.0, -1.0])
UNIT_EPS = np.array([1.0, -1.0, 1.0, -1.0])


def _variance_at(level: float, expected: str, hint: str):
    """The symptom "variance of noised unit-variance data", quoted from the learner's own function."""

    def symptom(attempt):
        variance = np.var(attempt(UNIT_X, level, UNIT_EPS))
        return f"Your x_t of unit-variance data has variance {variance:.4g}, expected {expected}: {hint}"

    return symptom


noise_step = Exercise(
    "noise_step",
    forward.noise_step,
    probes=((2.0, 0.36, 1.0), (-1.5, 0.02, 0.3), (UNIT_X, 0.36, UNIT_EPS), (UNIT_X, 1.0, UNIT_EPS)),
    faults=(
        Fault(
            "both square roots are missing",
            lambda x, beta_t, eps: (1 - beta_t) * x + beta_t * eps,
            _variance_at(
                0.36,
                "0.64 + 0.36 = 1 at β = 0.36",
                "variances add, so each factor is the root of a variance.",
            ),
            atlas=1,
        ),
        Fault(
            "the noise is multiplied by β, not √β",
            lambda x, beta_t, eps: (1 - beta_t) ** 0.5 * x + beta_t * eps,
            _variance_at(
                0.36, "0.64 + 0.36 = 1 at β = 0.36", "β is a variance; a factor in front of ε is a spread."
            ),
            atlas=1,
        ),
        Fault(
            "the signal is multiplied by 1 − β, not √(1 − β)",
            lambda x, beta_t, eps: (1 - beta_t) * x + beta_t**0.5 * eps,
            _variance_at(0.36, "0.64 + 0.36 = 1 at β = 0.36", "is a square root missing in front of x?"),
            atlas=1,
        ),
        Fault(
            "the signal is not shrunk",
            lambda x, beta_t, eps: x + beta_t**0.5 * eps,
            _variance_at(
                0.36,
                "0.64 + 0.36 = 1 at β = 0.36",
                "without the factor in front of x the variance grows for ever.",
            ),
        ),
        Fault(
            "signal and noise have each other's factor",
            lambda x, beta_t, eps: beta_t**0.5 * x + (1 - beta_t) ** 0.5 * eps,
            lambda attempt: (
                f"At β = 1 nothing of x may be left; from x = 1, ε = 0 you return {attempt(1.0, 1.0, 0.0):g}."
            ),
        ),
    ),
)

add_noise = Exercise(
    "add_noise",
    forward.add_noise,
    probes=((3.0, 0.25, 2.0), (-1.0, 0.9, 0.5), (UNIT_X, 0.25, UNIT_EPS), (UNIT_X, 0.0, UNIT_EPS)),
    faults=(
        Fault(
            "the noise is multiplied by 1 − ᾱ, not √(1 − ᾱ)",
            lambda x0, alpha_bar_t, eps: alpha_bar_t**0.5 * x0 + (1 - alpha_bar_t) * eps,
            _variance_at(0.25, "0.25 + 0.75 = 1 at ᾱ = 0.25", "is a square root missing in front of ε?"),
            atlas=1,
        ),
        Fault(
            "x_0 is multiplied by ᾱ, not √ᾱ",
            lambda x0, alpha_bar_t, eps: alpha_bar_t * x0 + (1 - alpha_bar_t) ** 0.5 * eps,
            _variance_at(0.25, "0.25 + 0.75 = 1 at ᾱ = 0.25", "is a square root missing in front of x_0?"),
            atlas=1,
        ),
        Fault(
            "both square roots are missing",
            lambda x0, alpha_bar_t, eps: alpha_bar_t * x0 + (1 - alpha_bar_t) * eps,
            _variance_at(
                0.25, "0.25 + 0.75 = 1 at ᾱ = 0.25", "powers add, so each factor is the root of a power."
            ),
            atlas=1,
        ),
        Fault(
            "signal and noise have each other's factor",
            lambda x0, alpha_bar_t, eps: (1 - alpha_bar_t) ** 0.5 * x0 + alpha_bar_t**0.5 * eps,
            lambda attempt: (
                f"At ᾱ = 1 (t = 0) x_t is clean; from x_0 = 1, ε = 0 you return {attempt(1.0, 1.0, 0.0):g}."
            ),
        ),
    ),
)

x0_from_eps = Exercise(
    "x0_from_eps",
    forward.x0_from_eps,
    probes=((3.0, 0.25, 2.0), (-1.0, 0.9, 0.5), (UNIT_X, 0.25, UNIT_EPS)),
    faults=(
        Fault(
            "the division by √ᾱ is missing",
            lambda xt, alpha_bar_t, eps: xt - (1 - alpha_bar_t) ** 0.5 * eps,
            "Without noise left, √ᾱ x_0 remains: at ᾱ = 0.25 your answer is half as large as x_0.",
        ),
        Fault(
            "ε is taken away whole, not √(1 − ᾱ) of it",
            lambda xt, alpha_bar_t, eps: (xt - eps) / alpha_bar_t**0.5,
            "x_t contains √(1 − ᾱ) ε. Put x_0 = 0 into the closed form and see what must be taken away.",
        ),
        Fault(
            "a square root is missing in front of ε",
            lambda xt, alpha_bar_t, eps: (xt - (1 - alpha_bar_t) * eps) / alpha_bar_t**0.5,
            "At ᾱ = 0.25, x_t contains 0.866 ε; you take away 0.75 ε, so noise stays behind.",
            atlas=1,
        ),
        Fault(
            "the division is by ᾱ, not √ᾱ",
            lambda xt, alpha_bar_t, eps: (xt - (1 - alpha_bar_t) ** 0.5 * eps) / alpha_bar_t,
            "At ᾱ = 0.25 the signal was shrunk to one half, not to one quarter: your answer is twice x_0.",
        ),
        Fault(
            "the noise is added once more",
            lambda xt, alpha_bar_t, eps: (xt + (1 - alpha_bar_t) ** 0.5 * eps) / alpha_bar_t**0.5,
            "To undo an addition, subtract.",
        ),
    ),
)


def _best_guess(xt, alpha_bar_t, data):
    """E[x_0 | x_t] of one number, x_0 being one of `data`: `IdealDenoiser.x0_hat` at one point."""
    weights = np.exp(-((xt - alpha_bar_t**0.5 * data) ** 2) / (2 * (1 - alpha_bar_t)))
    return (weights * data).sum() / weights.sum()


def _weighted(exponent):
    """A faulty best guess whose weights are exp(−exponent)."""

    def mutant(xt, alpha_bar_t, data):
        weights = np.exp(-exponent(xt, alpha_bar_t, data))
        return (weights * data).sum() / weights.sum()

    return mutant


TWO, FIVE = np.array([-1.0, 1.0]), np.array([-1.0, -0.5, 0.0, 0.25, 2.0])
best_guess = Exercise(
    "best_guess",
    _best_guess,
    probes=((0.0, 0.5, TWO), (0.4, 0.5, TWO), (0.3, 0.1, FIVE), (1.5, 0.8, FIVE)),
    faults=(
        Fault(
            "the data are not shrunk by √ᾱ",
            _weighted(lambda xt, a, data: (xt - data) ** 2 / (2 * (1 - a))),
            "x_t is compared with √ᾱ x_i, where a noised x_i would lie, not with x_i itself.",
        ),
        Fault(
            "the weights use the spread √(1 − ᾱ), not the variance 1 − ᾱ",
            _weighted(lambda xt, a, data: (xt - a**0.5 * data) ** 2 / (2 * (1 - a) ** 0.5)),
            "The exponent of a Gaussian divides by twice its variance.",
            atlas=19,
        ),
        Fault(
            "the 2 under the square is missing",
            _weighted(lambda xt, a, data: (xt - a**0.5 * data) ** 2 / (1 - a)),
            "The exponent of a Gaussian is −distance² / (2 · variance): your weights are too sure.",
        ),
        Fault(
            "the weights do not sum to 1",
            lambda xt, a, data: (np.exp(-((xt - a**0.5 * data) ** 2) / (2 * (1 - a))) * data).sum(),
            "An average divides by the sum of its weights.",
        ),
        Fault(
            "the nearest point is returned, not the average",
            lambda xt, a, data: data[np.argmin((xt - a**0.5 * data) ** 2)],
            lambda attempt: (
                f"Half way between −1 and 1 nobody knows which it was; you return {attempt(0.0, 0.5, TWO):g}."
            ),
        ),
    ),
)
