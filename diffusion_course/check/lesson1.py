"""Exercises of lesson 1: destroy in one jump, solve for x_0, guess, and walk back to new numbers."""

import numpy as np

from .engine import exercise

# Mean 0, variance 1, uncorrelated: with these four numbers the moments of a mixture are exact, not random.
UNIT_X = np.array([1.0, 1.0, -1.0, -1.0])
UNIT_EPS = np.array([1.0, -1.0, 1.0, -1.0])


@exercise(
    probes=((3.0, 0.25, 2.0), (-1.0, 0.9, 0.5), (UNIT_X, 0.25, UNIT_EPS), (UNIT_X, 0.0, UNIT_EPS), (UNIT_X, 1.0, UNIT_EPS)),
    linear=("x0", "eps"),
    hints=(
        "Two terms are added: what is left of x_0, and the noise.",
        "ᾱ_t is the share of the power that is left. A power is the square of an amplitude, and x_0 is an amplitude.",
        "The powers of the two terms add up to 1. So what is the amplitude of the noise?",
    ),
    why="Variances of independent terms add. With √ᾱ in front of x_0 and √(1−ᾱ) in front of ε the variances are ᾱ and "
    "1−ᾱ, and data of variance 1 keep variance 1 at every noise level.",
    shows={"variance": lambda f: np.var(f(UNIT_X, 0.25, UNIT_EPS)), "clean": lambda f: f(1.0, 1.0, 0.0)},
    mistakes="""
    the noise is multiplied by 1 − ᾱ, not √(1 − ᾱ) #1 | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) |
        Take data of variance 1 at ᾱ = 0.25: your x_t has variance {variance}, and 0.25 + 0.75 = 1 is right.
        Is a square root missing in front of ε?
    x_0 is multiplied by ᾱ, not √ᾱ #1 | alpha_bar_t**0.5 → alpha_bar_t |
        Take data of variance 1 at ᾱ = 0.25: your x_t has variance {variance}, and 0.25 + 0.75 = 1 is right.
        Is a square root missing in front of x_0?
    both square roots are missing #1 | alpha_bar_t**0.5 → alpha_bar_t && (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) |
        Take data of variance 1 at ᾱ = 0.25: your x_t has variance {variance}, and 0.25 + 0.75 = 1 is right.
        Powers add, so each factor is the root of a power.
    the noise is multiplied by 1 − √ᾱ, not √(1 − ᾱ) | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t**0.5) |
        Take data of variance 1 at ᾱ = 0.25: your x_t has variance {variance}, and 0.25 + 0.75 = 1 is right.
        Powers add up to 1; amplitudes do not.
    x_0 is not shrunk | alpha_bar_t**0.5 * x0 → x0 |
        Take data of variance 1 at ᾱ = 0.25: your x_t has variance {variance}, and 0.25 + 0.75 = 1 is right.
        Noise comes in and nothing goes out, so the variance grows.
    the noise is subtracted | + (1 → - (1 |
        Pure noise is as likely one way as the other, so nothing would look wrong; but ε is then not the noise in x_t,
        and solving for x_0 later would double it.
    the factors of signal and noise are swapped | * x0 → * eps && * eps → * x0 |
        At ᾱ = 1 (t = 0) x_t is clean. From x_0 = 1 and ε = 0 you return {clean}.
    """,
)
def add_noise(x0, alpha_bar_t, eps):
    return alpha_bar_t**0.5 * x0 + (1 - alpha_bar_t) ** 0.5 * eps
