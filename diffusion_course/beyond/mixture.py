"""The exact denoiser of a mixture of Gaussians: data with several bumps, their density known at every noise level."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.arrays import Array, cast, to_float64
from ..base.refusals import refuse_other_samples
from ..forward import levels, refuse_clean
from ..schedule import Schedule, a_schedule


class MixtureDenoiser:
    """E[ε | x_t] for a mixture of K round Gaussians, x_0 ~ Σ_k weight_k N(mean_k, std_k² I): x_t of shape (B, d).

        q(x_t) = Σ_k weight_k N(√ᾱ_t mean_k, v_k I),     v_k = ᾱ_t std_k² + 1 − ᾱ_t
        ε̂ = √(1−ᾱ_t) Σ_k P(k | x_t) (x_t − √ᾱ_t mean_k) / v_k

    `mean` is (K, d); `std` and `weights` are one number or (K,), and the weights are divided by their sum.
    Raises ValueError unless all are finite, std is 0 or more and the weights are above 0.

    >>> from diffusion_course.schedule import linear
    >>> bumps = MixtureDenoiser([[-1.0], [1.0]], 0.2, linear(), weights=[0.3, 0.7])
    >>> bumps.shares(np.array([[0.0]]), t=1).round(3)
    array([[0.3, 0.7]])
    """

    def __init__(self, mean: Any, std: Any, schedule: Schedule, weights: Any = 1.0) -> None:
        self.mean, self.schedule = to_float64(mean), a_schedule(schedule)
        if self.mean.ndim != 2 or self.mean.size == 0 or not np.isfinite(self.mean).all():
            raise ValueError(f"mean must be finite numbers of shape (K, d), not of shape {self.mean.shape}.")
        self.shape = self.mean.shape[1:]
        self.std, weights = (np.broadcast_to(to_float64(x), len(self.mean)) for x in (std, weights))
        if not ((self.std >= 0) & (self.std < np.inf) & (weights > 0) & (weights < np.inf)).all():
            raise ValueError(f"std must be finite and 0 or more, weights finite and above 0, not {std} and {weights}.")
        self.weights = weights / weights.sum()

    def __call__(self, xt: Array, t: Any) -> Any:
        """ε̂ for x_t at step t, an int or (B,) ints in 1 … T."""
        x, signal, noise, variance = self._at(xt, t)
        refuse_clean(noise)
        pull = self.shares(xt, t) / variance
        return cast(noise * (x * pull.sum(1, keepdims=True) - signal * (pull @ self.mean)), xt)

    def x0_hat(self, xt: Array, t: Any) -> Any:
        """E[x_0 | x_t]: the best guess of each Gaussian, weighted by P(k | x_t)."""
        x, signal, _, variance = self._at(xt, t)
        shares = self.shares(xt, t)
        pull = shares * signal * self.std**2 / variance
        return cast(shares @ self.mean + x * pull.sum(1, keepdims=True) - signal * (pull @ self.mean), xt)

    def shares(self, xt: Array, t: Any) -> np.ndarray:
        """P(k | x_t), shape (B, K): from which Gaussian x_0 came. Each row sums to 1."""
        logs = self._logs(xt, t)
        shares = np.exp(logs - logs.max(1, keepdims=True))
        return shares / shares.sum(1, keepdims=True)

    def log_density(self, xt: Array, t: Any) -> np.ndarray:
        """log q(x_t), shape (B,), in nats; also at t = 0 where every std is above 0."""
        logs = self._logs(xt, t)
        most = logs.max(1)
        return most + np.log(np.exp(logs - most[:, None]).sum(1))

    def _at(self, xt: Any, t: Any) -> tuple[Any, Any, Any, Any]:
        """x_t in float64, both levels, and the variance v_k of each Gaussian."""
        refuse_other_samples(xt, self.shape)
        x = to_float64(xt)
        signal, noise = levels(self.schedule.at(t), x)
        return x, signal, noise, signal**2 * self.std**2 + noise**2

    def _logs(self, xt: Any, t: Any) -> np.ndarray:
        """log weight_k N(x_t; √ᾱ_t mean_k, v_k I), shape (B, K)."""
        x, signal, _, variance = self._at(xt, t)
        square = (x**2).sum(1, keepdims=True) - 2 * signal * (x @ self.mean.T) + signal**2 * (self.mean**2).sum(1)
        return np.log(self.weights) - square / (2 * variance) - x.shape[1] / 2 * np.log(2 * np.pi * variance)
