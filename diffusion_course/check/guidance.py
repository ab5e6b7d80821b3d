"""Exercises of the optional notebook on guidance: a switch, the interval where it helps, a push on ε̂."""

import numpy as np

from ..beyond.mixture import MixtureDenoiser
from ..metrics import sliced_wasserstein
from ..samplers import ddim
from ..schedule import cosine
from .asked import Finding
from .lesson5 import COND, FREE
from .table import exercise


@exercise(
    probes=(
        *((1.0, 2.0, t, 4.0, 100, 500) for t in (300, 500, 100, 900, 40)),
        *((FREE, COND, t, 2.5, 0, 250) for t in (250, 1000)),
    ),
    kinds=("numpy", "torch"),
    linear=("eps_uncond", "eps_cond"),
    returns=("ε̂",),
    table="""
    hint | Inside, it is the line of lesson 5: from the unconditional answer, `w` times the way to the conditional one.
    hint | "No guidance" is the scale 1. What does lesson 5's line give then?
    why | Outside, the scale is 1. Then the line gives `eps_cond`.
    the condition is lost outside | else eps_cond → else eps_uncond | "No guidance" is w = 1, not w = 0.
    the way starts at the wrong answer | eps_uncond + w → eps_cond + w | Start at the unconditional one.
    inside and outside are exchanged | if low < t <= high → if not low < t <= high | Guide between `low` and `high`.
    guided at t = low, too | low < t → low <= t | There t is no longer above `low`.
    not guided at t = high | t <= high → t < high | `high` itself belongs to the interval.
    """,
)
def guided_within(eps_uncond, eps_cond, t, w, low, high):
    return eps_uncond + w * (eps_cond - eps_uncond) if low < t <= high else eps_cond


EPS_HAT, SLOPE = np.array([0.4, -1.2, 2.0]), np.array([1.0, -0.5, 0.7])


@exercise(
    probes=((2.0, 1.0, 0.36, 1.0), (2.0, 1.0, 0.36, 0.0), (EPS_HAT, SLOPE, 0.9, 2.5), (EPS_HAT[:1], SLOPE[:1], 0.1, 1)),
    kinds=("numpy", "torch"),
    linear=("eps_hat", "slope"),
    returns=("ε̂",),
    table="""
    hint | The slope points where we want to go, ε̂ points away from there. Which sign follows?
    hint | score = −ε̂ / √(1−ᾱ_t). Add scale · slope to the score, and solve for ε̂.
    why | ε̂ is −√(1−ᾱ_t) times the score, so it loses √(1−ᾱ_t) scale · slope.
    the sign is wrong | eps_hat - → eps_hat + | ε̂ is taken *out* of x_t, so it must lose what you want to gain.
    the root is missing #1 | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) | ε̂ is −√(1−ᾱ_t) times the score.
    the scale is not used #16 | scale * → | At scale 0 nothing may change.
    """,
)
def steer(eps_hat, slope, alpha_bar_t, scale):
    return eps_hat - scale * (1 - alpha_bar_t) ** 0.5 * slope


def interval(low: int, high: int) -> tuple[float, float]:
    """Obedience and sliced W₁ of the notebook's samples, guided by w = 4 where low < t ≤ high."""
    schedule, rng = cosine(), np.random.default_rng(2)
    angle = np.arange(6) * np.pi / 3
    six = 1.4 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    free, asked = (MixtureDenoiser(bumps, 0.4, schedule) for bumps in (six, six[:2]))

    def guided(xt, t):
        return free(xt, t) + 4 * (asked(xt, t) - free(xt, t)) if low < t <= high else asked(xt, t)

    *_, x = ddim(guided, schedule, np.random.default_rng(1).standard_normal((2000, 2)), 50)
    real = six[rng.integers(2, size=2000)] + 0.2 * rng.standard_normal((2000, 2))
    nearest = np.linalg.norm(x[:, None] - six, axis=2).argmin(axis=1)
    return float((nearest < 2).mean()), sliced_wasserstein(x, real, rng.standard_normal((64, 2)))


def _off(steps: int) -> str:
    if steps > 3:
        return f"{steps} are more than you need."
    far, obeys, top = min((*interval(top - 20 * steps, top)[::-1], top) for top in range(200, 420, 20))
    return f"{steps} are too few: at their best place, below t = {top}, {obeys:.1%} obey and the distance is {far:.3f}."


guided_steps = Finding(
    "guided_steps",
    right=range(3, 4),
    wrong=_off,
    asked="a number of steps",
    among=range(51),
    exactly=3,
    hints=("Move ten steps up and down. Guide fewer and fewer where it is best.",),
    why="For example path(260, 320). Earlier, everybody is pushed; later, too little.",
)
