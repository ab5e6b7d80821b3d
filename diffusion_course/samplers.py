"""Samplers walk from static to a sample: x_T → … → x_0, a stroke at a time.

Every sampler is a generator. The first item it yields is x_T, then x_s after each stroke, the last is x_0:

    *path, x0 = ddpm(model, schedule, xT)

`model(xt, t)` is any callable that returns ε̂ of x_t's shape. `steps` is the number of strokes, or the falling
times to visit, T … 0, such as `schedule.steps(20, "logsnr")`. NumPy arrays and torch tensors alike; noise is
drawn from `rng`, all else is fixed. A stroke costs one evaluation of the model, except in `heun`.

`euler`, `heun` and `dpm_solver` follow the probability-flow ODE, which moves static to data without fresh noise:

    dx̄/dσ = ε̂,     x̄ = x/√ᾱ,     σ = √((1−ᾱ)/ᾱ)

Sources: DDPM (arXiv:2006.11239), algorithm 2; DDIM (arXiv:2010.02502), equation 12; EDM (arXiv:2206.00364),
algorithm 1, for Heun's method; DPM-Solver++ (arXiv:2211.01095), algorithm 2.
"""

import math
from itertools import pairwise
from numbers import Integral, Number

import numpy as np

from .forward import add_noise, is_tensor, levels, posterior, posterior_variance, randn_like, x0_from_eps


def ddpm(model, schedule, xT, steps=None, rng=None, variance=posterior_variance):
    """Ancestral sampling: guess x_0, then draw x_s around the mean of q(x_s | x_t, x̂_0) with variance σ².

    Fresh noise at every stroke but the last, which returns the mean. `steps=None` visits every t.
    `variance` is `forward.posterior_variance` (σ² = β̃) or `forward.step_variance` (σ² = β).
    """
    x, walk = xT, strokes(schedule, schedule.T if steps is None else steps)
    yield x
    for t, s in walk:
        x0_hat = x0_from_eps(x, schedule.at(t), predict(model, x, t))
        x, _ = posterior(x0_hat, x, schedule.at(t), schedule.at(s))
        if s > 0:
            x = x + float(variance(schedule.at(t), schedule.at(s))) ** 0.5 * randn_like(x, rng)
        yield x


def ddim(model, schedule, xT, steps=50, eta=0.0, rng=None):
    """Guess x_0 and ε, then noise the guess again, to level s, with that same ε.

        x_s = √ᾱ_s x̂_0 + √(1−ᾱ_s−σ²) ε̂ + σ z,     σ² = η² β̃

    η = 0 (the default, DDIM proper) is deterministic; η = 1 has as much fresh noise z as `ddpm`.
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta must lie in [0, 1] (0: deterministic, 1: as much noise as DDPM), not {eta}.")
    x, walk = xT, strokes(schedule, steps)
    yield x
    for t, s in walk:
        eps_hat = predict(model, x, t)
        x0_hat = x0_from_eps(x, schedule.at(t), eps_hat)
        power = float(schedule.at(s))
        fresh = eta**2 * float(posterior_variance(schedule.at(t), power))
        x = power**0.5 * x0_hat + (1 - power - fresh) ** 0.5 * eps_hat
        if fresh > 0:
            x = x + fresh**0.5 * randn_like(x, rng)
        yield x


def euler(model, schedule, xT, steps=50):
    """Euler's method on the ODE: follow the slope at the beginning of a stroke to its end. Order 1.

    The same walk as `ddim` with η = 0, found from the other side.
    """
    x, walk = xT, strokes(schedule, steps)
    yield x
    for t, s in walk:
        x = euler_stroke(schedule, x, t, s, predict(model, x, t))
        yield x


def heun(model, schedule, xT, steps=25):
    """Heun's method on the ODE: Euler's stroke, a look at the slope where it ends, then the mean of both slopes.

    Order 2 for two evaluations a stroke. The last stroke stays Euler's, as at σ = 0 there is no noise to
    estimate: n strokes cost 2n − 1 evaluations. The mean of the slopes is far off where σ falls to a small part
    at once: on `cosine`, with σ_T = 20 000, start lower: `steps=schedule.steps(n + 1, "logsnr")[1:]`.
    """
    x, walk = xT, strokes(schedule, steps)
    yield x
    for t, s in walk:
        slope = predict(model, x, t)
        if s > 0:
            slope = (slope + predict(model, euler_stroke(schedule, x, t, s, slope), s)) / 2
        x = euler_stroke(schedule, x, t, s, slope)
        yield x


def dpm_solver(model, schedule, xT, steps=20, order=2):
    """DPM-Solver++, multistep: extend the latest `order` guesses of x_0 as a polynomial in λ = log(√ᾱ/√(1−ᾱ)).

        x_s = √(1−ᾱ_s)/√(1−ᾱ_t) x_t + √ᾱ_s G,     G = ∫ e^{λ−λ_s} x̂_0(λ) dλ  from λ_t to λ_s

    This is the ODE, solved exactly but for x̂_0. `order` is 1 (the same as `euler`), 2 or 3. The first strokes
    have fewer guesses to look back on, and the last, which ends at λ = ∞, takes the newest one as it is.
    """
    if not isinstance(order, Integral) or not 1 <= order <= 3:
        raise ValueError(f"order, the number of guesses of x_0 to look back on, must be 1, 2 or 3, not {order!r}.")
    x, walk, guesses = xT, strokes(schedule, steps), []
    lam = (schedule.log_snr / 2).tolist()
    yield x
    for t, s in walk:
        x0_hat = x0_from_eps(x, schedule.at(t), predict(model, x, t))
        guesses = [(lam[t], x0_hat), *guesses][: order if s > 0 else 1]
        (_, noise_t), (signal_s, noise_s) = levels(schedule.at(t), x), levels(schedule.at(s), x)
        x = noise_s / noise_t * x + signal_s * _weighted_guess(guesses, lam[s])
        yield x


def _weighted_guess(guesses, lam_s):
    """G of `dpm_solver` from the pairs (λ, x̂_0), newest first, by Newton's divided differences.

    Two guesses: the line, at its value half-way, as in the paper's algorithm (2M). Three: the parabola, integrated
    exactly. Published third-order code (the authors', diffusers) has m2/2 for m2 below, as if the second divided
    difference were the second derivative (it is half of it), and so is of order 2 only.
    """
    (lam_t, x0_hat), *older = guesses
    h = lam_s - lam_t
    m0 = -math.expm1(-h)  # ∫ e^{λ−λ_s} dλ from λ_t to λ_s
    if not older:
        return m0 * x0_hat
    (lam_1, guess_1), *oldest = older
    slope = (x0_hat - guess_1) / (lam_t - lam_1)
    if not oldest:
        return m0 * (x0_hat + h / 2 * slope)
    ((lam_2, guess_2),) = oldest
    bend = (slope - (guess_1 - guess_2) / (lam_1 - lam_2)) / (lam_t - lam_2)
    m1 = h - m0  # the same of (λ−λ_t) e^{λ−λ_s}
    m2 = h**2 - 2 * m1  # and of (λ−λ_t)² e^{λ−λ_s}
    return m0 * x0_hat + m1 * slope + (m2 + (lam_t - lam_1) * m1) * bend


def encode(model, schedule, x0, steps=50):
    """Follow the ODE upwards by Euler's method: the x_T from which `ddim` comes back to x_0, nearly.

    Yields x_0 first, x_T last; `steps` as in the samplers. The way up and the way down look at slopes at opposite
    ends of a stroke, so x_0 returns with an error of order 1. At t = 0, where there is no noise to estimate, the
    slope of t = 1 is taken.
    """
    x, walk = x0, strokes(schedule, steps)
    yield x
    for t, s in reversed(list(walk)):
        x = euler_stroke(schedule, x, s, t, predict(model, x, max(s, 1)))
        yield x


def euler_stroke(schedule, x, t, s, slope):
    """x̄ + (σ_s − σ_t) · slope in terms of x: take out the noise of level t along the slope, put in that of level s."""
    return add_noise(x0_from_eps(x, schedule.at(t), slope), schedule.at(s), slope)


def strokes(schedule, steps):
    """The pairs (t, s) of a walk: from each visited step t to the next, cleaner one s.

    `steps` is a number of strokes (spaced by `schedule.steps`), or the falling times themselves, ending at 0.
    """
    times = schedule.steps(steps) if np.ndim(steps) == 0 else np.asarray(steps)
    if times.ndim != 1 or len(times) < 2 or times[-1] != 0 or (np.diff(times) >= 0).any():
        raise ValueError(f"steps must fall, at least two of them, and end at 0 (clean); given: {times}.")
    schedule.at(times)  # refuses what is outside 0 … T
    return pairwise(times.tolist())


def predict(model, xt, t):
    """ε̂ = model(xt, t), without gradients; refused unless it is finite and of x_t's shape."""
    eps_hat = _without_gradients(model, xt, t) if is_tensor(xt) else model(xt, t)
    name = getattr(model, "__name__", type(model).__name__)
    shape = getattr(eps_hat, "shape", () if isinstance(eps_hat, Number) else None)
    if shape != np.shape(xt):
        got = type(eps_hat).__name__ if shape is None else f"shape {tuple(shape)}"
        raise ValueError(
            f"{name}(xt, t) must return ε̂ of shape {tuple(np.shape(xt))} like xt; "
            f"it returned {got} at t = {t}."
        )
    if not math.isfinite(eps_hat.sum() if hasattr(eps_hat, "sum") else eps_hat):
        raise ValueError(
            f"{name}(xt, t) returned NaN or infinity at t = {t}: look at its input and its weights."
        )
    return eps_hat


def _without_gradients(model, xt, t):
    import torch  # only here, so that walking on arrays never loads it

    with torch.no_grad():
        return model(xt, t)
