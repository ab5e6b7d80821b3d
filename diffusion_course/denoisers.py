"""Exact denoisers: where p(x_0) is known, the best ε̂ follows from Bayes' rule and nothing is left to train.

The denoiser with the smallest mean squared error returns E[ε | x_t]. By x_t = √ᾱ x_0 + √(1−ᾱ) ε it is known
as soon as E[x_0 | x_t] is, and for a Gaussian and for a finite data set that is a short formula. They are the
course's measuring rods: the floor of every loss, and samplers without any error of a network.

Source: Karras et al. 2022 (arXiv:2206.00364), appendix B.3, for the finite data set.
"""

import numpy as np

from .forward import cast, eps_from_x0, levels, like, refuse_clean, to_float64
from .schedule import Schedule

CHUNK = 2**22  # numbers in one block of the queries × data table: 32 MB of float64


class GaussianDenoiser:
    """E[ε | x_t] for data x_0 ~ N(mean, std²), each coordinate for itself.

        ε̂ = √(1−ᾱ_t) (x_t − √ᾱ_t mean) / (ᾱ_t std² + 1 − ᾱ_t)

    `mean` and `std` are numbers, or arrays of the shape of one sample.
    """

    def __init__(self, mean, std, schedule: Schedule):
        self.mean, self.std, self.schedule = to_float64(mean), to_float64(std), schedule
        if not np.isfinite(self.mean).all() or not ((self.std >= 0) & (self.std < np.inf)).all():
            raise ValueError(f"mean must be finite and std finite and 0 or more, not {mean} and {std}.")

    def __call__(self, xt, t):
        """ε̂ for x_t at step t, an int or (B,) ints in 1 … T."""
        alpha_bar_t = self.schedule.at(t)
        refuse_clean(alpha_bar_t)
        signal, noise = levels(alpha_bar_t, xt)
        mean, variance = cast(self.mean, xt), cast(self.std**2, xt)
        return noise * (xt - signal * mean) / (signal**2 * variance + noise**2)


class IdealDenoiser:
    """E[ε | x_t] for data drawn evenly from a finite set x_0 of shape (n, …).

        w_i ∝ exp(−‖x_t − √ᾱ_t x_i‖² / (2 (1−ᾱ_t))),     x̂_0 = Σ w_i x_i,     ε̂ = (x_t − √ᾱ_t x̂_0) / √(1−ᾱ_t)

    What any network trained long enough on these n samples would become: it can only return those samples.
    Computed in float64 with the log-sum-exp shift, in blocks, so 12,000 faces against 256 queries stay far
    under 1 GB. Queries may be arrays or tensors; the answer comes back as what came in.

    >>> from diffusion_course.schedule import linear
    >>> two_points = IdealDenoiser(np.array([[-1.0], [1.0]]), linear())
    >>> two_points.x0_hat(np.array([[0.9]]), t=1).round(3)
    array([[1.]])
    """

    def __init__(self, x0, schedule: Schedule):
        x0 = to_float64(x0)
        if x0.ndim < 2 or len(x0) == 0 or not np.isfinite(x0).all():
            raise ValueError(
                f"x0 must be finite numbers of shape (n, …) with n ≥ 1, not of shape {x0.shape}."
            )
        self.shape, self.schedule = x0.shape[1:], schedule
        self._x0 = x0.reshape(len(x0), -1)
        self._half_square = (self._x0**2).sum(1) / 2

    def __call__(self, xt, t):
        """ε̂ for x_t (B, …) at step t, an int or (B,) ints in 1 … T."""
        return eps_from_x0(xt, self.schedule.at(t), self.x0_hat(xt, t))

    def x0_hat(self, xt, t):
        """E[x_0 | x_t], the weighted average of the data: the best guess in one stroke."""
        queries = self._queries(xt)
        x0_hat = np.concatenate([weights @ self._x0 for weights in self._blocks(queries, t)])
        return cast(x0_hat.reshape(xt.shape), xt)

    def weights(self, xt, t) -> np.ndarray:
        """P(x_0 = x_i | x_t), shape (B, n), each row summing to 1."""
        return np.concatenate(list(self._blocks(self._queries(xt), t)))

    def _queries(self, xt) -> np.ndarray:
        if tuple(xt.shape[1:]) != self.shape:
            raise ValueError(f"xt has samples of shape {tuple(xt.shape[1:])}, the data {self.shape}.")
        return to_float64(xt).reshape(len(xt), -1)

    def _blocks(self, queries, t):
        """The weights of a few queries at a time. ‖x_t‖² is the same for every i, so it is left out."""
        refuse_clean(self.schedule.at(t))
        alpha_bar_t = np.broadcast_to(like(self.schedule.at(t), queries), (len(queries), 1))
        rows = max(1, CHUNK // len(self._x0))
        for start in range(0, len(queries), rows):
            block = slice(start, start + rows)
            power = alpha_bar_t[block]
            logits = (power**0.5 * (queries[block] @ self._x0.T) - power * self._half_square) / (1 - power)
            weights = np.exp(logits - logits.max(1, keepdims=True))
            yield weights / weights.sum(1, keepdims=True)
