"""Exercises of lesson 3: the step at which a detail drowns, and a schedule that ends without signal."""

import numpy as np

from ..schedule import cosine, linear
from .table import exercise

SHORT = np.array([1.0, 0.81, 0.25, 0.01])  # its roots are 1, 0.9, 0.5, 0.1: to be done by hand


@exercise(
    probes=((linear(), 2, 0.5), (linear(), 24, 0.5), (cosine(), 8, 0.25), (cosine(), 64, 0.5)),
    returns=("step",),
    hints=(
        "In one pixel the noise has spread 1/√SNR. What is it in the mean of k · k pixels?",
        "The detail drowns where 1/(k √SNR) = contrast. Solve this for the SNR.",
        "SNR falls with t, so `np.argmax(s.snr <= …)` is the first step at which it is as low as that.",
    ),
    why=""" The mean of k² pixels has noise of spread 1/(k √SNR). It reaches the contrast where SNR = 1/(k · contrast)²,
    and argmax finds the first step at which the SNR is no higher.""",
    shows={"easy": lambda f: f"For k = 2 and contrast ½ you give t = {f(linear(), 2, 0.5)}, not 260."},
    mistakes="""
    the noise is divided by k², not by k | (k * contrast) → (k**2 * contrast) |
        {easy} The mean of k² numbers has 1/k² of their variance, so 1/k of their spread.
    the noise is not averaged | (k * contrast) → (contrast) |
        {easy} That is when the detail drowns in the noise of a single pixel.
    the contrast is left out | (k * contrast) → (k) | {easy} A detail with less contrast drowns earlier.
    the contrast is upside down | 1 / (k * contrast) ** 2 → (contrast / k) ** 2 |
        {easy} A detail with less contrast drowns earlier, at a higher SNR.
    the fraction is upside down | 1 / (k * contrast) ** 2 → (k * contrast) ** 2 |
        {easy} By yours the large details drown first.
    only the contrast is squared | (k * contrast) ** 2 → (k * contrast**2) | {easy} Square the whole product, k too.
    the square is missing | ** 2 → |
        The spread of the noise is 1 over the *root* of the SNR, so the SNR is a square.
    ᾱ is compared, not the SNR | s.snr → s.alpha_bar | {easy} The schedule's SNR is `s.snr`.
    the nearest step is taken, not the first | body → return s.t_of_snr(1 / (k * contrast) ** 2) |
        Asked is the first step at which the SNR is as low as that, or lower.
    the last step before is taken | np.argmax(s.snr <= lowest) → np.argmax(s.snr <= lowest) - 1 |
        {easy} Asked is the first step at which the noise has won.
    the comparison is turned round | <= → > | At t = 0 the SNR is infinite. Ask where it has fallen to your number.
    the SNR is returned, not the step | return → lowest | That is the right SNR. Now find the first step that has it.
    """,
)
def drowns_at(s, k, contrast):
    lowest = 1 / (k * contrast) ** 2
    return int(np.argmax(s.snr <= lowest))


def _short(f):
    return ", ".join(f"{value:.4g}" for value in np.ravel(f(SHORT)))


@exercise(
    probes=((SHORT,), (np.array([1.0, 0.9604, 0.64, 0.36, 0.09, 0.0049]),), (linear(50, 0.002, 0.2).alpha_bar,)),
    returns=("ᾱ",),
    hints=(
        "Take the root of ᾱ, and subtract its last value: the end is 0 now, but t = 1 has moved too.",
        "Multiply by a factor that brings the value at t = 1 back to √ᾱ_1.",
        "That factor is √ᾱ_1 / (√ᾱ_1 − √ᾱ_T). Then square, and put ᾱ_0 = 1 back in front.",
    ),
    why=""" Subtracting √ᾱ_T makes the end exactly 0. The factor √ᾱ_1 / (√ᾱ_1 − √ᾱ_T) makes up for it at t = 1, and in
    between the curve is stretched evenly.""",
    shows={"short": lambda f: f"Of ᾱ = 1, 0.81, 0.25, 0.01 you make {_short(f)}; right is 1, 0.81, 0.2025, 0."},
    mistakes="""
    ᾱ itself is shifted and stretched, not its root | np.sqrt(alpha_bar) → alpha_bar && moved[1:] ** 2 → moved[1:] |
        {short} It is √ᾱ, the amplitude, that is to be moved.
    the curve is shifted, but not stretched | * root[1] / (root[1] - root[-1]) → |
        {short} The end is right; bring the value at t = 1 back to where it was.
    ᾱ_0 is moved too | return → moved**2 | {short} The clean picture stays clean: set ᾱ_0 to 1.
    the value at t = 0 is kept, not that at t = 1 | * root[1] / (root[1] - root[-1]) → * 1 / (1 - root[-1]) |
        {short} The first step, t = 1, should stay as it is.
    the square is forgotten | moved[1:] ** 2 → moved[1:] | {short} You moved √ᾱ: square it to get ᾱ.
    only the last value is changed | body → return np.append(alpha_bar[:-1], 0.0) |
        {short} The whole curve is to be stretched, so that no step becomes a cliff.
    the factor is upside down | * root[1] / (root[1] - root[-1]) → * (root[1] - root[-1]) / root[1] |
        {short} The shift lowered the value at t = 1, so the factor is above 1.
    ᾱ_0 is missing | return → moved[1:] ** 2 | Put the 1 of the clean picture in front.
    """,
)
def zero_terminal(alpha_bar):
    root = np.sqrt(alpha_bar)
    moved = (root - root[-1]) * root[1] / (root[1] - root[-1])
    return np.append(1.0, moved[1:] ** 2)
