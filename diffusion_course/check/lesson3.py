"""Exercises of lesson 3: schedules from log-SNR, from a cosine, for few steps; and a training pair to repair."""

import math

import numpy as np

from .engine import exercise


def _three(f):
    found = ", ".join(f"{f(x):.3g}" for x in (-6.0, 0.0, 6.0))
    return f"At log-SNR −6, 0, 6 your ᾱ is {found}; 0.00247, 0.5, 0.998 are right."


@exercise(
    probes=((1.0986,), (0.0,), (np.array([6.0, 1.0, -1.0, -6.0]),)),
    returns=("ᾱ",),
    hints=(
        "The SNR is ᾱ/(1−ᾱ), and log-SNR is its natural logarithm.",
        "Take the exponential, then solve SNR · (1−ᾱ) = ᾱ for ᾱ.",
    ),
    why="""SNR = e^λ = ᾱ/(1−ᾱ), so ᾱ = e^λ/(1+e^λ) = 1/(1+e^−λ): the logistic function. At λ = 0 signal and noise have the same
    power.""",
    shows={"three": _three},
    parts={f"the log-SNR of the ᾱ you give for {x}": lambda f, x=x: np.log(f(x) / (1 - f(x))) for x in (1.0, -2.0)},
    mistakes="""
    the SNR itself is returned | return → np.exp(log_snr) | {three} Now solve SNR = ᾱ/(1−ᾱ) for ᾱ.
    SNR = ᾱ/(1−ᾱ) is solved with the wrong sign | return → np.exp(log_snr) / (1 - np.exp(log_snr)) |
        {three} A power lies between 0 and 1. Write SNR · (1−ᾱ) = ᾱ and collect ᾱ on one side.
    the function takes one number, not an array | np.exp → math.exp |
        Right for one number; but the exponential of `math` takes no arrays. NumPy's takes both.
    the sign is turned round | (-log_snr) → (log_snr) |
    a bracket is missing | return → 1 / 1 + np.exp(-log_snr) | {three} Python reads `1 / 1 + x` as (1 / 1) + x.
    the exponent is half as large as it should be #19 | np.exp(-log_snr) → np.exp(-log_snr / 2) |
        {three} SNR is a ratio of powers; no square root belongs here.
    √ᾱ is returned, not ᾱ #19 | return → (1 / (1 + np.exp(-log_snr))) ** 0.5 |
    the logarithm is taken to be decimal | np.exp(-log_snr) → 10.0**-log_snr |
        {three} log-SNR is a natural logarithm: undo it with exp.
    """,
)
def alpha_bar_from_log_snr(log_snr):
    return 1 / (1 + np.exp(-log_snr))


def _last(f):
    end = float(f(1000)[-1])
    blown = f"{1e-3 / end**0.5:.2g}" if end > 0 else "infinity"
    return f"Your ᾱ_T is {end:.2g}. x̂_0 divides by √ᾱ_T, which turns an error of 0.001 in ε̂ into {blown}."


def _four(f):
    found, right = (", ".join(f"{x:.4g}" for x in g(4)) for g in (f, cosine_alpha_bar.reference))
    return f"For T = 4 you return {found}; {right} is right."


@exercise(
    probes=((1,), (4,), (1000,)),
    returns=("ᾱ",),
    tolerance=1e-4,
    tiny=1e-12,  # ᾱ_T is 2e-9, and must be told from 0, also in float32
    measure=lambda answer: np.clip(answer, -1, 2),  # where the curve is 0 but for rounding, what follows is rounding too
    hints=(
        "Start with the curve cos²((t/T + s)/(1 + s) · π/2) at t = 0 … T, with s = 0.008.",
        "ᾱ is that curve divided by its first value. Each β is 1 minus the ratio of two neighbours: bound it by 0.999.",
        "Then build ᾱ anew from the bounded betas: a running product of 1 − β, with a 1 in front.",
    ),
    why="""The last ratio of the curve is nearly 0, so the last β would be 1 and ᾱ_T next to nothing. Bounding each β by 0.999
    leaves ᾱ_T = 2·10⁻⁹ at T = 1000, small, but nothing that a division could not stand.""",
    shows={"last": _last, "four": _four},
    mistakes="""
    plain cos² to π/2 ends at zero #11 | body → return np.cos(np.arange(T + 1) / T * np.pi / 2) ** 2 |
        {last} Bound the betas by 0.999.
    the bound on β is missing, so ᾱ_T is next to zero #11 | np.minimum(1 - curve[1:] / curve[:-1], 0.999) →
        1 - curve[1:] / curve[:-1] |
        {last} Bound the betas by 0.999.
    the bound is put on ᾱ, not on β | np.minimum(1 - curve[1:] / curve[:-1], 0.999) →
        1 - np.minimum(curve[1:] / curve[:-1], 0.999) |
        {four} It is β = 1 − ratio that must stay below 0.999.
    the betas are bounded from below | np.minimum → np.maximum |
        {four} A bound from above takes the smaller of the two: np.minimum.
    the curve is not divided by its value at t = 0 | body →
        return np.cos((np.arange(T + 1) / T + 0.008) / 1.008 * np.pi / 2) ** 2 |
        Your ᾱ_0 is {f(1000)[0]:.6f}; at t = 0 the picture is clean, ᾱ_0 = 1.
    the offset is missing | + 0.008 → |
        At T = 1000 your β_1 is {1 - f(1000)[1]:.1e}, and 4.1e-05 is right: add s to t/T.
    the division by 1 + s is missing | / 1.008 → |
        {four} Without it the curve reaches zero before t = T, and rises again.
    the cosine is not squared #1 | ** 2 → | {four} ᾱ is a power, the cosine an amplitude.
    t is not divided by T | / T → | {four} The whole way is a quarter of a wave; yours is a quarter in each step.
    the angle goes to π, not to π/2 | np.pi / 2 → np.pi |
        {four} A quarter of a wave leads from 1 to 0: the angle ends at π/2.
    ᾱ_0 = 1 is missing #5 | return → np.cumprod(1 - beta) | {four} Put the 1 of the clean picture in front.
    the betas are returned, not ᾱ | return → beta |
    1 − β is returned, not its running product | np.cumprod(1 - beta) → 1 - beta |
        {four} ᾱ_t is what all t steps keep: multiply them up with np.cumprod.
    β is multiplied, where 1 − β is meant #3 | np.cumprod(1 - beta) → np.cumprod(beta) |
        {four} β is the noise that comes, 1 − β the signal that stays.
    the product is subtracted from 1 #3 | np.cumprod(1 - beta) → 1 - np.cumprod(beta) |
        {four} Take each β from 1 first, then multiply.
    """,
)
def cosine_alpha_bar(T):
    curve = np.cos((np.arange(T + 1) / T + 0.008) / 1.008 * np.pi / 2) ** 2
    beta = np.minimum(1 - curve[1:] / curve[:-1], 0.999)
    return np.concatenate([[1.0], np.cumprod(1 - beta)])


@exercise(
    probes=((1000,), (250,), (50,)),
    returns=("betas",),
    hints=(
        "At T = 1000 they go from 0.0001 to 0.02. With fewer steps each must do more.",
        "T times fewer steps, T times larger betas: from 0.1/T to 20/T, T of them.",
    ),
    why="""What is left is about exp(−sum of the betas), so the sum must not depend on T. With 0.1/T … 20/T it is about 10 for
    every T, and √ᾱ_T stays below 0.01.""",
    shows={
        "left": lambda f: f"At T = 50 your betas leave √ᾱ_T = {np.prod(1 - np.asarray(f(50))) ** 0.5:.3f} of the amplitude in x_T, "
        "where less than 0.01 is right."
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
    probes=((0.5, 2), (0.8, 1), (np.array([1.0, 0.9, 0.1, 0.0]), 4)),
    returns=("ᾱ",),
    hints=(
        "Go from ᾱ to the SNR ᾱ/(1−ᾱ), divide it by k², and come back.",
        "Coming back is ᾱ = SNR/(1 + SNR). Multiply numerator and denominator by 1 − ᾱ, so that ᾱ = 1 divides by nothing.",
    ),
    why="""Averaging a block of k·k pixels divides the noise variance by k², so a picture k times as large needs an SNR k² times
    smaller to be destroyed as much. SNR/(1+SNR), multiplied out by 1−ᾱ, is ᾱ/(ᾱ + k²(1−ᾱ)).""",
    parts={
        f"at ᾱ = {a}, k = {k} the factor by which the SNR shrinks": lambda f, a=a, k=k: a / (1 - a) * (1 - f(a, k)) / f(a, k)
        for a, k in ((0.5, 2), (0.8, 3))
    },
    shows={"half": lambda f: f"From ᾱ = 0.5 and k = 2 you make {f(0.5, 2):.4g}; SNR ¼, so ᾱ = 0.2, is right."},
    mistakes="""
    the SNR is divided by k, not by k² #19 | k**2 → k |
        {half} A block has k·k pixels, and the variance of a mean falls by their number.
    the SNR is multiplied by k² | return → k**2 * alpha_bar / (k**2 * alpha_bar + 1 - alpha_bar) |
        {half} A larger picture needs more noise to be destroyed as much, so a smaller SNR.
    the SNR of the clean picture is infinite | body →
        snr = np.divide(alpha_bar, 1 - alpha_bar) / k**2⏎return snr / (1 + snr) |
        At ᾱ = 1 you get ∞/∞ = NaN, and 1 is right. Multiply numerator and denominator by 1 − ᾱ.
    ᾱ is divided by k², not the SNR | return → alpha_bar / k**2 |
        {half} And your ᾱ_0 is not 1. Go from ᾱ to the SNR, divide, and come back.
    the noise variance is multiplied by k² | return → 1 - k**2 * (1 - alpha_bar) |
        {half} The two variances must still add up to 1. Go from ᾱ to the SNR, divide, and come back.
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
    return f"For 30 steps over T = 1000 your {count:g} times go from {first:g} to {last:g}; 31 from 1000 to 0 are right."


@exercise(
    probes=((10, 4), (1000, 25), (1000, 30), (1000, 7), (50, 50), (50, 49), (10, 1)),
    returns=("number of times", "first time", "last time", "smallest gap", "largest gap"),
    measure=gaps,
    whole=True,
    hints=(
        "n steps have n + 1 ends, from T down to 0.",
        "np.linspace gives evenly spaced numbers for every n, also where n does not divide T.",
        "Round them, and make them whole numbers with .astype(int): they will be indices.",
    ),
    why="""linspace hits both ends for every n, and rounding moves each time by at most a half, so that all gaps are within one
    of each other. As whole numbers they can be indices of alpha_bar.""",
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
        For 30 steps over T = 1000 yours are {gaps(f(1000, 30))[3]:g} to {gaps(f(1000, 30))[4]:g} long; evenly
        spaced ones differ by 1 at most.
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


BYTES = (np.arange(4096) % 256).astype(np.uint8)
BETA = np.array([0.02, 0.1, 0.3, 0.6, 0.9])


def _near(value, to, within):
    """`to` where the value is within what chance allows."""
    return float(to if abs(value - to) < within else value)


def taken_apart(pair):
    """How x_t is made of x_0, of the ε returned and of a constant (least squares), what is neither; moments of ε."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2 or np.shape(pair[0]) != BYTES.shape != np.shape(pair[1]):
        return np.array([-1.0])
    xt, eps = (np.asarray(part, dtype=np.float64) for part in pair)
    parts = np.column_stack([BYTES / 127.5 - 1, eps, np.ones_like(eps)])
    weights = np.linalg.pinv(parts.T @ parts) @ (parts.T @ xt)
    rest = np.std(xt - parts @ weights)
    fourth = np.mean((eps - eps.mean()) ** 4) / max(eps.std() ** 4, 1e-30)
    moments = _near(eps.mean(), 0, 0.08), _near(eps.std(), 1, 0.06), _near(fourth, 3, 0.4)  # 5 standard errors
    return (*map(float, weights), float(rest) if rest > 1e-5 else 0.0, *moments)


def _decoded(f):
    kept = 0.98 * 0.9
    xt, eps = f(BYTES, BETA, 2, np.random.default_rng(0))
    found = np.float64((xt[0] - (1 - kept) ** 0.5 * eps[0]) / kept**0.5)
    return f"A black pixel (0), noised to ᾱ_2 = 0.98 · 0.9 and decoded again, becomes {found:.3g}, and −1 is right:"


def _drawn(f):
    _, eps = f(BYTES, BETA, 2, np.random.default_rng(0))
    return f"Known samples decode to the last digit, and yet your noise has mean {np.mean(eps):.2f} and spread {np.std(eps):.2f}, not 0 and 1."


@exercise(
    probes=tuple((BYTES, BETA, t, np.random.default_rng(t)) for t in (1, 2, 3, 5)),
    measure=taken_apart,
    returns=("weight of x_0", "weight of ε", "constant", "part that is neither", "mean of ε", "spread of ε", "kurtosis of ε"),
    tolerance=1e-5,
    hints=(
        "Print one thing at a time: the range of x_0, ᾱ_1 (it is 1 − β_1), the mean and spread of ε.",
        "Decode: from x_t and ε, x_0 = (x_t − √(1−ᾱ_t) ε)/√ᾱ_t must come out, for every t.",
        "What decoding cannot find is in ε itself: draw many, and look at their histogram.",
    ),
    why="""x_0 lies in −1 … 1, so that noise of variance 1 can drown it; ᾱ_t is the product of the first t factors 1 − β; and x_t is
    √ᾱ_t x_0 + √(1−ᾱ_t) ε with Gaussian ε, the ε that is returned.""",
    shows={"decoded": _decoded, "drawn": _drawn},
    mistakes="""
    β is used where α is meant #3 | 1 - beta → beta | {decoded} what does step t keep?
    x_0 is scaled to 0 … 1 #12 | photos / 127.5 - 1 → photos / 255 |
        {decoded} noise is centred on 0, so pictures should be.
    a square root is missing #1 | np.sqrt(1 - alpha_bar[t]) → (1 - alpha_bar[t]) |
        {decoded} the noise has not the power that ᾱ leaves for it.
    ᾱ is taken one step too early #5 | np.sqrt(alpha_bar[t]) → np.sqrt(alpha_bar[t - 1]) && np.sqrt(1 - alpha_bar[t]) →
        np.sqrt(1 - alpha_bar[t - 1]) |
        {decoded} count: ᾱ_1 = 1 − β_1.
    uniform noise, not Gaussian #2 | standard_normal → random | {drawn} `random` is uniform, `standard_normal` Gaussian.
    the product is taken backwards #4 | 1 - beta → 1 - beta[::-1] | {decoded} which β comes first?
    both square roots are missing #1 | np.sqrt(alpha_bar[t]) → alpha_bar[t] && np.sqrt(1 - alpha_bar[t]) →
        (1 - alpha_bar[t]) |
        {decoded} powers add, so each factor is the root of a power.
    the weights of x_0 and ε are exchanged | * x0 + → * eps + && * eps, eps → * x0, eps |
        {decoded} at t = 1 nearly all of x_0 must be left.
    ᾱ_0 = 1 is missing, so ᾱ is taken one step too late #5 | np.concatenate([[1.0], np.cumprod(1 - beta)]) →
        np.append(np.cumprod(1 - beta), 0.0) |
        {decoded} alpha_bar[t] must be the product of the first t factors, so alpha_bar[0] is 1.
    the β are multiplied, then taken from 1 #3 | np.cumprod(1 - beta) → 1 - np.cumprod(beta) |
        {decoded} each step keeps 1 − β, and those shares multiply.
    the running product is missing #3 | np.cumprod(1 - beta) → 1 - beta |
        {decoded} ᾱ_t is what all t steps keep, α_t what the last one does.
    bytes overflow | photos / 127.5 - 1 → 2 * photos / 255 - 1 |
        {decoded} `photos` holds bytes, and 2 · 200 is 144 in bytes. Divide first, or make floats of them.
    x_0 is not scaled | photos / 127.5 - 1 → photos * 1.0 |
        {decoded} bytes up to 255 would drown all noise. Bring them to −1 … 1.
    the noise is subtracted | + np.sqrt → - np.sqrt |
        x_t must be made with +ε, for the ε that you return is the one that the network has to find in it.
    ε comes before x_t | return → eps, np.sqrt(alpha_bar[t]) * x0 + np.sqrt(1 - alpha_bar[t]) * eps |
        Return two arrays, x_t first: `return xt, eps`.
    x_0 is returned, not ε | * eps, eps → * eps, x0 | The network is to learn the noise: `return xt, eps`.
    ε is missing | * eps, eps → * eps |
        The network learns from x_t and from the noise in it: return two arrays of the shape of the photos, `xt,
        eps`.
    another ε is returned | * eps, eps → * eps, rng.standard_normal(x0.shape) |
        The ε that you return must be the one in x_t: draw once, use it twice.
    """,
)
def training_pair(photos, beta, t, rng):
    x0 = photos / 127.5 - 1
    alpha_bar = np.concatenate([[1.0], np.cumprod(1 - beta)])
    eps = rng.standard_normal(x0.shape)
    return np.sqrt(alpha_bar[t]) * x0 + np.sqrt(1 - alpha_bar[t]) * eps, eps
