"""Exercises of lesson 1: destroy in one jump, guess, generate, and how many steps it takes."""

from itertools import pairwise

import numpy as np

from .. import data, schedule
from .asked import Finding
from .numbers import tell
from .table import exercise

# Mean 0, variance 1, uncorrelated: with these four numbers the moments of a mixture are exact, not random.
UNIT_X = np.array([1.0, 1.0, -1.0, -1.0])
UNIT_EPS = np.array([1.0, -1.0, 1.0, -1.0])
TWO, FIVE = np.array([-1.0, 1.0]), np.array([-1.0, -0.5, 0.0, 0.25, 2.0])


@exercise(
    probes=((3.0, 0.25, 2.0), (-1.0, 0.9, 0.5), *((UNIT_X, a, UNIT_EPS) for a in (0.25, 0.0, 1.0))),
    linear=("x0", "eps"),
    table="""
    hint | Two terms are added: what is left of x_0, and the noise.
    hint | ᾱ is the share of the variance that is left, and a factor c multiplies a variance by c². Which c leaves ᾱ?
    hint | The squares of the two factors add up to 1. `np.sqrt(c)` takes roots, and so does `c ** 0.5`.
    why | Variances of independent terms add. With √ᾱ in front of x_0 and √(1−ᾱ) in front of ε they are ᾱ and 1−ᾱ, so
        data of variance 1 keep variance 1 at every noise level.
    the noise is multiplied by 1 − ᾱ, not √(1 − ᾱ) #1 | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) |
    the noise is subtracted | + (1 → - (1 |
        The pictures would look right, but ε is then not the noise in x_t: solving for x_0 later doubles it.
    """,
)
def add_noise(x0, alpha_bar_t, eps):
    return alpha_bar_t**0.5 * x0 + (1 - alpha_bar_t) ** 0.5 * eps


@exercise(
    probes=((0.0, 0.5, TWO), (0.4, 0.5, TWO), (0.3, 0.1, FIVE), (1.5, 0.8, FIVE), (0.7, 0.9, TWO[1:])),
    returns=("guess",),
    given=1,
    parts={"if all numbers of the pile are 1, the guess": lambda f: of_ones(f)}
    | {
        f"at x_t = {tell(x)}, ᾱ = {a}, the weight of 1 divided by that of −1": lambda f, x=x, a=a: ratio(f, x, a)
        for x, a in ((0.4, 0.5), (-0.2, 0.2))
    },
    table="""
    hint | If x_0 was the number p_i, then x_t is √ᾱ p_i plus noise of variance 1−ᾱ. How likely is the x_t you see?
    hint | The weight of p_i is exp(−distance² / (2 · variance)), the distance being that of x_t from √ᾱ p_i.
    hint | Multiply each number of the pile by its weight, add up, and divide by the sum of the weights.
    why | By Bayes' rule each number of the pile is as probable as it explains x_t well. The guess with the smallest
        mean squared error is the average over what is probable.
    the pile is not shrunk by √ᾱ | np.sqrt(alpha_bar_t) * pile → pile | A noised p_i lies near √ᾱ p_i, not near p_i.
    the pile is multiplied by ᾱ, not √ᾱ | np.sqrt(alpha_bar_t) → alpha_bar_t |
        Is a root missing? A noised p_i lies near √ᾱ p_i.
    the 2 under the fraction is missing | (2 * (1 - alpha_bar_t)) → (1 - alpha_bar_t) |
        The exponent of a Gaussian divides by twice its variance.
    the weights use the spread √(1 − ᾱ), not the variance 1 − ᾱ #19 | (1 - alpha_bar_t)) → (1 - alpha_bar_t) ** 0.5) |
        The exponent of a Gaussian divides by twice its variance.
    a bracket is missing around 2 · (1 − ᾱ) | / (2 * (1 - alpha_bar_t)) → / 2 * (1 - alpha_bar_t) |
        Python reads `a / 2 * b` from left to right: it multiplies by 1 − ᾱ where you mean to divide.
    the minus in the exponent is missing | -(distance → (distance | Your weights grow with the distance.
    the exponent is not divided by 2 · (1 − ᾱ) | (distance**2) / (2 * (1 - alpha_bar_t))) → (distance**2)) |
        The division must stand inside the brackets of `np.exp(…)`.
    the distance is not squared | (distance**2) → distance | The exponent of a Gaussian is −distance² / (2 · variance).
    the distance keeps its size, without its sign, but is not squared | (distance**2) → abs(distance) |
        The exponent of a Gaussian is −distance² / (2 · variance).
    `np.exp` is missing | np.exp(-(distance**2) → (-(distance**2) | The weights are heights of a bell curve: exp(…).
    1 − ᾱ is squared | (1 - alpha_bar_t)) → (1 - alpha_bar_t) ** 2) | It is the variance already: leave it as it is.
    the distances are averaged, not the numbers of the pile | weights * pile → weights * distance |
        If all numbers of the pile are 1, you guess {of_ones(f):.4g}. Multiply the weights by `pile`.
    the weights do not sum to 1 | / weights.sum() → |
        If all numbers of the pile are 1, you guess {of_ones(f):.4g}. Divide by the sum of the weights.
    the sum is divided by how many there are | / weights.sum() → / len(pile) |
        If all numbers of the pile are 1, you guess {of_ones(f):.4g}. Divide by the sum of the weights.
    the average divides twice | / weights.sum() → / weights.sum() / len(pile) |
        If all numbers of the pile are 1, you guess {of_ones(f):.4g}. You divide by the sum of the weights and, with
        `mean`, by how many there are. Take the sum instead of the mean.
    the average is that of √ᾱ p_i | return ( → return alpha_bar_t**0.5 * ( |
        If all numbers of the pile are 1, you guess {of_ones(f):.4g}. √ᾱ p_i is where to compare x_t. What you average
        are the clean numbers themselves.
    the nearest number is returned, not the average | return → pile[weights.argmax()] |
        Half way between −1 and 1 nobody can tell which it was: the best guess is 0, and yours is {f(0.0, 0.5, TWO):g}.
    """,
)
def best_guess(xt, alpha_bar_t, pile):
    distance = xt - np.sqrt(alpha_bar_t) * pile
    weights = np.exp(-(distance**2) / (2 * (1 - alpha_bar_t)))
    return (weights * pile).sum() / weights.sum()


def of_ones(guess) -> float:
    """What it guesses for a pile of ones."""
    return float(guess(0.4, 0.5, np.ones(2)))


def ratio(guess, xt: float, alpha_bar_t: float) -> float:
    """The weight of 1 divided by that of −1, as the average of both shows it; the right one if it averages wrong."""
    average = guess if np.isclose(of_ones(guess), 1) else best_guess.reference
    return np.exp(2 * np.arctanh(average(xt, alpha_bar_t, TWO)))


def step_back(xt, x0_hat, alpha_bar_t, alpha_bar_s):
    """x_s: x̂_0 with less of the noise that it leaves in x_t. The lesson gives it."""
    eps_hat = (xt - alpha_bar_t**0.5 * x0_hat) / (1 - alpha_bar_t) ** 0.5
    return add_noise.reference(x0_hat, alpha_bar_s, eps_hat)


_best_guess, LEVELS = best_guess.reference, np.array([1.0, 0.95, 0.6, 0.2, 0.01])
LINEAR = schedule.linear().alpha_bar
WALKS = {  # which levels a loop over three takes to guess at, to step from and to step to; and what went wrong in it
    ((2, 2, 1), (1, 1, 0), (0, 0, -1)): """Your loop takes one step too many, with index −1: alpha_bar[−1] is the last
        number of the array, pure noise. Stop after the step that ends at alpha_bar[0].""",
    ((0, 0, 1), (1, 1, 2)): """Your loop begins at the clean end. x is pure noise at first: begin at the last entry of
        alpha_bar, and go down.""",
    ((2, 1, 2), (1, 0, 1)): """You exchange the two levels: `step_back` takes the level of x first, then the one that it
        goes to.""",
    ((1, 2, 1), (0, 1, 0)): """You guess at the level that the step goes to. Guess at the one that x has before it.""",
    ((2, 2, 2), (1, 1, 1), (0, 0, 0)): """x never changes. Assign what `step_back` returns to x; each step must not end
        at the level at which it begins, but at the next cleaner one.""",
}


def astray(loop) -> str:
    """Which of the `WALKS` the loop takes: over levels that keep some noise at the clean end, it divides by no 0."""
    levels, start = np.array([0.9, 0.6, 0.2]), 0.7
    for walk, told in WALKS.items():
        x = start
        for guessed, t, s in walk:
            x = step_back(x, _best_guess(x, levels[guessed], TWO), levels[t], levels[s])
        if np.allclose(loop(start, levels, TWO), x):
            return " ".join(told.split())
    return "Print the levels that you hand over: at a level of 1 there is nothing to guess, and no step to begin."


@exercise(
    probes=((1.3, LEVELS[[0, 3]], TWO), (-0.4, LEVELS[[0, 2, 4]], TWO), (1.3, LEVELS, FIVE), (-0.7, LEVELS, FIVE)),
    returns=("number",),
    parts={
        "after one step from x = 1.3 at level 0.01, x": (1.3, LEVELS[[0, 4]], TWO),
        "after two steps, over level 0.2, x": (1.3, LEVELS[[0, 3, 4]], TWO),
        "after four steps x": (1.3, LEVELS, TWO),
    },
    table="""
    hint | The levels are alpha_bar[n] … alpha_bar[0], with n = len(alpha_bar) − 1. Count i down from n to 1.
    hint | In the loop: guess x_0 from x at the level alpha_bar[i], then step back from there to alpha_bar[i − 1].
    hint | Each step starts where the one before ended: assign the result to x again.
    why | The loop never jumps: it guesses, blends the guess with a little less noise, and guesses again. In the end no
        noise is left, and what is left is a number that the pile makes plausible.
    the new value is never fed back | x = step_back → new = step_back && return → new |
        Every step starts from the first x. Assign what the step returns to x.
    the `return` stands inside the loop | ⏎    return x → ⏎        return x | Move that line left, below the loop.
    the last step is missing #18 | 1, 0, -1 → 1, 1, -1 |
        `range` stops before its end: with an end of 0, the last i is 1, and that step ends at alpha_bar[0] = 1.
    a guess or a step is made at ᾱ = 1, where no noise is left, and divides by 0 #6 | 1, 0, -1 → 1, -1, -1 | {astray(f)}
    your loop begins one entry too late | len(alpha_bar) - 1, 0 → len(alpha_bar) - 2, 0 |
        With two levels your x does not change. The first i is `len(alpha_bar) - 1`.
    the steps go from i = 1 up to n | range(len(alpha_bar) - 1, 0, -1) → range(1, len(alpha_bar)) |
        x is pure noise at the start, so the first guess must be made at the last level. Count down.
    your loop walks through `linear.alpha_bar` | for i → alpha_bar = LINEAR⏎    for i |
        It must walk through the `alpha_bar` that it is given, which has other levels and another length.
    your loop takes its levels from `linear.alpha_bar` | for i → alpha_bar = LINEAR[: len(alpha_bar)]⏎    for i |
        It must take them from the `alpha_bar` that it is given.
    the steps lead nowhere | alpha_bar[i - 1]) → alpha_bar[i]) |
        x never changes. Is what `step_back` returns assigned to x, and does each step go to alpha_bar[i − 1]?
    you guess only once | return → _best_guess(given, alpha_bar[-1], pile) && for i → given = x⏎    for i |
        What you return is the first guess itself. Ask `best_guess` again after every step.
    the guess is made with ᾱ of the next level #5 | _best_guess(x, alpha_bar[i] → _best_guess(x, alpha_bar[max(i - 1,
        1)] | x has the level alpha_bar[i] when you guess; alpha_bar[i − 1] is where it goes.
    x and the guess are exchanged in the step | (x, x0_hat, → (x0_hat, x, | `step_back` takes x_t first, then the guess.
    every step goes all the way to the guess | x = step_back(x, x0_hat, alpha_bar[i], alpha_bar[i - 1]) → x = x0_hat |
        x becomes a clean number, which the next guess takes for a noisy one. Go one level down only, with `step_back`.
    """,
)
def generate(x, alpha_bar, pile):
    for i in range(len(alpha_bar) - 1, 0, -1):
        x0_hat = _best_guess(x, alpha_bar[i], pile)
        x = step_back(x, x0_hat, alpha_bar[i], alpha_bar[i - 1])
    return x


def _generated(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers generated in n steps from the lesson's five sets of 500 starts; and the pile."""
    pile = data.scalars(500, np.random.default_rng(0))[:, 0].astype(float)
    x = np.stack([np.random.default_rng(seed).standard_normal(500) for seed in range(5)])[..., None]
    for a_t, a_s in pairwise(schedule.linear().alpha_bar[np.round(np.linspace(1000, 0, n + 1)).astype(int)]):
        weights = np.exp(-((x - a_t**0.5 * pile) ** 2) / (2 * (1 - a_t)))
        x = step_back(x, (weights * pile).sum(2, keepdims=True) / weights.sum(2, keepdims=True), a_t, a_s)
    return x, pile


def _spread_share(n: int) -> float:
    """Their spread, as a share of the pile's: the mean over the five sets."""
    x, pile = _generated(n)
    return float(x.std(axis=1).mean() / pile.std())


def _between(n: int) -> str:
    """How many of them lie between the bumps."""
    theirs, of_pile = (np.mean(np.abs(some) < 0.5) for some in _generated(n))
    return (
        f"But {theirs:.1%} of these numbers lie between −0.5 and 0.5, and {of_pile:.1%} of the pile: "
        "the spread alone is a lenient judge."
    )


few_steps = Finding(
    "few_steps",
    right=range(8, 10),
    exactly=8,
    then=_between,
    wrong=lambda n: (
        f"with {n} step{'s' * (n > 1)} the spread of the new numbers is {_spread_share(n):.1%} of the pile's. "
        + ("At least 90 % is wanted: take more." if n < 8 else "Fewer steps reach 90 % too: go down from there.")
    ),
    asked="a whole number of steps",
    among=range(1, 1001),
    hints=(
        "Run your loop with 2, 4, 8, 16 and 32 steps from the same starts, and print the spread of each.",
        "Near the answer, go one by one. Other starts than the lesson's five sets can move it up by one.",
    ),
    why="One step gives nearly the average for every start, so the spread is near 0. Further steps add to it.",
)
