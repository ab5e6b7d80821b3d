"""A noise schedule says how much of the signal is left after t steps: one falling array ᾱ_0 = 1 … ᾱ_T ≈ 0.

Everything else (α, β, SNR, and where a sampler puts its steps) is derived from that array.

Sources: `linear` DDPM (arXiv:2006.11239); `cosine` Improved DDPM (arXiv:2102.09672); `sigmoid` Jabri et al. 2022
(arXiv:2212.11972); `zero_terminal_snr`, `even`, `leading` Lin et al. 2023 (arXiv:2305.08891); `logsnr` DPM-Solver
(arXiv:2206.00927); `karras` EDM (arXiv:2206.00364), equation 5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .base.arrays import brief, read_only, to_float64
from .base.refusals import TINY, number, one_of, warn_the_caller, whole

VISIBLE = 0.1  # √ᾱ_T above this leaves visible signal in what should be pure noise
BETA_MAX = 0.999  # keeps the last ᾱ of the cosine and sigmoid curves above exactly 0
FAINTEST = -10.2  # log-SNR (ᾱ = 4e-5, where `linear` ends) below which `logsnr` spends no step


class TerminalSNRWarning(UserWarning):
    """The schedule ends before the signal is gone: sampling from N(0, I) starts from the wrong distribution."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """The signal power ᾱ_t kept after t noising steps, and everything that follows from it.

    `alpha_bar` has shape (T+1,), starts at exactly 1 and falls strictly within [0, 1]; it is copied to float64 and
    made read-only. Every property has the same shape and the same index t.
    Raises ValueError for anything else; warns `TerminalSNRWarning` if √ᾱ_T > 0.1.

    >>> Schedule([1.0, 0.5, 0.005]).beta
    array([0.  , 0.5 , 0.99])
    """

    alpha_bar: np.ndarray

    def __post_init__(self) -> None:
        alpha_bar = to_float64(self.alpha_bar).copy()
        _refuse_bad_alpha_bar(alpha_bar)
        self.__setstate__({"alpha_bar": alpha_bar})
        if (left := alpha_bar[-1] ** 0.5) > VISIBLE:
            warn_the_caller(
                f"√ᾱ_T = {left:.3f}: {left:.0%}\nof the signal's amplitude is left at t = T = {self.T}, so x_T is not "
                f"pure noise (allowed: {VISIBLE}).\nUse more steps, larger betas (fewer steps need proportionally "
                "larger ones),\nor `zero_terminal_snr(schedule)`.",
                TerminalSNRWarning,
            )

    def __setstate__(self, state: dict) -> None:
        """Also what copy and pickle call: a copied array could be written to."""
        object.__setattr__(self, "alpha_bar", read_only(state["alpha_bar"]))

    @property
    def T(self) -> int:
        """The number of noising steps."""
        return len(self.alpha_bar) - 1

    @property
    def alpha(self) -> np.ndarray:
        """α_t = ᾱ_t / ᾱ_{t−1}, the signal power kept by step t alone; α_0 = 1."""
        return np.concatenate([[1.0], self.alpha_bar[1:] / self.alpha_bar[:-1]])

    @property
    def beta(self) -> np.ndarray:
        """β_t = 1 − α_t, the variance of the noise that step t adds; β_0 = 0."""
        return 1.0 - self.alpha

    @property
    def snr(self) -> np.ndarray:
        """Signal-to-noise ratio ᾱ_t / (1 − ᾱ_t): ∞ at t = 0, 0 where ᾱ_t = 0."""
        with np.errstate(divide="ignore"):
            return self.alpha_bar / (1.0 - self.alpha_bar)

    @cached_property
    def log_snr(self) -> np.ndarray:
        """Natural logarithm of `snr`: +∞ at t = 0, −∞ where ᾱ_t = 0. Computed once, and read-only."""
        with np.errstate(divide="ignore"):
            return read_only(np.log(self.snr))

    def at(self, t: Any) -> Any:
        """ᾱ_t at a step t (a float) or at (B,) steps (an array), of any integer type.

        Raises ValueError outside 0 … T, where an index would wrap, and for anything but whole numbers.

        >>> linear().at([0, 1])
        array([1.    , 0.9999])
        """
        if type(t) is int and 0 <= t <= self.T:  # what samplers ask, several times a step
            return self.alpha_bar.item(t)
        steps = np.asarray(t.cpu() if hasattr(t, "cpu") else t)
        if steps.dtype.kind not in "iu" or not ((steps >= 0) & (steps <= self.T)).all():
            raise ValueError(f"t must be whole numbers from 0 (clean) to T = {self.T} (pure noise), not {brief(t)}.")
        return float(self.alpha_bar[steps]) if steps.ndim == 0 else self.alpha_bar[steps]

    def t_of_snr(self, snr: float) -> int:
        """The step t in 1 … T whose SNR is nearest to `snr`, by ratio. Raises ValueError unless 0 < snr < ∞.

        >>> linear().t_of_snr(1.0)
        259
        """
        log_snr = np.log(number(snr, "snr, a ratio of powers,", TINY))
        return 1 + int(np.abs(self.log_snr[1:] - log_snr).argmin())

    def steps(self, n: int, spacing: str | Callable[[Schedule, int], np.ndarray] = "even") -> np.ndarray:
        """The times that a sampler of `n` steps visits: n+1 falling integers from T to 0.

        `spacing` says where they lie: a name in `SPACINGS`, or a function like those.
        Raises ValueError unless 1 ≤ n ≤ T.

        >>> linear(T=1000).steps(4)
        array([1000,  750,  500,  250,    0])
        """
        place = spacing if callable(spacing) else SPACINGS[one_of(spacing, SPACINGS, "spacing")]
        n = whole(n, f"n, the number of sampling steps (T = {self.T}),", most=self.T)
        times = np.asarray(place(self, n))
        fits = times.dtype.kind in "iu" and times.shape == (n + 1,) and times[0] == self.T and times[-1] == 0
        if not fits or (np.diff(times.astype(int)) >= 0).any():
            raise ValueError(f"spacing must give {n + 1} whole numbers falling from {self.T} to 0, not {brief(times)}.")
        return times


def a_schedule(given: Any) -> Schedule:
    """The schedule given. Raises ValueError for anything else."""
    if not isinstance(given, Schedule):
        raise ValueError(f"schedule must be a Schedule, such as schedule.cosine(), not {brief(given)}.")
    return given


def linear(T: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02) -> Schedule:
    """β_t rises in a straight line from `beta_start` (t = 1) to `beta_end` (t = T): DDPM, tuned to T = 1000.

    >>> float(linear().alpha_bar[500].round(4))
    0.0786
    """
    first, last = number(beta_start, "beta_start", TINY, 1), number(beta_end, "beta_end", TINY, 1)
    return from_beta(np.linspace(first, last, whole(T, "T, the number of steps,")))


def cosine(T: int = 1000, s: float = 0.008) -> Schedule:
    """ᾱ_t = f(t)/f(0) with f(t) = cos²((t/T + s)/(1 + s) · π/2), and each β_t at most 0.999.

    The offset s keeps β_1 from being vanishingly small; the bound keeps ᾱ_T above exactly 0.
    """
    s = number(s, "s, the offset of cosine,", 0)
    t = np.linspace(0, 1, whole(T, "T, the number of steps,") + 1)
    return _from_curve(np.cos((t + s) / (1 + s) * np.pi / 2) ** 2)


def sigmoid(T: int = 1000, start: float = -3.0, end: float = 3.0) -> Schedule:
    """ᾱ_t falls like the logistic curve 1/(1 + e^u), u from `start` to `end`, rescaled to [0, 1]; β_t ≤ 0.999."""
    if not number(start, "start") < number(end, "end"):
        raise ValueError(f"sigmoid: start must be below end, not {start!r} and {end!r}.")
    falling = 1 / (1 + np.exp(np.linspace(start, end, whole(T, "T, the number of steps,") + 1)))
    return _from_curve(falling - falling[-1])


def from_beta(beta: Any) -> Schedule:
    """ᾱ_t = ∏_{s≤t} (1 − β_s) from the T noise variances β_1 … β_T (so `beta[0]` here is β_1)."""
    beta = to_float64(beta)
    if beta.ndim != 1 or len(beta) == 0:
        raise ValueError(f"beta must be a list of T ≥ 1 numbers, not an array of shape {beta.shape}.")
    if not (inside := (beta > 0) & (beta <= 1)).all():
        raise ValueError(f"each beta must lie in (0, 1]; that of step t = {1 + inside.argmin()} is {beta[~inside][0]}.")
    return Schedule(np.concatenate([[1.0], np.cumprod(1.0 - beta)]))


def zero_terminal_snr(schedule: Schedule) -> Schedule:
    """The same curve with √ᾱ shifted and rescaled so that √ᾱ_T = 0 exactly and √ᾱ_1 stays.

    At t = T nothing of x_0 is left, so x_0 cannot be computed from ε there: use a v- or x_0-network.
    """
    if a_schedule(schedule).T < 2:
        raise ValueError("zero_terminal_snr needs T ≥ 2: with one step ᾱ_1 cannot both stay and be 0.")
    first, last = schedule.alpha_bar[[1, -1]] ** 0.5
    rescaled = (schedule.alpha_bar[1:] ** 0.5 - last) * first / (first - last)
    return Schedule(np.concatenate([[1.0], rescaled**2]))


def _from_curve(curve: np.ndarray) -> Schedule:
    """From any falling curve over t = 0 … T, with each β_t bounded by BETA_MAX."""
    return from_beta(np.minimum(1 - curve[1:] / curve[:-1], BETA_MAX))


def even(schedule: Schedule, n: int) -> np.ndarray:
    """Evenly from T down to 0: round(T · i/n), elsewhere called "trailing"."""
    # Rounding keeps neighbours apart because T/n ≥ 1; a fixed stride T // n would not reach both 0 and T.
    return np.round(np.arange(n, -1, -1) * schedule.T / n).astype(int)


def leading(schedule: Schedule, n: int) -> np.ndarray:
    """Whole strides of T // n up from t = 1; the first step, from T, takes the rest (elsewhere it is left out)."""
    times = 1 + np.arange(n - 1)[::-1] * (schedule.T // n)
    return np.concatenate([[schedule.T], times, [0]])


def logsnr(schedule: Schedule, n: int) -> np.ndarray:
    """Evenly in log-SNR from T to 1, then to 0; no step is spent below −10.2, where cosine's last few times lie."""
    return _evenly(np.minimum(-schedule.log_snr[1:], -FAINTEST), n)


def exponential(schedule: Schedule, n: int) -> np.ndarray:
    """Evenly in log σ from T to 1, σ = √((1−ᾱ)/ᾱ), then to 0: each step divides the noise level by the same factor."""
    return _evenly(-schedule.log_snr[1:] / 2, n)


def karras(schedule: Schedule, n: int, rho: float = 7.0) -> np.ndarray:
    """Evenly in σ^(1/ρ) from T to 1, then to 0: between even in σ (ρ = 1) and `exponential` (ρ → ∞)."""
    rho = number(rho, "rho", 1)
    return _evenly(np.exp(-schedule.log_snr[1:] / (2 * rho)), n)


SPACINGS = {spacing.__name__: spacing for spacing in (even, leading, logsnr, exponential, karras)}


def _evenly(level: np.ndarray, n: int) -> np.ndarray:
    """n + 1 times: from T to 1 as evenly in `level` (rising, for t = 1 … T) as whole times can be, and then 0."""
    level = np.nan_to_num(level, posinf=max(level[:-1], default=0.0))  # at zero terminal SNR the last is infinite
    places = np.interp(np.linspace(level[0], level[-1], n), level, np.arange(len(level)))
    times = np.append(0, 1 + np.round(places)).astype(int)
    times[-1] = len(level)
    i = np.arange(n + 1)
    apart = np.maximum.accumulate(times - i) + i  # each at least 1 above the one before,
    return np.minimum(apart, len(level) - n + i)[::-1]  # with room left for those after


def _refuse_bad_alpha_bar(alpha_bar: np.ndarray) -> None:
    if alpha_bar.ndim != 1 or len(alpha_bar) < 2:
        raise ValueError(f"alpha_bar must have shape (T+1,) with T ≥ 1, not {alpha_bar.shape}.")
    if not (inside := (alpha_bar >= 0) & (alpha_bar <= 1)).all():  # NaN is not inside
        raise ValueError(f"alpha_bar must stay in [0, 1]; at t = {inside.argmin()} it is {alpha_bar[~inside][0]}.")
    if alpha_bar[0] != 1:
        raise ValueError(f"alpha_bar[0], the clean picture, must be exactly 1, not {alpha_bar[0]}: put a 1 in front?")
    if (rises := np.diff(alpha_bar) >= 0).any():
        t = int(np.argmax(rises)) + 1
        before, after = alpha_bar[t - 1 : t + 1]
        hint = "Is the product taken backwards?" if after > before else "Is it the whole product at every t, or 0?"
        raise ValueError(f"alpha_bar must fall at every step; from t = {t - 1} to {t}: {before} → {after}. {hint}")
