"""Exercises of lesson 2 on the chain: its variance, and the posterior."""

import numpy as np

from .. import forward
from ..check.engine import Exercise, Fault


def _bookkeeping(step):
    """The variance after all of `betas`, if one step makes `step(variance, beta)` of it."""

    def after(variance, betas):
        for beta in betas:
            variance = step(variance, beta)
        return variance

    return after


_variance_after = _bookkeeping(lambda variance, beta: (1 - beta) * variance + beta)


def _long_run(hint: str):
    """The symptom "variance after many steps", quoted from the learner's own function."""

    def symptom(attempt):
        return f"After 100 steps of β = 0.2 you say {attempt(4.0, [0.2] * 100):.4g}, expected 1: {hint}"

    return symptom


def _two_halves(hint: str):
    """The symptom "the case by hand", quoted from the learner's own function."""

    def symptom(attempt):
        return f"From variance 4, β = 0.5 and 0.5 lead to 1.75, you say {attempt(4.0, [0.5, 0.5]):.4g}: {hint}"

    return symptom


variance_after = Exercise(
    "variance_after",
    _variance_after,
    probes=((4.0, [0.5, 0.5]), (1.0, [0.36]), (0.0, [0.36, 0.5]), (4.0, [0.1, 0.2, 0.5]), (2.0, [1.0]), (0.25, [])),
    faults=(
        Fault(
            "the old variance is not shrunk",
            _bookkeeping(lambda variance, beta: variance + beta),
            _long_run("each step first multiplies x by √(1−β); what does that do to its variance?"),
        ),
        Fault(
            "the new noise is forgotten",
            _bookkeeping(lambda variance, beta: (1 - beta) * variance),
            _long_run("the noise of each step brings a variance of its own."),
        ),
        Fault(
            "both factors are put on the variance without squaring them",
            _bookkeeping(lambda variance, beta: (1 - beta) ** 0.5 * variance + beta**0.5),
            _long_run("a factor c in front of x is c² in front of its variance."),
            atlas=1,
        ),
        Fault(
            "1−β and β are squared",
            _bookkeeping(lambda variance, beta: (1 - beta) ** 2 * variance + beta**2),
            _long_run("the factors are √(1−β) and √β, so their squares are 1−β and β."),
            atlas=1,
        ),
        Fault(
            "1−β is squared",
            _bookkeeping(lambda variance, beta: (1 - beta) ** 2 * variance + beta),
            _long_run("the factor in front of x is √(1−β); its square is 1−β."),
            atlas=1,
        ),
        Fault(
            "β is squared",
            _bookkeeping(lambda variance, beta: (1 - beta) * variance + beta**2),
            _long_run("β is the variance of the new noise already; √β is its factor."),
            atlas=1,
        ),
        Fault(
            "√(1−β) is put on the variance",
            _bookkeeping(lambda variance, beta: (1 - beta) ** 0.5 * variance + beta),
            _long_run("the factor √(1−β) in front of x is 1−β in front of its variance."),
            atlas=1,
        ),
        Fault(
            "√β is added, not β",
            _bookkeeping(lambda variance, beta: (1 - beta) * variance + beta**0.5),
            _long_run("√β is the factor of ε; the variance of √β ε is β."),
            atlas=1,
        ),
        Fault(
            "only the variance of the noise, 1−ᾱ_t, is returned",
            lambda variance, betas: 1 - np.prod(1 - np.array(betas)),
            _two_halves("the data bring a variance of their own, of which a share ᾱ_t is left."),
        ),
        Fault(
            "the data's variance is shrunk by √ᾱ_t, not ᾱ_t",
            lambda variance, betas: (kept := np.prod(1 - np.array(betas))) ** 0.5 * variance + 1 - kept,
            _two_halves("the factor √ᾱ_t in front of x_0 is ᾱ_t in front of its variance."),
            atlas=1,
        ),
        Fault(
            "the data's variance is not shrunk by ᾱ_t",
            lambda variance, betas: variance + 1 - np.prod(1 - np.array(betas)),
            _two_halves("√ᾱ_t multiplies x_0; what does that do to its variance?"),
        ),
        Fault(
            "the new noise is shrunk too",
            _bookkeeping(lambda variance, beta: (1 - beta) * (variance + beta)),
            _long_run("the noise of a step joins after the shrinking."),
        ),
        Fault(
            "only the first step is taken",
            lambda variance, betas: _variance_after(variance, [betas[0]]),
            "Is the `return` inside the loop? Every β of the list makes one step; an empty list makes none.",
        ),
        Fault(
            "the spread is returned, not the variance",
            lambda variance, betas: _variance_after(variance, betas) ** 0.5,
            "The spread is the root of the variance; return the variance.",
            atlas=19,
        ),
    ),
)


def _posterior(of_x0, of_xt, variance, alpha=lambda a_t, a_s: a_t / a_s):
    """A faulty posterior: the three factors as functions of (α, ᾱ_t, ᾱ_s), and α of (ᾱ_t, ᾱ_s)."""

    def mutant(x0, xt, a_t, a_s):
        levels = alpha(a_t, a_s), a_t, a_s
        return of_x0(*levels) * x0 + of_xt(*levels) * xt, variance(*levels)

    return mutant


def _of_x0(alpha, a_t, a_s):
    return a_s**0.5 * (1 - alpha) / (1 - a_t)


def _of_xt(alpha, a_t, a_s):
    return alpha**0.5 * (1 - a_s) / (1 - a_t)


def _variance(alpha, a_t, a_s):
    return (1 - a_s) / (1 - a_t) * (1 - alpha)


def _by_precisions(x0, xt, a_t, a_s):
    """Right, but it divides by 1 − ᾱ_s = 0 at s = 0."""
    of_x0, of_xt = 1 / (1 - a_s), (a_t / a_s) / (1 - a_t / a_s)
    variance = 1 / (of_x0 + of_xt)
    return variance * (of_x0 * a_s**0.5 * x0 + of_xt * (a_s / a_t) ** 0.5 * xt), variance


def _at_clean_end(hint: str):
    """The symptom "at s = 0", quoted from the learner's own function."""

    def symptom(attempt):
        mean, variance = attempt(3.0, -1.0, 0.25, 1.0)
        return (
            f"At s = 0 (ᾱ_s = 1) with x_0 = 3 the answer is 3 with variance 0, for x_0 is known; "
            f"you say {mean:.4g} with variance {variance:.4g}: {hint}"
        )

    return symptom


posterior = Exercise(
    "posterior",
    forward.posterior,
    probes=(
        (1.0, 0.0, 0.36, 0.64),
        (0.0, 1.0, 0.36, 0.64),
        (3.0, -1.0, 0.25, 1.0),
        (np.array([-1.0, 0.5, 2.0]), np.array([0.3, 0.0, -1.2]), 0.1, 0.12),
    ),
    faults=(
        Fault(
            "the weights of x_0 and x_t are swapped",
            _posterior(_of_xt, _of_x0, _variance),
            _at_clean_end("the nearer s is to 0, the more x_0 counts."),
        ),
        Fault(
            "ᾱ_t and ᾱ_s are swapped",
            lambda x0, xt, a_t, a_s: _posterior(_of_x0, _of_xt, _variance)(x0, xt, a_s, a_t),
            "More is left at s than at t: ᾱ_s is the larger one, and the only one that may be 1.",
        ),
        Fault(
            "α is upside down",
            _posterior(_of_x0, _of_xt, _variance, alpha=lambda a_t, a_s: a_s / a_t),
            "α = ᾱ_t / ᾱ_s is a share, at most 1; ᾱ_s / ᾱ_t is above 1 and makes 1 − α negative.",
        ),
        Fault(
            "the precision of the first clue is infinite at s = 0",
            _by_precisions,
            "It is right for every other s. In the last form of m and V nothing is divided by 1 − ᾱ_s: use that.",
        ),
        Fault(
            "the variance comes first, the mean second",
            lambda x0, xt, a_t, a_s: forward.posterior(x0, xt, a_t, a_s)[::-1],
            "Return `mean, variance`, in this order.",
        ),
        Fault(
            "the variance is 1 − α, as if x_0 were not known",
            _posterior(_of_x0, _of_xt, lambda alpha, a_t, a_s: 1 - alpha),
            _at_clean_end("two clues together leave less doubt than one; the factor (1−ᾱ_s)/(1−ᾱ_t) is missing."),
        ),
        Fault(
            "the spread is returned, not the variance",
            _posterior(_of_x0, _of_xt, lambda *levels: _variance(*levels) ** 0.5),
            "Precisions (1 / variance) add, and what they add up to is 1 / variance as well: take no root.",
            atlas=19,
        ),
        Fault(
            "α is ᾱ_t, not ᾱ_t / ᾱ_s",
            _posterior(_of_x0, _of_xt, _variance, alpha=lambda a_t, a_s: a_t),
            "α is what the steps between s and t keep: ᾱ_t is what all steps from 0 to t keep.",
        ),
        Fault(
            "the square root of α is missing in front of x_t",
            _posterior(_of_x0, lambda alpha, a_t, a_s: alpha * (1 - a_s) / (1 - a_t), _variance),
            "x_t is stretched by 1/√α and has precision α/(1−α): their product has √α on top.",
            atlas=1,
        ),
        Fault(
            "√ᾱ_s is missing in front of x_0",
            _posterior(lambda alpha, a_t, a_s: (1 - alpha) / (1 - a_t), _of_xt, _variance),
            "x_0 itself is no clue to where x_s lies, its shrunken image √ᾱ_s x_0 is.",
        ),
        Fault(
            "the division by 1 − ᾱ_t is missing",
            _posterior(
                lambda alpha, a_t, a_s: a_s**0.5 * (1 - alpha),
                lambda alpha, a_t, a_s: alpha**0.5 * (1 - a_s),
                lambda alpha, a_t, a_s: (1 - a_s) * (1 - alpha),
            ),
            _at_clean_end("V is one over the sum of the precisions, and 1 − ᾱ_t comes from that sum."),
        ),
        Fault(
            "only the mean is returned",
            lambda x0, xt, a_t, a_s: forward.posterior(x0, xt, a_t, a_s)[0],
            "Return both: `return mean, variance`.",
        ),
    ),
)
