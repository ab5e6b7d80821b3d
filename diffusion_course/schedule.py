"""A noise schedule says how much of the signal is left after t steps: one falling array ᾱ_0 = 1 … ᾱ_T ≈ 0.

Everything else (α, β, SNR) is derived from that array where it is used, so nothing can fall out of step.

Sources: DDPM (Ho et al. 2020, arXiv:2006.11239) for `linear`; Improved DDPM (Nichol & Dhariwal 2021,
arXiv:2102.09672) for `cosine`; Jabri et al. 2022 (arXiv:2212.11972) for `sigmoid`; Lin et al. 2023
(arXiv:2305.08891) for `zero_terminal_snr`.
"""

import warnings
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from .spacing import SPACINGS

STATIC = 0.1  # √ᾱ_T above this leaves visible signal in what should be pure static
BETA_MAX = 0.999  # keeps the last ᾱ of the cosine and sigmoid curves above exactly 0


class TerminalSNRWarning(UserWarning):
    """The schedule ends before the signal is gone: sampling from N(0, I) starts from a wrong place."""


# Python shows a warning once a line of code; a learner who runs a cell again should see it again.
warnings.simplefilter("always", TerminalSNRWarning)


@dataclass(frozen=True, eq=False)
class Schedule:
    """The signal power ᾱ_t kept after t noising steps, and all that follows from it.

    `alpha_bar` has shape (T+1,), starts at exactly 1 and falls strictly within [0, 1]; it is copied to
    float64 and made read-only. Every property has the same shape and the same index t.

    Raises ValueError for anything else; warns `TerminalSNRWarning` if √ᾱ_T > 0.1.

    >>> Schedule([1.0, 0.5, 0.005]).beta
    array([0.  , 0.5 , 0.99])
    """

    alpha_bar: np.ndarray

    def __post_init__(self):
        alpha_bar = np.array(self.alpha_bar, dtype=np.float64)
        _refuse_bad_alpha_bar(alpha_bar)
        alpha_bar.flags.writeable = False
        object.__setattr__(self, "alpha_bar", alpha_bar)
        if (left := alpha_bar[-1] ** 0.5) > STATIC:
            warnings.warn(
                f"√ᾱ_T = {left:.3f}: {left:.0%} of the signal's amplitude is left at t = T = {self.T}, "
                f"so x_T is not static (allowed: {STATIC}). Use more steps, larger betas "
                "(fewer steps need proportionally larger ones), or `zero_terminal_snr(schedule)`.",
                TerminalSNRWarning,
                stacklevel=3,
            )

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

    @property
    def log_snr(self) -> np.ndarray:
        """Natural logarithm of `snr`: +∞ at t = 0, −∞ where ᾱ_t = 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.snr)

    def at(self, t) -> np.ndarray:
        """ᾱ_t at a step t, or at (B,) steps. Raises ValueError for t outside 0 … T (an index would wrap).

        >>> linear().at([0, 1])
        array([1.    , 0.9999])
        """
        t = np.asarray(t.cpu() if hasattr(t, "cpu") else t)
        if t.dtype.kind not in "iu" or not ((t >= 0) & (t <= self.T)).all():
            raise ValueError(f"t must be whole numbers from 0 (clean) to T = {self.T} (static), not {t}.")
        return self.alpha_bar[t]

    def steps(self, n: int, spacing: str = "trailing") -> np.ndarray:
        """The times a sampler of `n` strokes visits: n+1 falling integers from T to 0.

        `spacing` says where they lie: "trailing" (evenly), "leading", "linspace" or "logsnr", see module `spacing`.
        Raises ValueError unless 1 ≤ n ≤ T.

        >>> linear(T=1000).steps(4)
        array([1000,  750,  500,  250,    0])
        """
        if not _is_whole(n) or not 1 <= n <= self.T:
            raise ValueError(f"steps(n): n must be a whole number from 1 to T = {self.T}, not {n!r}.")
        if spacing not in SPACINGS:
            raise ValueError(f"spacing must be one of {sorted(SPACINGS)}, not {spacing!r}.")
        return SPACINGS[spacing](self, int(n))


def linear(T: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02) -> Schedule:
    """β_t rises in a straight line from `beta_start` (t = 1) to `beta_end` (t = T): the schedule of DDPM.

    The defaults are tuned to T = 1000. A smaller T with the same betas leaves signal in x_T and warns.

    >>> float(linear().alpha_bar[500].round(4))
    0.0786
    """
    return from_beta(np.linspace(beta_start, beta_end, _whole_T(T)))


def cosine(T: int = 1000, s: float = 0.008) -> Schedule:
    """ᾱ_t = f(t)/f(0) with f(t) = cos²((t/T + s)/(1 + s) · π/2), and each β_t at most 0.999.

    The offset s keeps β_1 from being vanishingly small; the bound keeps ᾱ_T above exactly 0.
    """
    if not 0 <= s < np.inf:
        raise ValueError(f"cosine: the offset s must be 0 or more, not {s!r} (usual: 0.008).")
    t = np.linspace(0, 1, _whole_T(T) + 1)
    return _from_curve(np.cos((t + s) / (1 + s) * np.pi / 2) ** 2)


def sigmoid(T: int = 1000, start: float = -3.0, end: float = 3.0) -> Schedule:
    """ᾱ_t falls like the logistic curve σ(−u), u from `start` to `end`, rescaled to [0, 1]; β_t ≤ 0.999."""
    if not start < end:
        raise ValueError(f"sigmoid: start must be below end, not {start!r} and {end!r}.")
    falling = 1 / (1 + np.exp(np.linspace(start, end, _whole_T(T) + 1)))
    return _from_curve(falling - falling[-1])


def from_beta(beta) -> Schedule:
    """ᾱ_t = ∏_{s≤t} (1 − β_s) from the T noise variances β_1 … β_T (so `beta[0]` here is β_1).

    >>> from_beta([0.5, 0.99]).alpha_bar
    array([1.   , 0.5  , 0.005])
    """
    beta = np.asarray(beta, dtype=np.float64)
    if beta.ndim != 1 or len(beta) == 0:
        raise ValueError(f"beta must be a list of T ≥ 1 numbers, not an array of shape {beta.shape}.")
    inside = (beta > 0) & (beta <= 1)
    if not inside.all():
        at = int(np.argmin(inside))
        raise ValueError(f"each beta must lie in (0, 1]; beta of step t = {at + 1} is {beta[at]}.")
    return Schedule(np.concatenate([[1.0], np.cumprod(1.0 - beta)]))


def zero_terminal_snr(schedule: Schedule) -> Schedule:
    """The same curve with √ᾱ shifted and rescaled so that √ᾱ_T = 0 exactly and √ᾱ_1 stays.

    At t = T nothing of x_0 is left, so x_0 cannot be computed from ε there: use a v- or x_0-network.
    """
    signal = schedule.alpha_bar**0.5
    first, last = signal[1], signal[-1]
    if schedule.T < 2:
        raise ValueError("zero_terminal_snr needs T ≥ 2: with one step ᾱ_1 cannot both stay and be 0.")
    rescaled = (signal[1:] - last) * first / (first - last)
    return Schedule(np.concatenate([[1.0], rescaled**2]))


def _from_curve(curve: np.ndarray) -> Schedule:
    """From any falling curve over t = 0 … T, with each β_t bounded by BETA_MAX."""
    return from_beta(np.minimum(1 - curve[1:] / curve[:-1], BETA_MAX))


def _is_whole(n) -> bool:
    return isinstance(n, Integral) and not isinstance(n, bool)


def _whole_T(T) -> int:
    if not _is_whole(T) or T < 1:
        raise ValueError(f"T, the number of steps, must be a whole number ≥ 1, not {T!r}.")
    return int(T)


def _refuse_bad_alpha_bar(alpha_bar: np.ndarray) -> None:
    if alpha_bar.ndim != 1 or len(alpha_bar) < 2:
        raise ValueError(f"alpha_bar must have shape (T+1,) with T ≥ 1, not {alpha_bar.shape}.")
    if np.isnan(alpha_bar).any():
        raise ValueError(f"alpha_bar is NaN at t = {int(np.argmax(np.isnan(alpha_bar)))}.")
    if alpha_bar[0] != 1:
        raise ValueError(
            f"alpha_bar[0] must be exactly 1 (t = 0 is the clean picture), not {alpha_bar[0]}. "
            "Does your array start at t = 1? Then put a 1 in front."
        )
    if alpha_bar.min() < 0 or alpha_bar.max() > 1:
        t = int(np.argmax((alpha_bar < 0) | (alpha_bar > 1)))
        raise ValueError(f"alpha_bar must stay in [0, 1]; at t = {t} it is {alpha_bar[t]}.")
    if (np.diff(alpha_bar) >= 0).any():
        t = int(np.argmax(np.diff(alpha_bar) >= 0)) + 1
        rises = alpha_bar[t] > alpha_bar[t - 1]
        hint = "Is the product taken backwards?" if rises else "Is it the whole product at every t, or 0 already?"
        raise ValueError(
            f"alpha_bar must fall at every step; from t = {t - 1} to {t} it goes "
            f"{alpha_bar[t - 1]} → {alpha_bar[t]}. {hint}"
        )
