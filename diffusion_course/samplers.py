"""Samplers walk from static to a sample: x_T → … → x_0, a stroke at a time.

Every sampler is a generator. The first item it yields is x_T, then x_s after each stroke, the last is x_0:

    *path, x0 = ddpm(model, schedule, xT)

`model(xt, t)` is any callable that returns ε̂ of x_t's shape. `steps` is the number of strokes, or the falling
times to visit, T … 0. NumPy arrays and torch tensors alike; noise is drawn from `rng`, all else is fixed.

Sources: DDPM (arXiv:2006.11239), algorithm 2; DDIM (arXiv:2010.02502), equation 12.
"""

import math
from itertools import pairwise
from numbers import Number

import numpy as np

from .forward import is_tensor, posterior, posterior_variance, randn_like, x0_from_eps


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
