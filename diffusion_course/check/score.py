"""Exercises of the optional notebook on the score: from the noise to the slope of the density."""

import numpy as np

from .table import exercise


@exercise(
    probes=((3.0, 0.75), (-1.0, 0.36), (np.array([0.4, -1.2, 2.0]), 0.9), (np.array([0.4, -1.2]), 0.0)),
    kinds=("numpy", "torch"),
    linear=("eps_hat",),
    returns=("the score",),
    hints=(
        "Noise leads away from likely places. Which sign must the slope have, then?",
        "The formula stands above. In the root is 1 − ᾱ_t, the power of the noise.",
    ),
    why="Given x_0, log q(x_t | x_0) is −(x_t − √ᾱ_t x_0)² / (2 (1−ᾱ_t)) and a constant, so its slope is "
    "−ε / √(1−ᾱ_t). Averaged over all x_0 that may have led to x_t, ε becomes ε̂.",
    mistakes="""
    the sign is wrong | -eps_hat → eps_hat | The density rises where noise is taken away.
    the variance of the noise stands where its spread belongs #19 | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) |
        ε̂ is the displacement divided by the noise's spread. Divide by that spread once more, not by its square.
    the signal's level stands where the noise's belongs | (1 - alpha_bar_t) ** 0.5 → max(alpha_bar_t, 1e-9) ** 0.5 |
    it is multiplied where it must be divided | / (1 → * (1 |
        With less noise the same ε̂ means a smaller displacement, and the slope is steeper.
    the division is missing | / (1 - alpha_bar_t) ** 0.5 → | ε̂ does not know how strong the noise is; the slope must.
    """,
)
def score_from_eps(eps_hat, alpha_bar_t):
    return -eps_hat / (1 - alpha_bar_t) ** 0.5
