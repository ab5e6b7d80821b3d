"""Exercises of lesson 3: details that drown, a better schedule, its end, a cosine, a shift, a test of pairs."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..schedule import cosine, linear
from .asked import Asked, Mistake
from .numbers import say
from .table import exercise


@exercise(
    probes=((linear(), 2, 0.5), (linear(), 24, 0.5), (cosine(), 8, 0.25), (cosine(), 64, 0.5)),
    returns=("step",),
    parts={
        "in the linear schedule, for k = 4 and contrast ½, your step": (linear(), 4, 0.5),
        "for k = 4 and contrast 1 your step": (linear(), 4, 1.0),
        "for k = 8 and contrast ½ your step": (linear(), 8, 0.5),
    },
    table="""
    hint | In one pixel the noise has spread 1/√SNR. What is it in the mean of k · k pixels?
    hint | The detail drowns where 1/(k √SNR) = contrast. Solve this for the SNR.
    hint | SNR falls with t, so `np.argmax(s.snr <= …)` is the first step at which it is as low as that.
    why | The mean of k² pixels has noise of spread 1/(k √SNR). It reaches the contrast where SNR = 1/(k · contrast)²,
        and argmax finds the first step at which the SNR is no higher.
    the noise is divided by k², not by k #19 | (k * contrast) → (k**2 * contrast) |
        The mean of k² numbers has 1/k² of their variance, so 1/k of their spread.
    the contrast is missing | (k * contrast) → (k) |
        Pale details drown earlier: the noise has to be as strong as the *contrast*, not as 1.
    the noise is not averaged | (k * contrast) → (contrast) | That is when the detail drowns in a single pixel's noise.
    the contrast is upside down | 1 / (k * contrast) ** 2 → (contrast / k) ** 2 |
        A detail with less contrast drowns earlier, at a higher SNR.
    only the contrast is squared | (k * contrast) ** 2 → (k * contrast**2) |
        The SNR is 1 over the square of the whole product, so k must be squared, too.
    only k is squared | (k * contrast) ** 2 → (k**2 * contrast) |
        The SNR is 1 over the square of the whole product, so the contrast must be squared, too.
    the SNR is upside down | 1 / (k * contrast) ** 2 → (k * contrast) ** 2 |
        A larger detail drowns later, at a *lower* SNR.
    the square is missing | ** 2 → | The spread of the noise is 1 over the *root* of the SNR, so the SNR is a square.
    ᾱ is compared, not the SNR | s.snr → s.alpha_bar | The schedule's SNR is `s.snr`.
    the nearest step is taken, not the first | body → return s.t_of_snr(1 / (k * contrast) ** 2) |
        Take the first step at which the SNR is as low as that, or lower.
    all of what `np.where` returns | return → np.where(s.snr <= lowest) |
        Inside is an array of all the steps that fit. `np.where(…)[0][0]` is the first of them; `np.argmax(…)` gives it
        directly.
    the SNR is returned, not the step | return → lowest | That is the right SNR. Now find the first step that has it.
    """,
)
def drowns_at(s, k, contrast):
    lowest = 1 / (k * contrast) ** 2
    return int(np.argmax(s.snr <= lowest))


BLIND, SETTLED = -4.43, -1.09  # log-SNR below which, above which the exact denoiser of lesson 1's portraits is so


@dataclass(frozen=True, repr=False)
class Design(Asked):
    """The check of a schedule drawn in the toy: how many of its 1000 steps are deciding, blind, settled."""

    def __call__(self, mine: Any) -> None:
        """Say whether it is better than the usual ones. `mine` is the toy, or a `Schedule`. Raises `Mistake` if not."""
        alpha_bar = np.asarray(getattr(mine, "alpha_bar", None), dtype=float)
        if alpha_bar.shape != (1001,):
            raise Mistake(f"{self.name}: hand over the toy, `mine`, or a schedule of 1000 steps.")
        if np.allclose(alpha_bar, linear().alpha_bar, rtol=1e-3, atol=0):
            return say(f"○ {self.name}: not attempted yet, the toy still shows the linear schedule.")
        with np.errstate(divide="ignore"):
            clock = np.log(alpha_bar[1:]) - np.log1p(-alpha_bar[1:])
        blind, settled, left = int((clock < BLIND).sum()), int((clock > SETTLED).sum()), float(alpha_bar[-1]) ** 0.5
        deciding = 1000 - blind - settled
        counted = f"deciding in {deciding} steps, blind in {blind}, settled in {settled}; √ᾱ_T = {left:.2g}"
        missing = ["Where log-SNR lies between −1.09 and −4.43, make the curve flatter."] * (deciding <= 500)
        missing += ["The curve is below −4.43 too early: lift the sixth handle."] * (blind >= 50)
        missing += ["If that is not enough, start from cosine: its end falls by itself."] * (blind >= 50)
        missing += ["Too much of the signal is left at the end: pull the last handle down."] * (left >= 0.01)
        if missing:
            raise Mistake(f"{self.name}: {counted}. {' '.join(missing)}", "not good enough", "named")
        say(f"✓ {self.name}: {counted}. You gave up settled steps, so the clean end goes by faster.")

    def shown(self) -> str:
        """The answer."""
        return "Start from cosine. Pull the third handle from the left down to −1.2, and the sixth up to −2."


better_schedule = Design(
    "better_schedule",
    hints=(
        "Start from cosine: its end is low enough. It spends too many steps above −1.09, so let the curve fall sooner.",
        "Pull the third handle down to just below −1.09. Then lift the sixth, so that the curve stays above −4.43.",
    ),
    why="That gives about 655 deciding and 27 blind steps. You pay at the clean end, where half of the settled steps "
    "are gone.",
)


HAND = np.array([1.0, 0.81, 0.25, 0.01])  # its roots are 1, 0.9, 0.5, 0.1


@exercise(
    probes=((HAND,), (np.array([1.0, 0.9604, 0.64, 0.36, 0.09, 0.0049]),), (linear(50, 0.002, 0.2).alpha_bar,)),
    returns=("ᾱ",),
    table="""
    hint | Take the root of ᾱ, and subtract its last value: the end is 0 now, but t = 1 has moved too.
    hint | Multiply by a factor that brings the value at t = 1 back to √ᾱ_1.
    hint | That factor is √ᾱ_1 / (√ᾱ_1 − √ᾱ_T). Then square, and put ᾱ_0 = 1 back in front.
    why | Subtracting √ᾱ_T makes the end exactly 0. The factor √ᾱ_1 / (√ᾱ_1 − √ᾱ_T) makes up for it at t = 1, and in
        between the curve is stretched evenly.
    ᾱ itself is shifted and stretched, not its root #19 | np.sqrt(alpha_bar) → alpha_bar && moved[1:] ** 2 → moved[1:] |
        It is √ᾱ, the amplitude, that is to be moved.
    the curve is shifted, but not stretched | * root[1] / (root[1] - root[-1]) → |
        The end is right; bring the value at t = 1 back to where it was.
    ᾱ_0 is moved too | return → moved**2 | The clean picture stays clean: set ᾱ_0 to 1.
    the value at t = 0 is kept, not that at t = 1 | * root[1] / (root[1] - root[-1]) → * 1 / (1 - root[-1]) |
        The first step, t = 1, should stay as it is.
    the square is forgotten | moved[1:] ** 2 → moved[1:] | You moved √ᾱ: square it to get ᾱ.
    only the last value is changed | body → return np.append(alpha_bar[:-1], 0.0) |
        The whole curve is to be stretched, so that no step becomes a cliff.
    """,
)
def zero_terminal(alpha_bar):
    root = np.sqrt(alpha_bar)
    moved = (root - root[-1]) * root[1] / (root[1] - root[-1])
    return np.append(1.0, moved[1:] ** 2)


def _last(f) -> str:
    end = float(f(1000)[-1])
    return f"Your ᾱ_T is {end:.2g}. x̂_0 divides by its root, so any error in ε̂ would grow without end."


@exercise(
    probes=((1,), (4,), (1000,)),
    returns=("ᾱ",),
    tolerance=1e-4,
    tiny=1e-12,  # ᾱ_T is 2e-9, and must be told from 0, also in float32
    measure=lambda answer: np.clip(answer, -1, 2),  # what follows a curve of 0 is rounding
    table="""
    hint | Start with the curve cos²((t/T + s)/(1 + s) · π/2) at t = 0 … T, with s = 0.008.
    hint | ᾱ is that curve divided by its first value. Each β is 1 minus the ratio of two neighbours: bound it by 0.999.
    hint | Then build ᾱ anew from the bounded betas: a running product of 1 − β, with a 1 in front.
    why | The last ratio of the curve is nearly 0, so the last β would be 1 and ᾱ_T next to nothing. Bounding each β by
        0.999 leaves ᾱ_T = 2·10⁻⁹ at T = 1000, small, but nothing that a division could not stand.
    plain cos² to π/2 ends at zero #11 | body → return np.cos(np.arange(T + 1) / T * np.pi / 2) ** 2 |
        {_last(f)} Bound the betas by 0.999.
    the bound on β is missing, so ᾱ_T is next to zero #11 | np.minimum(1 - curve[1:] / curve[:-1], 0.999) → 1 -
        curve[1:] / curve[:-1] | {_last(f)} Bound the betas by 0.999.
    the bound is put on ᾱ, not on β | np.minimum(1 - curve[1:] / curve[:-1], 0.999) → 1 - np.minimum(curve[1:] /
        curve[:-1], 0.999) | It is β = 1 − ratio that must stay below 0.999.
    the curve is not divided by its value at t = 0 | body → return np.cos((np.arange(T + 1) / T + 0.008) / 1.008 *
        np.pi / 2) ** 2 | At t = 0 the picture is clean, ᾱ_0 = 1.
    the offset is missing | + 0.008 → | Add s = 0.008 to t/T.
    the division by 1 + s is missing | / 1.008 → | Without it the curve reaches zero before t = T, and rises again.
    the cosine is not squared #1 | ** 2 → | ᾱ is a power, the cosine an amplitude.
    the angle goes to π, not to π/2 | np.pi / 2 → np.pi | A quarter of a wave leads from 1 to 0: the angle ends at π/2.
    ᾱ_0 = 1 is missing #5 | return → np.cumprod(1 - beta) | Put the 1 of the clean picture in front.
    """,
)
def cosine_alpha_bar(T):
    curve = np.cos((np.arange(T + 1) / T + 0.008) / 1.008 * np.pi / 2) ** 2
    beta = np.minimum(1 - curve[1:] / curve[:-1], 0.999)
    return np.concatenate([[1.0], np.cumprod(1 - beta)])


@exercise(
    probes=((np.array([0.5]), 2), (np.array([0.8]), 1), (np.array([1.0, 0.9, 0.1, 0.0]), 4)),
    returns=("ᾱ",),
    parts={
        f"at ᾱ = {a}, k = {k}, the factor by which the SNR shrinks": lambda f, a=a, k=k: (
            (1 / np.ravel(f(np.array([a]), k))[0] - 1) / (1 / a - 1)
        )
        for a, k in ((0.5, 2), (0.8, 3))
    },
    table="""
    hint | Go from ᾱ to the SNR ᾱ/(1−ᾱ), divide it by k², and come back.
    hint | Coming back is ᾱ = SNR/(1 + SNR). Multiply numerator and denominator by 1 − ᾱ, for the sake of ᾱ = 1.
    why | Averaging a block of k·k pixels divides the noise variance by k², so a picture k times as large needs an SNR
        k² times smaller to be destroyed as much. SNR/(1+SNR), multiplied out by 1−ᾱ, is ᾱ/(ᾱ + k²(1−ᾱ)).
    the SNR is divided by k, not by k² #19 | k**2 → k |
        A block has k·k pixels, and the variance of a mean falls by their number.
    the SNR of the clean picture is infinite | body → snr = np.divide(alpha_bar, 1 - alpha_bar) / k**2⏎return snr / (1
        + snr) | At ᾱ = 1 you get ∞/∞ = NaN, and 1 is right. Multiply numerator and denominator by 1 − ᾱ.
    ᾱ is divided by k², not the SNR | return → alpha_bar / k**2 | Go from ᾱ to the SNR, divide, and come back.
    the SNR is returned, not ᾱ | return → np.divide(alpha_bar, 1 - alpha_bar) / k**2 | Now come back: ᾱ = SNR/(1 + SNR).
    """,
)
def shifted_alpha_bar(alpha_bar, k):
    return alpha_bar / (alpha_bar + k**2 * (1 - alpha_bar))


PHOTO, EPS = np.array([0.0, 51.0, 204.0, 255.0]), np.array([0.5, -1.25, 2.0, 0.25])  # x_0 = −1, −0.6, 0.6, 1


def _made(alpha_bar_t, *off):
    """The arguments for a pair that brings x_0 back with these errors."""
    xt = alpha_bar_t**0.5 * (PHOTO / 127.5 - 1 + off) + (1 - alpha_bar_t) ** 0.5 * EPS
    return PHOTO, xt, EPS, alpha_bar_t


def _pixel(photo, xt, eps):
    return np.array([photo]), np.array([xt]), np.array([eps]), 0.25


@exercise(
    probes=(
        _pixel(204.0, 0.45, 0.0),
        _made(0.64, 0, 0, 0, 0),
        _made(0.25, 0.1, -0.5, 0.2, 0),
        tuple(part.reshape(2, 2) if np.ndim(part) else part for part in _made(0.36, 0, 0.3, 0, -0.1)),
    ),
    returns=("error",),
    parts={
        "at ᾱ_t = 0.25 the error of a grey pixel (127.5) with x_t = 1 and ε = 0": _pixel(127.5, 1.0, 0.0),
        "the error of a grey pixel with x_t = 0 and ε = 1": _pixel(127.5, 0.0, 1.0),
        "the error of a white pixel (255) with x_t = 0 and ε = 0": _pixel(255.0, 0.0, 0.0),
        "the error of a black pixel (0) with x_t = 0 and ε = 0": _pixel(0.0, 0.0, 0.0),
        "for four pixels with errors of 0.1, −0.5, 0.2 and 0 what you return": _made(0.25, 0.1, -0.5, 0.2, 0),
    },
    table="""
    hint | Solve x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε for x_0, as in lesson 2.
    hint | What should come back is the photo, brought from 0 … 255 to −1 … 1 as every pair here does it.
    hint | Subtract the two, take absolute values (`np.abs`), and return the largest.
    why | A right pair comes back to the last digit; a wrong ᾱ, root or range does not. The largest error shows a single
        bad pixel, which a mean over many would hide.
    the error is not made positive | np.abs(x0 - (photos / 127.5 - 1)) → (x0 - (photos / 127.5 - 1)) |
        An error of −0.5 is larger than one of 0.2: take absolute values first.
    the mean is taken, not the largest | .max() → .mean() | A mean over many pixels hides a few that are wrong.
    x_0 is taken to lie in 0 … 1 #12 | photos / 127.5 - 1 → photos / 255 |
        The x_0 that should come back lies between −1 and 1: photos / 127.5 − 1.
    the noise is taken away, but the fading is not undone | / np.sqrt(alpha_bar_t) → |
        What is left without the noise is √ᾱ_t x_0: divide by √ᾱ_t.
    the photos are still bytes | photos / 127.5 - 1 → photos | The x_0 that should come back is photos / 127.5 − 1.
    the error is that of x_t | body → return np.abs(xt - np.sqrt(1 - alpha_bar_t) * eps - np.sqrt(alpha_bar_t) *
        (photos / 127.5 - 1)).max() | The error is to be that of x_0, not that of x_t: solve first.
    the noise is weighted by 1 − ᾱ_t, without the root #1 | np.sqrt(1 - alpha_bar_t) → (1 - alpha_bar_t) |
        In x_t the noise has the weight √(1−ᾱ_t), so that is what must be taken away.
    the error is measured in bytes | np.abs(x0 - (photos / 127.5 - 1)) → 127.5 * np.abs(x0 - (photos / 127.5 - 1)) |
        A pair lives in −1 … 1, where the error is 127.5 times smaller: compare x_0 with photos / 127.5 − 1.
    """,
)
def round_trip_error(photos, xt, eps, alpha_bar_t):
    x0 = (xt - np.sqrt(1 - alpha_bar_t) * eps) / np.sqrt(alpha_bar_t)
    return np.abs(x0 - (photos / 127.5 - 1)).max()
