"""Public checks of the homework's reverse half: one stroke and the walk; and models to put in a network's place."""

from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from ... import forward, schedule
from .. import sampling, walking
from ..engine import Exercise, Fault
from .typed import TypedExercise, no_tensor, no_whole_numbers


class Affine(nn.Module):
    """A model by two tables, arrays: ε̂ = gain_t (x_t − centre_t); `gain` has shape (T+1,), `centre` (T+1, 2).

    So simple that it can be sent to another process as numbers, and yet it holds every exact denoiser of a Gaussian.
    x_t may be an array or a tensor, t a number or (n,) of them. It is a module, with a parameter that changes nothing:
    a sampler may call `model.eval()` or ask where the parameters are, and a loss has a gradient.
    """

    def __init__(self, gain, centre):
        super().__init__()
        self.gain, self.centre = np.asarray(gain), np.asarray(centre)
        self.nothing = nn.Parameter(torch.zeros(()))

    def forward(self, xt, t):
        t = forward.to_float64(t).astype(int)
        eps_hat = forward.like(self.gain[t], xt) * (xt - forward.cast(self.centre[t], xt))
        return eps_hat + self.nothing if forward.is_tensor(xt) else eps_hat


class OneTimeARow(Affine):
    """One that wants t as the student's own network does: whole numbers, shape (n,)."""

    def forward(self, xt, t):
        if not forward.is_tensor(t) or t.shape != (len(xt),) or t.is_floating_point():
            told = f"a tensor of shape {tuple(t.shape)}, {t.dtype}" if forward.is_tensor(t) else f"a {type(t).__name__}"
            raise ValueError(f"the model wants whole numbers of shape ({len(xt)},) for t, and got {told}")
        return super().forward(xt, t)


def exact(alpha_bar, mean, std, kind=Affine) -> Affine:
    """`denoisers.GaussianDenoiser` of N(mean, std²), mean (2,), as tables: arrays, for levels alpha_bar (T+1,)."""
    gain = (1 - alpha_bar) ** 0.5 / (alpha_bar * std**2 + 1 - alpha_bar)
    return kind(gain, alpha_bar[:, None] ** 0.5 * np.asarray(mean))


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


def _with_alpha(change):
    """The stroke with another α in all of it; it computes whatever comes out, also where the levels make no sense."""

    def step(xt, eps_hat, a_t, a_s, z):
        alpha, x0_hat = change(a_t, a_s), forward.x0_from_eps(xt, a_t, eps_hat)
        mean = (a_s**0.5 * (1 - alpha) * x0_hat + alpha**0.5 * (1 - a_s) * xt) / (1 - a_t)
        return mean + ((1 - a_s) / (1 - a_t) * (1 - alpha)) ** 0.5 * z

    return step


_unguarded_step = _with_alpha(lambda a_t, a_s: a_t / a_s)


def _without_root_of_alpha(xt, eps_hat, a_t, a_s, z):
    alpha = a_t / a_s
    return _reverse_step(xt, eps_hat, a_t, a_s, z) + (alpha - alpha**0.5) * (1 - a_s) / (1 - a_t) * xt


reverse_step = TypedExercise(
    "reverse_step",
    _reverse_step,
    probes=tuple(tuple(tensors(XT, EPS_HAT, a_t, a_s, Z)) for a_t, a_s in ((0.25, 0.36), (0.01, 0.5), (0.8, 1.0))),
    tolerance=1e-4,
    refuse=no_tensor,
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
        Fault(
            "α is upside down",
            _with_alpha(lambda a_t, a_s: a_s / a_t),
            "α = ᾱ_t/ᾱ_s is a share, below 1: what the steps from s to t keep. Above 1 a variance turns negative, NaN.",
        ),
        Fault(
            "the two levels are exchanged",
            lambda xt, eps_hat, a_t, a_s, z: _unguarded_step(xt, eps_hat, a_s, a_t, z),
            "x_t has ᾱ_t, the smaller one: more noise. Which of the two arguments is which?",
        ),
        Fault(
            "√α in front of x_t lacks its root",
            _without_root_of_alpha,
            "α is a power, x_t an amplitude.",
        ),
        Fault(
            "it is a stroke of DDIM, without fresh noise",
            lambda xt, eps_hat, a_t, a_s, z: forward.add_noise(forward.x0_from_eps(xt, a_t, eps_hat), a_s, eps_hat),
            "That is a sampler too (lesson 5), but asked is DDPM's: the mean of the posterior, and z on top.",
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


def _told_the_goal(model, alpha_bar, xT, times, noise):
    """The network is asked about x_t with the time that the stroke goes to."""
    goal = dict(pairwise(times))
    return walk(lambda x, t: model(x, torch.full_like(t, goal[int(t[0])])), alpha_bar, xT, times, noise)


def _asked_about_static(model, alpha_bar, xT, times, noise):
    """The network is shown x_T at every stroke."""
    return walk(lambda x, t: model(xT, t), alpha_bar, xT, times, noise)


sample = TypedExercise(
    "sample",
    walk,
    refuse=no_tensor,
    probes=tuple(
        (exact(WALK, [0.8, -0.5], std, OneTimeARow), *tensors(WALK, XT), GRID, *tensors(noise))
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
            "You return x_T. Does the loop assign to the x that it returns? Is the second level that of times[i + 1]?",
        ),
        Fault(
            "the network is told where the stroke goes to",
            _told_the_goal,
            "It is asked about x_t: times[i], not times[i + 1].",
            atlas=5,
        ),
        Fault(
            "the network is always shown x_T",
            _asked_about_static,
            "It must see the x of this stroke, as the stroke before has left it.",
        ),
        Fault(
            "only one stroke is taken",
            lambda model, alpha_bar, xT, times, noise: walk(model, alpha_bar, xT, times[:2], noise[:1]),
            "Does `return` stand inside the loop?",
        ),
    ),
)

# That of lesson 5; but the cells below use its times as indices.
time_grid = TypedExercise(
    **{each.name: getattr(walking.time_grid, each.name) for each in fields(Exercise)}, refuse=no_whole_numbers
)
