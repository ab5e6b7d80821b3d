"""Exercises of lesson 2: a step of the chain, all steps in one, the way back, and the smallest training there is."""

import numpy as np

from .engine import Finding, exercise
from .lesson1 import UNIT_EPS, UNIT_X


@exercise(
    probes=((2.0, 0.36, 1.0), (-1.5, 0.02, 0.3), (UNIT_X, 0.36, UNIT_EPS), (UNIT_X, 1.0, UNIT_EPS), (UNIT_X, 0.0, UNIT_EPS)),
    linear=("x", "eps"),
    hints=(
        "Shrink x a little, then add a little noise.",
        "β is the variance of the noise that joins. What factor in front of ε, whose variance is 1, makes that of it?",
        "The variance of x must shrink by as much as joins: from 1 to 1 − β.",
    ),
    why="""A factor c in front of a random number multiplies its variance by c². So √(1−β) and √β leave 1−β of the old variance
    and bring β of new variance: a variance of 1 stays 1 for ever.""",
    shows={
        "variance": lambda f: f"From x of variance 1, a step with β = 0.36 makes variance "
        f"{np.var(f(UNIT_X, 0.36, UNIT_EPS)):.4g}, and 0.64 + 0.36 = 1 is right."
    },
    mistakes="""
    both square roots are missing #1 | (1 - beta_t) ** 0.5 → (1 - beta_t) && beta_t**0.5 → beta_t |
    the noise is multiplied by β, not √β #1 | beta_t**0.5 → beta_t |
    the signal is multiplied by 1 − β, not √(1 − β) #1 | (1 - beta_t) ** 0.5 → (1 - beta_t) |
    the signal is multiplied by 1 − √β, not √(1 − β) | (1 - beta_t) ** 0.5 → (1 - beta_t**0.5) |
    the signal is not shrunk | (1 - beta_t) ** 0.5 * x → x |
        {variance} Without the factor in front of x the variance grows for ever.
    the noise is subtracted | + beta → - beta |
        Fresh noise is as likely one way as the other, so it would do no harm; but the formula adds it, and so
        do we.
    the factors of x and ε are exchanged | * x → * eps && * eps → * x |
    """,
)
def noise_step(x, beta_t, eps):
    return (1 - beta_t) ** 0.5 * x + beta_t**0.5 * eps


DRAWS = 20_000  # a kurtosis within 0.04
ZEROS, ONES = np.zeros(DRAWS), np.ones((200, 100))


def moments(x):
    """Count, mean, spread and kurtosis of all numbers of x; a Gaussian's kurtosis is 3."""
    x = np.asarray(x, dtype=np.float64)
    centred = x - x.mean()
    return float(x.size), x.mean(), x.std(), (centred**4).mean() / max((centred**2).mean() ** 2, 1e-30)


def _drawn(f):
    _, mean, spread, kurtosis = moments(f(ZEROS, 0.36, np.random.default_rng(1)))
    return f"From x = 0 and β = 0.36 your numbers have mean {mean:.2f}, spread {spread:.2f} and kurtosis {kurtosis:.1f}; " \
           "0, 0.60 and 3 are right."


@exercise(
    probes=tuple((x, beta, np.random.default_rng(2)) for x, beta in ((ZEROS, 0.36), (ONES, 0.36), (ONES, 0.75))),
    measure=moments,
    returns=("number of draws", "mean", "spread", "kurtosis"),
    tolerance=0.05,
    hints=(
        "It is `noise_step` with an ε of its own: one draw for every number of x.",
        "rng.standard_normal(x.shape) draws Gaussian noise of x's shape.",
    ),
    why="""Every number gets its own draw, from a Gaussian. Only then is the result Gaussian at every step, and the variances
    add; anything else shows in the kurtosis, which is 3 for a Gaussian.""",
    shows={"drawn": _drawn},
    mistakes="""
    the diffusion coefficient is itself random #9 | beta_t**0.5 → beta_t**0.5 * rng.standard_normal(x.shape) |
        {drawn} √β_t is a number of the schedule; only ε is drawn.
    uniform noise, not Gaussian #2 | standard_normal → random |
        {drawn} `random` is uniform between 0 and 1; `standard_normal` is Gaussian.
    uniform noise from −1 to 1, not Gaussian #2 | rng.standard_normal(x.shape) → rng.uniform(-1, 1, x.shape) |
        {drawn} Uniform noise has no tails.
    uniform noise scaled to variance 1, not Gaussian #2 | rng.standard_normal(x.shape) →
        rng.uniform(-(3**0.5), 3**0.5, x.shape) |
        {drawn} Mean and spread are right, but the tails are missing.
    one random number for the whole x | rng.standard_normal(x.shape) → rng.standard_normal() |
        {drawn} Every number of x needs its own draw: hand x.shape to the generator.
    the noise is multiplied by β, not √β #19 | beta_t**0.5 * rng → beta_t * rng |
        {drawn} β is a variance; the factor in front of ε is a spread.
    the signal is not shrunk | (1 - beta_t) ** 0.5 * x → x |
        From x = 1 and β = 0.75 the mean must be √0.25 = 0.5; yours is {f(ONES, 0.75,
        np.random.default_rng(1)).mean():.2f}.
    the signal is multiplied by 1 − β, not √(1 − β) | (1 - beta_t) ** 0.5 → (1 - beta_t) |
    """,
)
def random_step(x, beta_t, rng):
    return (1 - beta_t) ** 0.5 * x + beta_t**0.5 * rng.standard_normal(x.shape)


@exercise(
    probes=((4.0, [0.5, 0.5]), (1.0, [0.36]), (0.0, [0.36, 0.5]), (4.0, [0.1, 0.2, 0.5]), (2.0, [1.0]), (0.25, [])),
    returns=("variance",),
    linear=("variance",),
    hints=(
        "Go through the list with a loop. What does one step do to the variance?",
        "A factor c in front of x is c² in front of its variance, and the factor is √(1−β).",
        "The noise that joins has variance β. Variances of independent terms add.",
    ),
    why="""Each step multiplies the variance by 1−β and adds β. Whatever it starts from, it moves towards 1: the distance to 1 is
    multiplied by 1−β in every step.""",
    shows={
        "long": lambda f: f"After 100 steps of β = 0.2 you say {f(4.0, [0.2] * 100):.4g}, and 1 is right.",
        "halves": lambda f: f"From variance 4, two steps of β = 0.5 lead to 1.75; you say {f(4.0, [0.5, 0.5]):.4g}.",
    },
    mistakes="""
    the old variance is not shrunk | (1 - beta) * variance → variance |
    the new noise is forgotten | + beta → |
    both factors are put on the variance without squaring them #1 | (1 - beta) → (1 - beta) ** 0.5 && + beta →
        + beta**0.5 |
    1−β and β are squared #1 | (1 - beta) → (1 - beta) ** 2 && + beta → + beta**2 |
    1−β is squared #1 | (1 - beta) → (1 - beta) ** 2 |
    β is squared #1 | + beta → + beta**2 |
    √(1−β) is put on the variance #1 | (1 - beta) → (1 - beta) ** 0.5 |
    √β is added, not β #1 | + beta → + beta**0.5 |
    only the variance of the noise, 1 − ᾱ_t, is returned | body → return 1 - np.prod([1 - beta for beta in betas]) |
        {halves} The data bring a variance of their own, and a share ᾱ_t of it is left.
    the data's variance is shrunk by √ᾱ_t, not ᾱ_t #1 | body →
        kept = np.prod([1 - beta for beta in betas])⏎return kept**0.5 * variance + 1 - kept |
        {halves} The factor √ᾱ_t in front of x_0 is ᾱ_t in front of its variance.
    the data's variance is not shrunk by ᾱ_t | body → return variance + 1 - np.prod([1 - beta for beta in betas]) |
    the new noise is shrunk too | (1 - beta) * variance + beta → (1 - beta) * (variance + beta) |
        {long} The noise of a step joins after the shrinking.
    only the first step is taken | ⏎    return → ⏎        return |
        Is the `return` inside the loop? Every β of the list makes a step; an empty list makes none.
    every step starts from the first variance | variance = ( → new = ( && return → new |
        {halves} Assign the result of a step to the variance that the next one starts from.
    the spread is returned, not the variance #19 | return → variance**0.5 |
        The spread is the root of the variance; return the variance.
    """,
)
def variance_after(variance, betas):
    for beta in betas:
        variance = (1 - beta) * variance + beta
    return variance


LINEAR = np.linspace(1e-4, 0.02, 1000)


@exercise(
    probes=((np.array([0.1, 0.5, 0.995]),), (np.linspace(0.02, 0.2, 50),), (np.array([0.999]),)),
    returns=("ᾱ",),
    hints=(
        "Each step keeps a share 1−β of the power. Shares of shares multiply.",
        "np.cumprod gives all running products of an array at once.",
        "ᾱ_0 = 1 belongs in front: np.concatenate([[1.0], …]).",
    ),
    why="""Every step multiplies the signal's power by 1−β, so after t steps ᾱ_t = (1−β_1)…(1−β_t) of it is left. With
    ᾱ_0 = 1 in front, the array has T + 1 entries and alpha_bar[t] belongs to step t.""",
    shows={
        "ends": lambda f: "For the linear schedule your ᾱ starts {:.4g}, {:.4g} and ends {:.3g}; 1, 0.9999 and 4.04e-05 are "
        "right.".format(*np.asarray(f(LINEAR))[[0, 1, -1]])
    },
    mistakes="""
    the product is taken backwards #4 | return → np.concatenate([[1.0], np.cumprod(1 - beta[::-1])])[::-1] |
        {ends} It must start at the clean end, t = 0.
    the β are multiplied from the last to the first #4 | 1 - beta → 1 - beta[::-1] |
        {ends} β_1 comes first: ᾱ_1 = 1 − β_1.
    the product goes to T for every t #4 | np.cumprod(1 - beta) → np.full(len(beta), np.prod(1 - beta)) |
        {ends} ᾱ_t is the product of the first t factors only.
    β is multiplied, where α = 1 − β is meant #3 | 1 - beta → beta |
        {ends} β is the noise that comes, 1 − β the signal that stays.
    the β are multiplied, then taken from 1 #3 | np.cumprod(1 - beta) → 1 - np.cumprod(beta) |
        {ends} Take each β from 1 first, then multiply.
    ᾱ_0 = 1 is missing #5 | return → np.cumprod(1 - beta) |
        {ends} Put a 1 in front, or alpha_bar[t] belongs to step t + 1.
    α is returned, not its running product | np.cumprod(1 - beta) → 1 - beta |
        {ends} 1 − β is what one step keeps. ᾱ_t is what all t steps keep.
    only the last product is returned | return → np.prod(1 - beta) |
    the β are added, not multiplied | np.cumprod(1 - beta) → 1 - np.cumsum(beta) |
        {ends} Each step keeps a share of what is left, so shares multiply.
    the root is taken #19 | return → np.concatenate([[1.0], np.cumprod(1 - beta)]) ** 0.5 |
        {ends} ᾱ is a power; take the root where you use it.
    """,
)
def alpha_bar_of(beta):
    return np.concatenate([[1.0], np.cumprod(1 - beta)])


@exercise(
    probes=(
        (1.0, 0.0, 0.36, 0.64),
        (0.0, 1.0, 0.36, 0.64),
        (3.0, -1.0, 0.25, 1.0),
        (np.array([-1.0, 0.5, 2.0]), np.array([0.3, 0.0, -1.2]), 0.1, 0.12),
    ),
    linear=("x0", "xt"),
    returns=("mean", "variance"),
    hints=(
        "Two clues say where x_s lies: one comes from x_0 forwards, one from x_t backwards. α = ᾱ_t/ᾱ_s joins s and t.",
        "Each clue is a Gaussian: mean √ᾱ_s x_0, variance 1−ᾱ_s; and mean x_t/√α, variance (1−α)/α.",
        "Precisions (1/variance) add, and the mean is weighted by them. Multiply out, so that nothing is divided by 1−ᾱ_s.",
    ),
    why="""The product of two Gaussians is a Gaussian: precisions add, and the mean is weighted by them. Multiplied out by
    (1−ᾱ_s)(1−α), only 1−ᾱ_t is left to divide by, so that s = 0 gives x_0 with variance 0.""",
    shows={
        "end": lambda f: "At s = 0 (ᾱ_s = 1) with x_0 = 3 the answer is 3 with variance 0, for x_0 is known; you say {:.4g} with "
        "variance {:.4g}:".format(*f(3.0, -1.0, 0.25, 1.0))
    },
    mistakes="""
    the weights of x_0 and x_t are exchanged | * x0 + → * xt + && * xt) → * x0) |
    ᾱ_t and ᾱ_s are exchanged | alpha = alpha_bar_t / alpha_bar_s →
        alpha_bar_t, alpha_bar_s = alpha_bar_s, alpha_bar_t⏎    alpha = alpha_bar_t / alpha_bar_s |
        More is left at s than at t: ᾱ_s is the larger one, and the only one that may be 1.
    α is upside down | alpha_bar_t / alpha_bar_s → alpha_bar_s / alpha_bar_t |
        α = ᾱ_t/ᾱ_s is a share, at most 1. ᾱ_s/ᾱ_t is above 1 and makes 1 − α negative.
    the precision of the first clue is infinite at s = 0 | body →
        alpha = alpha_bar_t / alpha_bar_s⏎of_x0, of_xt = 1 / (1 - alpha_bar_s), alpha / (1 - alpha)⏎variance = 1 / (of_x0 + of_xt)⏎return variance * (of_x0 * alpha_bar_s**0.5 * x0 + of_xt * xt / alpha**0.5), variance |
        Right for every other s. Multiply out, so that nothing is divided by 1 − ᾱ_s.
    the variance comes first, the mean second | return → variance, mean |
    the variance is 1 − α, as if x_0 were not known | variance = (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha) →
        variance = 1 - alpha |
        {end} two clues together leave less doubt than one, so the factor (1−ᾱ_s)/(1−ᾱ_t) is missing.
    the spread is returned, not the variance #19 | return → mean, variance**0.5 |
        Precisions are 1/variance, and what they add up to is 1/variance as well: take no root.
    α is ᾱ_t, not ᾱ_t/ᾱ_s | alpha_bar_t / alpha_bar_s → alpha_bar_t |
        α is what the steps between s and t keep; ᾱ_t is what all steps from 0 to t keep.
    α is 1 − ᾱ_t | alpha_bar_t / alpha_bar_s → 1 - alpha_bar_t | α is what the steps between s and t keep: ᾱ_t/ᾱ_s.
    the square root of α is missing in front of x_t #1 | alpha**0.5 → alpha |
    √ᾱ_s is missing in front of x_0 | alpha_bar_s**0.5 * → |
    ᾱ_s stands without its root in front of x_0 #1 | alpha_bar_s**0.5 → alpha_bar_s |
    the division by 1 − ᾱ_t is missing | mean = (alpha_bar_s**0.5 * (1 - alpha) * x0 + alpha**0.5 * (1 - alpha_bar_s) * xt) / (1 - alpha_bar_t) →
        mean = alpha_bar_s**0.5 * (1 - alpha) * x0 + alpha**0.5 * (1 - alpha_bar_s) * xt &&
        (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha) → (1 - alpha_bar_s) * (1 - alpha) |
        {end} 1 − ᾱ_t comes from the sum of the precisions.
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
    why="""(x_t, v) is (x_0, ε) turned by φ, with cos φ = √ᾱ and sin φ = √(1−ᾱ). Turning back needs no division, so it is good at
    every noise level, also where x_t is pure noise.""",
    shows={"hand": lambda f: "For x_t = 2.2, ᾱ = 0.36, v = 0.4 you say x_0 = {:.4g}, ε = {:.4g}, and 1 and 2 are right.".format(*f(2.2, 0.36, 0.4))},
    mistakes="""
    ε comes first, x_0 second | return → sin * xt + cos * v, cos * xt - sin * v |
    the turn goes the wrong way | xt - sin * v, sin * xt + → xt + sin * v, -sin * xt + |
        {hand} You turned by φ once more; turning back has the other signs.
    x_0 has a wrong sign in front of v | - sin * v → + sin * v |
    ε has a wrong sign | + cos * v → - cos * v |
    cos φ and sin φ are exchanged | return → sin * xt - cos * v, cos * xt + sin * v |
        {hand} cos φ = √ᾱ and sin φ = √(1−ᾱ): at ᾱ = 1, x_t is x_0.
    the square roots are missing #1 | alpha_bar_t**0.5, (1 - alpha_bar_t) ** 0.5 → alpha_bar_t, 1 - alpha_bar_t |
        {hand} ᾱ = cos² φ, so cos φ is its root.
    ε is found by a division, which fails at ᾱ = 1 | body →
        x0 = alpha_bar_t**0.5 * xt - (1 - alpha_bar_t) ** 0.5 * v⏎return x0, (xt - alpha_bar_t**0.5 * x0) / (1 - alpha_bar_t) ** 0.5 |
        Right elsewhere, but no division is needed: ε is a combination of sin φ · x_t and cos φ · v.
    x_0 is found by a division, which fails at ᾱ = 0 | body →
        eps = (1 - alpha_bar_t) ** 0.5 * xt + alpha_bar_t**0.5 * v⏎return (xt - (1 - alpha_bar_t) ** 0.5 * eps) / alpha_bar_t**0.5, eps |
        Right elsewhere, but no division is needed: x_0 is a combination of cos φ · x_t and sin φ · v.
    only x_0 is returned | , sin * xt + cos * v → |
    v is taken for the noise #13 | return → (xt - sin * v) / cos, v |
        {hand} v is a mixture of both, and no division is needed to undo a turn.
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
        "the offset less ȳ − slope · x̄": lambda f: f(MORE, MORE**2)[1] - (MORE**2).mean() + f(MORE, MORE**2)[0] * MORE.mean(),
    },
    why="""Where the mean squared error is smallest, its derivatives by slope and offset are 0. The offset makes the line go
    through (x̄, ȳ); the slope is covariance over variance of x, what y does when x moves by one.""",
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
    the means are not taken away, in the covariance and in the variance | (dx * dy).mean() → (x * y).mean() &&
        (dx**2) → (x**2) |
        That is the slope of a line through 0. Take x̄ and ȳ away before you multiply.
    covariance and variance count differently (n − 1 and n) | (dx * dy).mean() → (dx * dy).sum() / (len(x) - 1) |
        `np.cov` divides by n − 1, `np.var` by n: use the same for both.
    a sum is divided by a mean | (dx * dy).mean() → (dx * dy).sum() |
        Sum by sum, or mean by mean: as it is, the slope grows with the number of points.
    the slope is the ratio of the spreads | (dx * dy).mean() / (dx**2).mean() →
        ((dy**2).mean() / (dx**2).mean()) ** 0.5 |
        Right only if y followed x exactly; the part of y that x says nothing about must not count.
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


def _left(T: int) -> float:
    """√ᾱ_T of T betas from 1e-4 to 0.02."""
    return float(np.prod(1 - np.linspace(1e-4, 0.02, T)) ** 0.5)


_SMALLEST = next(T for T in range(400, 500) if _left(T) <= 0.1)
smallest_T = Finding(
    "smallest_T",
    right=range(_SMALLEST, _SMALLEST + 1),
    wrong=lambda T: (
        f"{T} steps leave √ᾱ_T = {_left(T):.4f} of the amplitude. "
        + ("At most 0.1 is asked for: more steps." if T < _SMALLEST else f"So do fewer: {T - 1} leave {_left(T - 1):.4f}.")
    ),
    ask=lambda T: isinstance(T, (int, np.integer)) and T >= 2,
    asked="a whole number of steps, 2 or more",
    hints=(
        "Write √ᾱ_T as a function of T: np.prod(1 - np.linspace(1e-4, 0.02, T)) ** 0.5.",
        "Print it for T = 100, 200, … and then go one by one between the two that enclose 0.1.",
    ),
    why="""With these betas ln √ᾱ_T is about −0.005 T, so a tenth is left at T = 2.3 / 0.005 = 460 or so. Fewer steps need
    larger betas.""",
)
