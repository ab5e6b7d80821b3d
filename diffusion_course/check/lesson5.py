"""Exercises of lesson 5: one step back, guidance, hidden conditions, the repair of inpainting, how many steps.

A faulty step often looks harmless. So what it does is measured: samples of pure noise go back to data of mean 2 and
spread ½ with their exact denoiser, and the message quotes where they end.
"""

from itertools import pairwise

import numpy as np

from ..denoisers import GaussianDenoiser
from ..schedule import cosine
from .asked import Finding
from .table import exercise

SHORT = cosine(T=50)
XT, X0_HAT, Z = np.array([0.4, -1.2, 2.0]), np.array([1.0, -0.5, 0.7]), np.array([0.3, 1.5, -0.8])


def ended(step) -> str:
    """Where 2000 samples end after 50 steps `step(xt, x0_hat, eps_hat, t, s, z)` with the exact denoiser."""
    model, rng = GaussianDenoiser(2.0, 0.5, SHORT), np.random.default_rng(0)
    x = rng.standard_normal(2000)
    for t, s in pairwise(range(50, -1, -1)):
        eps_hat = model(x, t)
        x0_hat = (x - (1 - SHORT.at(t)) ** 0.5 * eps_hat) / SHORT.at(t) ** 0.5
        try:
            x = step(x, x0_hat, eps_hat, t, s, rng.standard_normal(2000))
        except ZeroDivisionError:
            return f"From t = {t} to s = {s} your step divides by zero."
    end = f"mean {x.mean():.3g} and spread {x.std():.2g}"
    return f"With the exact denoiser of data of mean 2 and spread 0.5 your samples end at {end}."


@exercise(
    probes=(
        (1.0, 2.0, 30, 20, SHORT, 0.0),
        (XT[:1], X0_HAT[:1], 50, 30, SHORT, Z[:1]),
        *((XT, X0_HAT, t, s, SHORT, Z) for t, s in ((30, 29), (2, 1), (5, 0), (1, 0))),
    ),
    kinds=("numpy", "torch"),
    linear=("xt", "x0_hat", "z"),
    parts={
        "at t = 30, s = 20 your factor of z": lambda f: f(0.0, 0.0, 30, 20, SHORT, 1.0),
        "there your factor of x̂_0": lambda f: f(0.0, 1.0, 30, 20, SHORT, 0.0),
        "there your factor of x_t": lambda f: f(1.0, 0.0, 30, 20, SHORT, 0.0),
    },
    returns=("x_s",),
    hints=(
        "Three terms: a share of x̂_0, a share of x_t, fresh noise z. Their factors are those of lesson 2's posterior.",
        "From s to t the signal shrank by √α, α = ᾱ_t / ᾱ_s, and noise of variance β = 1 − α came in.",
        "x̂_0 has √ᾱ_s β / (1−ᾱ_t), x_t has √α (1−ᾱ_s) / (1−ᾱ_t), z has √β̃ with β̃ = (1−ᾱ_s) / (1−ᾱ_t) β.",
    ),
    why="If x_0 and x_t were both known, x_s would have this mean and variance; the network's guess stands in for x_0. "
    "At s = 0 the factor of x_t and the variance vanish, and the guess itself is left.",
    shows={
        "walked": lambda f: ended(lambda xt, x0_hat, eps_hat, t, s, z: f(xt, x0_hat, t, s, SHORT, z)),
        "apart": lambda f: f(1.0, 1.0, 1, 0, SHORT, 1.0) - f(1.0, 1.0, 1, 0, SHORT, 0.0),
        "clean": lambda f: f(1.0, 2.0, 5, 0, SHORT, 0.0),
    },
    mistakes="""
    the noise is multiplied by the variance, not by its root #3 | variance**0.5 → variance |
        {walked} A factor of z is a spread.
    √β stands where √α belongs #3 | alpha**0.5 → beta**0.5 | {walked} α = 1 − β is near 1, and β near 0.
    two roots are missing in the mean #3 | a_s**0.5 → a_s && alpha**0.5 → alpha | {walked} Amplitudes have the root.
    √ᾱ_t stands where √ᾱ_s belongs | a_s**0.5 → a_t**0.5 | The step ends at level s. {walked}
    ᾱ of step t − 1 stands where ᾱ_t belongs #5 | schedule.at(t), → schedule.at(t - 1), |
        {walked} x_t has the noise of t.
    every step goes to t − 1 | schedule.at(s) → schedule.at(t - 1) | s need not be t − 1; ᾱ_s says where the step ends.
    the variance is β and not β̃, in the last step, too #7 | variance**0.5 → beta**0.5 |
        You see it in the last step, where β̃ is 0: nothing may depend on z there. From t = 1 to 0 your answers for z = 0
        and z = 1 lie {apart} apart: grain on every sample.
    the variance is β, not β̃, except in the last step | (1 - a_s) / (1 - a_t) * beta → beta * (s > 0) |
        That is DDPM's other choice, right for data of variance 1. The task asks for the posterior's variance β̃.
    β̃ is upside down | (1 - a_s) / (1 - a_t) * beta → (1 - a_t) / (1 - a_s) * beta |
        β̃ is smaller than β, since knowing x_0 narrows the choice; yours is larger, and infinite at s = 0.
    α is upside down | a_t / a_s → a_s / a_t | The signal shrinks from s to t: ᾱ_t / ᾱ_s lies below 1, yours above.
    α is that of the single step t | a_t / a_s → 1 - float(schedule.beta[t]) |
        This step runs from s to t, and β_t belongs to a single step: α is ᾱ_t / ᾱ_s.
    ᾱ_t stands where α belongs | a_t / a_s → a_t | ᾱ_t counts from 0 to t. This step begins at s: divide by ᾱ_s.
    x̂_0 and x_t have each other's weight | of_x0 * x0_hat + of_xt * xt → of_x0 * xt + of_xt * x0_hat |
        At s = 0 the guess itself must come out. For x_t = 1 and x̂_0 = 2 you return {clean}.
    no fresh noise #8 | variance**0.5 * z → 0 * z | {walked} They collapse: add √β̃ z.
    the noise stops one step early | variance**0.5 * z → variance**0.5 * z * (s > 1) |
        Only the step to s = 0 is without noise, and there β̃ = 0 sees to it by itself.
    x̂_0 is noised afresh and x_t is not used | body → return schedule.at(s)**0.5 * x0_hat + (1 - schedule.at(s))**0.5
        * z |
        {walked} You throw away what x_t still knows.
    """,
)
def ddpm_step(xt, x0_hat, t, s, schedule, z):
    a_t, a_s = schedule.at(t), schedule.at(s)
    alpha = a_t / a_s
    beta = 1 - alpha
    of_x0 = a_s**0.5 * beta / (1 - a_t)
    of_xt = alpha**0.5 * (1 - a_s) / (1 - a_t)
    variance = (1 - a_s) / (1 - a_t) * beta
    return of_x0 * x0_hat + of_xt * xt + variance**0.5 * z


FREE, COND = np.array([0.0, 1.0, -0.5]), np.array([1.0, 0.4, -0.5])


@exercise(
    probes=((2.0, 5.0, 0.0), (2.0, 5.0, 1.0), (2.0, 5.0, 0.5), (FREE, COND, 3.0), (FREE[:1], COND[:1], 0.0)),
    kinds=("numpy", "torch"),
    linear=("eps_free", "eps_cond"),
    returns=("ε̂",),
    hints=(
        "Start at the answer without the prompt. Which way does the prompt move it, and how far?",
        "The difference of the two answers is what the prompt changes. Go that way `scale` times.",
    ),
    why="At scale 0 only the answer without the prompt is left, at scale 1 only the one with it. Beyond 1 the line "
    "is followed further: what the prompt changes is exaggerated.",
    shows={
        "two": lambda f: "With ε̂ = 2 without the prompt and 5 with it, scale 0 must give 2 and scale 1 must give 5; "
        f"you return {f(2.0, 5.0, 0.0):.3g} and {f(2.0, 5.0, 1.0):.3g}."
    },
    mistakes="""
    the scale counts from 1, as w of the paper does #15 | scale * → (1 + scale) * |
        {two} The paper's w is our scale − 1.
    the two answers are exchanged #15 | body → return eps_cond + scale * (eps_free - eps_cond) | {two}
    the sign is wrong #15 | eps_free + → eps_free - | {two} You move away from the prompt.
    the answer without the prompt is left out | body → return scale * eps_cond | {two} That scales the noise itself.
    the prompted answer is added, not what it changes | (eps_cond - eps_free) → eps_cond | {two} The noise counts twice.
    only the difference is returned | eps_free + scale → scale |
        {two} The difference has to start at ε̂ without the prompt.
    the scale is not used #16 | scale * ( → ( | {two} That is the network with the prompt, without guidance.
    the prompt is not used #16 | scale * ( → 0 * ( | {two} The prompt never arrives.
    """,
)
def guided(eps_free, eps_cond, scale):
    return eps_free + scale * (eps_cond - eps_free)


CODES, SAID = np.array([[1, 0, 3], [0, 1, 5]]), np.array([[True, False, True], [False, False, True]])


@exercise(
    probes=((CODES, SAID), (CODES, ~SAID), (CODES, np.ones_like(SAID)), (CODES[:1], SAID[:1])),
    kinds=("numpy", "torch"),
    hints=("`np.where(condition, a, b)` takes a where the condition is True and b elsewhere.", "Not said is −1."),
    why="The network has learnt that −1 says nothing about this attribute, so it is free to choose.",
    shows={"left": lambda f: int((np.asarray(f(CODES, SAID)) == -1).sum())},
    mistakes="""
    the mask is never applied #15 | np.where(said, cond, -1) → cond |
        Three of six codes are not said; in your answer {left} are −1.
    the mask is turned round #15 | said, cond, -1 → said, -1, cond |
        Where `said` is True the code stays; you hide it there.
    0 stands for not said | -1 → 0 | 0 is already a value (no hat, black hair); not said is −1.
    """,
)
def hide_unsaid(cond, said):
    return np.where(said, cond, -1)


@exercise(
    probes=(
        (2.0, 20, 30, SHORT, 0.0),
        *((XT, s, t, SHORT, Z) for s, t in ((20, 30), (0, 10), (29, 30), (30, 50))),
    ),
    kinds=("numpy", "torch"),
    linear=("xs", "z"),
    returns=("x_t",),
    hints=(
        "This is the forward process again, from s to t. How much of the signal is left between the two?",
        "α = ᾱ_t / ᾱ_s is the share of the power that is left. Then it is lesson 1's jump with α for ᾱ.",
    ),
    why="ᾱ_t is the product of all α up to t, so ᾱ_t / ᾱ_s is the product of those between s and t.",
    mistakes="""
    the jump starts at 0, not at s | schedule.at(t) / schedule.at(s) → schedule.at(t) |
        x_s has lost signal already. What is left between s and t is ᾱ_t / ᾱ_s.
    the ratio is upside down | schedule.at(t) / schedule.at(s) → schedule.at(s) / schedule.at(t) |
        ᾱ falls from s to t, so ᾱ_t / ᾱ_s lies below 1. Yours lies above.
    a jump of t − s steps | schedule.at(t) / schedule.at(s) → schedule.at(t - s) |
        Steps are not equal: those from 20 to 30 destroy more than those from 0 to 10. Divide ᾱ_t by ᾱ_s.
    both roots are missing #1 | alpha**0.5 → alpha && (1 - alpha) ** 0.5 → (1 - alpha) |
        Powers add; amplitudes have the root.
    """,
)
def renoise(xs, s, t, schedule, z):
    alpha = schedule.at(t) / schedule.at(s)
    return alpha**0.5 * xs + (1 - alpha) ** 0.5 * z


def too_narrow(n: int) -> float:
    """By which share the spread is too small after n DDPM steps (cosine, T = 1000, β̃) with the exact denoiser."""
    schedule, variance = cosine(), 1.0
    for t, s in pairwise(schedule.steps(n).tolist()):
        a_t = schedule.at(t)
        slope = a_t**0.5 * 0.25 / (a_t * 0.25 + 1 - a_t)  # of x̂_0 in x_t
        factor, noise = (ddpm_step.reference(1 - z, slope * (1 - z), t, s, schedule, z) for z in (0.0, 1.0))
        variance = factor**2 * variance + noise**2
    return 1 - 2 * variance**0.5


enough_steps = Finding(
    "enough_steps",
    right=range(58, 77),  # from 1/n, measured at n = 25, to 4.5 %: what twenty thousand samples cannot tell apart
    exactly=68,
    wrong=lambda n: f"with {n:g} steps the spread is {too_narrow(int(n)):.1%} too small; find the n for 5 %.",
    ask=lambda n: isinstance(n, (int, float, np.integer, np.floating)) and 1 <= n <= 1000 and n == int(n),
    asked="a number of steps from 1 to 1000",
    hints=(
        "From 25 to 50 steps the number doubles. If the loss fell like 1/n, it would halve; like 1/n², it would fall "
        "to a quarter. Which is nearer?",
        "It falls nearly like 1/n. So n times the loss is nearly constant: divide it by 5 %. "
        "(With 20,000 samples the spread is right to 0.5 %.)",
    ),
    why="β̃ is the right variance if x_0 is one point. Data of spread ½ need a little more, and a step loses that "
    "little; the longer the step, the more. So the loss falls nearly as 1/n.",
)
