"""Exercises of lesson 1 on generating: one step back, the loop, how many steps, how near the results are."""

from itertools import pairwise

import numpy as np

from .. import data, schedule
from .asked import Finding
from .lesson1 import FIVE, TWO, UNIT_EPS, UNIT_X, best_guess
from .table import exercise


@exercise(
    probes=((2.2, 1.0, 0.36, 0.64), (0.3, -0.5, 0.1, 0.12), (-1.0, 2.0, 0.25, 1.0), (UNIT_X, UNIT_EPS, 0.36, 0.9)),
    linear=("xt", "x0_hat"),
    hints=(
        "Suppose x̂_0 is right. Then x_t = √ᾱ_t x̂_0 + √(1−ᾱ_t) ε, and only ε is unknown: solve for it.",
        "Now go to the level s: noise x̂_0 again, with that same ε, but to ᾱ_s. You have written that function already.",
    ),
    why=""" The noise that x̂_0 leaves unexplained is ε̂ = (x_t − √ᾱ_t x̂_0) / √(1−ᾱ_t); x_s is x̂_0 with less of it.
    At s = 0 nothing of it is left and the guess itself comes out.""",
    mistakes="""
    the step ends at the old noise level | body → return xt |
        You return x_t itself: the noise is taken out and put back at the level it had. Put it back at the level s.
    both levels are exchanged | alpha_bar_t**0.5 * x0_hat) → alpha_bar_s**0.5 * x0_hat) && (1 - alpha_bar_t) → (1 -
        alpha_bar_s) && return alpha_bar_s**0.5 → return alpha_bar_t**0.5 && + (1 - alpha_bar_s) → + (1 - alpha_bar_t)
        | x_t has the level ᾱ_t: take its noise out with ᾱ_t, and put it back with ᾱ_s. At ᾱ_s = 1 yours divides by 0.
    the noise in x_t is not divided by √(1 − ᾱ_t) | / (1 - alpha_bar_t) ** 0.5 → |
    the guess is not shrunk when the noise is taken out | xt - alpha_bar_t**0.5 * x0_hat → xt - x0_hat |
    the square roots of ᾱ_t are missing #1 | alpha_bar_t**0.5 * x0 → alpha_bar_t * x0 && - alpha_bar_t) ** 0.5 → -
        alpha_bar_t) |
    the square roots of ᾱ_s are missing #1 | alpha_bar_s**0.5 → alpha_bar_s && - alpha_bar_s) ** 0.5 → - alpha_bar_s) |
    the guess is not shrunk at the level s | alpha_bar_s**0.5 * x0_hat → x0_hat |
    no noise is put back | + (1 - alpha_bar_s) ** 0.5 * eps_hat → |
        √ᾱ_s x̂_0 has no noise, but x_s is still noisy: the next guess would be far too sure.
    the guess itself is returned | return → x0_hat |
        That is the whole way in one jump. Go only as far as the level s: shrink x̂_0 by √ᾱ_s and put noise back.
    the noise that was found is returned | return → eps_hat |
        That is half of the way: now noise x̂_0 with it, to the level s.
    that is the mean of the posterior, a step of DDPM | body → a = alpha_bar_t / alpha_bar_s⏎return
        (alpha_bar_s**0.5 * (1 - a) * x0_hat + a**0.5 * (1 - alpha_bar_s) * xt) / (1 - alpha_bar_t) |
        Lesson 2 makes it, and adds fresh noise. Here the noise that x_t holds is kept, with less of it.
    √ᾱ_t and √(1 − ᾱ_t) are exchanged | alpha_bar_t**0.5 * x0_hat) / (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) ** 0.5
        * x0_hat) / alpha_bar_t**0.5 | In x_t the guess has the factor √ᾱ_t, the noise √(1 − ᾱ_t).
    the noise is subtracted | x0_hat + (1 → x0_hat - (1 | x_s is on the same side of the guess as x_t, only nearer.
    all of the noise stays | (1 - alpha_bar_s) ** 0.5 * eps_hat → (1 - alpha_bar_t) ** 0.5 * eps_hat |
        The level s has less noise than the level t.
    """,
)
def step_back(xt, x0_hat, alpha_bar_t, alpha_bar_s):
    eps_hat = (xt - alpha_bar_t**0.5 * x0_hat) / (1 - alpha_bar_t) ** 0.5
    return alpha_bar_s**0.5 * x0_hat + (1 - alpha_bar_s) ** 0.5 * eps_hat


_best_guess, _step_back = best_guess.reference, step_back.reference
LEVELS = np.array([1.0, 0.95, 0.6, 0.2, 0.01])
GRIDS = {1: [0, 4], 2: [0, 3, 4], 4: [0, 1, 2, 3, 4]}


@exercise(
    probes=((1.3, LEVELS[[0, 3]], TWO), (-0.4, LEVELS[[0, 2, 4]], TWO), (1.3, LEVELS, FIVE), (-0.7, LEVELS, FIVE)),
    returns=("number",),
    parts={
        f"after {n} step{'s' * (n > 1)} from x = 1.3 at level 0.01, x": lambda f, n=n: f(1.3, LEVELS[GRIDS[n]], TWO)
        for n in (1, 2, 4)
    },
    hints=(
        "The levels are alpha_bar[T] … alpha_bar[0]; the last index is len(alpha_bar) − 1. Count t down to 1.",
        "In the loop: guess x_0 from x at the level of t, then step back from the level of t to that of t − 1.",
        "Each step starts where the one before ended: assign the result to x again.",
    ),
    why=""" The loop never jumps: it guesses, goes a little way towards the guess, and guesses again from there. In the
    end there is no noise left, and what is left is a number that the pile makes plausible.""",
    mistakes="""
    the new value is never fed back | x = _step_back → new = _step_back && return → new |
        Every step starts from the first x. Assign what the step returns to x, so that the next one goes on from there.
    nothing is denoised | x = _step_back → new = _step_back |
        You return the noise you started from. Does the loop assign to the x that you return?
    the `return` stands inside the loop | ⏎    return x → ⏎        return x |
        Only one step is taken. Move the `return` to the left, below the loop.
    the last step is missing #18 | 1, 0, -1 → 1, 1, -1 |
        `range` stops before its end: count down to 1, so that the last step ends at alpha_bar[0] = 1.
    one step too many, with index −1 #6 | 1, 0, -1 → 1, -1, -1 |
        At t = 0 there is no noise left, and alpha_bar[−1] is the last number of the array, pure noise.
    the first step is missing #5 | len(alpha_bar) - 1, → len(alpha_bar) - 2, |
        The start x has the level alpha_bar[T], and T is len(alpha_bar) − 1.
    the steps go from t = 1 up to T | range(len(alpha_bar) - 1, 0, -1) → range(1, len(alpha_bar)) |
        x is pure noise at the start, so the first guess must be made at the level T. Count down.
    the guess is made with ᾱ of the next level #5 | _best_guess(x, alpha_bar[t], pile) → _best_guess(x, alpha_bar[max(t
        - 1, 1)], pile) | x has the level t when you guess; t − 1 is where it goes.
    the guess is made with ᾱ of the next level, at last with ᾱ = 1 | _best_guess(x, alpha_bar[t], pile) → _best_guess(x,
        alpha_bar[t - 1], pile) | x has the level t when you guess; t − 1 is where it goes.
    x and the guess are exchanged in the step | (x, x0_hat, → (x0_hat, x, |
        `step_back` takes x_t first, then the guess.
    the levels are exchanged in the step | alpha_bar[t], alpha_bar[t - 1] → alpha_bar[t - 1], alpha_bar[t] |
        A step goes from the level of t to the cleaner one of t − 1: hand them over in this order.
    every step goes all the way to the guess | x = _step_back(x, x0_hat, alpha_bar[t], alpha_bar[t - 1]) → x = x0_hat |
        x becomes the guess itself, a clean number, which the next guess takes for a noisy one. Go one level down only:
        `step_back(x, x0_hat, alpha_bar[t], alpha_bar[t - 1])`.
    the guess is made as if the list were turned round | _best_guess(x, alpha_bar[t], pile) → _best_guess(x,
        alpha_bar[::-1][t], pile) && alpha_bar[t], alpha_bar[t - 1] → alpha_bar[::-1][t], alpha_bar[::-1][t - 1] |
        alpha_bar[0] is the clean end. Count down in the list as it is, or walk through the list turned round.
    only the first guess is used | body → x0_hat = _best_guess(x, alpha_bar[-1], pile)⏎for t in range(len(alpha_bar) -
        1, 0, -1):⏎    x = _step_back(x, x0_hat, alpha_bar[t], alpha_bar[t - 1])⏎return x |
        The guess must be made anew in every step: as noise goes, it gets better. Put it inside the loop.
    """,
)
def generate(x, alpha_bar, pile):
    for t in range(len(alpha_bar) - 1, 0, -1):
        x0_hat = _best_guess(x, alpha_bar[t], pile)
        x = _step_back(x, x0_hat, alpha_bar[t], alpha_bar[t - 1])
    return x


SAMPLES = np.array([[0.0, 1.0], [2.0, 0.5], [-1.0, 3.0]])
ORIGIN = np.zeros((1, 2))
REAL = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 1.0], [5.0, -1.0]])


@exercise(
    probes=((SAMPLES, REAL), (REAL, SAMPLES), (SAMPLES[:2], SAMPLES)),
    returns=("distance",),
    hints=(
        "Make a table first: the distance of each sample (rows) from each real point (columns).",
        "From each row take the smallest distance, then the mean over the rows.",
    ),
    why=""" Each sample is compared with the real point nearest to it. A mean, unlike a sum, does not grow with the
    number of samples; read it between its floor (fresh real points) and what plain noise gets.""",
    parts={
        "the distance of the sample (3, 4) from the real point (0, 0)": lambda f: f(np.array([[3.0, 4.0]]), ORIGIN),
        "the distance of real points from themselves": lambda f: f(REAL, REAL),
        "the distance of samples that are 1 and 3 away": lambda f: f(np.array([[1.0, 0.0], [0.0, 3.0]]), ORIGIN),
    },
    shows={"twice": lambda f: f"{f(SAMPLES, REAL):.3g} to {f(np.concatenate([SAMPLES, SAMPLES]), REAL):.3g}"},
    mistakes="""
    a sum, not a mean #20 | .mean() → .sum() |
        The same samples given twice are no worse, and yet your distance goes from {twice}. A mean does not.
    the distance of the sets' means | body → return np.linalg.norm(samples.mean(0) - real.mean(0)) |
        Samples that all sit in the middle would pass: measure each sample, then average.
    the mean over all pairs | .min(1) → | Real points against themselves get {f(REAL, REAL):.3g}, and 0 is right.
    from real to samples | .min(1) → .min(0) |
        That is how well the samples cover the real points; asked is how near each sample is to one.
    squared distances | table.min(1) → (table.min(1) ** 2) |
        Take the root before averaging, so that the unit is that of the data.
    """,
)
def nearest_distance(samples, real):
    table = np.linalg.norm(samples[:, None] - real, axis=-1)
    return table.min(1).mean()


def _spread_share(n: int) -> float:
    """Spread of numbers generated in n steps, as a share of the pile's: the mean over the lesson's five sets of 500."""
    pile = data.scalars(500, np.random.default_rng(0))[:, 0].astype(float)
    x = np.stack([np.random.default_rng(seed).standard_normal(500) for seed in range(5)])[..., None]
    times = np.round(np.linspace(1000, 0, n + 1)).astype(int)
    levels = schedule.linear(1000).alpha_bar[times]
    for a_t, a_s in pairwise(levels):
        weights = np.exp(-((x - a_t**0.5 * pile) ** 2) / (2 * (1 - a_t)))
        x = step_back.reference(x, (weights * pile).sum(2, keepdims=True) / weights.sum(2, keepdims=True), a_t, a_s)
    return float(x.std(axis=1).mean() / pile.std())


few_steps = Finding(
    "few_steps",
    right=range(8, 10),
    exactly=8,
    wrong=lambda n: (
        f"with {n} step{'s' * (n > 1)} the spread of the new numbers is {_spread_share(n):.1%} of the pile's. "
        + ("Asked is at least 90 %: take more." if n < 8 else "Fewer steps reach 90 % too: go down from there.")
    ),
    ask=lambda n: isinstance(n, (int, np.integer)) and 1 <= n <= 1000,
    asked="a whole number of steps, 1 to 1000",
    hints=(
        "Run your loop with 2, 4, 8, 16 and 32 steps from the same starts, and print the spread of each.",
        "Near the answer, go one by one. Other starts than the lesson's five sets can move it up by one.",
    ),
    why=""" One step gives nearly the average for every start, so the spread is near 0. Each further step lets the
    guess see more.""",
)
