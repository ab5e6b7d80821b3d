"""The forward process: noising, the three names of one thing (x_0, ε, v), and the posterior.

    x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε,     ε ~ N(0, I)

The same functions serve a float, a NumPy array and a torch tensor. Noise is always an argument: nothing random
hides inside. `alpha_bar_t` is a number, or one number a sample: shape (B,) for an x of shape (B, …). A network,
which has its noise levels ready on its device, passes `Levels` instead where ᾱ_t stands alone. Half-precision tensors
are computed, and returned, in float32: √ᾱ falls to 5e-5, and half precision would turn the quotient into infinity.

Sources: DDPM (arXiv:2006.11239), equations 2, 4, 6, 7; Salimans & Ho 2022 (arXiv:2202.00512) for v.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .base.arrays import Array, cast, exact, holds, is_tensor, may_read, shape_of, shaped
from .base.refusals import of_one_shape, power_of, refuse_rng, require_floats


class Levels(NamedTuple):
    """Signal and noise level (√ᾱ_t, √(1−ᾱ_t)): numbers, or one a sample."""

    signal: Any
    noise: Any


def levels(alpha_bar_t: Any, x: Array) -> Levels:
    """Signal and noise level (√ᾱ_t, √(1−ᾱ_t)), ready to multiply x: shape (B, 1, …), x's dtype and device.

    Computed in float64, because 1 − ᾱ_t loses digits in float32; a tensor of ᾱ_t is taken in its own dtype, where it
    lies. Raises ValueError if ᾱ_t is outside [0, 1], NaN, or of a length that is not x's.
    """
    if isinstance(alpha_bar_t, Levels):
        return Levels(*(shaped(level, x) for level in alpha_bar_t))
    power = power_of("alpha_bar_t", alpha_bar_t)
    return Levels(shaped(power**0.5, x), shaped((1 - power) ** 0.5, x))


def add_noise(x0: Array, alpha_bar_t: Any, eps: Array) -> Any:
    """x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε: any number of noising steps in one.

    >>> add_noise(3.0, 0.25, eps=2.0)
    3.232050807568877
    """
    signal, noise, x0, eps = _ready(alpha_bar_t, x0=x0, eps=eps)
    return signal * x0 + noise * eps


def noise_step(x: Array, beta_t: Any, eps: Array) -> Any:
    """One step of the chain, x_t = √(1−β_t) x_{t−1} + √β_t ε: noising with ᾱ = 1 − β_t, of which no digit is lost."""
    beta_t = power_of("beta_t", beta_t)
    return add_noise(x, Levels((1 - beta_t) ** 0.5, beta_t**0.5), eps)


def x0_from_eps(xt: Array, alpha_bar_t: Any, eps: Array) -> Any:
    """x_0 = (x_t − √(1−ᾱ_t) ε) / √ᾱ_t. Refused at ᾱ_t = 0, where x_t holds nothing of x_0."""
    signal, noise, xt, eps = _ready(alpha_bar_t, xt=xt, eps=eps)
    _refuse_pure_noise(signal)
    return (xt - noise * eps) / signal


def eps_from_x0(xt: Array, alpha_bar_t: Any, x0: Array) -> Any:
    """ε = (x_t − √ᾱ_t x_0) / √(1−ᾱ_t). Refused at ᾱ_t = 1, where x_t holds nothing of ε."""
    signal, noise, xt, x0 = _ready(alpha_bar_t, xt=xt, x0=x0)
    refuse_clean(noise)
    return (xt - signal * x0) / noise


def v_from_eps(xt: Array, alpha_bar_t: Any, eps: Array) -> Any:
    """v = √ᾱ_t ε − √(1−ᾱ_t) x_0 = (ε − √(1−ᾱ_t) x_t) / √ᾱ_t. Refused at ᾱ_t = 0."""
    signal, noise, xt, eps = _ready(alpha_bar_t, xt=xt, eps=eps)
    _refuse_pure_noise(signal)
    return (eps - noise * xt) / signal


def eps_from_v(xt: Array, alpha_bar_t: Any, v: Array) -> Any:
    """ε = √ᾱ_t v + √(1−ᾱ_t) x_t. No division: good at every t."""
    signal, noise, xt, v = _ready(alpha_bar_t, xt=xt, v=v)
    return signal * v + noise * xt


def x0_from_v(xt: Array, alpha_bar_t: Any, v: Array) -> Any:
    """x_0 = √ᾱ_t x_t − √(1−ᾱ_t) v. No division: good at every t."""
    signal, noise, xt, v = _ready(alpha_bar_t, xt=xt, v=v)
    return signal * xt - noise * v


def posterior(x0: Array, xt: Array, alpha_bar_t: Any, alpha_bar_s: Any) -> tuple[Any, Any]:
    """Mean and variance of q(x_s | x_t, x_0) for any s < t: where x_s lay, if both ends are known.

    With β = 1 − ᾱ_t / ᾱ_s, the variance of the noise that came between s and t:

        mean     = √ᾱ_s β/(1−ᾱ_t) x_0 + √(1−β) (1−ᾱ_s)/(1−ᾱ_t) x_t
        variance = (1−ᾱ_s)/(1−ᾱ_t) β                  (β̃_t when s = t − 1; 0 when s = 0)

    The variance comes shaped to broadcast against x_t. Raises ValueError unless 1 ≥ ᾱ_s > ᾱ_t ≥ 0.

    >>> posterior(x0=1.0, xt=0.0, alpha_bar_t=0.25, alpha_bar_s=1.0)
    (1.0, 0.0)
    """
    a_t, a_s = exact(alpha_bar_t), exact(alpha_bar_s)
    beta = step_variance(a_t, a_s)
    x0, xt = of_one_shape(x0=x0, xt=xt)
    share = (1 - a_s) / (1 - a_t)  # of the noise in x_t, what was there at s
    like = xt if shape_of(xt) else x0  # either may be one number for all samples
    of_x0 = shaped(a_s**0.5 * beta / (1 - a_t), like)
    of_xt = shaped((1 - beta) ** 0.5 * share, like)
    return of_x0 * x0 + of_xt * xt, shaped(share * beta, like)


def step_variance(alpha_bar_t: Any, alpha_bar_s: Any) -> Any:
    """β = 1 − ᾱ_t/ᾱ_s of one long step from s to t: the wider of the two fixed choices of σ² in DDPM.

    Raises ValueError unless 1 ≥ ᾱ_s > ᾱ_t ≥ 0.
    """
    a_t, a_s = exact(alpha_bar_t), exact(alpha_bar_s)
    if not holds((a_t >= 0) & (a_t < a_s) & (a_s <= 1)):
        raise ValueError(
            f"a step needs 0 ≤ ᾱ_t < ᾱ_s ≤ 1 (s is the earlier, cleaner time), not ᾱ_t = {a_t!s}, ᾱ_s = {a_s!s}."
        )
    return 1 - a_t / a_s


def posterior_variance(alpha_bar_t: Any, alpha_bar_s: Any) -> Any:
    """β̃ = (1−ᾱ_s)/(1−ᾱ_t) β, the variance of q(x_s | x_t, x_0): the narrower choice; 0 at s = 0."""
    a_t, a_s = exact(alpha_bar_t), exact(alpha_bar_s)
    return step_variance(a_t, a_s) * (1 - a_s) / (1 - a_t)


def randn_like(x: Array, rng: Any = None) -> Any:
    """Standard Gaussian noise ε of x's shape, dtype (a half-precision array: float32) and device, drawn from `rng`.

    `rng` is a numpy Generator for floats and arrays, a torch Generator for tensors (a CPU one gives the same
    noise on every device). None draws from a fresh generator (NumPy) or from torch's own.
    """
    refuse_rng(rng, x)
    require_floats(x=x)
    if is_tensor(x):
        device = x.device if rng is None else rng.device
        return x.new_empty(x.shape, device=device).normal_(generator=rng).to(x.device)
    rng = np.random.default_rng() if rng is None else rng
    return cast(np.asarray(rng.standard_normal(np.shape(x))), x)


def _ready(alpha_bar_t: Any, **pair: Any) -> tuple[Any, Any, Any, Any]:
    """Signal and noise level, and the two of `pair`, all ready to be multiplied."""
    a, b = of_one_shape(**pair)
    return *levels(alpha_bar_t, a if shape_of(a) else b), a, b  # either may be one number for all samples


def _refuse_pure_noise(signal: Any) -> None:
    if may_read(signal) and not holds(signal != 0):
        raise ValueError("ᾱ_t = 0 is pure noise without x_0: predict x_0 or v there, or end the schedule above 0.")


def refuse_clean(noise: Any) -> None:
    """Raise ValueError where √(1−ᾱ_t) = 0: there ε has left no trace in x_t."""
    if may_read(noise) and not holds(noise != 0):
        raise ValueError("ᾱ_t = 1 (t = 0) is the clean sample without ε, so ε cannot be told there: start at t = 1.")
