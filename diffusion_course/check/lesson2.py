"""Exercises of lesson 2 on the chain: one step, and all of them. `lesson2_back` leads back."""

import numpy as np

from .asked import Finding
from .lesson1 import UNIT_EPS, UNIT_X
from .table import exercise


@exercise(
    probes=((2.0, 0.36, 1.0), (-1.5, 0.02, 0.3), *((UNIT_X, beta, UNIT_EPS) for beta in (0.36, 1.0, 0.0))),
    linear=("x", "eps"),
    hints=(
        "Shrink x a little, then add a little noise.",
        "β is the variance of the noise that joins. What factor in front of ε, whose variance is 1, makes that of it?",
        "The variance of x must shrink by as much as joins: from 1 to 1 − β.",
    ),
    why=""" A factor c in front of a random number multiplies its variance by c². So √(1−β) and √β leave 1−β of the old
    variance and bring β of new variance: a variance of 1 stays 1 for ever.""",
    mistakes="""
    both square roots are missing #1 | (1 - beta_t) ** 0.5 → (1 - beta_t) && beta_t**0.5 → beta_t |
    the noise is multiplied by β, not √β #1 | beta_t**0.5 → beta_t |
    the signal is multiplied by 1 − β, not √(1 − β) #1 | (1 - beta_t) ** 0.5 → (1 - beta_t) |
    the signal is multiplied by 1 − √β, not √(1 − β) | (1 - beta_t) ** 0.5 → (1 - beta_t**0.5) |
    the signal is not shrunk | (1 - beta_t) ** 0.5 * x → x |
        Without the factor in front of x the variance grows for ever.
    the noise is subtracted | + beta → - beta |
        Fresh noise is as likely one way as the other, so it would do no harm; but the formula adds it, and so do we.
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
    found = f"mean {round(mean, 2) + 0.0:.2f}, spread {spread:.2f} and kurtosis {kurtosis:.1f}"
    return f"From x = 0 and β = 0.36 your numbers have {found}; 0, 0.60 and 3 are right."


@exercise(
    probes=tuple((x, beta, np.random.default_rng(2)) for x, beta in ((ZEROS, 0.36), (ONES, 0.36), (ONES, 0.75))),
    measure=moments,
    returns=("number of draws", "mean", "spread", "kurtosis"),
    tolerance=0.05,
    hints=(
        "It is `noise_step` with an ε of its own: one draw for every number of x.",
        "rng.standard_normal(x.shape) draws Gaussian noise of x's shape.",
    ),
    why=""" Every number gets its own draw, from a Gaussian. Only then is the result Gaussian at every step, and the
    variances add; anything else shows in the kurtosis, which is 3 for a Gaussian.""",
    shows={"drawn": _drawn},
    mistakes="""
    the diffusion coefficient is itself random #9 | beta_t**0.5 → beta_t**0.5 * rng.standard_normal(x.shape) |
        {drawn} √β_t is a number of the schedule; only ε is drawn.
    uniform noise, not Gaussian #2 | standard_normal → random |
        {drawn} `random` is uniform between 0 and 1; `standard_normal` is Gaussian.
    uniform noise from −1 to 1, not Gaussian #2 | rng.standard_normal(x.shape) → rng.uniform(-1, 1, x.shape) |
        {drawn} Uniform noise has no tails.
    uniform noise scaled to variance 1, not Gaussian #2 | rng.standard_normal(x.shape) → rng.uniform(-(3**0.5), 3**0.5,
        x.shape) | {drawn} Mean and spread are right, but the tails are missing.
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
    why=""" Each step multiplies the variance by 1−β and adds β. Whatever it starts from, it moves towards 1: the
    distance to 1 is multiplied by 1−β in every step.""",
    mistakes="""
    the old variance is not shrunk | (1 - beta) * variance → variance |
    the new noise is forgotten | + beta → |
    both factors are put on the variance without squaring them #1 | (1 - beta) → (1 - beta) ** 0.5 && + beta → +
        beta**0.5 |
    1−β and β are squared #1 | (1 - beta) → (1 - beta) ** 2 && + beta → + beta**2 |
    1−β is squared #1 | (1 - beta) → (1 - beta) ** 2 |
    β is squared #1 | + beta → + beta**2 |
    √(1−β) is put on the variance #1 | (1 - beta) → (1 - beta) ** 0.5 |
    √β is added, not β #1 | + beta → + beta**0.5 |
    only the variance of the noise, 1 − ᾱ_t, is returned | body → return 1 - np.prod([1 - beta for beta in betas]) |
        The data bring a variance of their own, and a share ᾱ_t of it is left.
    the data's variance is shrunk by √ᾱ_t, not ᾱ_t #1 | body → kept = np.prod([1 - beta for beta in betas])⏎return
        kept**0.5 * variance + 1 - kept | The factor √ᾱ_t in front of x_0 is ᾱ_t in front of its variance.
    the data's variance is not shrunk by ᾱ_t | body → return variance + 1 - np.prod([1 - beta for beta in betas]) |
    the new noise is shrunk too | (1 - beta) * variance + beta → (1 - beta) * (variance + beta) |
        The noise of a step joins after the shrinking.
    the first β is skipped | in betas → in betas[1:] |
        From a variance of 4 the one step [0.5] must lead to 2.5; yours gives {f(4.0, [0.5]):g}.
    the spreads are added, not the variances | (1 - beta) * variance + beta → (((1 - beta) * variance) ** 0.5 +
        beta**0.5) ** 2 | Spreads do not add, variances do: shrink the old variance, then add β.
    only the first step is taken | ⏎    return → ⏎        return |
        Is the `return` inside the loop? Every β of the list makes a step; an empty list makes none.
    every step starts from the first variance | variance = ( → new = ( && return → new |
        Assign the result of a step to the variance that the next one starts from.
    the spread is returned, not the variance #19 | return → variance**0.5 |
        The spread is the root of the variance; return the variance.
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
    ask=lambda T: isinstance(T, (int, np.integer)) and T >= 2,
    asked="a whole number of steps, 2 or more",
    hints=(
        "√ᾱ_T falls as T grows. Print it for T = 200, 400, 600.",
        "Go one by one between the two that enclose 0.1, or halve the gap between them again and again.",
    ),
    why=""" With these betas ln √ᾱ_T is about −0.005 T, so a tenth is left at T = 2.3 / 0.005 = 460 or so. Fewer steps
    need larger betas.""",
)
