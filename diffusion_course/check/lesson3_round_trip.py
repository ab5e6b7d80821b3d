"""Exercise of lesson 3: a test of training pairs, which solves them for the photo and compares."""

import numpy as np

from .table import exercise

PHOTO = np.array([0.0, 51.0, 204.0, 255.0])  # x_0 = −1, −0.6, 0.6, 1
EPS = np.array([0.5, -1.25, 2.0, 0.25])
ONE = np.array([204.0]), np.array([0.45]), np.array([0.0]), 0.25  # to be done by hand


def _made(alpha_bar_t, *off):
    """The arguments for a pair that brings x_0 back with these errors."""
    xt = alpha_bar_t**0.5 * (PHOTO / 127.5 - 1 + off) + (1 - alpha_bar_t) ** 0.5 * EPS
    return PHOTO, xt, EPS, alpha_bar_t


def _one(f):
    return float(np.ravel(f(*ONE))[0])


@exercise(
    probes=(
        ONE,
        _made(0.64, 0, 0, 0, 0),
        _made(0.25, 0.1, -0.5, 0.2, 0),
        tuple(part.reshape(2, 2) if np.ndim(part) else part for part in _made(0.36, 0, 0.3, 0, -0.1)),
    ),
    returns=("error",),
    hints=(
        "Solve x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε for x_0, as in lesson 2.",
        "What should come back is the photo, brought from 0 … 255 to −1 … 1 as every pair here does it.",
        "Subtract the two, take absolute values (`np.abs`), and return the largest.",
    ),
    why=""" A right pair comes back to the last digit; a wrong ᾱ, root or range does not. The largest error shows a
    single bad pixel, which a mean over many would hide.""",
    shows={"one": lambda f: f"For a pixel of 204, x_t = 0.45, ε = 0 and ᾱ_t = 0.25 you return {_one(f):.3g}, not 0.3."},
    mistakes="""
    the error is not made positive | np.abs(x0 - (photos / 127.5 - 1)) → (x0 - (photos / 127.5 - 1)) |
        An error of −0.5 is larger than one of 0.2: take absolute values first.
    the mean is taken, not the largest | .max() → .mean() |
        A mean over many pixels hides a few that are wrong. Take the largest error.
    the smallest error is taken | .max() → .min() | One pixel may come back by chance. Take the largest error.
    the bytes are not brought to −1 … 1 | (photos / 127.5 - 1) → (photos * 1.0) |
        {one} x_0 lies between −1 and 1, and the photos are bytes from 0 to 255.
    x_0 is taken to lie in 0 … 1 | photos / 127.5 - 1 → photos / 255 |
        {one} The x_0 that should come back lies between −1 and 1: photos / 127.5 − 1.
    x_0 has half the range | photos / 127.5 - 1 → photos / 255 - 0.5 |
        {one} The x_0 that should come back lies between −1 and 1: photos / 127.5 − 1.
    x_t itself is compared | np.abs(x0 → np.abs(xt | {one} The noise is still in it: solve for x_0 first.
    the noise is taken away, but the fading is not undone | / np.sqrt(alpha_bar_t) → |
        {one} √ᾱ_t x_0 is what is left without the noise: divide by √ᾱ_t.
    the root of the noise's factor is missing | np.sqrt(1 - alpha_bar_t) → (1 - alpha_bar_t) |
        1 − ᾱ_t is the noise's power. Its factor in x_t is the root.
    the root of the picture's factor is missing | np.sqrt(alpha_bar_t) → alpha_bar_t |
        {one} ᾱ_t is a power. The factor of x_0 in x_t is its root.
    both roots are missing | np.sqrt(1 - alpha_bar_t) → (1 - alpha_bar_t) && np.sqrt(alpha_bar_t) → alpha_bar_t |
        {one} Both factors in x_t are roots of powers.
    the noise is added once more | (xt - → (xt + | To solve for x_0, take the noise away.
    the errors are squared | np.abs → np.square |
        {one} Asked is the distance itself, without a square.
    a verdict is returned, not the error | return → np.allclose(x0, photos / 127.5 - 1) |
        Return how far off the worst pixel is. The table shows it for each version.
    """,
)
def round_trip_error(photos, xt, eps, alpha_bar_t):
    x0 = (xt - np.sqrt(1 - alpha_bar_t) * eps) / np.sqrt(alpha_bar_t)
    return np.abs(x0 - (photos / 127.5 - 1)).max()
