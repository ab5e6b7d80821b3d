"""Samplers go from pure noise to a sample: x_T → … → x_0, one sampling step at a time.

Every sampler is a generator. The first item it yields is x_T, then x_s after each step, the last is x_0:

    *path, x0 = ddpm(model, schedule, xT)

`model(xt, t)` is any callable that returns ε̂ of x_t's shape. `steps` is the number of sampling steps, or the falling
times to visit, such as `schedule.steps(20, "logsnr")`. NumPy arrays and torch tensors alike; fresh noise is drawn from
`rng`, all else is fixed. `clip` bounds x̂_0: a number c for [−c, c], or a function such as `dynamic_threshold()`. A step
costs one network evaluation, except in `heun`. Nothing in the loop waits for a GPU: whether every ε̂ was finite is
asked there once, at the end. Gradients are kept only if xT requires them.

The step inside each loop is a function of its own, and all are called alike, `step(xt, x0_hat, t, s, schedule, …)`:
from x_t, and the guess x̂_0 that the network made of it, to x_s. What else a step takes (fresh noise z, earlier guesses)
comes last.

`ddim`, `heun` and `dpm_solver` follow the probability-flow ODE, which leads noise to data without fresh noise:

    dx̄/dσ = ε̂,     x̄ = x/√ᾱ,     σ = √((1−ᾱ)/ᾱ)

Sources: DDPM (arXiv:2006.11239), algorithm 2; DDIM (arXiv:2010.02502), equation 12; EDM (arXiv:2206.00364),
algorithm 1, for Heun's method; DPM-Solver++ (arXiv:2211.01095), algorithm 2; Imagen (arXiv:2205.11487) for dynamic
thresholding; Lin et al. 2023 (arXiv:2305.08891) for starting at ᾱ_T = 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .base.arrays import Array, row_quantile, shape_of
from .base.refusals import number, refusing_at_once, whole
from .forward import (
    add_noise,
    eps_from_x0,
    levels,
    posterior,
    posterior_variance,
    randn_like,
    step_variance,
    x0_from_eps,
)
from .predictor import Clip, prepared
from .schedule import Schedule


def ddpm_step(
    xt: Any, x0_hat: Any, t: int, s: int, schedule: Schedule, z: Any = 0.0, variance: Callable = posterior_variance
) -> Any:
    """x_s = mean of q(x_s | x_t, x̂_0) + σ z, and the mean itself at s = 0.

    `variance(ᾱ_t, ᾱ_s)` is σ²: `forward.posterior_variance` (β̃) or `forward.step_variance` (β).
    """
    mean, _ = posterior(x0_hat, xt, schedule.at(t), schedule.at(s))
    return mean + float(variance(schedule.at(t), schedule.at(s))) ** 0.5 * z if s > 0 else mean


@refusing_at_once
def ddpm(
    model: Callable, schedule: Schedule, xT: Array, steps: Any = None, *,
    rng: Any = None, clip: Clip = None, step: Callable = ddpm_step,
) -> Iterator[Any]:  # fmt: skip
    """Ancestral sampling: guess x_0, then draw x_s from q(x_s | x_t, x̂_0). `steps=None` visits every t.

    `step` replaces `ddpm_step`, for example by `partial(ddpm_step, variance=step_variance)` or by one of your own.
    """
    x, predict, times = prepared(model, schedule, xT, steps, rng, clip)
    step = predict.tested(step, ddpm_step)
    yield xT
    for t, s in times:
        x = step(x, predict(x, t), t, s, schedule, randn_like(x, rng) if s > 0 else 0.0)
        yield x


def ddim_step(xt: Any, x0_hat: Any, t: int, s: int, schedule: Schedule, z: Any = 0.0, eta: float = 0.0) -> Any:
    """x_s = √ᾱ_s x̂_0 + √(1−ᾱ_s−σ²) ε̂ + σ z with σ² = η² β̃."""
    kept, eps_hat = schedule.at(s), eps_from_x0(xt, schedule.at(t), x0_hat)
    fresh = eta**2 * float(posterior_variance(schedule.at(t), kept))
    x = kept**0.5 * x0_hat + max(1 - kept - fresh, 0.0) ** 0.5 * eps_hat
    return x + fresh**0.5 * z if fresh > 0 else x


@refusing_at_once
def ddim(
    model: Callable, schedule: Schedule, xT: Array, steps: Any = 50, *,
    rng: Any = None, eta: float = 0.0, clip: Clip = None, step: Callable = ddim_step,
) -> Iterator[Any]:  # fmt: skip
    """Guess x_0, take the noise that makes x_t of the guess, and noise the guess with it again, to level s.

    η = 0 (the default, DDIM proper) is deterministic: Euler's method on the ODE, which follows the slope at the
    beginning of a step to its end, x̄_s = x̄_t + (σ_s − σ_t) ε̂. Order 1. η = 1 has as much fresh noise as `ddpm`. `step`
    replaces `ddim_step`. Raises ValueError unless 0 ≤ η ≤ 1.
    """
    number(eta, "eta (0: deterministic, 1: as much noise as DDPM)", 0, 1)
    x, predict, times = prepared(model, schedule, xT, steps, rng, clip)
    step = predict.tested(step, ddim_step)
    yield xT
    for t, s in times:
        x = step(x, predict(x, t), t, s, schedule, randn_like(x, rng) if eta > 0 and s > 0 else 0.0, eta)
        yield x


def heun_step(xt: Any, x0_hat: Any, t: int, s: int, schedule: Schedule, predict: Callable) -> Any:
    """x_s by the mean of the slopes ε̂ at both ends. `predict(x, s)` is the guess x̂_0 at the far one.

    Euler's step where one end has no slope: at s = 0 (no noise to estimate) and from ᾱ_t = 0 (σ is infinite).
    """
    there = ddim_step(xt, x0_hat, t, s, schedule)
    if s == 0 or schedule.at(t) == 0:
        return there
    slope = eps_from_x0(xt, schedule.at(t), x0_hat)
    slope = (slope + eps_from_x0(there, schedule.at(s), predict(there, s))) / 2
    return add_noise(x0_from_eps(xt, schedule.at(t), slope), schedule.at(s), slope)


@refusing_at_once
def heun(
    model: Callable, schedule: Schedule, xT: Array, steps: Any = 25, *, rng: Any = None, clip: Clip = None
) -> Iterator[Any]:
    """Heun's method on the ODE: Euler's step, a look at the slope where it ends, then the mean of both slopes.

    Order 2 for two evaluations a step; the last step is Euler's, so n steps cost 2n − 1 evaluations. One step must not
    divide σ by a large factor: the slope changes only near its end, and half of even a small change, times a step so
    long in σ, is too much. The first of 25 even steps on `cosine` goes from σ = 20,000 to 16. Space them by
    "exponential" there, or start lower: `steps=schedule.steps(n + 1, "logsnr")[1:]`.
    """
    x, predict, times = prepared(model, schedule, xT, steps, rng, clip)
    yield xT
    for t, s in times:
        x = heun_step(x, predict(x, t), t, s, schedule, predict)
        yield x


def dpm_solver_step(xt: Any, x0_hat: Any, t: int, s: int, schedule: Schedule, before: Sequence = ()) -> Any:
    """x_s from the guess x̂_0 and those `before` it, pairs (time, x̂_0), newest first: the ODE solved but for x̂_0(u).

        x_s = √(1−ᾱ_s)/√(1−ᾱ_t) x_t + √ᾱ_s G,     G = ∫ e^{u−u_s} x̂_0(u) du  from u_t to u_s

    G is taken by Newton's divided differences. One guess before: the line, at its value half-way, as in the paper's
    algorithm (2M). Two: the parabola, integrated exactly. (Code as released, the authors' and diffusers', has m2/2
    for m2, as if the second divided difference were the second derivative; it is half of it, and the order is then 2.)
    """
    step_variance(schedule.at(t), schedule.at(s))  # refuses s ≥ t
    log_snr = schedule.log_snr.item  # half of it is u, which the papers of DPM-Solver call λ
    known = [(t, x0_hat), *(before if s > 0 else ())]  # at u_s = ∞ the newest counts alone
    (u_t, newest), *older = [(log_snr(time) / 2, guess) for time, guess in known]
    h = log_snr(s) / 2 - u_t
    m0 = -math.expm1(-h)  # ∫ e^{u−u_s} du from u_t to u_s
    G = m0 * newest
    if older:
        (u_1, latest), *oldest = older
        slope = (newest - latest) / (u_t - u_1)
        m1 = h - m0  # the same of (u−u_t) e^{u−u_s}
        G = G + (m1 if oldest else m0 * h / 2) * slope
        if oldest:
            ((u_2, first),) = oldest
            bend = (slope - (latest - first) / (u_1 - u_2)) / (u_t - u_2)
            m2 = h**2 - 2 * m1  # and of (u−u_t)² e^{u−u_s}
            G = G + (m2 + (u_t - u_1) * m1) * bend
    (_, noise_t), (signal_s, noise_s) = levels(schedule.at(t), xt), levels(schedule.at(s), xt)
    return noise_s / noise_t * xt + signal_s * G


@refusing_at_once
def dpm_solver(
    model: Callable, schedule: Schedule, xT: Array, steps: Any = 20, *,
    rng: Any = None, order: int = 2, clip: Clip = None,
) -> Iterator[Any]:  # fmt: skip
    """DPM-Solver++, multistep: extend the latest `order` guesses of x_0 as a polynomial in u = ½ log-SNR.

    `order` is 1 (the same as `ddim`), 2 or 3. The first steps have fewer guesses to look back on, and the last,
    which ends at u = ∞, takes the newest one as it is.
    """
    order = whole(order, "order, the number of guesses of x_0 to look back on,", most=3)
    x, predict, times = prepared(model, schedule, xT, steps, rng, clip)
    before: list[tuple[int, Any]] = []
    yield xT
    for t, s in times:
        x0_hat = predict(x, t)
        x = dpm_solver_step(x, x0_hat, t, s, schedule, before)
        before = [(t, x0_hat), *before][: order - 1]
        yield x


def dynamic_threshold(share: float = 0.995) -> Callable[[Any], Any]:
    """A `clip`: divide each x̂_0 by the bound that `share` of its numbers keep, if above 1, and cut at ±1."""

    number(share, "share", 0, 1)

    def clip(x0_hat: Any) -> Any:
        if not shape_of(x0_hat):
            return max(-1.0, min(1.0, x0_hat))
        bound = row_quantile(abs(x0_hat).reshape(len(x0_hat), -1), share)
        bound = bound.clip(1).reshape(-1, *[1] * (x0_hat.ndim - 1))
        return x0_hat.clip(-bound, bound) / bound

    return clip
