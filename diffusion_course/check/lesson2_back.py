"""Exercises of lesson 2 on the way back: the posterior, x_0 and ε from v, the smallest training, the loop of DDPM."""

import numpy as np

from .lesson1 import UNIT_EPS, UNIT_X
from .table import exercise


@exercise(
    probes=(
        (1.0, 0.0, 0.36, 0.64),
        (0.0, 1.0, 0.36, 0.64),
        (3.0, -1.0, 0.25, 1.0),
        (np.array([-1.0, 0.5, 2.0]), np.array([0.3, 0.0, -1.2]), 0.1, 0.12),
    ),
    linear=("x0", "xt"),
    returns=("mean", "variance"),
    refuse=lambda answer: (
        "your function puts both into one array; return two values, `return mean, variance`."
        if isinstance(answer, np.ndarray) and len(np.atleast_1d(answer)) == 2
        else None
    ),
    hints=(
        "With α = ᾱ_t/ᾱ_s: m = √ᾱ_s x_0 with variance A = 1−ᾱ_s, and n = x_t/√α with variance B = (1−α)/α.",
        "Precisions add, so the variance is 1/(1/A + 1/B). Multiply above and below by A·B.",
        "The mean is (m/A + n/B)/(1/A + 1/B). Multiply above and below by A·B, too: (B·m + A·n)/(A + B).",
    ),
    why=""" The product of two Gaussians is a Gaussian: precisions add, and the mean is weighted by them. Multiplied
    out by (1−ᾱ_s)(1−α), only 1−ᾱ_t is left to divide by, so that s = 0 gives x_0 with variance 0.""",
    mistakes="""
    the weights of x_0 and x_t are exchanged | * x0 + → * xt + && * xt) → * x0) |
    ᾱ_t and ᾱ_s are exchanged | alpha = alpha_bar_t / alpha_bar_s → alpha_bar_t, alpha_bar_s = alpha_bar_s,
        alpha_bar_t⏎    alpha = alpha_bar_t / alpha_bar_s |
        More is left at s than at t: ᾱ_s is the larger one, and the only one that may be 1.
    α is upside down | alpha_bar_t / alpha_bar_s → alpha_bar_s / alpha_bar_t |
        α = ᾱ_t/ᾱ_s is a share, at most 1. ᾱ_s/ᾱ_t is above 1 and makes 1 − α negative.
    the precision of the first clue is infinite at s = 0 | body → alpha = alpha_bar_t / alpha_bar_s⏎of_x0, of_xt = 1 /
        (1 - alpha_bar_s), alpha / (1 - alpha)⏎variance = 1 / (of_x0 + of_xt)⏎return variance * (of_x0 *
        alpha_bar_s**0.5 * x0 + of_xt * xt / alpha**0.5), variance |
        Right for every other s. Multiply out, so that nothing is divided by 1 − ᾱ_s.
    each mean is weighted by its own variance | body → alpha = alpha_bar_t / alpha_bar_s⏎a, b = 1 - alpha_bar_s, (1 -
        alpha) / alpha⏎return (a * alpha_bar_s**0.5 * x0 + b * xt / alpha**0.5) / (a + b), a * b / (a + b) |
        The surer clue, with the smaller variance, must count more: weight each mean by its precision.
    spreads stand where variances belong #19 | body → alpha = alpha_bar_t / alpha_bar_s⏎a, b = (1 - alpha_bar_s) **
        0.5, ((1 - alpha) / alpha) ** 0.5⏎return (b * alpha_bar_s**0.5 * x0 + a * xt / alpha**0.5) / (a + b), a * b /
        (a + b) | A precision is one over the *variance*; take no root of 1−ᾱ_s or of (1−α)/α.
    the second clue has the variance 1 − α, not (1 − α)/α | body → alpha = alpha_bar_t / alpha_bar_s⏎a, b = 1 -
        alpha_bar_s, 1 - alpha⏎return (b * alpha_bar_s**0.5 * x0 + a * xt / alpha**0.5) / (a + b), a * b / (a + b) |
        To get x_s from x_t you divide by √α, and so the variance by α.
    the variances are added | variance = (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha) → variance = 1 -
        alpha_bar_s + (1 - alpha) / alpha | Two clues about one thing leave less doubt than either: precisions add.
    the variances are averaged | variance = (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha) → variance = (1 -
        alpha_bar_s + (1 - alpha) / alpha) / 2 | Two clues leave less doubt than either: precisions add.
    the variance comes first, the mean second | return → variance, mean |
    the variance is 1 − α, as if x_0 were not known | variance = (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha) →
        variance = 1 - alpha | two clues together leave less doubt than one, so the factor (1−ᾱ_s)/(1−ᾱ_t) is missing.
    the spread is returned, not the variance #19 | return → mean, variance**0.5 |
        Precisions are 1/variance, and what they add up to is 1/variance as well: take no root.
    α is ᾱ_t, not ᾱ_t/ᾱ_s | alpha_bar_t / alpha_bar_s → alpha_bar_t |
        α is what the steps between s and t keep; ᾱ_t is what all steps from 0 to t keep.
    α is 1 − ᾱ_t | alpha_bar_t / alpha_bar_s → 1 - alpha_bar_t | α is what the steps between s and t keep: ᾱ_t/ᾱ_s.
    the square root of α is missing in front of x_t #1 | alpha**0.5 → alpha |
    √ᾱ_s is missing in front of x_0 | alpha_bar_s**0.5 * → |
    ᾱ_s stands without its root in front of x_0 #1 | alpha_bar_s**0.5 → alpha_bar_s |
    the division by 1 − ᾱ_t is missing | xt) / (1 - alpha_bar_t) → xt) && / (1 - alpha_bar_t) * → * |
        1 − ᾱ_t comes from the sum of the precisions.
    only the mean is returned | return → mean |
    """,
)
def posterior(x0, xt, alpha_bar_t, alpha_bar_s):
    alpha = alpha_bar_t / alpha_bar_s
    mean = (alpha_bar_s**0.5 * (1 - alpha) * x0 + alpha**0.5 * (1 - alpha_bar_s) * xt) / (1 - alpha_bar_t)
    variance = (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha)
    return mean, variance


@exercise(
    probes=((2.2, 0.36, 0.4), (-1.0, 0.9, 0.5), (0.7, 0.0, -1.5), (0.7, 1.0, -1.5), (UNIT_X, 0.36, UNIT_EPS)),
    linear=("xt", "v"),
    returns=("x_0", "ε"),
    hints=(
        "x_t = cos φ x_0 + sin φ ε and v = cos φ ε − sin φ x_0, with cos φ = √ᾱ: a turn of the pair (x_0, ε) by φ.",
        "Turning back by φ has the same cosines, and the sines with the other sign.",
    ),
    why=""" (x_t, v) is (x_0, ε) turned by φ, with cos φ = √ᾱ and sin φ = √(1−ᾱ). Turning back needs no division, so it
    is good at every noise level, also where x_t is pure noise.""",
    mistakes="""
    ε comes first, x_0 second | return → sin * xt + cos * v, cos * xt - sin * v | Return x_0 first, then ε.
    the turn goes the wrong way | xt - sin * v, sin * xt + → xt + sin * v, -sin * xt + |
        You turned by φ once more; turning back has the other signs.
    x_0 has a wrong sign in front of v | - sin * v → + sin * v |
    ε has a wrong sign | + cos * v → - cos * v |
    cos φ and sin φ are exchanged | return → sin * xt - cos * v, cos * xt + sin * v |
        cos φ = √ᾱ and sin φ = √(1−ᾱ): at ᾱ = 1, x_t is x_0.
    the square roots are missing #1 | alpha_bar_t**0.5, (1 - alpha_bar_t) ** 0.5 → alpha_bar_t, 1 - alpha_bar_t |
        ᾱ = cos² φ, so cos φ is its root.
    ε is found by a division, which fails at ᾱ = 1 | body → x0 = alpha_bar_t**0.5 * xt - (1 - alpha_bar_t) ** 0.5 *
        v⏎return x0, (xt - alpha_bar_t**0.5 * x0) / (1 - alpha_bar_t) ** 0.5 |
        Right elsewhere, but no division is needed: ε is a combination of sin φ · x_t and cos φ · v.
    x_0 is found by a division, which fails at ᾱ = 0 | body → eps = (1 - alpha_bar_t) ** 0.5 * xt + alpha_bar_t**0.5 *
        v⏎return (xt - (1 - alpha_bar_t) ** 0.5 * eps) / alpha_bar_t**0.5, eps |
        Right elsewhere, but no division is needed: x_0 is a combination of cos φ · x_t and sin φ · v.
    only x_0 is returned | , sin * xt + cos * v → |
    v is taken for the noise #13 | return → (xt - sin * v) / cos, v |
        v is a mixture of both, and no division is needed to undo a turn.
    """,
)
def names_from_v(xt, alpha_bar_t, v):
    cos, sin = alpha_bar_t**0.5, (1 - alpha_bar_t) ** 0.5
    return cos * xt - sin * v, sin * xt + cos * v


FEW, MORE = np.array([0.0, 1.0, 2.0]), np.array([-1.0, 0.5, 2.0, 3.0, 5.0])


@exercise(
    probes=((FEW, np.array([1.0, 3.0, 8.0])), (MORE, np.array([2.0, -1.0, 0.0, -2.5, 1.0]))),
    returns=("slope", "offset"),
    hints=(
        "Take the means away first: how do x − x̄ and y − ȳ go together?",
        "slope = mean of (x − x̄)(y − ȳ), divided by the mean of (x − x̄)².",
        "The line goes through (x̄, ȳ): solve ȳ = slope · x̄ + offset.",
    ),
    parts={
        "the slope of points on y = 2x": lambda f: f(FEW, 2 * FEW)[0],
        "the slope of points with means 0": lambda f: f(FEW - 1, np.array([-3.0, -1.0, 4.0]))[0],
        "the offset of points that all have y = 3": lambda f: f(FEW, 0 * FEW + 3)[1],
        "the height of the line at x̄ above ȳ": lambda f: np.dot(f(MORE, MORE**2), [MORE.mean(), 1]) - (MORE**2).mean(),
    },
    why=""" Where the mean squared error is smallest, its derivatives by slope and offset are 0. The offset makes the
    line go through (x̄, ȳ); the slope is covariance over variance of x, what y does when x moves by one.""",
    mistakes="""
    the line is forced through 0 | body → return (x * y).sum() / (x * x).sum(), 0.0 |
        Take the means away first, and let the offset carry them: an off-centre blob needs it.
    x and y are exchanged | dx, dy = x - x.mean(), y - y.mean() → x, y = y, x⏎    dx, dy = x - x.mean(), y - y.mean() |
        We estimate y (the noise) from x (what we see): divide by the variance of x.
    the covariance is not divided by the variance of x | / (dx**2).mean() → |
        If x is measured in other units, the slope must change with them.
    the covariance is divided by the variance of y | (dx**2) → (dy**2) |
    the covariance is divided by the spread of x, not its variance #19 | (dx**2).mean() → (dx**2).mean() ** 0.5 |
        Halve all x, and the slope must double; with the spread below, it does not change.
    the slope is the correlation | (dx**2).mean() → ((dx**2).mean() * (dy**2).mean()) ** 0.5 |
        A correlation has no units and stays within ±1; a slope has the units of y over those of x.
    the means are not taken away in the covariance | (dx * dy).mean() → (x * y).mean() |
        The covariance of x and y is the mean of (x − x̄)(y − ȳ), not of x · y.
    the means are not taken away, in the covariance and in the variance | (dx * dy).mean() → (x * y).mean() && (dx**2)
        → (x**2) | That is the slope of a line through 0. Take x̄ and ȳ away before you multiply.
    covariance and variance count differently (n − 1 and n) | (dx * dy).mean() → (dx * dy).sum() / (len(x) - 1) |
        `np.cov` divides by n − 1, `np.var` by n: use the same for both.
    a sum is divided by a mean | (dx * dy).mean() → (dx * dy).sum() |
        Sum by sum, or mean by mean: as it is, the slope grows with the number of points.
    the slope is the ratio of the spreads | (dx * dy).mean() / (dx**2).mean() → ((dy**2).mean() / (dx**2).mean()) **
        0.5 | Right only if y followed x exactly; the part of y that x says nothing about must not count.
    the slope is the mean of the ratios | (dx * dy).mean() / (dx**2).mean() → np.mean(dy / np.where(dx == 0, 1, dx)) |
        Points near x̄ would count most, where a ratio says least. Divide one mean by the other.
    the offset has the wrong sign | y.mean() - slope * x.mean() → slope * x.mean() - y.mean() |
        The line must pass through (x̄, ȳ): solve ȳ = slope · x̄ + offset.
    slope · x̄ is added to the offset, not taken away | y.mean() - slope → y.mean() + slope |
        The line must pass through (x̄, ȳ): solve ȳ = slope · x̄ + offset.
    the offset is ȳ | - slope * x.mean() → | At x = 0 the line is not at ȳ; at x = x̄ it is.
    x̄ is not multiplied by the slope | - slope * x.mean() → - x.mean() |
        The line must pass through (x̄, ȳ): solve ȳ = slope · x̄ + offset.
    offset first, slope second | return → y.mean() - slope * x.mean(), slope |
    """,
)
def best_line(x, y):
    dx, dy = x - x.mean(), y - y.mean()
    slope = (dx * dy).mean() / (dx**2).mean()
    return slope, y.mean() - slope * x.mean()


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
    hints=(
        "Three lines. First the guess: model(x, t) is ε̂, and x_t = √ᾱ_t x̂_0 + √(1−ᾱ_t) ε̂ is to be solved for x̂_0.",
        "Then `posterior`, from the level of t to that of t − 1: alpha_bar[t], alpha_bar[t - 1].",
        "Last, x becomes a draw from it: mean + noise · √variance · ε, with rng.standard_normal(x.shape) for ε.",
    ),
    why=""" Each step takes the guess for the truth, and draws the next x from the posterior: its mean, and fresh noise
    as wide as its spread. At t = 1 the variance is 0, so the path ends in the last guess.""",
    mistakes="""
    the fresh noise is missing | + noise * variance**0.5 * rng.standard_normal(x.shape) → |
        You go to the mean of the posterior. Draw from it: add noise · √variance · ε, with a new ε in every step.
    the variance stands without its root in front of the fresh noise #1 | variance**0.5 → variance |
        A variance of 0.04 is a spread of 0.2: the factor in front of ε is the root.
    the spread of the posterior is missing in front of the fresh noise | variance**0.5 * → |
        The fresh noise is as wide as the posterior: its factor is noise · √variance.
    the dial `noise` is not used | noise * variance → variance | Multiply the fresh noise by `noise`.
    `noise` multiplies the mean, too | mean + noise * variance**0.5 * rng.standard_normal(x.shape) → noise * (mean +
        variance**0.5 * rng.standard_normal(x.shape)) | Only the fresh noise is multiplied by `noise`.
    `noise` multiplies the mean, not the fresh noise | mean + noise * variance → noise * mean + variance |
        Only the fresh noise is multiplied by `noise`.
    `noise` is added to the mean | mean + noise * variance → mean + noise + variance |
        Multiply the fresh noise by `noise`.
    the fresh noise is uniform, not Gaussian #2 | standard_normal → random |
        `random` is uniform between 0 and 1; `standard_normal` is Gaussian.
    one random number moves all points alike | rng.standard_normal(x.shape) → rng.standard_normal() |
        Every number of x needs a draw of its own: hand x.shape to the generator.
    the last step leaves noise in the result | variance**0.5 → (1 - alpha_bar[t] / alpha_bar[t - 1]) ** 0.5 |
        The fresh noise is as wide as the posterior, and at t = 1 the posterior's variance is 0; yours is β_t.
    the fresh noise has the variance β_t, not that of the posterior | variance**0.5 → (t > 1) * (1 - alpha_bar[t] /
        alpha_bar[t - 1]) ** 0.5 | You know more than x_t: with the guess as a second clue, less doubt is left.
    noise is put on the guess anew | mean + noise * variance**0.5 * → alpha_bar[t - 1] ** 0.5 * x0_hat + noise * (1 -
        alpha_bar[t - 1]) ** 0.5 * | That forgets where x_t is; the mean of the posterior weighs x_t and the guess.
    x_t and the guess are exchanged in `posterior` | (x0_hat, x, → (x, x0_hat, |
        `posterior` takes the guess of x_0 first, then x_t.
    the two levels are exchanged in `posterior` | alpha_bar[t], alpha_bar[t - 1] → alpha_bar[t - 1], alpha_bar[t] |
        A step leads from the level of t to that of t − 1: hand them over in this order.
    the guess is made with ᾱ of the next level #5 | (1 - alpha_bar[t]) ** 0.5 * → (1 - alpha_bar[t - 1]) ** 0.5 * && /
        alpha_bar[t] ** 0.5 → / alpha_bar[t - 1] ** 0.5 | x has the level t when you guess; t − 1 is where it goes.
    the model is asked about the next level #5 | model(x, t) → model(x, t - 1) |
        x has the level t when you ask; t − 1 is where it goes.
    the model's ε̂ is taken for x̂_0 #13 | (x - (1 - alpha_bar[t]) ** 0.5 * model(x, t)) / alpha_bar[t] ** 0.5 →
        model(x, t) | The model answers with the noise; solve x_t = √ᾱ_t x̂_0 + √(1−ᾱ_t) ε̂ for x̂_0.
    the guess is not divided by √ᾱ_t | / alpha_bar[t] ** 0.5 → |
        x_t − √(1−ᾱ_t) ε̂ is √ᾱ_t x̂_0: divide by √ᾱ_t.
    the square roots are missing in the guess #1 | (1 - alpha_bar[t]) ** 0.5 * → (1 - alpha_bar[t]) * && / alpha_bar[t]
        ** 0.5 → / alpha_bar[t] | √ᾱ_t and √(1−ᾱ_t) are the factors in x_t.
    every step goes all the way to the guess | = mean + → = x0_hat + |
        Go to the mean of the posterior, a little way towards the guess.
    x is never changed | x = mean → new = mean |
        Each step starts where the one before ended: assign the result to x.
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
