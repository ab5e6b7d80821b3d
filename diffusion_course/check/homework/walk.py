"""Public checks of the homework's reverse half: one stroke and the walk; and models to put in a network's place."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import torch

from ... import forward, schedule
from ...exercise import Exercise, Fault
from .. import sampling


@dataclass(frozen=True)
class Affine:
    """A model by two tables, arrays: ε̂ = gain_t (x_t − centre_t); `gain` has shape (T+1,), `centre` (T+1, 2).

    So simple that it can be sent to another process as numbers, and yet it holds every exact denoiser of a Gaussian.
    x_t may be an array or a tensor, t a number or (n,) of them.
    """

    gain: np.ndarray
    centre: np.ndarray

    def __call__(self, xt, t):
        t = forward.to_float64(t).astype(int)
        return forward.like(self.gain[t], xt) * (xt - forward.cast(self.centre[t], xt))


def exact(alpha_bar, mean, std) -> Affine:
    """`denoisers.GaussianDenoiser` of N(mean, std²), mean (2,), as tables: arrays, for levels alpha_bar (T+1,)."""
    gain = (1 - alpha_bar) ** 0.5 / (alpha_bar * std**2 + 1 - alpha_bar)
    return Affine(gain, alpha_bar[:, None] ** 0.5 * np.asarray(mean))


def tensors(*arrays):
    """Arrays (or lists) as tensors, float32 or int64, as the homework's functions are given them."""
    arrays = [np.asarray(array) for array in arrays]
    return [torch.tensor(a, dtype=torch.float32 if a.dtype.kind == "f" else torch.int64) for a in arrays]


def adapted(faults, adapt: Callable) -> tuple[Fault, ...]:
    """Known faults of an exercise of the lessons as faults of another; each quotes its own symptom."""
    return tuple(Fault(f.name, adapt(f.mutant), f.message(f.mutant), f.atlas) for f in faults)


def _stroke(mutant):
    """A stroke of lesson 5, which looks its two levels up in a schedule, as one that is handed them."""

    def step(xt, eps_hat, alpha_bar_t, alpha_bar_s, z):
        two = SimpleNamespace(at={1: alpha_bar_t, 0: alpha_bar_s}.get)
        return mutant(xt, 1, 0, eps_hat, two, z)

    return step


_reverse_step = _stroke(sampling.ddpm_step.reference)
XT = [[1.0, -0.5], [0.3, 2.0], [-1.2, 0.7], [0.0, 1.0]]
EPS_HAT = [[2.0, 0.1], [-0.7, 1.2], [0.4, -1.5], [1.0, 1.0]]
Z = [[0.3, -1.1], [1.5, 0.2], [-0.8, 0.6], [-0.1, -2.0]]
reverse_step = Exercise(
    "reverse_step",
    _reverse_step,
    probes=tuple(tuple(tensors(XT, EPS_HAT, a_t, a_s, Z)) for a_t, a_s in ((0.25, 0.36), (0.01, 0.5), (0.8, 1.0))),
    tolerance=1e-4,
    faults=(
        *adapted(sampling.ddpm_step.faults, _stroke),
        Fault(
            "ε̂ is taken for x̂_0",
            lambda xt, eps_hat, a_t, a_s, z: _reverse_step(xt, forward.eps_from_x0(xt, a_t, eps_hat), a_t, a_s, z),
            "The network answers with the noise: solve x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε for x_0 first.",
            atlas=13,
        ),
        Fault(
            "x̂_0 is returned",
            lambda xt, eps_hat, a_t, a_s, z: forward.x0_from_eps(xt, a_t, eps_hat),
            "That is the guess of the clean point. A stroke only goes as far as s, to the mean of x_s plus noise.",
        ),
    ),
)


def walk(model, alpha_bar, xT, times, noise, step=_reverse_step):
    """Ancestral sampling with all noise handed in: stroke i goes from times[i] to times[i + 1] with noise[i]."""
    x = xT
    for (t, s), z in zip(pairwise(times), noise, strict=True):
        x = step(x, model(x, torch.full((len(x),), t)), alpha_bar[t], alpha_bar[s], z)
    return x


def _early(model, alpha_bar, xT, times, noise):
    """ᾱ_{t−1} wherever ᾱ_t is meant, but the network is told the right t."""
    before = np.append(1.0, alpha_bar[:-1])
    return walk(model, before, xT, times, noise)


def _last_noise(model, alpha_bar, xT, times, noise):
    """Noise of the last stroke's β still added (`if t > 0` in a loop that never sees t = 0)."""
    beta = 1 - alpha_bar[times[-2]] / alpha_bar[times[-1]]
    return walk(model, alpha_bar, xT, times, noise) + beta**0.5 * noise[-1]


GRID = [20, 13, 9, 4, 0]
WALK = schedule.from_beta(np.linspace(0.01, 0.5, 20)).alpha_bar

sample = Exercise(
    "sample",
    walk,
    probes=tuple(
        (exact(WALK, [0.8, -0.5], std), *tensors(WALK, XT), GRID, *tensors(noise))
        for std, noise in ((0.5, np.random.default_rng(0).standard_normal((4, 4, 2))), (0.1, np.zeros((4, 4, 2))))
    ),
    tolerance=1e-3,
    faults=(
        Fault(
            "no fresh noise",
            lambda model, alpha_bar, xT, times, noise: walk(model, alpha_bar, xT, times, 0 * noise),
            "Without it all points follow the mean and the cloud shrinks. Stroke i adds its own noise[i].",
            atlas=8,
        ),
        Fault(
            "the same noise at every stroke",
            lambda model, alpha_bar, xT, times, noise: walk(model, alpha_bar, xT, times, [noise[0]] * len(noise)),
            "Noise that repeats does not average out: the cloud drifts. Stroke i gets noise[i].",
        ),
        Fault(
            "the noise is used from the last stroke to the first",
            lambda model, alpha_bar, xT, times, noise: walk(model, alpha_bar, xT, times, list(noise)[::-1]),
            "As good in use, but noise[0] is asked for the first stroke, from times[0] = T.",
        ),
        Fault(
            "ᾱ is taken one step too early",
            _early,
            "The cloud ends shifted. `alpha_bar[t]` is ᾱ_t; `alpha_bar[0]` = 1 is the clean end.",
            atlas=5,
        ),
        Fault(
            "the network is told t − 1",
            lambda model, alpha_bar, xT, times, noise: walk(
                lambda xt, t: model(xt, t - 1), alpha_bar, xT, times, noise
            ),
            "It was trained with t = 1 … T: tell it the t of the x_t that you hand it.",
            atlas=5,
        ),
        Fault("noise is still added after the last stroke", _last_noise, "Grain on every point.", atlas=7),
        Fault(
            "the last stroke is missing",
            lambda model, alpha_bar, xT, times, noise: walk(model, alpha_bar, xT, times[:-1], noise[:-1]),
            "You return x_s of the last s but one, with noise left in it; n + 1 times make n strokes, down to 0.",
            atlas=18,
        ),
        Fault(
            "nothing is denoised",
            lambda model, alpha_bar, xT, times, noise: xT,
            "You return x_T. Does the loop assign to the x that it returns?",
        ),
    ),
)
