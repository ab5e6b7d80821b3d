"""The forward process: noising, the three names of one thing (x_0, ε, v), and the posterior.

    x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε,     ε ~ N(0, I)

The same functions serve a float, a NumPy array and a torch tensor. Noise is always an argument: nothing
random hides inside. `alpha_bar_t` is a number, or one number a sample: shape (B,) for an x of shape (B, …).

Sources: DDPM (arXiv:2006.11239), equations 2, 4, 6, 7; Salimans & Ho 2022 (arXiv:2202.00512) for v.
"""

import numpy as np


def levels(alpha_bar_t, x):
    """Signal and noise level (√ᾱ_t, √(1−ᾱ_t)), ready to multiply x.

    Both are computed in float64 (1 − ᾱ_t loses digits in float32), then shaped (B, 1, …) and cast like x.
    Raises ValueError if ᾱ_t is NaN, outside [0, 1], or of a length that is not x's.
    """
    power = to_float64(alpha_bar_t)
    if not ((power >= 0) & (power <= 1)).all():  # also refuses NaN
        raise ValueError(f"alpha_bar_t must lie in [0, 1], not {power!s}.")
    return like(power**0.5, x), like((1 - power) ** 0.5, x)


def add_noise(x0, alpha_bar_t, eps):
    """x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε: any number of noising steps in one stroke.

    >>> add_noise(3.0, 0.25, eps=2.0)
    3.232050807568877
    """
    signal, noise = levels(alpha_bar_t, x0 if np.shape(x0) else eps)  # x0 may be one number for all samples
    _refuse_other_shape(x0, eps, "x0", "eps")
    return signal * x0 + noise * eps


def noise_step(x, beta_t, eps):
    """One step of the chain, x_t = √(1−β_t) x_{t−1} + √β_t ε: noising with ᾱ = 1 − β_t."""
    return add_noise(x, 1 - beta_t, eps)


def x0_from_eps(xt, alpha_bar_t, eps):
    """x_0 = (x_t − √(1−ᾱ_t) ε) / √ᾱ_t. Refused at ᾱ_t = 0, where x_t holds nothing of x_0."""
    signal, noise = levels(alpha_bar_t, xt)
    _refuse_other_shape(xt, eps, "xt", "eps")
    _refuse_static(alpha_bar_t)
    return (xt - noise * eps) / signal


def eps_from_x0(xt, alpha_bar_t, x0):
    """ε = (x_t − √ᾱ_t x_0) / √(1−ᾱ_t). Refused at ᾱ_t = 1, where x_t holds nothing of ε."""
    signal, noise = levels(alpha_bar_t, xt)
    _refuse_other_shape(xt, x0, "xt", "x0")
    refuse_clean(alpha_bar_t)
    return (xt - signal * x0) / noise


def v_from_eps(xt, alpha_bar_t, eps):
    """v = √ᾱ_t ε − √(1−ᾱ_t) x_0 = (ε − √(1−ᾱ_t) x_t) / √ᾱ_t. Refused at ᾱ_t = 0."""
    signal, noise = levels(alpha_bar_t, xt)
    _refuse_other_shape(xt, eps, "xt", "eps")
    _refuse_static(alpha_bar_t)
    return (eps - noise * xt) / signal


def eps_from_v(xt, alpha_bar_t, v):
    """ε = √ᾱ_t v + √(1−ᾱ_t) x_t. No division: good at every t."""
    signal, noise = levels(alpha_bar_t, xt)
    _refuse_other_shape(xt, v, "xt", "v")
    return signal * v + noise * xt


def x0_from_v(xt, alpha_bar_t, v):
    """x_0 = √ᾱ_t x_t − √(1−ᾱ_t) v. No division: good at every t."""
    signal, noise = levels(alpha_bar_t, xt)
    _refuse_other_shape(xt, v, "xt", "v")
    return signal * xt - noise * v


def posterior(x0, xt, alpha_bar_t, alpha_bar_s):
    """Mean and variance of q(x_s | x_t, x_0) for any s < t: where x_s lay, if both ends are known.

    With β = 1 − ᾱ_t / ᾱ_s, the variance of the noise that came between s and t:

        mean     = √ᾱ_s β/(1−ᾱ_t) x_0 + √(1−β) (1−ᾱ_s)/(1−ᾱ_t) x_t
        variance = (1−ᾱ_s)/(1−ᾱ_t) β                  (β̃_t when s = t − 1; 0 when s = 0)

    The variance comes shaped to broadcast against x_t. Raises ValueError unless 1 ≥ ᾱ_s > ᾱ_t ≥ 0.

    >>> posterior(x0=1.0, xt=0.0, alpha_bar_t=0.25, alpha_bar_s=1.0)
    (1.0, 0.0)
    """
    a_t, a_s = to_float64(alpha_bar_t), to_float64(alpha_bar_s)
    beta, variance = step_variance(a_t, a_s), posterior_variance(a_t, a_s)
    _refuse_other_shape(x0, xt, "x0", "xt")
    of_x0 = like(a_s**0.5 * beta / (1 - a_t), xt)
    of_xt = like((1 - beta) ** 0.5 * (1 - a_s) / (1 - a_t), xt)
    return of_x0 * x0 + of_xt * xt, like(variance, xt)


def step_variance(alpha_bar_t, alpha_bar_s):
    """β = 1 − ᾱ_t/ᾱ_s of one long step from s to t: the wider of the two fixed choices of σ² in DDPM.

    Raises ValueError unless 1 ≥ ᾱ_s > ᾱ_t ≥ 0.
    """
    a_t, a_s = to_float64(alpha_bar_t), to_float64(alpha_bar_s)
    if not ((a_t >= 0) & (a_t < a_s) & (a_s <= 1)).all():
        raise ValueError(
            f"a step needs 0 ≤ ᾱ_t < ᾱ_s ≤ 1 (s is the earlier, cleaner time), not ᾱ_t = {a_t!s}, ᾱ_s = {a_s!s}."
        )
    return 1 - a_t / a_s


def posterior_variance(alpha_bar_t, alpha_bar_s):
    """β̃ = (1−ᾱ_s)/(1−ᾱ_t) β, the variance of q(x_s | x_t, x_0): the narrower choice; 0 at s = 0."""
    beta = step_variance(alpha_bar_t, alpha_bar_s)
    return (1 - to_float64(alpha_bar_s)) / (1 - to_float64(alpha_bar_t)) * beta


def like(values, x):
    """Float64 `values`, a number or (B,), to multiply x (B, …): x's dtype and device, shape (B, 1, …)."""
    shape = tuple(np.shape(x))
    if values.ndim and shape:
        if values.shape != shape[:1]:
            raise ValueError(
                f"ᾱ_t of shape {values.shape} for x of shape {shape}: give one number, or one a sample, "
                f"shape {shape[:1]}."
            )
        values = values.reshape(-1, *[1] * (len(shape) - 1))
    return cast(values, x)


def cast(values, x):
    """Float64 `values` in x's dtype, on its device. A single number needs neither and stays a float."""
    if is_tensor(x):
        _refuse_whole_numbers(x)
    if values.ndim == 0:
        return float(values)
    if is_tensor(x):
        return x.new_tensor(values)
    dtype = getattr(x, "dtype", values.dtype)
    return values.astype(dtype) if dtype.kind == "f" else values


def randn_like(x, rng=None):
    """Standard Gaussian noise ε of x's shape, dtype and device, drawn from `rng`.

    `rng` is a numpy Generator for floats and arrays, a torch Generator for tensors (a CPU one gives the same
    noise on every device). None draws from a fresh generator (NumPy) or from torch's own.
    """
    library = "torch" if is_tensor(x) else "numpy"
    if rng is not None and type(rng).__module__.split(".")[0] != library:
        raise ValueError(
            f"rng is a {type(rng).__qualname__} but x is a {type(x).__qualname__}: "
            f"give a {library} Generator, or None."
        )
    if is_tensor(x):
        _refuse_whole_numbers(x)
        device = x.device if rng is None else rng.device
        return x.new_empty(x.shape, device=device).normal_(generator=rng).to(x.device)
    rng = np.random.default_rng() if rng is None else rng
    return cast(np.asarray(rng.standard_normal(np.shape(x))), x)


def is_tensor(x) -> bool:
    """Is x a torch tensor? Asked without importing torch."""
    return hasattr(x, "new_tensor")


def to_float64(values) -> np.ndarray:
    """Numbers, an array or a tensor (on any device) as a float64 array."""
    return np.asarray(values.detach().cpu().double() if is_tensor(values) else values, dtype=np.float64)


def _refuse_other_shape(a, b, name_a, name_b) -> None:
    shape_a, shape_b = tuple(getattr(a, "shape", ())), tuple(getattr(b, "shape", ()))
    if shape_a and shape_b and shape_a != shape_b:  # a number goes with any shape
        raise ValueError(f"{name_a} has shape {shape_a} but {name_b} has {shape_b}: they must be equal.")


def _refuse_whole_numbers(x) -> None:
    if not x.is_floating_point():
        raise ValueError(f"a tensor of {x.dtype} cannot hold noise: give floats (`x.float()`).")


def _refuse_static(alpha_bar_t) -> None:
    if (to_float64(alpha_bar_t) == 0).any():
        raise ValueError(
            "ᾱ_t = 0 is pure static, x_t holds nothing of x_0, and this formula divides by √ᾱ_t: "
            "predict x_0 or v there, or end the schedule above 0."
        )


def refuse_clean(alpha_bar_t) -> None:
    """Raise ValueError where ᾱ_t = 1: there ε has left no trace in x_t."""
    if (to_float64(alpha_bar_t) == 1).any():
        raise ValueError(
            "ᾱ_t = 1 (t = 0) is the clean sample, x_t holds nothing of ε, and this formula divides by "
            "√(1−ᾱ_t): start at t = 1."
        )
