"""Exercises of the notebook on straight paths: a schedule, pairs, a sampler that jumps, noise levels."""

import warnings
from functools import cache
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import torch

from .. import data, metrics
from ..denoisers import GaussianDenoiser, IdealDenoiser
from ..forward import randn_like
from ..samplers import ddim, heun
from ..schedule import Schedule, TerminalSNRWarning
from .lesson5 import SHORT
from .lesson6 import STARTS
from .stepwise import Stepwise
from .table import exercise


@exercise(
    probes=((0.5,), (0.0,), (0.25,), (np.array([0.1, 0.6, 1.0]),)),
    kinds=("numpy", "torch"),
    returns=("ᾱ",),
    parts={f"the ratio ᾱ/(1−ᾱ) of yours at τ = {x}": lambda f, x=x: 1 / (1 / f(x) - 1) for x in (0.25, 0.8)},
    table="""
    hint | Divide x_τ by a number such that the squares of its two weights sum to 1, as those of x_t do.
    hint | That number is √((1−τ)² + τ²). What is then the square of x_0's weight?
    why | ᾱ is the share of the power that belongs to the signal, whatever x is multiplied by as a whole.
    the amplitude is returned, not the power | return → (1 - tau) / ((1 - tau) ** 2 + tau**2) ** 0.5 |
        The weight of x_0 is √ᾱ. Square it.
    nothing is divided | / ((1 - tau) ** 2 + tau**2) → * 1 |
        The two weights must have squares that sum to 1; those of x_τ sum to (1−τ)² + τ².
    the weights themselves are summed, not their squares | return → 1 - tau + 0 * tau |
        1 − τ and τ sum to 1, and their squares do not. It is the squares that count.
    """,
)
def straight_alpha_bar(tau):
    return (1 - tau) ** 2 / ((1 - tau) ** 2 + tau**2)


def walk(noise, n: int, model=None) -> tuple[np.ndarray, np.ndarray]:
    """n+1 times, and where DDIM with a model (None: the spiral's exact denoiser) leads straight mixes by then."""
    tau = np.linspace(0, 1, 1001)
    line = Schedule(straight_alpha_bar.reference(tau))
    path = ddim(model or IdealDenoiser(data.spiral_curve(512), line), line, noise, n)
    return line.steps(n), np.stack([np.asarray(x) for x in path]) * np.hypot(1 - tau, tau)[line.steps(n), None, None]


def meeting(places, velocities) -> tuple[int, int]:
    """Of all pairs of places (n, 2) nearer than 0.05, the rows of the two whose velocities differ most."""
    apart, turn = (np.linalg.norm(a[:, None] - a, axis=2) for a in (places, velocities))
    i, j = divmod(int(np.where(apart < 0.05, turn, 0).argmax()), len(places))
    return i, j


def _no_batch(batch) -> str | None:
    x0, eps, t = batch
    wrong = {
        "return x_0 and ε, 128 rows each, and 128 times.": not x0.shape == eps.shape == (*t.shape, 2) == (128, 2),
        "draw t from `times`: steps such as 975, not rows, not τ.": not np.isin(t, TIMES).all(),
        "draw the rows and the times from all there are.": t.min() > 500 or x0.max() < 130,
    }
    return next((text for text, is_so in wrong.items() if is_so), None)


def _sorts(batch) -> tuple:
    """Of the probe's pairs, noise k is (k, k + ¼), its end (k + ½, k + ¾)."""
    (x0, *_), (eps, *_), _ = (np.asarray(each, float).T for each in batch)
    return tuple(np.mean(x).round(1) for x in (x0 % 1 == 0.5, eps % 1 == 0, x0 // 1 == eps // 1))


NOISE = np.arange(8192.0)[:, None] + [0, 0.25]
TIMES = np.arange(1000, 0, -25)
WIDE = GaussianDenoiser(0.5, 0.3, SHORT)


@exercise(
    probes=tuple((NOISE + 0.5, NOISE, TIMES, torch.Generator().manual_seed(seed)) for seed in range(80)),
    kinds=("torch",),
    refuse=_no_batch,
    measure=_sorts,
    returns=("share of ends in x_0", "share of noise in ε", "share of rows of one path"),
    table="""
    hint | A path has the same row in `ends` and in `noise`. How often must rows be drawn?
    hint | `rows = torch.randint(8192, (128,), generator=rng)` draws rows; `ends[rows]` are their ends.
    why | Both ends of a line must belong to one path. Drawn apart, they are strangers again, and their lines cross.
    ends and noise are drawn apart | noise[rows] → noise[torch.randint(8192, (128,), generator=rng)] |
        So they are strangers again. Draw the rows once.
    the noise is fresh | noise[rows] → torch.randn(128, 2, generator=rng) | An end's partner is the noise of its path.
    x_0 and ε are exchanged | return → noise[rows], ends[rows], times[t] | The end is x_0.
    """,
)
def partners(ends, noise, times, rng):
    rows = torch.randint(len(ends), (128,), generator=rng)
    t = torch.randint(len(times), (128,), generator=rng)
    return ends[rows], noise[rows], times[t]


@exercise(
    cls=Stepwise,
    run=lambda f, network, x, rng: f(SimpleNamespace(x0_hat=network), SHORT, x, (40, 20, 5, 0), rng),
    inputs=("x_T", "x̂_0 at 40", "x̂_0 at 20", "x̂_0 at 5", "z_1", "z_2", "z_3"),
    case="With the times 40, 20, 5, 0",
    probes=tuple(
        (WIDE, SHORT, STARTS[:50], times, np.random.default_rng(1))
        for times in ((50, 0), (50, 20, 0), (50, 30, 10, 0), (40, 30, 5, 0))
    ),
    returns=("x_0",),
    table="""
    hint | `for t, s in pairwise(times)` gives each jump: from t to a guess of x_0, and back up to s.
    hint | The guess is `model.x0_hat(x, t)`. Noise it to level s as in lesson 2, with noise from `randn_like(x, rng)`.
    hint | At s = 0 the factor of the noise is √(1−ᾱ_0) = 0, so the last jump needs no special case.
    why | If the guess is a sample of the data, then noising it with fresh noise gives a sample of q(x_s), exactly.
    the old noise is kept | z = randn_like(x, rng) →
        z = (x - schedule.at(t) ** 0.5 * x0_hat) / (1 - schedule.at(t)) ** 0.5 | That is DDIM; draw fresh noise.
    the guess is noised to level t | schedule.at(s) ** 0.5 * x0_hat + (1 - schedule.at(s)) →
        schedule.at(t) ** 0.5 * x0_hat + (1 - schedule.at(t)) | A jump ends at s.
    no noise is added | ** 0.5 * z → ** 0.5 * 0 * z | At s the model expects the noise of s.
    """,
)
def jump_sampler(model, schedule, xT, times, rng):
    x = xT
    for t, s in pairwise(times):
        x0_hat = model.x0_hat(x, t)
        z = randn_like(x, rng)
        x = schedule.at(s) ** 0.5 * x0_hat + (1 - schedule.at(s)) ** 0.5 * z
    return x


def detour(paths) -> float:
    """How many times as long as the straight line between its ends the median of paths (steps, n, 2) is."""
    lengths = np.linalg.norm(np.diff(paths, axis=0), axis=2).sum(0)
    return float(np.median(lengths / np.linalg.norm(paths[-1] - paths[0], axis=1)))


def ddim_sampler(model, schedule, xT, times, rng=None):
    """The last of DDIM's samples, called as the learner's sampler is."""
    *_, x = ddim(model, schedule, xT, times)
    return x


@cache
def measured(sampler=None, model=None, schedule=None, n: int = 0) -> str:
    """To curve, sliced W₁, spread of 2,000 samples (None: real ones) in n steps: mean ± deviation of three draws."""
    rows = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        real, directions = data.spiral(2000, rng), rng.standard_normal((128, 2))
        ours, its = (torch.Generator().manual_seed(k) for k in (seed, 100 + seed))
        x = data.spiral(2000, np.random.default_rng(100 + seed))
        if sampler is not None:
            x = sampler(model, schedule, torch.randn(2000, 2, generator=ours), schedule.steps(n).tolist(), its)
        gaps, w1 = metrics.distance_to_spiral(x), metrics.sliced_wasserstein(x, real, directions)
        rows.append((gaps.mean(), w1, float(x.std())))
    return "   ".join(f"{np.mean(row):.3f} ± {np.std(row, ddof=1):.3f}" for row in zip(*rows, strict=True))


EDM, LAST = (80.0, 7.0), 0.002  # σ_max and ρ of the paper, and its σ_min
STARTING = np.random.default_rng(0).standard_normal((200, 2))
CURVE = 2000  # so many points that no gaps show


def grid(n: int, sigma_max: float = EDM[0], rho: float = EDM[1]) -> np.ndarray:
    """n noise levels from σ_max to 0.002, even in σ^(1/ρ): equation 5 of the EDM paper."""
    return np.linspace(sigma_max ** (1 / rho), LAST ** (1 / rho), n) ** rho


def schedule_of(sigmas) -> Schedule:
    """The schedule whose steps are these falling noise levels, and then 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TerminalSNRWarning)
        return Schedule(np.append(1.0, 1 / (1 + np.flip(np.asarray(sigmas, float)) ** 2)))


def ends(sigmas, sampler=heun) -> np.ndarray:
    """Where the sampler leads 200 draws of noise, with the exact denoiser, at these noise levels."""
    noise = schedule_of(sigmas)
    *_, x = sampler(IdealDenoiser(data.spiral_curve(CURVE), noise), noise, STARTING, len(sigmas))
    return x


@cache
def exact() -> np.ndarray:
    """Where the ODE leads them from σ = 80."""
    return ends(grid(150))


def missed(sigmas, sampler=heun) -> float:
    """How far from there a sampler ends on average, with these noise levels."""
    return float(np.linalg.norm(ends(sigmas, sampler) - exact(), axis=1).mean())


@cache
def bend() -> tuple:
    """65 noise levels, and how far the exact guess of x_0 moves from each to the next."""
    sigmas = np.geomspace(80, LAST, 65)
    noise = schedule_of(sigmas)
    denoiser = IdealDenoiser(data.spiral_curve(CURVE), noise)
    *path, _ = ddim(denoiser, noise, STARTING, noise.T)
    guesses = [denoiser.x0_hat(x, noise.T - i) for i, x in enumerate(path)]
    return sigmas, np.linalg.norm(np.diff(guesses, axis=0), axis=2).mean(1)


def show_bend(chosen):
    """A figure of `bend`, and with the chosen levels how far Heun and DDIM miss."""
    from .. import plots  # only here

    sigmas, moves = bend()
    share = moves[(sigmas[:-1] < 5) & (sigmas[1:] > 0.2)].sum() / moves.sum()
    n, what = len(chosen), "how far the guess moves\nto the next level (mean of 200)"
    cloud = np.linalg.norm(STARTING, axis=1).mean() * np.diff(1 / np.hypot(1, sigmas))  # there x̂_0 is ε / √(1 + σ²)
    curves = {"spiral": moves, "round Gaussian": cloud}
    figure = plots.lines(sigmas[:-1], curves, "noise level σ (falling)", what, logx=True)
    title = f"{n} levels (diamonds): Heun misses by {missed(chosen):.3f}, DDIM by {missed(chosen, ddim):.3f}"
    axes = figure.axes[0]
    axes.axvspan(0.2, 5, alpha=0.12, label=f"5 to 0.2: {share:.0%} of the motion")
    if list(chosen) != list(grid(9)):
        axes.plot(grid(9), np.full(9, -0.006), "d", color="0.6", label="EDM's nine")
    axes.plot(chosen, np.zeros(n), "kd")
    axes.set_title(title)
    axes.legend()
    return figure


def _not_better(sigmas) -> str | None:
    found = np.asarray(sigmas, float)
    if found.shape != (9,) or not (np.diff(found) < 0).all() or not np.isclose(found[-1], LAST):
        return f"return 9 falling noise levels, the last of them {LAST}; yours are {np.round(found, 4).tolist()}."
    if (mine := missed(found)) > 0.02:
        return f"with your levels Heun misses the ends by {mine:.2g}. Get below 0.02."
    return None


@exercise(
    probes=((9,),),
    refuse=_not_better,
    measure=len,
    table="""
    hint | Where does the guess move? The data have spread 1. Put six levels there, from 2 or 3 on.
    hint | From the last of these do not leap to 0.002: 0.05 and 0.01 in between shorten the step.
    hint | `grid(n, sigma_max, rho)` makes EDM's levels: try σ_max = 2, 3, 5 with ρ = 4, 5, 7.
    why | Most of the levels lie where the paths bend, and the last step is short. A start below
        2 costs, too: there the spiral's shape already shows, and x_t has left ε.
    """,
)
def my_grid(n):
    return np.linspace(3 ** (1 / 4), 0.002 ** (1 / 4), n) ** 4
