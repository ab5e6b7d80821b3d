"""Exercises of lesson 5: one step back, two denoisers in turn, guidance, inpainting and its repair, how many steps."""

from itertools import pairwise

import numpy as np

from .. import predictor
from ..denoisers import FullGaussianDenoiser
from ..forward import randn_like, x0_from_eps
from ..schedule import cosine
from .asked import Finding
from .both import ForBothKinds
from .engine import Exercise
from .table import exercise

SHORT = cosine(T=50)
XT, X0_HAT, Z = np.array([0.4, -1.2, 2.0]), np.array([1.0, -0.5, 0.7]), np.array([0.3, 1.5, -0.8])


@exercise(
    probes=(
        (1.0, 2.0, 30, 20, SHORT, 0.0),
        (XT[:1], X0_HAT[:1], 50, 30, SHORT, Z[:1]),
        *((XT, X0_HAT, t, s, SHORT, Z) for t, s in ((30, 29), (2, 1), (5, 0), (1, 0))),
    ),
    kinds=("numpy", "torch"),
    linear=("xt", "x0_hat", "z"),
    returns=("x_s",),
    table="""
    hint | Three terms: a share of x̂_0, a share of x_t, fresh noise z. Their factors are those of lesson 2's posterior.
    hint | From s to t the signal shrank by √α, α = ᾱ_t / ᾱ_s, and noise of variance β = 1 − α came in.
    hint | The factor of x̂_0 is √ᾱ_s β over 1 − ᾱ_t, that of x_t has the same denominator. At s = 0 the first must be 1
        and the second 0. z has the root of the posterior's variance.
    why | If x_0 and x_t were both known, x_s would have this mean and variance; the network's guess stands in for x_0.
        At s = 0 the factor of x_t and the variance vanish, and the guess itself is left.
    the noise is multiplied by the variance, not by its root #3 | variance**0.5 → variance | A factor of z is a spread.
    ᾱ of step t − 1 stands where ᾱ_t belongs #5 | schedule.at(t), → schedule.at(t - 1), | x_t has the noise of t.
    every step goes to t − 1 | schedule.at(s) → schedule.at(t - 1) | s need not be t − 1; ᾱ_s says where the step ends.
    the variance is β and not β̃, in the last step, too #7 | variance**0.5 → beta**0.5 |
        You see it in the last step, where β̃ is 0: noise there would be grain on every sample.
    α is upside down | a_t / a_s → a_s / a_t | The signal shrinks from s to t: ᾱ_t / ᾱ_s lies below 1, yours above.
    α is that of the single step t | a_t / a_s → 1 - float(schedule.beta[t]) |
        This step runs from s to t, and β_t belongs to a single step: α is ᾱ_t / ᾱ_s.
    ᾱ_t stands where α belongs | a_t / a_s → a_t | ᾱ_t counts from 0 to t. This step begins at s: divide by ᾱ_s.
    ᾱ_t and ᾱ_s are exchanged | schedule.at(t), schedule.at(s) → schedule.at(s), schedule.at(t) |
        x_t has the noise of t, the later time; the step ends at s.
    t and s stand where ᾱ_t and ᾱ_s belong | schedule.at(t), schedule.at(s) → t, s | `schedule.at(t)` makes ᾱ_t of t.
    no fresh noise #8 | variance**0.5 * z → 0 * z | Without it all samples collapse into one place: add √β̃ z.
    x̂_0 is noised afresh and x_t is not used | body → return schedule.at(s)**0.5 * x0_hat + (1 - schedule.at(s))**0.5
        * z | You throw away what x_t still knows.
    the noise is put back, as in lesson 1's loop: that is DDIM | body → return schedule.at(s)**0.5 * x0_hat +
        ((1 - schedule.at(s)) / (1 - schedule.at(t)))**0.5 * (xt - schedule.at(t)**0.5 * x0_hat) |
        Here it is replaced: the posterior keeps a part of x_t and adds fresh noise.
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


ASKED_AT = 30, 11, 10, 9, 1


class ReturnsFunction(Exercise):
    """The exercise whose answer is a function: a new one each time, which says nothing about chance."""

    def _refuse_two_answers(self, attempt, probe) -> None:
        pass


@exercise(
    cls=ReturnsFunction,
    probes=((lambda x, t: x + t, lambda x, t: x - 7 * t, 10),),
    refuse=lambda answer: None if callable(answer) else "return a function of (x, t); only that one gives an answer.",
    measure=lambda model: tuple(model(0.5, t) for t in ASKED_AT),
    returns=tuple(f"answer at t = {t}" for t in ASKED_AT),
    table="""
    hint | A function may be defined inside another one, and returned without being called.
    hint | Inside it, write `def model(x, t):` and its line; then `return model`. It still knows `early` and `late`.
    why | The sampler only sees a function of (x, t). Who answers may change on the way.
    the two are exchanged | t > switch → t <= switch | t falls on the way: above `switch` it is still `early`'s turn.
    at t = switch the early one is asked | t > switch → t >= switch | From t = switch on, `late` answers.
    `late` is never asked | early(x, t) if t > switch else late(x, t) → early(x, t) | It answers once t is `switch`.
    `early` is never asked | early(x, t) if t > switch else late(x, t) → late(x, t) | It answers while t > `switch`.
    """,
)
def relay(early, late, switch):
    def model(x, t):
        return early(x, t) if t > switch else late(x, t)

    return model


FREE, COND = np.array([0.0, 1.0, -0.5]), np.array([1.0, 0.4, -0.5])


@exercise(
    probes=((2.0, 5.0, 0.0), (2.0, 5.0, 1.0), (2.0, 5.0, 0.5), (FREE, COND, 3.0), (FREE[:1], COND[:1], 0.0)),
    kinds=("numpy", "torch"),
    linear=("eps_free", "eps_cond"),
    returns=("ε̂",),
    table="""
    hint | Start at the answer without the prompt. Which way does the prompt move it, and how far?
    hint | The difference of the two answers is what the prompt changes. Go that way `scale` times.
    why | At scale 0 only the answer without the prompt is left, at scale 1 only the one with it. Beyond 1 the line is
        followed further: what the prompt changes is exaggerated.
    the scale counts from 1 #15 | scale * → (1 + scale) * |
        At w = 0 yours gives the prompted answer already. Start at the other one. (The first paper counted so, too.)
    the two answers are exchanged #15 | body → return eps_cond + scale * (eps_free - eps_cond) |
    the sign is wrong #15 | eps_free + → eps_free - | You move away from the prompt.
    the prompted answer is added, not what it changes | (eps_cond - eps_free) → eps_cond | The noise counts twice.
    the scale is not used #16 | scale * ( → ( | That is the network with the prompt, without guidance.
    """,
)
def guided(eps_free, eps_cond, scale):
    return eps_free + scale * (eps_cond - eps_free)


@exercise(
    probes=((2.0, 20, 30, SHORT, 0.0), *((XT, s, t, SHORT, Z) for s, t in ((20, 30), (0, 10), (29, 30), (30, 50)))),
    kinds=("numpy", "torch"),
    linear=("xs", "z"),
    returns=("x_t",),
    table="""
    hint | This is the forward process again, from s to t. How much of the signal is left between the two?
    hint | α = ᾱ_t / ᾱ_s is the share of the power that is left. Then it is lesson 1's jump with α for ᾱ.
    why | ᾱ_t is the product of all α up to t, so ᾱ_t / ᾱ_s is the product of those between s and t.
    the jump starts at 0, not at s | schedule.at(t) / schedule.at(s) → schedule.at(t) |
        x_s has lost signal already. What is left between s and t is ᾱ_t / ᾱ_s.
    the ratio is upside down | schedule.at(t) / schedule.at(s) → schedule.at(s) / schedule.at(t) |
        ᾱ falls from s to t, so ᾱ_t / ᾱ_s lies below 1. Yours lies above.
    a jump of t − s steps | schedule.at(t) / schedule.at(s) → schedule.at(t - s) |
        Steps are not equal: those from 20 to 30 destroy more than those from 0 to 10. Divide ᾱ_t by ᾱ_s.
    """,
)
def renoise(xs, s, t, schedule, z):
    alpha = schedule.at(t) / schedule.at(s)
    return alpha**0.5 * xs + (1 - alpha) ** 0.5 * z


_ddpm_step, _renoise = ddpm_step.reference, renoise.reference
PAIR = FullGaussianDenoiser(np.zeros(2), np.array([[1.0, 0.9], [0.9, 1.0]]), SHORT)
PLACES, TOLD, SAID = np.array([[0.3, -1.2], [1.5, 0.4]]), np.array([2.0, 5.0]), np.array([1.0, 0.0])


@exercise(
    cls=ForBothKinds,
    probes=tuple(
        (PAIR, SHORT, PLACES, TOLD, mask, steps, rounds, np.random.default_rng(4))
        for mask, steps, rounds in ((SAID, 1, 1), (0 * SAID, 4, 1), (SAID, 4, 1), (SAID, 4, 3))
    ),
    returns=("x_0",),
    table="""
    hint | The order of a round: jump up (not in the first one), guess, put the known pixels into the guess, step down.
    hint | x0_from_eps(x, schedule.at(t), model(x, t)) is the guess. Where the mask is 1 it becomes `known`:
        x0_hat + mask * (known - x0_hat).
    hint | A jump up leads from s to t: renoise(x, s, t, schedule, z). It and your step each need a fresh
        z = randn_like(x, rng).
    why | Each round begins at t and ends at s. From the second round on the unknown part has already seen the known
        one, and the noise of the jump lets it change its mind.
    the known pixels are not put in | x0_hat = x0_hat + mask * (known - x0_hat) → pass |
        Overwrite the guess by `known` where the mask is 1.
    the mask is used the wrong way round | mask * → (1 - mask) * | It is 1 where `known` holds.
    the known pixels are put into x, not into the guess | x0_hat = x0_hat + mask * (known - x0_hat) →
        x = x + mask * (known - x) | x has noise at level t, `known` has none. Overwrite the guess.
    the known pixels are written into x, after the step | x0_hat = x0_hat + mask * (known - x0_hat) → pass &&
        t, s, schedule, randn_like(x, rng)) → t, s, schedule, randn_like(x, rng))⏎            x = x + mask * (known - x)
        |
        Here the *guess* is overwritten, before the step.
    the known pixels are noised and written into x, after the step | x0_hat = x0_hat + mask * (known - x0_hat) →
        pass && t, s, schedule, randn_like(x, rng)) → t, s, schedule, randn_like(x, rng))⏎            x = x + mask *
        (schedule.at(s)**0.5 * known + (1 - schedule.at(s))**0.5 * randn_like(x, rng) - x) |
        RePaint's paper does so. Here the *guess* is overwritten, before the step.
    no jump up | if again: → if False: | After a round x is at s. The next one begins at t: add noise first.
    a jump up in the first round, too | if again: → if True: | At first x is at t already.
    a jump up in the last round only | if again: → if 0 < again == rounds - 1: | All but the first round begin with one.
    no jump up where s = 0 | if again: → if again and s: | The last pair gets its rounds, too.
    a jump up after the last round, too | if again: → if False: && t, s, schedule, randn_like(x, rng)) →
        t, s, schedule, randn_like(x, rng))⏎            x = _renoise(x, s, t, schedule, randn_like(x, rng)) |
        After the last round x must stay at s.
    the jump and the step use the same z | if again: → z = randn_like(x, rng)⏎            if again: &&
        s, t, schedule, randn_like(x, rng) → s, t, schedule, z && t, s, schedule, randn_like(x, rng) → t, s, schedule, z
        | Each needs a fresh one.
    the jump up has s and t exchanged | x, s, t, schedule → x, t, s, schedule | It leads from s up to t.
    the rounds are not used | range(rounds) → range(1) | Repeat what you do for each pair `rounds` times.
    the model is asked about s | model(x, t) → model(x, max(s, 1)) | When you ask, x is at t.
    the model's ε̂ is taken for x̂_0 #13 | x0_from_eps(x, schedule.at(t), model(x, t)) → model(x, t) |
        The model answers with the noise; `x0_from_eps` makes the guess of it.
    no fresh noise in the step #8 | _ddpm_step(x, x0_hat, t, s, schedule, randn_like(x, rng)) →
        _ddpm_step(x, x0_hat, t, s, schedule, 0 * x) |
        Your step needs z = randn_like(x, rng), as everywhere.
    x is never changed | x = _ddpm_step → new = _ddpm_step | Assign the step's result to x.
    """,
)
def inpaint(model, schedule, x, known, mask, steps, rounds, rng):
    for t, s in predictor.pairs(schedule, steps):
        for again in range(rounds):
            if again:
                x = _renoise(x, s, t, schedule, randn_like(x, rng))
            x0_hat = x0_from_eps(x, schedule.at(t), model(x, t))
            x0_hat = x0_hat + mask * (known - x0_hat)
            x = _ddpm_step(x, x0_hat, t, s, schedule, randn_like(x, rng))
    return x


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
    asked="a number of steps",
    among=range(1, 1001),
    hints=(
        "From 25 to 50 steps the number doubles. If the missing width fell like 1/n, it would halve; like 1/n², it "
        "would fall to a quarter. Which is nearer?",
        "It falls nearly like 1/n. So n times the missing width is nearly constant: divide it by 5 %. "
        "(With 20,000 samples the spread is right to 0.5 %.)",
    ),
    why="β̃ is the right variance if x_0 is one point. Data of spread ½ need a little more, and a step loses that "
    "little; the longer the step, the more. So the missing width falls nearly as 1/n.",
)
