"""Exercise of lesson 1: the best guess, a weighted mean."""

import numpy as np

from ..check.engine import Exercise, Fault


def _weights(xt, alpha_bar_t, pile):
    """How well each number of the pile explains x_t, up to a common factor."""
    return np.exp(-((xt - alpha_bar_t**0.5 * pile) ** 2) / (2 * (1 - alpha_bar_t)))


def _best_guess(xt, alpha_bar_t, pile):
    """E[x_0 | x_t] of one number, x_0 being one of `pile`: `IdealDenoiser.x0_hat` at one point."""
    return np.average(pile, weights=_weights(xt, alpha_bar_t, pile))


def _weighted(exponent):
    """A faulty best guess whose weights are exp(−exponent)."""
    return lambda xt, alpha_bar_t, pile: np.average(pile, weights=np.exp(-exponent(xt, alpha_bar_t, pile)))


TWO, FIVE = np.array([-1.0, 1.0]), np.array([-1.0, -0.5, 0.0, 0.25, 2.0])


def _at_two_fifths(hint: str):
    """The symptom "the guess does not lean to the nearer of two numbers", quoted from the learner's own function."""
    return lambda attempt: (
        f"x_t = 0.4 is nearer to √0.5 than to −√0.5, so at ᾱ = 0.5 the guess from −1 and 1 leans to 1; "
        f"you return {attempt(0.4, 0.5, TWO):.2g}: {hint}"
    )


best_guess = Exercise(
    "best_guess",
    _best_guess,
    probes=((0.0, 0.5, TWO), (0.4, 0.5, TWO), (0.3, 0.1, FIVE), (1.5, 0.8, FIVE)),
    faults=(
        Fault(
            "the pile is not shrunk by √ᾱ",
            _weighted(lambda xt, a, pile: (xt - pile) ** 2 / (2 * (1 - a))),
            "x_t is compared with √ᾱ x_i, where a noised x_i would lie, not with x_i itself.",
        ),
        Fault(
            "the pile is shrunk by ᾱ, not √ᾱ",
            _weighted(lambda xt, a, pile: (xt - a * pile) ** 2 / (2 * (1 - a))),
            "ᾱ is the power that is left; a number shrinks by its root, as in the closed form.",
            atlas=1,
        ),
        Fault(
            "x_t is stretched by 1/√ᾱ, but its noise is not",
            _weighted(lambda xt, a, pile: (xt / a**0.5 - pile) ** 2 / (2 * (1 - a))),
            "x_t / √ᾱ may be compared with x_i, but its noise has the variance (1 − ᾱ) / ᾱ then.",
        ),
        Fault(
            "the weights use the spread √(1 − ᾱ), not the variance 1 − ᾱ",
            _weighted(lambda xt, a, pile: (xt - a**0.5 * pile) ** 2 / (2 * (1 - a) ** 0.5)),
            "The exponent of a Gaussian divides by twice its variance.",
            atlas=19,
        ),
        Fault(
            "the 2 under the square is missing",
            _weighted(lambda xt, a, pile: (xt - a**0.5 * pile) ** 2 / (1 - a)),
            "The exponent of a Gaussian is −distance² / (2 · variance): your weights are too sure.",
        ),
        Fault(
            "the distance is not squared",
            _weighted(lambda xt, a, pile: (xt - a**0.5 * pile) / (2 * (1 - a))),
            "The exponent of a Gaussian is −distance² / (2 · variance): too high and too low count alike.",
        ),
        Fault(
            "the minus in the exponent is missing",
            _weighted(lambda xt, a, pile: -((xt - a**0.5 * pile) ** 2) / (2 * (1 - a))),
            _at_two_fifths("your weights grow with the distance."),
        ),
        Fault(
            "the weights do not sum to 1",
            lambda xt, a, pile: (_weights(xt, a, pile) * pile).sum(),
            "An average divides by the sum of its weights.",
        ),
        Fault(
            "the mean of weight · number is not the weighted mean",
            lambda xt, a, pile: (_weights(xt, a, pile) * pile).mean(),
            "Divide by the sum of the weights, not by how many numbers there are.",
        ),
        Fault(
            "a mean is divided by a sum",
            lambda xt, a, pile: (_weights(xt, a, pile) * pile).mean() / _weights(xt, a, pile).sum(),
            "Sum by sum, or mean by mean: as it is you divide by the size of the pile once more.",
        ),
        Fault(
            "the average is that of √ᾱ x_i",
            lambda xt, a, pile: a**0.5 * _best_guess(xt, a, pile),
            "√ᾱ x_i is where to compare x_t; what is averaged are the clean numbers themselves.",
        ),
        Fault(
            "all numbers count alike",
            lambda xt, a, pile: pile.mean(),
            _at_two_fifths("x_t is not looked at."),
        ),
        Fault(
            "the nearest point is returned, not the average",
            lambda xt, a, pile: pile[np.argmin((xt - a**0.5 * pile) ** 2)],
            lambda attempt: (
                f"Half way between −1 and 1 nobody knows which it was; you return {attempt(0.0, 0.5, TWO):g}."
            ),
        ),
    ),
)
