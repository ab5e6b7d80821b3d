"""Exercises of lesson 6: a step of DDIM, the whole sampler, and where to put the steps (solvers: lesson6_solvers)."""

from itertools import pairwise
from statistics import NormalDist

import numpy as np

from ..denoisers import GaussianDenoiser
from ..forward import randn_like
from ..schedule import Schedule, cosine
from .lesson3 import gaps
from .lesson5 import SHORT, X0_HAT, Z, ended
from .stepwise import Stepwise
from .table import exercise

EPS_HAT = np.array([0.6, -1.1, 0.2])


def _noises(f) -> str:
    """The variance of the two noises together, from t = 30 to 20 at η = 1."""
    own = abs(f(0.0, 1.0, 30, 20, SHORT, 1.0, 0.0)) ** 2 + f(0.0, 0.0, 30, 20, SHORT, 1.0, 1.0) ** 2
    right = f"1 − ᾱ_s = {1 - SHORT.at(20):.3g} is right"
    return f"At η = 1, from t = 30 to 20, your two noises have variance {own:.3g} together, and {right}."


def _clean(f) -> str:
    return f"At s = 0 the guess must come out; for x̂_0 = ε̂ = 1 you return {f(1.0, 1.0, 5, 0, SHORT, 0.0, 0.0):.4g}."


@exercise(
    probes=(
        (2.0, 1.0, 30, 20, SHORT, 0.0, 0.0),
        (X0_HAT[:1], EPS_HAT[:1], 50, 40, SHORT, 1.0, Z[:1]),
        *((X0_HAT, EPS_HAT, 30, s, SHORT, eta, Z) for s, eta in ((20, 0.0), (20, 1.0), (29, 0.5))),
        *((X0_HAT, EPS_HAT, t, 0, SHORT, eta, Z) for t, eta in ((5, 0.0), (5, 0.5), (1, 1.0))),
    ),
    kinds=("numpy", "torch"),
    linear=("x0_hat", "eps_hat", "z"),
    parts={
        "at η = 1, t = 30, s = 20 your σ (the factor of z)": lambda f: f(0.0, 0.0, 30, 20, SHORT, 1.0, 1.0),
        "there your factor of ε̂": lambda f: f(0.0, 1.0, 30, 20, SHORT, 1.0, 0.0),
        "at η = 0 your factor of ε̂": lambda f: f(0.0, 1.0, 30, 20, SHORT, 0.0, 0.0),
        "there your factor of x̂_0": lambda f: f(1.0, 0.0, 30, 20, SHORT, 0.0, 0.0),
    },
    returns=("x_s",),
    hints=(
        "Noise the guess x̂_0 again, to level s. But split the noise: one part is fresh (z), the other is ε̂.",
        "Together the two parts have variance 1 − ᾱ_s. The fresh part has σ² = η² β̃; what is left for ε̂?",
        "β̃ = (1−ᾱ_s) / (1−ᾱ_t) · (1 − ᾱ_t / ᾱ_s), and the factor of ε̂ is √(1 − ᾱ_s − σ²).",
    ),
    why="Given x_0, √ᾱ_s x_0 and noise of total variance 1 − ᾱ_s have the right law at level s, however the noise is "
    "split. η = 0 puts nothing fresh in, η = 1 as much as DDPM.",
    shows={
        "walked": lambda f: ended(lambda xt, x0_hat, eps_hat, t, s, z: f(x0_hat, eps_hat, t, s, SHORT, 1.0, z)),
        "noises": _noises,
        "apart0": lambda f: abs(f(1.0, 1.0, 30, 20, SHORT, 0.0, 1.0) - f(1.0, 1.0, 30, 20, SHORT, 0.0, 0.0)),
        "apart1": lambda f: abs(f(1.0, 1.0, 30, 20, SHORT, 1.0, 1.0) - f(1.0, 1.0, 30, 20, SHORT, 1.0, 0.0)),
        "clean": _clean,
    },
    mistakes="""
    the noise of η = 1 at every η #17 | eta**2 → 1 |
        At η = 0 nothing is random, but your answers for z = 0 and z = 1 lie {apart0} apart. With that noise it is DDPM,
        whatever it is called.
    η is not squared | eta**2 → eta | σ = η √β̃, so the variance has η². At η = ½ your variance is twice as large.
    η is ignored | eta**2 → 0 | At η = 1 your answers for z = 0 and z = 1 lie {apart1} apart, and they must differ.
    the last step goes to ᾱ_1, not to ᾱ_0 = 1 #18 | schedule.at(s) → schedule.at(max(s, 1)) |
        {clean} Noise stays on every sample.
    every step goes to t − 1 | schedule.at(s) → schedule.at(t - 1) |
        s need not be t − 1: long steps are the point of DDIM.
    no room is made for the fresh noise | (1 - a_s - fresh) → (1 - a_s) | {noises} {walked}
    room is made for σ, not for σ² | - fresh) → - fresh**0.5) | {noises} Variances add, spreads do not.
    no fresh noise at any η #8 | fresh**0.5 * z → 0 * z | You make room for fresh noise, and none comes. {walked}
    z is multiplied by the variance, not by its root #3 | fresh**0.5 → fresh | {noises} A factor of z is a spread.
    the roots of both amplitudes are missing #1 | a_s**0.5 → a_s && (1 - a_s - fresh) ** 0.5 → (1 - a_s - fresh) |
        {noises}
    √ᾱ_t stands where √ᾱ_s belongs | a_s**0.5 → a_t**0.5 | The step ends at level s. {clean}
    1 − ᾱ_t stands where 1 − ᾱ_s belongs | (1 - a_s - fresh) → (1 - a_t - fresh) | The step ends at level s. {clean}
    β stands where β̃ belongs | (1 - a_s) / (1 - a_t) * (1 → (1 |
        β̃ = (1−ᾱ_s) / (1−ᾱ_t) β is what DDPM adds, 0 at s = 0.
    β̃ is upside down | (1 - a_s) / (1 - a_t) * → (1 - a_t) / (1 - a_s) * | β̃ is smaller than β; yours is larger.
    """,
)
def ddim_step(x0_hat, eps_hat, t, s, schedule, eta, z):
    a_t, a_s = schedule.at(t), schedule.at(s)
    fresh = eta**2 * (1 - a_s) / (1 - a_t) * (1 - a_t / a_s)
    return a_s**0.5 * x0_hat + (1 - a_s - fresh) ** 0.5 * eps_hat + fresh**0.5 * z


POINT, WIDE = GaussianDenoiser(1.0, 0.0, SHORT), GaussianDenoiser(0.5, 0.3, SHORT)
MILD = Schedule(np.append(SHORT.alpha_bar[:40], 0.01))  # no weight is huge
STARTS = np.random.default_rng(0).standard_normal((200, 1))


def _run(f, model, n, eta, seed=1):
    return f(model, SHORT, STARTS, n, eta, np.random.default_rng(seed))


def _ends(n, eta):
    def told(f) -> str:
        x = _run(f, POINT, n, eta)
        end = f"mean {x.mean():.3g}, spread {x.std():.2g}"
        return f"If all data are the point 1, each must end there; with n = {n} and η = {eta:g} yours have {end}."

    return told


@Stepwise.of(
    run=lambda f, network, x, rng: f(network, MILD, x, 3, 0.5, rng),
    inputs=("x_T", "ε̂_1", "ε̂_2", "ε̂_3", "z_1", "z_2"),
    case="With T = 40, n = 3 and η = ½",
)
@exercise(
    probes=tuple(
        (model, SHORT, STARTS, n, eta, np.random.default_rng(1))
        for model, cases in ((WIDE, ((50, 0.5), (20, 0.0), (1, 0.0))), (POINT, ((25, 0.0), (7, 0.0), (10, 1.0))))
        for n, eta in cases
    ),
    returns=("x_0",),
    hints=(
        "`for t, s in pairwise(schedule.steps(n))` gives each step's start and end, T … 0, whatever n is.",
        "In the loop: ask the model for ε̂ at x and t, solve for x̂_0, make your `ddim_step` with fresh z.",
        "x has to change in the loop, so that the next step starts where this one ended; `return x` comes after it.",
    ),
    why="The times end at 0, where ᾱ = 1 and β̃ = 0, so the last step needs no special case: it returns x̂_0.",
    shows={
        "seven": _ends(7, 0.0), "ten": _ends(10, 1.0), "plain": _ends(25, 0.0),
        "spread": lambda f: _run(f, WIDE, 10, 1.0).std(),
        "right": lambda f: _run(ddim_sampler.reference, WIDE, 10, 1.0).std(),
        "apart": lambda f: np.abs(_run(f, WIDE, 20, 0.0) - _run(f, WIDE, 20, 0.0, seed=2)).mean(),
    },
    mistakes="""
    the times turn negative where n does not divide T #6 | schedule.steps(n) → schedule.T + -schedule.T // n *
        np.arange(n + 1) |
        {seven} An index of −6 is no error in Python: it counts from the noisy end.
    the times do not end at 0 where n does not divide T #6 | schedule.steps(n) → range(schedule.T, -1, -(schedule.T //
        n)) |
        {seven} `range(T, -1, -(T // n))` stops above 0.
    noise is still added on the last step #7 | fresh**0.5 → eta * (1 - a_t / a_s) ** 0.5 |
        {ten} σ² = η² β̃ is 0 at s = 0 by itself; `t`, where a step begins, is never 0.
    fresh noise of η² β where room is made for η² β̃ | fresh**0.5 → (s > 0) * eta * (1 - a_t / a_s) ** 0.5 |
        For data of mean ½ and spread 0.3, 10 steps and η = 1 end at spread {right}; yours is {spread}.
    η is ignored: every sample is as noisy as DDPM's #17 | eta**2 → 1 |
        At η = 0 the generator must not matter. With two generators and 20 steps the same starts end {apart} apart.
    the last step goes to ᾱ_1, not to ᾱ_0 = 1 #18 | alpha_bar[s] → alpha_bar[max(s, 1)] | {plain} A little noise stays.
    the sampler stops one step early | schedule.steps(n) → schedule.steps(n)[:-1] | {plain} n steps have n + 1 ends.
    `return` stands inside the loop | randn_like(x, rng) → randn_like(x, rng)⏎        return x |
        {plain} Your first step is the last.
    every step asks at x_T | model(x, t) → model(xT, t) | The network must be asked where x is now.
    x̂_0 starts from x_T | x0_hat = (x - → x0_hat = (xT - | x changes in the loop, and x̂_0 belongs to where x is now.
    the network is asked at s | model(x, t) → model(x, max(s, 1)) | When the network is asked, x has the noise of t.
    """,
)
def ddim_sampler(model, schedule, xT, n, eta, rng):
    x = xT
    for t, s in pairwise(schedule.steps(n)):
        a_t, a_s = schedule.alpha_bar[t], schedule.alpha_bar[s]
        eps_hat = model(x, t)
        x0_hat = (x - (1 - a_t) ** 0.5 * eps_hat) / a_t**0.5
        fresh = eta**2 * (1 - a_s) / (1 - a_t) * (1 - a_t / a_s)
        x = a_s**0.5 * x0_hat + (1 - a_s - fresh) ** 0.5 * eps_hat
        x = x + fresh**0.5 * randn_like(x, rng)
    return x


LONG, BUMP = cosine(), 0.02  # two bumps of this spread, at −1 and 1
QUANTILES = np.array([NormalDist().inv_cdf((i + 0.5) / 400) for i in range(400)])


def two_bumps(x, t):
    """ε̂ of the exact denoiser of two narrow bumps."""
    a = LONG.at(t)
    variance = a * BUMP**2 + 1 - a
    mean = np.tanh(a**0.5 * x / variance)
    x0_hat = mean + a**0.5 * BUMP**2 / variance * (x - a**0.5 * mean)
    return (x - a**0.5 * x0_hat) / (1 - a) ** 0.5


def missed(times) -> float:
    """How far from the ODE's exact ends (1000 steps) DDIM ends on average, with these times, which must fall."""
    times = [int(time) for time in times]
    if stands := next((f"{t}, {s}" for t, s in pairwise(times) if s >= t), ""):
        raise ValueError(f"each time must be smaller than the one before; yours go {stands}.")
    return float(np.abs(_followed(times) - _followed(range(1000, -1, -1))).mean())


def _followed(times) -> np.ndarray:
    x = QUANTILES
    for t, s in pairwise(times):
        x0_hat = (x - (1 - LONG.at(t)) ** 0.5 * (eps_hat := two_bumps(x, t))) / LONG.at(t) ** 0.5
        x = LONG.at(s) ** 0.5 * x0_hat + (1 - LONG.at(s)) ** 0.5 * eps_hat
    return x


ENOUGH = 0.55  # of the error of even steps


def _not_better(times) -> str | None:
    count, first, last, least, _ = gaps(times)
    if count not in (9, 11) or (first, last) != (1000, 0) or least < 1:
        yours = f"yours are {count:.0f}, from {first:g} to {last:g}, smallest step {least:g}"
        return f"return n + 1 falling times from 1000 to 0, for n = 10 as for n = 8; {yours}."
    even, mine = missed(LONG.steps(int(count) - 1)), missed(times)
    if mine > ENOUGH * even:
        told = f"with {count - 1:.0f} of your steps DDIM misses the ends by {mine:.4f}, with even ones by {even:.4f}"
        return f"{told}. Get below {ENOUGH:.0%} of that, {ENOUGH * even:.4f}."
    return None


@exercise(
    probes=((1000, 10), (1000, 8)),
    refuse=_not_better,
    measure=lambda times: np.array(len(times)),
    whole=True,
    hints=(
        "Plot the ODE's paths with many steps. Where do they bend? Short steps belong there.",
        "The bumps are narrow, so the last bit of noise matters: try steps that get shorter towards t = 0.",
        "Even times are T times numbers from 1 to 0. What leaves 1 and 0 in place and pushes the others towards 0?",
    ),
    why="Two narrow bumps are decided late, and their shape is made at the very end. Other data want other times: for "
    "one wide bump these are worse than even ones.",
    shows={"ends": lambda f: len(f(1000, 8))},
    mistakes="""
    n is ignored | n + 1 → 11 | Asked for 8 steps, which have 9 ends, you return {ends} times.
    """,
)
def spacing(T, n):
    return (T * np.linspace(1, 0, n + 1) ** 2).round().astype(int)
