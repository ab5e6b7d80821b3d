"""Exercises of lesson 1: destroy in one jump, solve for x_0, guess. `lesson1_loop` generates with them."""

import numpy as np

from .table import exercise

# Mean 0, variance 1, uncorrelated: with these four numbers the moments of a mixture are exact, not random.
UNIT_X = np.array([1.0, 1.0, -1.0, -1.0])
UNIT_EPS = np.array([1.0, -1.0, 1.0, -1.0])


@exercise(
    probes=((3.0, 0.25, 2.0), (-1.0, 0.9, 0.5), *((UNIT_X, a, UNIT_EPS) for a in (0.25, 0.0, 1.0))),
    linear=("x0", "eps"),
    hints=(
        "Two terms are added: what is left of x_0, and the noise.",
        "ᾱ is the share of the power that is left. Power is amplitude squared, and x_0 is an amplitude.",
        "The powers of the two terms add up to 1. What does that make the amplitude of the noise?",
    ),
    why=""" Variances of independent terms add. With √ᾱ in front of x_0 and √(1−ᾱ) in front of ε they are ᾱ and 1−ᾱ, so
    data of variance 1 keep variance 1 at every noise level.""",
    mistakes="""
    the noise is multiplied by 1 − ᾱ, not √(1 − ᾱ) #1 | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) |
    x_0 is multiplied by ᾱ, not √ᾱ #1 | alpha_bar_t**0.5 → alpha_bar_t |
    both square roots are missing #1 | t**0.5 → t && ) ** 0.5 → ) |
    the noise is multiplied by 1 − √ᾱ, not √(1 − ᾱ) | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t**0.5) |
    x_0 is not shrunk | alpha_bar_t**0.5 * x0 → x0 |
    the noise is subtracted | + (1 → - (1 |
        Pictures of it would look right, for noise is as likely one way as the other. But then ε is not the noise in
        x_t, and solving for x_0 later doubles it instead of removing it.
    the factors of x_0 and ε are exchanged | * x0 → * eps && * eps → * x0 |
    """,
)
def add_noise(x0, alpha_bar_t, eps):
    return alpha_bar_t**0.5 * x0 + (1 - alpha_bar_t) ** 0.5 * eps


@exercise(
    probes=((1.5 + 2 * 0.75**0.5, 0.25, 2.0), (-1.0, 0.9, 0.5), (UNIT_X, 0.25, UNIT_EPS), (UNIT_X, 1.0, UNIT_EPS)),
    linear=("xt", "eps"),
    hints=(
        "Start from x_t = √ᾱ x_0 + √(1−ᾱ) ε, and bring everything but x_0 to the other side.",
        "First take the noise away, then undo the shrinking of what is left.",
    ),
    why=""" x_t = √ᾱ x_0 + √(1−ᾱ) ε, so √ᾱ x_0 = x_t − √(1−ᾱ) ε; divide by √ᾱ. Near ᾱ = 0 that division makes any error
    in ε enormous, which is why a picture cannot come back from a guess of its noise in one jump.""",
    mistakes="""
    the division by √ᾱ is missing | / alpha_bar_t**0.5 → |
    only ε is divided by √ᾱ: a bracket is missing | (xt → xt && eps) → eps |
        Python divides before it subtracts. Take the noise away first, then divide the whole difference.
    the difference is multiplied by √ᾱ, not divided | / alpha → * alpha |
    ε is taken away whole, not √(1 − ᾱ) of it | (1 - alpha_bar_t) ** 0.5 * eps → eps |
    a square root is missing in front of ε #1 | ) ** 0.5 → ) |
    the division is by ᾱ, not √ᾱ | / alpha_bar_t**0.5 → / alpha_bar_t |
    both square roots are missing #1 | ) ** 0.5 → ) && t**0.5 → t |
    the noise is added once more | xt - → xt + | To undo an addition, subtract.
    that is noising, not its undoing | body → return alpha_bar_t**0.5 * xt + (1 - alpha_bar_t) ** 0.5 * eps |
        You return √ᾱ x_t + √(1−ᾱ) ε. Here x_t is given, and x_0 is what you want.
    """,
)
def x0_from_eps(xt, alpha_bar_t, eps):
    return (xt - (1 - alpha_bar_t) ** 0.5 * eps) / alpha_bar_t**0.5


TWO, FIVE = np.array([-1.0, 1.0]), np.array([-1.0, -0.5, 0.0, 0.25, 2.0])


@exercise(
    probes=((0.0, 0.5, TWO), (0.4, 0.5, TWO), (0.3, 0.1, FIVE), (1.5, 0.8, FIVE), (0.7, 0.9, TWO[1:])),
    returns=("guess",),
    hints=(
        "If x_0 was the number x_i, then x_t is √ᾱ x_i plus noise of variance 1−ᾱ. How likely is the x_t you see?",
        "The weight of x_i is exp(−distance² / (2 · variance)), the distance being that of x_t from √ᾱ x_i.",
        "Multiply each number of the pile by its weight, add up, and divide by the sum of the weights.",
    ),
    why=""" By Bayes' rule each number of the pile is as probable as it explains x_t well. The guess with the smallest
    mean squared error is the average over what is probable, so it lies between the numbers as long as several explain
    x_t.""",
    parts={
        f"at x_t = {xt}, ᾱ = {a} the exponent of 1 minus that of −1": lambda f, xt=xt, a=a: np.log(
            (1 + f(xt, a, TWO)) / (1 - f(xt, a, TWO))
        )
        for xt, a in ((0.4, 0.5), (-0.2, 0.2))
    },
    shows={"leaning": lambda f: f"Between −1 and 1 at ᾱ = 0.5, x_t = 0.4 is nearer to where 1 would lie; you guess "
           f"{f(0.4, 0.5, TWO):.2g}."},
    mistakes="""
    the pile is not shrunk by √ᾱ | - alpha_bar_t**0.5 * pile → - pile |
        Compare x_t with √ᾱ x_i, the place where a noised x_i would lie, not with x_i itself.
    the pile is shrunk by ᾱ, not √ᾱ #1 | alpha_bar_t**0.5 → alpha_bar_t |
        ᾱ is the power that is left. A number shrinks by its root, as in the formula of x_t.
    x_t is stretched by 1/√ᾱ, but its noise is not | xt - alpha_bar_t**0.5 * pile → xt / alpha_bar_t**0.5 - pile |
        You may compare x_t / √ᾱ with x_i, but the noise of x_t / √ᾱ has variance (1 − ᾱ) / ᾱ.
    the weights use the spread √(1 − ᾱ), not the variance 1 − ᾱ #19 | / (2 * (1 - alpha_bar_t)) → / (2 * (1 -
        alpha_bar_t)**0.5) | The exponent of a Gaussian divides by twice its variance.
    1 − ᾱ is squared | (1 - alpha_bar_t)) → (1 - alpha_bar_t) ** 2) |
        1 − ᾱ is the variance itself, the square of the spread: do not square it again.
    x_t is shrunk, not the pile | xt - alpha_bar_t**0.5 * pile → alpha_bar_t**0.5 * xt - pile |
        For x_t = 0.3, ᾱ = 0.1 and the pile −1, −0.5, 0, 0.25, 2 you guess {f(0.3, 0.1, FIVE):.3g}, and 0.191 is right.
        x_t is √ᾱ x_i plus noise: the factor belongs to the numbers of the pile.
    ᾱ stands for the variance of the noise | (1 - alpha_bar_t)) → alpha_bar_t) |
        ᾱ is the power of the signal that is left; the noise has the variance 1 − ᾱ.
    the 2 under the square is missing | (2 * (1 - alpha_bar_t)) → (1 - alpha_bar_t) |
        The exponent of a Gaussian is −distance² / (2 · variance): your weights are too sure of themselves.
    a bracket is missing around 2 · (1 − ᾱ) | / (2 * (1 - alpha_bar_t)) → / 2 * (1 - alpha_bar_t) |
        Python reads `a / 2 * b` from left to right: it multiplies by 1 − ᾱ where you mean to divide.
    the distance is not squared | pile) ** 2) → pile)) |
        The exponent of a Gaussian is −distance² / (2 · variance): too high and too low count alike.
    the minus in the exponent is missing | -((xt → ((xt | {leaning} Your weights grow with the distance.
    the weights do not sum to 1 | / weights.sum() → | An average divides by the sum of its weights.
    the mean of weight · number is not the weighted mean | .sum() / weights.sum() → .mean() |
        Divide by the sum of the weights, not by how many numbers there are.
    a mean is divided by a sum | pile).sum() → pile).mean() |
        Sum by sum, or mean by mean: as it is, you divide by the size of the pile once more.
    the average is that of √ᾱ x_i | return ( → return alpha_bar_t**0.5 * ( |
        √ᾱ x_i is where to compare x_t. What you average are the clean numbers themselves.
    the weights are returned, not the average | return → weights |
        The weights are half of the way: now average the pile with them.
    all numbers count alike | return → pile.mean() | {leaning} Your guess does not look at x_t.
    the nearest number is returned, not the average | return → pile[weights.argmax()] |
        Half way between −1 and 1 nobody can tell which it was, and the best guess is 0; yours is {f(0.0, 0.5, TWO):g}.
    """,
)
def best_guess(xt, alpha_bar_t, pile):
    weights = np.exp(-((xt - alpha_bar_t**0.5 * pile) ** 2) / (2 * (1 - alpha_bar_t)))
    return (weights * pile).sum() / weights.sum()
