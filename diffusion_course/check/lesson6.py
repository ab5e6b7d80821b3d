"""Exercises of lesson 6: a step of DDIM, the whole sampler, DPM-Solver++(2M), and where to put the steps."""

from itertools import pairwise
from statistics import NormalDist

import numpy as np

from ..denoisers import GaussianDenoiser
from ..forward import randn_like
from ..schedule import Schedule, cosine
from .lesson5 import SHORT, X0_HAT, Z
from .stepwise import Stepwise
from .table import exercise

EPS_HAT = np.array([0.6, -1.1, 0.2])


@exercise(
    probes=(
        (2.0, 1.0, 30, 20, SHORT, 0.0, 0.0),
        *((X0_HAT, EPS_HAT, 30, s, SHORT, eta, Z) for s, eta in ((20, 0.0), (20, 1.0), (29, 0.5))),
        (X0_HAT[:1], EPS_HAT[:1], 50, 40, SHORT, 1.0, Z[:1]),
        *((X0_HAT, EPS_HAT, t, 0, SHORT, eta, Z) for t, eta in ((5, 0.0), (5, 0.5), (1, 1.0))),
    ),
    kinds=("numpy", "torch"),
    linear=("x0_hat", "eps_hat", "z"),
    returns=("x_s",),
    table="""
    hint | Noise the guess x̂_0 again, to level s. But split the noise: one part is fresh (z), the other is ε̂.
    hint | Together the two parts have variance 1 − ᾱ_s. z has the factor η √β̃: what is the variance of that part?
    hint | The fresh part has variance η² β̃. Take it from 1 − ᾱ_s; the root of what is left is the factor.
    why | Given x_0, √ᾱ_s x_0 and noise of total variance 1 − ᾱ_s have the right law at level s, however the noise is
        split. η = 0 puts nothing fresh in, η = 1 as much as DDPM.
    the noise of η = 1 at every η #17 | eta**2 → 1 | At η = 0 nothing may depend on z. With that noise it is DDPM.
    η is not squared | eta**2 → eta | σ = η √β̃, so the variance has η². At η = ½ your variance is twice as large.
    the spreads are subtracted, not the variances | (1 - a_s - fresh) ** 0.5 → ((1 - a_s) ** 0.5 - fresh**0.5) |
        Independent noises add their variances. Subtract inside the root.
    the last step goes to ᾱ_1, not to ᾱ_0 = 1 #18 | schedule.at(s) → schedule.at(max(s, 1)) |
        At s = 0 the guess must come out; yours leaves noise on every sample.
    s and t are exchanged in β̃ | (1 - a_s) / (1 - a_t) * (1 - a_t / a_s) → (1 - a_t) / (1 - a_s) * (1 - a_s / a_t) |
        Then β̃ is negative. t is the noisier time.
    s and t are exchanged | schedule.at(t), schedule.at(s) → schedule.at(s), schedule.at(t) | t is the noisier time.
    s and t are exchanged, and the root is of a negative number | schedule.at(t), schedule.at(s) → schedule.at(s),
        schedule.at(t) && fresh**0.5 * z → eta * ((1 - a_s) / (1 - a_t) * (1 - a_t / a_s)) ** 0.5 * z |
        t is the noisier time, where the step begins.
    every step goes to t − 1 | schedule.at(s) → schedule.at(t - 1) | s need not be t − 1: DDIM is made for long steps.
    η² is missing under the root | - fresh) → - (1 - a_s) / (1 - a_t) * (1 - a_t / a_s)) |
        At η = 0 nothing fresh is added, so no room need be made for it.
    no room is made for the fresh noise | (1 - a_s - fresh) → (1 - a_s) | Both noises together must have 1 − ᾱ_s.
    no fresh noise at any η #8 | fresh**0.5 * z → 0 * z | You make room for fresh noise, and none comes.
    z is multiplied by the variance, not by its root #3 | fresh**0.5 → fresh | A factor of z is a spread.
    z is multiplied by η β̃ | fresh**0.5 → eta * (1 - a_s) / (1 - a_t) * (1 - a_t / a_s) |
        The fresh part has variance η² β̃. A factor of z is a spread, so take the root of all of it: η √β̃.
    β stands where β̃ belongs | (1 - a_s) / (1 - a_t) * (1 → (1 |
        β̃ = (1−ᾱ_s) / (1−ᾱ_t) β is what DDPM adds, 0 at s = 0.
    """,
)
def ddim_step(x0_hat, eps_hat, t, s, schedule, eta, z):
    a_t, a_s = schedule.at(t), schedule.at(s)
    fresh = eta**2 * (1 - a_s) / (1 - a_t) * (1 - a_t / a_s)
    return a_s**0.5 * x0_hat + (1 - a_s - fresh) ** 0.5 * eps_hat + fresh**0.5 * z


POINT, WIDE = GaussianDenoiser(1.0, 0.0, SHORT), GaussianDenoiser(0.5, 0.3, SHORT)
MILD = Schedule(np.append(SHORT.alpha_bar[:40], 0.01))  # no weight is huge
STARTS = np.random.default_rng(0).standard_normal((200, 1))


@exercise(
    cls=Stepwise,
    run=lambda f, network, x, rng: f(network, MILD, x, 3, 0.5, rng),
    inputs=("x_T", "ε̂_1", "ε̂_2", "ε̂_3", "z_1", "z_2"),
    case="With T = 40, n = 3 and η = ½",
    probes=tuple(
        (model, SHORT, STARTS, n, eta, np.random.default_rng(1))
        for model, cases in ((WIDE, ((50, 0.5), (20, 0.0), (1, 0.0))), (POINT, ((25, 0.0), (7, 0.0), (10, 1.0))))
        for n, eta in cases
    ),
    returns=("x_0",),
    table="""
    hint | `for t, s in pairwise(schedule.steps(n))` gives each step's start and end, T … 0, whatever n is.
    hint | In the loop: ask the model for ε̂ at x and t, solve for x̂_0, make your `ddim_step` with fresh z.
    hint | x has to change in the loop, so that the next step starts where this one ended; `return x` comes after it.
    why | The times end at 0, where ᾱ = 1 and β̃ = 0, so the last step needs no special case: it returns x̂_0.
    the times turn negative where n does not divide T #6 | schedule.steps(n) → schedule.T + -schedule.T // n *
        np.arange(n + 1) | An index of −6 is no error in Python: it counts from the noisy end.
    the times do not end at 0 where n does not divide T #6 | schedule.steps(n) → range(schedule.T, -1, -(schedule.T //
        n)) | `range(T, -1, -(T // n))` stops above 0.
    noise is still added on the last step #7 | fresh**0.5 → eta * (1 - a_t / a_s) ** 0.5 |
        σ² = η² β̃ is 0 at s = 0 by itself; `t`, where a step begins, is never 0.
    fresh noise of η² β where room is made for η² β̃ | fresh**0.5 → (s > 0) * eta * (1 - a_t / a_s) ** 0.5 |
        Both noises together then have more than 1 − ᾱ_s, and the samples end too wide.
    η is ignored: every sample is as noisy as DDPM's #17 | eta**2 → 1 | At η = 0 the generator must not matter.
    the last step goes to ᾱ_1, not to ᾱ_0 = 1 #18 | alpha_bar[s] → alpha_bar[max(s, 1)] | A little noise stays.
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


NOW, BEFORE = np.array([0.4, -1.2, 2.0]), np.array([0.1, -0.7, 2.5])


@exercise(
    probes=((2.0, 1.0, 1.0, 1.0), (NOW, BEFORE, 0.5, 0.5), (NOW, BEFORE, 0.3, 0.6), (NOW[:1], BEFORE[:1], 0.9, 0.2)),
    kinds=("numpy", "torch"),
    linear=("x0_hat", "x0_before"),
    returns=("guess",),
    table="""
    hint | Draw the line through the two guesses: what is its slope on the clock u?
    hint | The slope is the change of the guess, divided by `h_before`. Follow it from the newer guess for h / 2.
    why | Along the step ahead the guess changes about as it did before. Its value half-way stands for the whole step:
        second order, without an extra network evaluation.
    the line is followed backwards | x0_hat + h → x0_hat - h | The change is new minus old.
    the line is too short where it starts from the older guess | return → x0_before + 1.5 * h / h_before * (x0_hat -
        x0_before) | From the guess before it is h_before + h/2 to the middle of the step ahead, not 1.5 h.
    the line is followed for the whole step | h / (2 * h_before) → h / h_before | Take the middle of the step.
    the lengths of the two steps are exchanged | h / (2 * h_before) → h_before / (2 * h) |
        The slope is the change of the guess by `h_before`, the step behind; it is followed for half of `h`.
    the middle between the two guesses | x0_hat + h / (2 * h_before) * (x0_hat - x0_before) → (x0_hat + x0_before) / 2
        | The middle of the step *ahead* is wanted, beyond the newer guess.
    the change is not divided by `h_before` | h / (2 * h_before) → h / 2 | A slope is a change divided by a length.
    the steps are taken for equally long | h / (2 * h_before) → 1 / 2 |
        With h = 0.3 after h_before = 0.6 the line is followed half as far as with equal steps.
    """,
)
def extended_guess(x0_hat, x0_before, h, h_before):
    return x0_hat + h / (2 * h_before) * (x0_hat - x0_before)


_ddim_step, _extended_guess = ddim_step.reference, extended_guess.reference  # in the notebook, the learner's own


@exercise(
    cls=Stepwise,
    run=lambda f, network, x, rng: f(network, SHORT, x, [40, 30, 15, 5, 0]),
    inputs=("x_T", "ε̂_1", "ε̂_2", "ε̂_3", "ε̂_4"),
    case="With the times 40, 30, 15, 5, 0",
    probes=(
        *((WIDE, SHORT, STARTS, times) for times in ([50, 20, 0], SHORT.steps(8), [45, 30, 22, 10, 3, 0], [50, 0])),
        (WIDE, SHORT, STARTS[:1], [50, 20, 10]),
    ),
    returns=("x_0",),
    given=8,
    table="""
    hint | The step is `ddim_step(guess, eps, t, s, schedule, 0, 0)`. Which noise makes x_t of this guess?
    hint | Solve x_t = √ᾱ_t guess + √(1−ᾱ_t) ε for ε. Last in the loop: remember x̂_0 itself, and h.
    why | Guess and noise still make x_t together, so the step stays on the ODE; only the guess is approximated, by the
        line through the last two. One evaluation a step, second order.
    the guess is never extended | before is not None and → False and |
        Then it is DDIM. From the second step on, use `extended_guess` with the guess before.
    the extended guess is remembered | before, h_before = x0_hat, h → before, h_before = guess, h |
        The line goes through what the network said: remember x̂_0 itself, or every error is extended too.
    the guess before is never renewed | before, h_before = x0_hat, h → before, h_before = (x0_hat, h) if before is
        None else (before, h_before) | Remember this step's x̂_0 and h at the end of every step.
    `h_before` is not updated | before, h_before = x0_hat, h → before, h_before = x0_hat, h_before or h |
        At the end of every step, this step's h becomes the `h_before` of the next.
    the guess is also extended at s = 0 | and s > 0 → and True | At s = 0 u and h are infinite: take x̂_0 as it is.
    `h_before` is a length in t | before, h_before = x0_hat, h → before, h_before = x0_hat, float(t - s) |
        `h` and `h_before` are lengths on the clock u. Remember this step's h.
    the old length is forgotten | h, h_before) → h, h) | The two steps are not equally long in u: remember h as well.
    the two guesses are exchanged | (x0_hat, before, h → (before, x0_hat, h | `extended_guess` takes the newer first.
    the old ε̂ stands beside the new guess | (guess, eps, → (guess, (x - a_t**0.5 * x0_hat) / (1 - a_t) ** 0.5, |
        Together they no longer make x_t. Solve x_t = √ᾱ_t guess + √(1−ᾱ_t) ε for the ε that belongs to your guess.
    """,
)
def dpm_2m(model, schedule, xT, times):
    u, x, before, h_before = schedule.log_snr / 2, xT, None, None
    for t, s in pairwise(times):
        a_t = schedule.at(t)
        x0_hat = (x - (1 - a_t) ** 0.5 * model(x, t)) / a_t**0.5
        h, guess = float(u[s] - u[t]), x0_hat
        if before is not None and s > 0:
            guess = _extended_guess(x0_hat, before, h, h_before)
        eps = (x - a_t**0.5 * guess) / (1 - a_t) ** 0.5
        x = _ddim_step(guess, eps, t, s, schedule, 0, 0)
        before, h_before = x0_hat, h
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
        x = ddim_step.reference(x0_hat, eps_hat, t, s, LONG, 0.0, 0.0)
    return x


ENOUGH = 0.55  # of the error of even steps


def _not_better(times) -> str | None:
    count, least = len(times), np.min(-np.diff(times), initial=1000)
    if count not in (9, 11) or (times[0], times[-1]) != (1000, 0) or least < 1:
        yours = f"yours are {count}, from {times[0]:g} to {times[-1]:g}, smallest step {least:g}"
        return f"return n + 1 falling times from 1000 to 0, for n = 10 as for n = 8; {yours}."
    even, mine = missed(LONG.steps(count - 1)), missed(times)
    if mine > ENOUGH * even:
        told = f"with {count - 1} of your steps DDIM misses the ends by {mine:.4f}, with even ones by {even:.4f}"
        return f"{told}. Get below {ENOUGH:.0%} of that, {ENOUGH * even:.4f}."
    return None


@exercise(
    probes=((1000, 10), (1000, 8)),
    refuse=_not_better,
    measure=len,
    whole=True,
    returns=("number of times",),
    table="""
    hint | Plot the ODE's paths with many steps. Where do they bend? Short steps belong there.
    hint | The bumps are narrow, so the last bit of noise matters: try steps that get shorter towards t = 0.
    hint | Even times are T times numbers from 1 to 0. What leaves 1 and 0 in place and pushes the others towards 0?
    why | The shape of two narrow bumps is made at the very end, so the short steps belong there. Other data want other
        times.
    """,
)
def spacing(T, n):
    return (T * np.linspace(1, 0, n + 1) ** 2).round().astype(int)
