"""Exercises of the notebook on straight paths: a mix as a schedule, sampling with a student that jumps, EDM's grid."""

import warnings
from functools import cache
from itertools import pairwise

import numpy as np

from .. import data
from ..denoisers import GaussianDenoiser, IdealDenoiser
from ..forward import randn_like
from ..samplers import heun
from ..schedule import Schedule, TerminalSNRWarning
from .lesson5 import SHORT
from .lesson6 import STARTS
from .table import exercise


@exercise(
    probes=((0.5,), (0.0,), (0.25,), (np.array([0.1, 0.6, 1.0]),)),
    kinds=("numpy", "torch"),
    hints=(
        "Divide x_τ by a number such that the squares of its two weights sum to 1, as those of x_t do.",
        "That number is √((1−τ)² + τ²). What is then the weight of x_0, and what is its square?",
    ),
    why="ᾱ is the share of the power that belongs to the signal, whatever x is multiplied by as a whole.",
    mistakes="""
    the amplitude is returned, not the power | body → return (1 - tau) / ((1 - tau) ** 2 + tau**2) ** 0.5 |
        The weight of x_0 is √ᾱ. Square it.
    nothing is divided | / ((1 - tau) ** 2 + tau**2) → * 1 |
        The two weights must have squares that sum to 1; those of x_τ sum to (1−τ)² + τ².
    signal and noise are exchanged | body → return tau**2 / ((1 - tau) ** 2 + tau**2) | At τ = 0 all is signal: ᾱ = 1.
    the weights themselves are summed, not their squares | body → return 1 - tau + 0 * tau |
        1 − τ and τ sum to 1, and their squares do not. It is the squares that count.
    """,
)
def straight_alpha_bar(tau):
    return (1 - tau) ** 2 / ((1 - tau) ** 2 + tau**2)


POINT, WIDE = GaussianDenoiser(1.0, 0.0, SHORT), GaussianDenoiser(0.5, 0.3, SHORT)


def _ends(model, times, told):
    def ended(f) -> str:
        x = f(model, SHORT, STARTS, times, np.random.default_rng(1))
        return f"{told} yours have mean {np.mean(x):.3g} and spread {np.std(x):.2g}."

    return ended


@exercise(
    probes=tuple(
        (model, SHORT, STARTS[:50], times, np.random.default_rng(1))
        for model, times in ((WIDE, (50, 0)), (WIDE, (50, 20, 0)), (POINT, (50, 30, 10, 0)), (WIDE, (40, 30, 5, 0)))
    ),
    returns=("x_0",),
    hints=(
        "`for t, s in pairwise(times)` gives each jump: from t to a guess of x_0, and back up to s.",
        "The guess is `model.x0_hat(x, t)`. Noise it to level s as in lesson 2, with noise from `randn_like(x, rng)`.",
        "At s = 0 the factor of the noise is √(1−ᾱ_0) = 0, so the last jump needs no special case.",
    ),
    why="If the guess is a sample of the data, then noising it with fresh noise gives a sample of q(x_s), exactly.",
    shows={
        "point": _ends(POINT, (50, 30, 10, 0), "If all data are the point 1, all samples must end there;"),
        "apart": lambda f: np.abs(
            f(WIDE, SHORT, STARTS, (50, 20, 0), np.random.default_rng(1))
            - f(WIDE, SHORT, STARTS, (50, 20, 0), np.random.default_rng(2))
        ).mean(),
    },
    mistakes="""
    the old noise is kept | z = randn_like(x, rng) →
        z = (x - schedule.at(t) ** 0.5 * x0_hat) / (1 - schedule.at(t)) ** 0.5 |
        That is DDIM. With two generators your samples differ by {apart}; the noise is to be fresh.
    every jump starts from x_T | x0_hat(x, t) → x0_hat(xT, t) | The second jump starts where the first one ended.
    the model is asked at s | x0_hat(x, t) → x0_hat(x, max(s, 1)) | When the model is asked, x has the noise of t.
    the guess is noised to level t | schedule.at(s) ** 0.5 * x0_hat + (1 - schedule.at(s)) →
        schedule.at(t) ** 0.5 * x0_hat + (1 - schedule.at(t)) | {point} A jump ends at s.
    the last jump leaves noise | (1 - schedule.at(s)) → (1 - schedule.at(max(s, 1))) | {point}
    the roots are missing | schedule.at(s) ** 0.5 * x0_hat + (1 - schedule.at(s)) ** 0.5 →
        schedule.at(s) * x0_hat + (1 - schedule.at(s)) | Amplitudes have the root.
    `return` stands inside the loop | ** 0.5 * z → ** 0.5 * z⏎        return x | {point} Your first jump is the last.
    no noise is added | ** 0.5 * z → ** 0.5 * 0 * z | {point} At s the model expects the noise of s.
    """,
)
def jump_sampler(model, schedule, xT, times, rng):
    x = xT
    for t, s in pairwise(times):
        x0_hat = model.x0_hat(x, t)
        z = randn_like(x, rng)
        x = schedule.at(s) ** 0.5 * x0_hat + (1 - schedule.at(s)) ** 0.5 * z
    return x


EDM, LAST = (80.0, 7.0), 0.002  # σ_max and ρ of the paper, and its σ_min
STARTING = np.random.default_rng(0).standard_normal((200, 2))


def grid(n: int, sigma_max: float = EDM[0], rho: float = EDM[1]) -> np.ndarray:
    """n noise levels from σ_max to 0.002, even in σ^(1/ρ): equation 5 of the EDM paper."""
    return np.linspace(sigma_max ** (1 / rho), LAST ** (1 / rho), n) ** rho


def schedule_of(sigmas) -> Schedule:
    """The schedule whose steps are these falling noise levels, and then 0; a low start is meant, so no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TerminalSNRWarning)
        return Schedule(np.append(1.0, 1 / (1 + np.flip(np.asarray(sigmas, float)) ** 2)))


def ends(sigmas, sampler=heun) -> np.ndarray:
    """Where the sampler leads 200 draws of noise to the spiral, with the exact denoiser, at these noise levels."""
    noise = schedule_of(sigmas)
    *_, x = sampler(IdealDenoiser(data.spiral_curve(200), noise), noise, STARTING, len(sigmas))
    return x


@cache
def exact() -> np.ndarray:
    """Where the ODE leads them from σ = 80."""
    return ends(grid(150))


def missed(sigmas, sampler=heun) -> float:
    """How far from there a sampler ends on average, with these noise levels."""
    return float(np.linalg.norm(ends(sigmas, sampler) - exact(), axis=1).mean())


def _not_better(sigmas) -> str | None:
    found = np.asarray(sigmas, float)
    if found.shape != (9,) or not (np.diff(found) < 0).all() or not np.isclose(found[-1], LAST):
        return f"return 9 falling noise levels, the last of them {LAST}; yours are {np.round(found, 4).tolist()}."
    theirs = missed(grid(9))
    if (mine := missed(found)) > theirs / 3:
        return f"with your levels Heun misses the ends by {mine:.2g}, with EDM's by {theirs:.2g}. Get below a third."
    return None


@exercise(
    probes=((9,),),
    refuse=_not_better,
    measure=lambda sigmas: np.array(len(sigmas)),
    hints=(
        "Print EDM's nine levels. How many of them lie where all points of the spiral look alike?",
        "The data have spread 1. At σ = 5 there is 25 times as much noise as signal, in power. Start there or so.",
        "`grid(n, sigma_max, rho)` takes both numbers: try σ_max = 5, 10, 20 with ρ = 5, 7, 10.",
    ),
    why="EDM's σ_max = 80 is for pictures, whose large shapes are far larger than their grain. Starting too low costs "
    "too: x_T is then no longer pure noise. Here a start at 5 costs less than the steps it saves.",
)
def my_grid(n):
    return np.linspace(5 ** (1 / 7), 0.002 ** (1 / 7), n) ** 7
