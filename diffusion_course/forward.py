"""The forward process: noising, the three names of one thing (x_0, ε, v), and the posterior.

    x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε,     ε ~ N(0, I)

The same functions serve a float, a NumPy array and a torch tensor. Noise is always an argument: nothing random
hides inside. `alpha_bar_t` is a number, or one number a sample: shape (B,) for an x of shape (B, …). A network,
which has its noise levels ready on its device, passes `Levels` instead. Half-precision tensors are computed, and
returned, in float32: √ᾱ falls to 5e-5, and half precision would turn the quotient into infinity.

Sources: DDPM (arXiv:2006.11239), equations 2, 4, 6, 7; Salimans & Ho 2022 (arXiv:2202.00512) for v.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import torch

Array: TypeAlias = "float | np.ndarray | torch.Tensor"


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
        return Levels(*(_shaped(level, x) for level in alpha_bar_t))
    power = alpha_bar_t if is_tensor(alpha_bar_t) else _exact(alpha_bar_t)
    if may_read(power) and not _all((power >= 0) & (power <= 1)):  # also refuses NaN
        raise ValueError(f"alpha_bar_t must lie in [0, 1], not {power!s}.")
    return Levels(_shaped(power**0.5, x), _shaped((1 - power) ** 0.5, x))


def add_noise(x0: Array, alpha_bar_t: Any, eps: Array) -> Any:
    """x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε: any number of noising steps in one.

    >>> add_noise(3.0, 0.25, eps=2.0)
    3.232050807568877
    """
    signal, noise, x0, eps = _ready(alpha_bar_t, x0=x0, eps=eps)
    return signal * x0 + noise * eps


def noise_step(x: Array, beta_t: Any, eps: Array) -> Any:
    """One step of the chain, x_t = √(1−β_t) x_{t−1} + √β_t ε: noising with ᾱ = 1 − β_t."""
    return add_noise(x, 1 - beta_t, eps)


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
    a_t, a_s = _exact(alpha_bar_t), _exact(alpha_bar_s)
    beta = step_variance(a_t, a_s)
    x0, xt = _of_one_shape(x0=x0, xt=xt)
    share = (1 - a_s) / (1 - a_t)  # of the noise in x_t, what was there at s
    of_x0 = _shaped(a_s**0.5 * beta / (1 - a_t), xt)
    of_xt = _shaped((1 - beta) ** 0.5 * share, xt)
    return of_x0 * x0 + of_xt * xt, _shaped(share * beta, xt)


def step_variance(alpha_bar_t: Any, alpha_bar_s: Any) -> Any:
    """β = 1 − ᾱ_t/ᾱ_s of one long step from s to t: the wider of the two fixed choices of σ² in DDPM.

    Raises ValueError unless 1 ≥ ᾱ_s > ᾱ_t ≥ 0.
    """
    a_t, a_s = _exact(alpha_bar_t), _exact(alpha_bar_s)
    if not _all((a_t >= 0) & (a_t < a_s) & (a_s <= 1)):
        raise ValueError(
            f"a step needs 0 ≤ ᾱ_t < ᾱ_s ≤ 1 (s is the earlier, cleaner time), not ᾱ_t = {a_t!s}, ᾱ_s = {a_s!s}."
        )
    return 1 - a_t / a_s


def posterior_variance(alpha_bar_t: Any, alpha_bar_s: Any) -> Any:
    """β̃ = (1−ᾱ_s)/(1−ᾱ_t) β, the variance of q(x_s | x_t, x_0): the narrower choice; 0 at s = 0."""
    a_t, a_s = _exact(alpha_bar_t), _exact(alpha_bar_s)
    return step_variance(a_t, a_s) * (1 - a_s) / (1 - a_t)


def randn_like(x: Array, rng: Any = None) -> Any:
    """Standard Gaussian noise ε of x's shape, dtype and device, drawn from `rng`.

    `rng` is a numpy Generator for floats and arrays, a torch Generator for tensors (a CPU one gives the same
    noise on every device). None draws from a fresh generator (NumPy) or from torch's own.
    """
    library = "torch" if is_tensor(x) else "numpy"
    if rng is not None and type(rng).__module__.split(".")[0] != library:
        raise ValueError(
            f"rng is a {type(rng).__qualname__} but x is a {type(x).__qualname__}: give a {library} Generator, or None."
        )
    if is_tensor(x):
        _refuse_whole_numbers(x)
        device = x.device if rng is None else rng.device
        return x.new_empty(x.shape, device=device).normal_(generator=rng).to(x.device)
    rng = np.random.default_rng() if rng is None else rng
    return cast(np.asarray(rng.standard_normal(np.shape(x))), x)


# ---- floats, arrays and tensors ------------------------------------------------------------------


def is_tensor(x: Any) -> bool:
    """Is x a torch tensor? Asked without importing torch."""
    return hasattr(x, "new_tensor")


def may_read(x: Any) -> bool:
    """May a value of x be looked at here? Not on a GPU, where reading makes the host wait, nor in a compiled graph."""
    return not is_tensor(x) or (not sys.modules["torch"].compiler.is_compiling() and x.device.type == "cpu")


def to_float64(values: Any) -> np.ndarray:
    """Numbers, an array or a tensor (on any device) as a float64 array."""
    return np.asarray(values.detach().cpu().double() if is_tensor(values) else values, dtype=np.float64)


def _exact(values: Any) -> Any:
    """A float as it is (quick: samplers pass nothing else), anything else as a float64 array."""
    return float(values) if isinstance(values, float) else to_float64(values)


def _all(condition: Any) -> bool:
    return condition if isinstance(condition, bool) else bool(condition.all())


def cast(values: np.ndarray, x: Array) -> Any:
    """Float64 `values` in x's dtype, on its device (half precision: float32). A single number stays a float."""
    if is_tensor(x):
        _refuse_whole_numbers(x)
    if values.ndim == 0:
        return float(values)
    if is_tensor(x):
        return widened(x.new_empty(0)).new_tensor(values)
    dtype = widened(x).dtype if hasattr(x, "dtype") else values.dtype
    return values.astype(dtype) if dtype.kind == "f" else values


def widened(x: Any) -> Any:
    """x itself, or in float32 if its two bytes a number are too few to compute with."""
    if getattr(getattr(x, "dtype", None), "itemsize", 0) != 2:
        return x
    return x.float() if is_tensor(x) else x.astype(np.float32)


def _shaped(level: Any, x: Array) -> Any:
    """`level`, a number or (B,), to multiply x (B, …): shape (B, 1, …), and x's dtype and device."""
    if isinstance(level, (int, float)):
        return float(level)
    shape = _shape(x)
    if level.ndim and shape:
        if tuple(level.shape) != shape[:1]:
            raise ValueError(f"ᾱ_t {tuple(level.shape)} for x {shape}: give one number, or one a sample, {shape[:1]}.")
        level = level.reshape(-1, *[1] * (len(shape) - 1))
    if not is_tensor(level):
        return cast(level, x)
    return level.to(widened(x)) if is_tensor(x) else cast(to_float64(level), x)


def _ready(alpha_bar_t: Any, **pair: Any) -> tuple[Any, Any, Any, Any]:
    """Signal and noise level, and the two of `pair`, all ready to be multiplied."""
    a, b = _of_one_shape(**pair)
    return *levels(alpha_bar_t, a if _shape(a) else b), a, b  # either may be one number for all samples


def _of_one_shape(**pair: Any) -> tuple[Any, Any]:
    """The two of `pair`, widened; refused if their shapes differ. A number goes with any shape."""
    (name_a, a), (name_b, b) = pair.items()
    shape_a, shape_b = _shape(a), _shape(b)
    if shape_a and shape_b and shape_a != shape_b:
        raise ValueError(f"{name_a} has shape {shape_a} but {name_b} has {shape_b}: they must be equal.")
    for x in (a, b):
        if is_tensor(x):
            _refuse_whole_numbers(x)
    return widened(a), widened(b)


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(getattr(x, "shape", ()))


def _refuse_whole_numbers(x: Any) -> None:
    if not x.is_floating_point():
        raise ValueError(f"a tensor of {x.dtype} cannot hold noise: give floats (`x.float()`).")


def _refuse_pure_noise(signal: Any) -> None:
    if may_read(signal) and not _all(signal != 0):
        raise ValueError("ᾱ_t = 0 is pure noise without x_0: predict x_0 or v there, or end the schedule above 0.")


def refuse_clean(noise: Any) -> None:
    """Raise ValueError where √(1−ᾱ_t) = 0: there ε has left no trace in x_t."""
    if may_read(noise) and not _all(noise != 0):
        raise ValueError("ᾱ_t = 1 (t = 0) is the clean sample without ε, so ε cannot be told there: start at t = 1.")
