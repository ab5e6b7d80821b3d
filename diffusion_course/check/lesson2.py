"""Exercises of lesson 2: the variance on the way, how many steps, the posterior, x_0 and ε from v, the loop of DDPM."""

import numpy as np

from .asked import Finding
from .lesson1 import UNIT_EPS, UNIT_X
from .table import exercise


@exercise(
    probes=tuple(
        (variance, np.array(betas))
        for variance, *betas in (
            (4.0, 0.5, 0.5),
            (1.0, 0.36),
            (0.0, 0.36, 0.5),
            (4.0, 0.1, 0.2, 0.5),
            (2.0, 1.0),
            (0.25,),
        )
    ),
    returns=("variance",),
    linear=("variance",),
    table="""
    hint | Go through the array with a loop. What does one step do to the variance?
    hint | A factor c in front of x is c² in front of its variance, and the factor is √(1−β).
    hint | The noise that joins has variance β. Variances of independent terms add.
    why | Each step multiplies the variance by 1−β and adds β. Whatever it starts from, it moves towards 1: the distance
        to 1 is multiplied by 1−β in every step.
    both factors are put on the variance without squaring them #1 | (1 - beta) → (1 - beta) ** 0.5 && + beta → +
        beta**0.5 | A factor c in front of x is c² in front of its variance.
    the new noise is shrunk too | (1 - beta) * variance + beta → (1 - beta) * (variance + beta) |
        The noise of a step joins after the shrinking.
    only the first step is taken | ⏎    return → ⏎        return |
        Is the `return` inside the loop? Every β of the array makes a step.
    every step starts from the first variance | variance = ( → new = ( && return → new |
        Assign the result of a step to the variance that the next one starts from.
    the first β is left out | in betas → in betas[1:] |
        Do you leave out betas[0]? Here the array begins with the first step. (Only in `linear.beta` is entry 0 unused.)
    the spread is returned, not the variance #19 | return → variance**0.5 | The spread is the root of the variance.
    """,
)
def variance_after(variance, betas):
    for beta in betas:
        variance = (1 - beta) * variance + beta
    return variance


def _left(T: int) -> float:
    """√ᾱ_T of T betas from 1e-4 to 0.02."""
    return float(np.prod(1 - np.linspace(1e-4, 0.02, T)) ** 0.5)


_SMALLEST = next(T for T in range(400, 500) if _left(T) <= 0.1)
smallest_T = Finding(
    "smallest_T",
    right=range(_SMALLEST, _SMALLEST + 1),
    wrong=lambda T: (
        f"{T} steps leave √ᾱ_T = {_left(T):.4f} of the amplitude. "
        + ("More steps are needed." if T < _SMALLEST else "It is enough, but is it the smallest?")
    ),
    asked="a whole number of steps",
    among=range(2, 100_001),
    hints=(
        "√ᾱ_T falls as T grows. Print it for T = 200, 400, 600.",
        "Go one by one between the two that enclose 0.1, or halve the gap between them again and again.",
    ),
    why="With these betas ln √ᾱ_T is about −0.005 T, so a tenth is left near T = 460. Fewer steps need larger betas.",
)


@exercise(
    probes=(
        (1.0, 0.0, 0.36, 0.64),
        (0.0, 1.0, 0.36, 0.64),
        (3.0, -1.0, 0.25, 1.0),
        (np.array([-1.0, 0.5, 2.0]), np.array([0.3, 0.0, -1.2]), 0.1, 0.12),
    ),
    linear=("x0", "xt"),
    returns=("mean", "variance"),
    shows="""def posterior(x0, xt, alpha_bar_t, alpha_bar_s):
    (m, A), (n, B) = clues(x0, xt, alpha_bar_t, alpha_bar_s)
    return (B * m + A * n) / (A + B), A * B / (A + B)""",
    refuse=lambda answer: (
        "your function puts both into one array; return two values, `return mean, variance`."
        if isinstance(answer, np.ndarray) and len(np.atleast_1d(answer)) == 2
        else None
    ),
    table="""
    hint | `(m, A), (n, B) = clues(x0, xt, alpha_bar_t, alpha_bar_s)`. By the rule the mean is (m/A + n/B)/(1/A + 1/B):
        what must you multiply above and below by, so that nothing is divided by A?
    hint | By A·B. That makes the mean (B·m + A·n)/(A + B).
    hint | The variance is 1/(1/A + 1/B). Multiplied above and below by A·B, it is A·B/(A + B).
    why | Precisions add, and the mean is weighted by them. Above and below times A·B, nothing is divided by A any more,
        so that s = 0 gives x_0 with variance 0.
    α is upside down | alpha_bar_t / alpha_bar_s → alpha_bar_s / alpha_bar_t |
        α = ᾱ_t/ᾱ_s is a share, at most 1. ᾱ_s/ᾱ_t is above 1 and makes 1 − α negative.
    α is ᾱ_t, not ᾱ_t/ᾱ_s | alpha_bar_t / alpha_bar_s → alpha_bar_t |
        α is what the steps between s and t keep; ᾱ_t is what all steps from 0 to t keep.
    the second clue is the jump from 0 to t, not from s to t | body → a, b = 1 - alpha_bar_s, (1 - alpha_bar_t) /
        alpha_bar_t⏎return (b * alpha_bar_s**0.5 * x0 + a * xt / alpha_bar_t**0.5) / (a + b), a * b / (a + b) |
        You use ᾱ_t in it where α = ᾱ_t/ᾱ_s belongs.
    the precision of the first clue is infinite at s = 0 | body → alpha = alpha_bar_t / alpha_bar_s⏎of_x0, of_xt = 1 /
        (1 - alpha_bar_s), alpha / (1 - alpha)⏎variance = 1 / (of_x0 + of_xt)⏎return variance * (of_x0 *
        alpha_bar_s**0.5 * x0 + of_xt * xt / alpha**0.5), variance |
        Right for every other s. Multiply out, so that nothing is divided by 1 − ᾱ_s.
    each mean is weighted by its own variance | body → alpha = alpha_bar_t / alpha_bar_s⏎a, b = 1 - alpha_bar_s, (1 -
        alpha) / alpha⏎return (a * alpha_bar_s**0.5 * x0 + b * xt / alpha**0.5) / (a + b), a * b / (a + b) |
        The surer clue, with the smaller variance, must count more: weight each mean by its precision.
    the second clue has the variance 1 − α, not (1 − α)/α | body → alpha = alpha_bar_t / alpha_bar_s⏎a, b = 1 -
        alpha_bar_s, 1 - alpha⏎return (b * alpha_bar_s**0.5 * x0 + a * xt / alpha**0.5) / (a + b), a * b / (a + b) |
        It speaks about x_s: solved for it, the jump reads x_s = x_t/√α − √((1−α)/α) ε.
    the variances are added | variance = (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha) → variance = 1 -
        alpha_bar_s + (1 - alpha) / alpha | Two clues about one thing leave less doubt than either: precisions add.
    the variance is 1 − α, as if x_0 were not known | variance = (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha) →
        variance = 1 - alpha | Two clues together leave less doubt than one: the factor (1−ᾱ_s)/(1−ᾱ_t) is missing.
    the spread is returned, not the variance #19 | return → mean, variance**0.5 |
        Precisions are 1/variance, and what they add up to is 1/variance as well: take no root.
    the square root of α is missing in front of x_t #1 | alpha**0.5 → alpha |
    """,
)
def posterior(x0, xt, alpha_bar_t, alpha_bar_s):
    alpha = alpha_bar_t / alpha_bar_s
    mean = (alpha_bar_s**0.5 * (1 - alpha) * x0 + alpha**0.5 * (1 - alpha_bar_s) * xt) / (1 - alpha_bar_t)
    variance = (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha)
    return mean, variance


@exercise(
    probes=(
        *map(tuple, np.array([[2.2, 0.36, 0.4], [-1.0, 0.9, 0.5], [0.7, 0.0, -1.5], [0.7, 1.0, -1.5]])),
        (UNIT_X, np.float64(0.36), UNIT_EPS),  # numbers of NumPy, as in the lesson: x/0 is NaN in one result only
    ),
    linear=("xt", "v"),
    returns=("x_0", "ε"),
    table="""
    hint | x_t = cos φ x_0 + sin φ ε and v = cos φ ε − sin φ x_0, with cos φ = √ᾱ: a turn of the pair (x_0, ε) by φ.
    hint | Turning back by φ has the same cosines, and the sines with the other sign.
    why | (x_t, v) is (x_0, ε) turned by φ, with cos φ = √ᾱ and sin φ = √(1−ᾱ). Turning back needs no division, so it is
        good at every noise level, also where x_t is pure noise.
    the turn goes the wrong way | xt - sin * v, sin * xt + → xt + sin * v, -sin * xt + |
        You turned by φ once more; turning back has the other signs.
    the square roots are missing #1 | alpha_bar_t**0.5, (1 - alpha_bar_t) ** 0.5 → alpha_bar_t, 1 - alpha_bar_t |
        ᾱ = cos² φ, so cos φ is its root.
    ε is found by a division, which fails at ᾱ = 1 | body → x0 = alpha_bar_t**0.5 * xt - (1 - alpha_bar_t) ** 0.5 *
        v⏎return x0, (xt - alpha_bar_t**0.5 * x0) / (1 - alpha_bar_t) ** 0.5 |
        Right elsewhere, but no division is needed: ε is a combination of sin φ · x_t and cos φ · v.
    x_0 is found by a division, which fails at ᾱ = 0 | body → eps = (1 - alpha_bar_t) ** 0.5 * xt + alpha_bar_t**0.5 *
        v⏎return (xt - (1 - alpha_bar_t) ** 0.5 * eps) / alpha_bar_t**0.5, eps |
        Right elsewhere, but no division is needed: x_0 is a combination of cos φ · x_t and sin φ · v.
    x_0 is found by a division, which fails at ᾱ = 1 | body → cos, sin = alpha_bar_t**0.5, (1 - alpha_bar_t) **
        0.5⏎eps = sin * xt + cos * v⏎return (cos * eps - v) / sin, eps |
        Right elsewhere, but no division is needed: x_0 is a combination of cos φ · x_t and sin φ · v.
    ε is found by a division, which fails at ᾱ = 0 | body → cos, sin = alpha_bar_t**0.5, (1 - alpha_bar_t) **
        0.5⏎x0 = cos * xt - sin * v⏎return x0, (sin * x0 + v) / cos |
        Right elsewhere, but no division is needed: ε is a combination of sin φ · x_t and cos φ · v.
    v is taken for the noise #13 | return → (xt - sin * v) / cos, v |
        v is a mixture of both, and no division is needed to undo a turn.
    """,
)
def names_from_v(xt, alpha_bar_t, v):
    cos, sin = alpha_bar_t**0.5, (1 - alpha_bar_t) ** 0.5
    return cos * xt - sin * v, sin * xt + cos * v


_posterior = posterior.reference
CLOUD, LEVELS = np.array([[1.5, -0.4], [0.2, 0.9], [-1.1, 0.3]]), np.array([1.0, 0.9, 0.5, 0.1])


def _guess(x, t):
    """A denoiser's ε̂ that differs from t to t."""
    return 0.3 * t * x + 0.1


@exercise(
    probes=tuple(
        (CLOUD, _guess, levels, np.random.default_rng(4), noise)
        for levels, noise in ((LEVELS, 0.0), (LEVELS, 1.0), (LEVELS[::2], 1.0), (LEVELS[:3], 0.5))
    ),
    returns=("path",),
    given=4,
    table="""
    hint | Three lines. First the guess: model(x, t) is ε̂. In x_t = √ᾱ_t x̂_0 + √(1−ᾱ_t) ε̂, subtract √(1−ᾱ_t) ε̂ on both
        sides, then divide by √ᾱ_t: that is x̂_0.
    hint | Then `posterior`, from the level of t to that of t − 1: alpha_bar[t], alpha_bar[t - 1].
    hint | Last, x becomes a draw from it: mean + noise · √variance · ε, with rng.standard_normal(x.shape) for ε.
    why | Each step takes the guess for the truth, and draws the next x from the posterior: its mean, and fresh noise as
        wide as its spread. At t = 1 the variance is 0, so the path ends in the last guess.
    the fresh noise is missing | + noise * variance**0.5 * rng.standard_normal(x.shape) → |
        You go to the mean of the posterior. Draw from it: add noise · √variance · ε, with a new ε in every step.
    the variance stands without its root in front of the fresh noise #1 | variance**0.5 → variance |
        A variance of 0.04 is a spread of 0.2: the factor in front of ε is the root.
    the width of the noise is itself random #9 | noise * variance → noise * rng.standard_normal(x.shape) * variance |
        The width is a number, √variance; only ε is drawn.
    the spread of the posterior is missing in front of the fresh noise | variance**0.5 * → |
        The fresh noise is as wide as the posterior: its factor is noise · √variance.
    the dial `noise` is not used | noise * variance → variance | Multiply the fresh noise by `noise`.
    `noise` multiplies the mean, too | mean + noise * variance**0.5 * rng.standard_normal(x.shape) → noise * (mean +
        variance**0.5 * rng.standard_normal(x.shape)) | Only the fresh noise is multiplied by `noise`.
    the fresh noise is uniform, not Gaussian #2 | standard_normal → random |
        `random` is uniform between 0 and 1; `standard_normal` is Gaussian.
    one random number moves all points alike | rng.standard_normal(x.shape) → rng.standard_normal() |
        Every number of x needs a draw of its own: hand x.shape to the generator.
    the last step leaves noise in the result #7 | variance**0.5 → (1 - alpha_bar[t] / alpha_bar[t - 1]) ** 0.5 |
        The fresh noise is as wide as the posterior, whose variance at t = 1 is 0; yours is β_t.
    x_t and the guess are exchanged in `posterior` | (x0_hat, x, → (x, x0_hat, | It takes the guess first, then x_t.
    the two levels are exchanged in `posterior` | alpha_bar[t], alpha_bar[t - 1] → alpha_bar[t - 1], alpha_bar[t] |
        A step leads from the level of t to that of t − 1: hand them over in this order.
    the model is asked about the next level #5 | model(x, t) → model(x, t - 1) |
        x has the level t when you ask; t − 1 is where it goes.
    the guess is solved for at the next level | (x - (1 - alpha_bar[t]) ** 0.5 * model(x, t)) / alpha_bar[t] ** 0.5 →
        (x - (1 - alpha_bar[t - 1]) ** 0.5 * model(x, t)) / alpha_bar[t - 1] ** 0.5 |
        x still has the level of t, not of t − 1, when you solve for x̂_0.
    the model's ε̂ is taken for x̂_0 #13 | (x - (1 - alpha_bar[t]) ** 0.5 * model(x, t)) / alpha_bar[t] ** 0.5 →
        model(x, t) | The model answers with the noise; solve x_t = √ᾱ_t x̂_0 + √(1−ᾱ_t) ε̂ for x̂_0.
    the noise is added in the guess, not subtracted | (x - → (x + | The sign in the guess is wrong: x̂_0 is
        (x_t − √(1−ᾱ_t) ε̂)/√ᾱ_t.
    the noise has the factor 1 − ᾱ_t in the guess, without the root #1 | (1 - alpha_bar[t]) ** 0.5 * model → (1 -
        alpha_bar[t]) * model | 1 − ᾱ_t is a variance; the factor in front of ε̂ is √(1−ᾱ_t).
    the guess is divided by ᾱ_t, not by its root #1 | / alpha_bar[t] ** 0.5 → / alpha_bar[t] |
        The factor in front of x̂_0 is √ᾱ_t: divide by that.
    both roots are missing in the guess #1 | (1 - alpha_bar[t]) ** 0.5 * model(x, t)) / alpha_bar[t] ** 0.5 → (1 -
        alpha_bar[t]) * model(x, t)) / alpha_bar[t] | The factors are √ᾱ_t and √(1−ᾱ_t).
    the guess is not divided by √ᾱ_t | / alpha_bar[t] ** 0.5 → | x_t − √(1−ᾱ_t) ε̂ is √ᾱ_t x̂_0: divide by √ᾱ_t.
    x is never changed | x = mean → new = mean | Each step starts where the one before ended: assign the result to x.
    """,
)
def go_back(x, model, alpha_bar, rng, noise=1.0):
    path = [x]
    for t in range(len(alpha_bar) - 1, 0, -1):
        x0_hat = (x - (1 - alpha_bar[t]) ** 0.5 * model(x, t)) / alpha_bar[t] ** 0.5
        mean, variance = _posterior(x0_hat, x, alpha_bar[t], alpha_bar[t - 1])
        x = mean + noise * variance**0.5 * rng.standard_normal(x.shape)
        path.append(x)
    return np.array(path)
