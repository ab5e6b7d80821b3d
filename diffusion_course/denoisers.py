"""Exact denoisers: where p(x_0) is known, the best ε̂ follows from Bayes' rule and nothing is left to train.

The denoiser with the smallest mean squared error returns E[ε | x_t]. By x_t = √ᾱ x_0 + √(1−ᾱ) ε it is known
as soon as E[x_0 | x_t] is, and for Gaussians and finite data sets that is a short formula (for mixtures of Gaussians:
`beyond.mixture`). They give the floor of every loss, and show a sampler without any error of a network.

Source: Karras et al. 2022 (arXiv:2206.00364), appendix B.3, for the finite data set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .base.arrays import Array, brief, cast, exp_in_place, to_float64, widened
from .base.refusals import refuse_other_parts, refuse_other_samples, require_floats
from .forward import eps_from_x0, levels, refuse_clean
from .schedule import Schedule, a_schedule

CHUNK = 2**22  # numbers in one block of the queries × data table, 32 MB; for points fewer, which stay in the cache


class GaussianDenoiser:
    """E[ε | x_t] for data x_0 ~ N(mean, std²), each coordinate for itself.

        ε̂ = √(1−ᾱ_t) (x_t − √ᾱ_t mean) / (ᾱ_t std² + 1 − ᾱ_t)

    `mean` and `std` are numbers, or arrays of the shape of one sample.
    Raises ValueError unless both are finite and std is 0 or more.
    """

    def __init__(self, mean: Any, std: Any, schedule: Schedule) -> None:
        self.mean, self.std, self.schedule = to_float64(mean), to_float64(std), a_schedule(schedule)
        if not np.isfinite(self.mean).all() or not ((self.std >= 0) & (self.std < np.inf)).all():
            raise ValueError(f"mean must be finite and std finite and 0 or more, not {brief(mean)} and {brief(std)}.")

    def __call__(self, xt: Array, t: Any) -> Any:
        """ε̂ for x_t at step t, an int or (B,) ints in 1 … T."""
        _, noise, pull = self._pull(xt, t)
        return noise * pull

    def x0_hat(self, xt: Array, t: Any) -> Any:
        """E[x_0 | x_t] = mean + √ᾱ_t std² (x_t − √ᾱ_t mean) / (ᾱ_t std² + 1 − ᾱ_t): the mean itself at ᾱ_t = 0."""
        signal, _, pull = self._pull(xt, t)
        return cast(self.mean, xt) + signal * cast(self.std**2, xt) * pull

    def _pull(self, xt: Any, t: Any) -> tuple[Any, Any, Any]:
        """Both levels, and (x_t − √ᾱ_t mean) divided by the variance of x_t."""
        require_floats(xt=xt)
        mean, variance = cast(self.mean, xt), cast(self.std**2, xt)
        refuse_other_parts(xt, mean=mean, std=variance)
        signal, noise = levels(self.schedule.at(t), xt)
        refuse_clean(noise)
        off = widened(xt) - signal * mean
        return signal, noise, off / (signal**2 * variance + noise**2)


class FullGaussianDenoiser:
    """E[ε | x_t] for data x_0 ~ N(mean, cov) whose d coordinates vary together: x_t of shape (B, d).

        ε̂ = √(1−ᾱ_t) (ᾱ_t cov + (1 − ᾱ_t) I)⁻¹ (x_t − √ᾱ_t mean)

    Along the axes of cov no two coordinates vary together, so there it is a `GaussianDenoiser`.
    Raises ValueError unless mean is finite, and cov (d, d) finite, symmetric and without negative eigenvalues.

    >>> from diffusion_course.schedule import linear
    >>> pair = FullGaussianDenoiser([0.0, 0.0], [[1.0, 0.9], [0.9, 1.0]], linear())
    >>> pair.x0_hat(np.array([[1.0, 0.0]]), t=1).round(2)
    array([[1., 0.]])
    """

    def __init__(self, mean: Any, cov: Any, schedule: Schedule) -> None:
        mean, cov = to_float64(mean), to_float64(cov)
        finite = np.isfinite(mean).all() and np.isfinite(cov).all()
        d = cov.shape[-1] if cov.ndim else 0
        fits = finite and d > 0 and cov.shape == (d, d) and mean.shape in ((), (d,))
        if not fits or not np.allclose(cov, cov.T, atol=1e-9 * abs(cov).max()):
            needed = "mean must be finite, (d,), and cov a finite symmetric matrix (d, d)"
            raise ValueError(f"{needed}, not {brief(mean)} and {brief(cov)}.")
        variances, self.axes = np.linalg.eigh(cov)
        if variances.min() < -1e-9 * variances.max():
            raise ValueError(f"cov has a negative eigenvalue, {variances.min():g}: no data have such a covariance.")
        along = np.broadcast_to(mean, len(cov)) @ self.axes
        self.schedule, self.shape = schedule, (d,)
        self.along = GaussianDenoiser(along, variances.clip(0) ** 0.5, schedule)

    def __call__(self, xt: Array, t: Any) -> Any:
        """ε̂ for x_t at step t, an int or (B,) ints in 1 … T."""
        return self._turned(self.along, xt, t)

    def x0_hat(self, xt: Array, t: Any) -> Any:
        """E[x_0 | x_t]: the mean itself at ᾱ_t = 0."""
        return self._turned(self.along.x0_hat, xt, t)

    def _turned(self, answer: Callable, xt: Any, t: Any) -> Any:
        refuse_other_samples(xt, self.shape)
        axes = cast(self.axes, xt)
        return answer(widened(xt) @ axes, t) @ axes.T


class IdealDenoiser:
    """E[ε | x_t] for data drawn evenly from a finite set x_0 of shape (n, …).

        w_i ∝ exp(−‖x_t − √ᾱ_t x_i‖² / (2 (1−ᾱ_t))),     x̂_0 = Σ w_i x_i,     ε̂ = (x_t − √ᾱ_t x̂_0) / √(1−ᾱ_t)

    What any network trained long enough on these n samples would become: it can only return those samples.
    Computed in float64, in blocks: beside the data, 100,000 faces against 256 queries take 100 MB.
    Raises ValueError for data that are empty or not finite, and for queries of another shape.

    >>> from diffusion_course.schedule import linear
    >>> two_points = IdealDenoiser(np.array([[-1.0], [1.0]]), linear())
    >>> two_points.x0_hat(np.array([[0.9]]), t=1).round(3)
    array([[1.]])
    """

    def __init__(self, x0: Array, schedule: Schedule) -> None:
        data = to_float64(x0)
        if data.ndim < 2 or len(data) == 0 or not np.isfinite([data.min(), data.max()]).all():
            raise ValueError(f"x0 must be finite numbers of shape (n, …) with n ≥ 1, not of shape {data.shape}.")
        self.shape, self.schedule = data.shape[1:], a_schedule(schedule)
        flat = data.reshape(len(data), -1)
        # x_i and ½ ‖x_i‖², a copy: x0 may change later
        self._known = np.column_stack([flat, np.einsum("ij,ij->i", flat, flat) / 2])

    def __call__(self, xt: Any, t: Any) -> Any:
        """ε̂ for x_t (B, …) at step t, an int or (B,) ints in 1 … T."""
        return eps_from_x0(xt, self.schedule.at(t), self.x0_hat(xt, t))

    def x0_hat(self, xt: Any, t: Any) -> Any:
        """E[x_0 | x_t], the weighted average of the data: the best guess in one step."""
        queries = self._queries(xt)
        x0_hat = np.concatenate([weights @ self._known[:, :-1] for weights in self._blocks(queries, t)])
        return cast(x0_hat.reshape(xt.shape), xt)

    def weights(self, xt: Any, t: Any) -> np.ndarray:
        """P(x_0 = x_i | x_t), shape (B, n), each row summing to 1."""
        return np.concatenate(list(self._blocks(self._queries(xt), t)))

    def _queries(self, xt: Any) -> np.ndarray:
        refuse_other_samples(xt, self.shape)
        return to_float64(xt).reshape(len(xt), -1)

    def _blocks(self, queries: np.ndarray, t: Any) -> Iterator[np.ndarray]:
        """The weights of a few queries at a time. ‖x_t‖² is the same for every i, so it is left out."""
        signal, noise = (np.broadcast_to(level, (len(queries), 1)) for level in levels(self.schedule.at(t), queries))
        refuse_clean(noise)
        scores = np.hstack([queries, -signal]) * signal / noise**2  # times the data: log w
        rows = max(1, min(CHUNK, 2**15 * queries.shape[1]) // len(self._known))
        for start in range(0, len(queries), rows):
            table = scores[start : start + rows] @ self._known.T  # changed in place: few such tables fit in memory
            table -= table.max(1, keepdims=True)
            exp_in_place(table)
            table /= table.sum(1, keepdims=True)
            yield table
