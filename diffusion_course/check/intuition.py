"""Exercises of lesson 1: one step, the closed form, solving for x_0."""

from functools import partial

import numpy as np

from .. import forward
from ..check.engine import Exercise, Fault

# Mean 0, variance 1, uncorrelated: with these four numbers the moments of a mixture are exact, not random.
UNIT_X = np.array([1.0, 1.0, -1.0, -1.0])
UNIT_EPS = np.array([1.0, -1.0, 1.0, -1.0])


def _variance_at(level: float, expected: str, hint: str):
    """The symptom "variance of noised unit-variance data", quoted from the learner's own function."""

    def symptom(attempt):
        variance = np.var(attempt(UNIT_X, level, UNIT_EPS))
        return f"Your x_t of unit-variance data has variance {variance:.4g}, expected {expected}: {hint}"

    return symptom


_after_step = partial(_variance_at, 0.36, "0.64 + 0.36 = 1 at β = 0.36")
_after_stroke = partial(_variance_at, 0.25, "0.25 + 0.75 = 1 at ᾱ = 0.25")

noise_step = Exercise(
    "noise_step",
    forward.noise_step,
    probes=((2.0, 0.36, 1.0), (-1.5, 0.02, 0.3), (UNIT_X, 0.36, UNIT_EPS), (UNIT_X, 1.0, UNIT_EPS)),
    faults=(
        Fault(
            "both square roots are missing",
            lambda x, beta_t, eps: (1 - beta_t) * x + beta_t * eps,
            _after_step("variances add, so each factor is the root of a variance."),
            atlas=1,
        ),
        Fault(
            "the noise is multiplied by β, not √β",
            lambda x, beta_t, eps: (1 - beta_t) ** 0.5 * x + beta_t * eps,
            _after_step("β is a variance; a factor in front of ε is a spread."),
            atlas=1,
        ),
        Fault(
            "the signal is multiplied by 1 − β, not √(1 − β)",
            lambda x, beta_t, eps: (1 - beta_t) * x + beta_t**0.5 * eps,
            _after_step("is a square root missing in front of x?"),
            atlas=1,
        ),
        Fault(
            "the signal is not shrunk",
            lambda x, beta_t, eps: x + beta_t**0.5 * eps,
            _after_step("without the factor in front of x the variance grows for ever."),
        ),
        Fault(
            "the noise is subtracted",
            lambda x, beta_t, eps: (1 - beta_t) ** 0.5 * x - beta_t**0.5 * eps,
            "Fresh noise is as likely one way as the other, so it would do no harm in use; but the formula adds it.",
        ),
        Fault(
            "the factors of signal and noise are swapped",
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
            _after_stroke("is a square root missing in front of ε?"),
            atlas=1,
        ),
        Fault(
            "x_0 is multiplied by ᾱ, not √ᾱ",
            lambda x0, alpha_bar_t, eps: alpha_bar_t * x0 + (1 - alpha_bar_t) ** 0.5 * eps,
            _after_stroke("is a square root missing in front of x_0?"),
            atlas=1,
        ),
        Fault(
            "both square roots are missing",
            lambda x0, alpha_bar_t, eps: alpha_bar_t * x0 + (1 - alpha_bar_t) * eps,
            _after_stroke("powers add, so each factor is the root of a power."),
            atlas=1,
        ),
        Fault(
            "the noise is multiplied by 1 − √ᾱ, not √(1 − ᾱ)",
            lambda x0, alpha_bar_t, eps: alpha_bar_t**0.5 * x0 + (1 - alpha_bar_t**0.5) * eps,
            _after_stroke("powers add up to 1, amplitudes do not."),
        ),
        Fault(
            "the noise is subtracted",
            lambda x0, alpha_bar_t, eps: alpha_bar_t**0.5 * x0 - (1 - alpha_bar_t) ** 0.5 * eps,
            "x_t is made with +ε; with the other sign, solving for x_0 later would double the noise.",
        ),
        Fault(
            "the factors of signal and noise are swapped",
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
    probes=((1.5 + 2 * 0.75**0.5, 0.25, 2.0), (-1.0, 0.9, 0.5), (UNIT_X, 0.25, UNIT_EPS)),
    faults=(
        Fault(
            "the division by √ᾱ is missing",
            lambda xt, alpha_bar_t, eps: xt - (1 - alpha_bar_t) ** 0.5 * eps,
            "Without noise left, √ᾱ x_0 remains: at ᾱ = 0.25 your answer is half as large as x_0.",
        ),
        Fault(
            "only ε is divided by √ᾱ: a bracket is missing",
            lambda xt, alpha_bar_t, eps: xt - (1 - alpha_bar_t) ** 0.5 * eps / alpha_bar_t**0.5,
            "Division comes before subtraction: take the noise away first, then divide the whole difference.",
        ),
        Fault(
            "the difference is multiplied by √ᾱ, not divided",
            lambda xt, alpha_bar_t, eps: (xt - (1 - alpha_bar_t) ** 0.5 * eps) * alpha_bar_t**0.5,
            "Noising shrank x_0 by √ᾱ; to undo that, stretch: at ᾱ = 0.25 your answer is a quarter of x_0.",
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
