"""Exercises of lesson 3: schedules from a cosine, for few steps, for large pictures; and times for sampling."""

import numpy as np

from .table import exercise


def _last(f):
    end = float(f(1000)[-1])
    blown = f"{1e-3 / end**0.5:.2g}" if end > 0 else "infinity"
    return f"Your ᾱ_T is {end:.2g}. x̂_0 divides by √ᾱ_T, which turns an error of 0.001 in ε̂ into {blown}."


@exercise(
    probes=((1,), (4,), (1000,)),
    returns=("ᾱ",),
    tolerance=1e-4,
    tiny=1e-12,  # ᾱ_T is 2e-9, and must be told from 0, also in float32
    measure=lambda answer: np.clip(answer, -1, 2),  # what follows a curve of 0 is rounding
    hints=(
        "Start with the curve cos²((t/T + s)/(1 + s) · π/2) at t = 0 … T, with s = 0.008.",
        "ᾱ is that curve divided by its first value. Each β is 1 minus the ratio of two neighbours: bound it by 0.999.",
        "Then build ᾱ anew from the bounded betas: a running product of 1 − β, with a 1 in front.",
    ),
    why=""" The last ratio of the curve is nearly 0, so the last β would be 1 and ᾱ_T next to nothing. Bounding each β
    by 0.999 leaves ᾱ_T = 2·10⁻⁹ at T = 1000, small, but nothing that a division could not stand.""",
    shows={"last": _last},
    mistakes="""
    plain cos² to π/2 ends at zero #11 | body → return np.cos(np.arange(T + 1) / T * np.pi / 2) ** 2 |
        {last} Bound the betas by 0.999.
    the bound on β is missing, so ᾱ_T is next to zero #11 | np.minimum(1 - curve[1:] / curve[:-1], 0.999) → 1 -
        curve[1:] / curve[:-1] | {last} Bound the betas by 0.999.
    the bound is put on ᾱ, not on β | np.minimum(1 - curve[1:] / curve[:-1], 0.999) → 1 - np.minimum(curve[1:] /
        curve[:-1], 0.999) | It is β = 1 − ratio that must stay below 0.999.
    the betas are bounded from below | np.minimum → np.maximum |
        A bound from above takes the smaller of the two: np.minimum.
    the curve is not divided by its value at t = 0 | body → return np.cos((np.arange(T + 1) / T + 0.008) / 1.008 *
        np.pi / 2) ** 2 | Your ᾱ_0 is {f(1000)[0]:.6f}; at t = 0 the picture is clean, ᾱ_0 = 1.
    the offset is missing | + 0.008 → |
        At T = 1000 your β_1 is {1 - f(1000)[1]:.1e}, and 4.1e-05 is right: add s to t/T.
    the offset is missing, and the division by 1 + s with it | + 0.008) / 1.008 → ) |
        At T = 1000 your β_1 is {1 - f(1000)[1]:.1e}, and 4.1e-05 is right: add s to t/T, then divide by 1 + s.
    the division by 1 + s is missing | / 1.008 → | Without it the curve reaches zero before t = T, and rises again.
    the cosine is not squared #1 | ** 2 → | ᾱ is a power, the cosine an amplitude.
    t is not divided by T | / T → | The whole way is a quarter of a wave; yours is a quarter in each step.
    the angle goes to π, not to π/2 | np.pi / 2 → np.pi | A quarter of a wave leads from 1 to 0: the angle ends at π/2.
    ᾱ_0 = 1 is missing #5 | return → np.cumprod(1 - beta) | Put the 1 of the clean picture in front.
    the betas are returned, not ᾱ | return → beta |
    1 − β is returned, not its running product | np.cumprod(1 - beta) → 1 - beta |
        ᾱ_t is what all t steps keep: multiply them up with np.cumprod.
    β is multiplied, where 1 − β is meant #3 | np.cumprod(1 - beta) → np.cumprod(beta) |
        β is the noise that comes, 1 − β the signal that stays.
    the product is subtracted from 1 #3 | np.cumprod(1 - beta) → 1 - np.cumprod(beta) |
        Take each β from 1 first, then multiply.
    """,
)
def cosine_alpha_bar(T):
    curve = np.cos((np.arange(T + 1) / T + 0.008) / 1.008 * np.pi / 2) ** 2
    beta = np.minimum(1 - curve[1:] / curve[:-1], 0.999)
    return np.concatenate([[1.0], np.cumprod(1 - beta)])


@exercise(
    probes=((1000,), (250,), (50,)),
    returns=("array of betas",),
    hints=(
        "At T = 1000 they go from 0.0001 to 0.02. With fewer steps each must do more.",
        "T times fewer steps, T times larger betas: from 0.1/T to 20/T, T of them.",
    ),
    why=""" What is left is about exp(−sum of the betas), so the sum must not depend on T. With 0.1/T … 20/T it is
    about 10 for every T, and √ᾱ_T stays below 0.01.""",
    shows={
        "left": lambda f: f"At T = 50 your betas leave √ᾱ_T = {np.prod(1 - np.asarray(f(50))) ** 0.5:.3f} of the "
        "amplitude in x_T, where less than 0.01 is right."
    },
    mistakes="""
    T is shrunk but β is kept #10 | 0.1 / T, 20 / T → 1e-4, 0.02 |
        {left} So x_T is no pure noise. 20 times fewer steps need 20 times larger betas.
    the betas shrink with T #10 | 0.1 / T, 20 / T → 1e-7 * T, 2e-5 * T | {left} Fewer steps need larger betas.
    the betas rise too early or too late | 20 / T → 0.02 | {left} Both ends are divided by T.
    the largest beta comes first | 0.1 / T, 20 / T → 20 / T, 0.1 / T |
    there are T + 1 betas | , T) → , T + 1) |
    ᾱ is returned, not β | body → return np.concatenate([[1.0], np.cumprod(1 - np.linspace(0.1 / T, 20 / T, T))]) |
    """,
)
def betas_for(T):
    return np.linspace(0.1 / T, 20 / T, T)


@exercise(
    probes=((np.array([0.5]), 2), (np.array([0.8]), 1), (np.array([1.0, 0.9, 0.1, 0.0]), 4)),
    returns=("ᾱ",),
    hints=(
        "Go from ᾱ to the SNR ᾱ/(1−ᾱ), divide it by k², and come back.",
        "Coming back is ᾱ = SNR/(1 + SNR). Multiply numerator and denominator by 1 − ᾱ, for the sake of ᾱ = 1.",
    ),
    why=""" Averaging a block of k·k pixels divides the noise variance by k², so a picture k times as large needs an
    SNR k² times smaller to be destroyed as much. SNR/(1+SNR), multiplied out by 1−ᾱ, is ᾱ/(ᾱ + k²(1−ᾱ)).""",
    parts={
        f"at ᾱ = {a}, k = {k} the factor by which the SNR shrinks": lambda f, a=a, k=k: (
            (1 / np.ravel(f(np.array([a]), k))[0] - 1) / (1 / a - 1)
        )
        for a, k in ((0.5, 2), (0.8, 3))
    },
    mistakes="""
    the SNR is divided by k, not by k² #19 | k**2 → k |
        A block has k·k pixels, and the variance of a mean falls by their number.
    the SNR is multiplied by k² | return → k**2 * alpha_bar / (k**2 * alpha_bar + 1 - alpha_bar) |
        A larger picture needs more noise to be destroyed as much, so a smaller SNR.
    the SNR of the clean picture is infinite | body → snr = np.divide(alpha_bar, 1 - alpha_bar) / k**2⏎return snr / (1
        + snr) | At ᾱ = 1 you get ∞/∞ = NaN, and 1 is right. Multiply numerator and denominator by 1 − ᾱ.
    ᾱ is divided by k², not the SNR | return → alpha_bar / k**2 |
        And your ᾱ_0 is not 1. Go from ᾱ to the SNR, divide, and come back.
    the noise variance is multiplied by k² | return → 1 - k**2 * (1 - alpha_bar) |
        The two variances must still add up to 1. Go from ᾱ to the SNR, divide, and come back.
    the SNR is returned, not ᾱ | return → np.divide(alpha_bar, 1 - alpha_bar) / k**2 |
    """,
)
def shifted_alpha_bar(alpha_bar, k):
    return alpha_bar / (alpha_bar + k**2 * (1 - alpha_bar))


def gaps(times):
    """How many times, first, last, smallest and largest gap: all even spacings from T to 0 agree in these."""
    times = np.asarray(times, dtype=np.float64)
    steps = -np.diff(times)
    return tuple(map(float, (len(times), times[0], times[-1], steps.min(initial=np.inf), steps.max(initial=-np.inf))))


def _grid(f):
    count, first, last, *_ = gaps(f(1000, 30))
    return f"For 30 steps over T = 1000 your {count:g} times go from {first:g} to {last:g}; right are 31, 1000 to 0."


@exercise(
    probes=((10, 4), (1000, 25), (1000, 30), (1000, 7), (50, 50), (50, 49), (10, 1)),
    returns=("number of times", "first time", "last time", "smallest gap", "largest gap"),
    measure=gaps,
    whole=True,
    sensible=lambda T, n: 1 <= n <= T,
    hints=(
        "n steps have n + 1 ends, from T down to 0.",
        "np.linspace gives evenly spaced numbers for every n, also where n does not divide T.",
        "Round them, and make them whole numbers with .astype(int): they will be indices.",
    ),
    why=""" linspace hits both ends for every n, and rounding moves each time by at most a half, so that all gaps are
    within one of each other. As whole numbers they can be indices of alpha_bar.""",
    shows={"grid": _grid},
    mistakes="""
    the stride is rounded down, so 0 is missed #6 | return → T - T // n * np.arange(n + 1) |
        {grid} Sampling would end before the sample is clean.
    the stride is rounded up, so times turn negative #6 | return → T + -T // n * np.arange(n + 1) |
        {grid} `alpha_bar[-20]` is no error in Python: it counts from the noisy end.
    a range with a fixed stride has too many times #6 | return → np.append(np.arange(T, 0, -(T // n)), 0) |
        {grid} If n does not divide T, one more step than asked for slips in.
    a range with a fixed stride misses 0 #6 | return → np.arange(T, -1, -(T // n)) |
        {grid} Where n does not divide T, it stops before 0, or has too many times.
    the last step takes all that is left #6 | return → np.append(T - T // n * np.arange(n), 0) |
        For 30 steps over T = 1000 yours are {gaps(f(1000, 30))[3]:g} to {gaps(f(1000, 30))[4]:g} long; evenly spaced
        ones differ by 1 at most.
    n times, where n + 1 are needed | n + 1 → n | {grid} n steps have n + 1 ends.
    the times are not whole numbers | return → np.linspace(T, 0, n + 1) |
        For T = 10, n = 4 your second time is {f(10, 4)[1]:g}, and there is no ᾱ between two steps: round.
    times go from T − 1 #5 | linspace(T, → linspace(T - 1, | {grid} Sampling starts from pure noise, and that is x_T.
    the times end at 1 #18 | T, 0, n → T, 1, n | {grid} The last step must reach the clean end, t = 0.
    0 is not among the times | .astype(int) → .astype(int)[:-1] | {grid} n steps have n + 1 ends.
    times rise | linspace(T, 0, → linspace(0, T, | {grid} Sampling goes from T down to 0.
    """,
)
def time_grid(T, n):
    return np.round(np.linspace(T, 0, n + 1)).astype(int)
