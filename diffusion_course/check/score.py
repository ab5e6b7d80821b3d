"""Exercises of the optional notebook on the score: the slope, Langevin's walk, the family of samplers."""

import numpy as np

from ..beyond.mixture import MixtureDenoiser
from ..schedule import linear
from .asked import Finding
from .table import exercise

X, SCORE, Z = np.array([0.4, -1.2, 2.0]), np.array([1.0, -0.5, 0.7]), np.array([0.3, 1.5, -0.8])


@exercise(
    probes=((3.0, 0.75), (-1.0, 0.36), (X, 0.9), (X[:2], 0.0)),
    kinds=("numpy", "torch"),
    linear=("eps_hat",),
    returns=("score",),
    table="""
    hint | Noise leads away from likely places. Which sign must the slope have, then?
    hint | The derivative of −u² / (2s²) is −u / s². Here u = √(1−ᾱ_t) ε and s² = 1 − ᾱ_t.
    why | The slope is −(x_t − √ᾱ_t x_0) / (1−ᾱ_t), and x_t − √ᾱ_t x_0 is √(1−ᾱ_t) ε. So it is −ε / √(1−ᾱ_t).
    the sign is wrong | -eps_hat → eps_hat | The density rises where noise is taken away.
    the variance of the noise stands where its spread belongs #19 | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) |
        ε̂ is the displacement divided by the noise's spread. Divide by that spread once more, not by its square.
    """,
)
def score_from_eps(eps_hat, alpha_bar_t):
    return -eps_hat / (1 - alpha_bar_t) ** 0.5


@exercise(
    probes=((1.0, -1.0, 0.02, 0.0), (0.0, 0.0, 0.02, 1.0), (X, SCORE, 0.1, Z), (X[:1], SCORE[:1], 0.5, Z[:1])),
    kinds=("numpy", "torch"),
    linear=("x", "score", "z"),
    returns=("new x",),
    table="""
    hint | Two things happen to x: a push along the slope, h times the score, and fresh noise.
    hint | On the bell, (1 − h) x + c z has the variance (1 − h)² + c². It must be 1. What is c², without h²?
    why | On the bell (1 − h)² + c² = 1, so c² = 2h − h², or 2h for small h. The push gathers the walkers on the
        heights, the noise scatters them, and at this factor the two balance.
    z is multiplied by the variance, not by its root #3 | (2 * h) ** 0.5 → 2 * h | A factor of z is a spread.
    the 2 is missing in the noise | (2 * h) → h | The variance of the noise is 2h; with h the crowd ends too narrow.
    h² is kept | (2 * h) → (2 * h - h**2) | That is exact on the bell only. Leave out h².
    no noise is added #8 | (2 * h) ** 0.5 * z → 0 * z | Without noise all walkers climb to the top.
    the walk goes downhill | x + h → x - h | The score points uphill; add it.
    """,
)
def langevin_step(x, score, h, z):
    return x + h * score + (2 * h) ** 0.5 * z


@exercise(
    probes=(
        (2.0, -1.0, 0.02, 0.0, 1.0),
        (0.0, 0.0, 0.02, 0.25, 1.0),
        *((X, SCORE, 0.1, dial, Z) for dial in (0.0, 1.0, 0.25, 4.0)),
    ),
    kinds=("numpy", "torch"),
    linear=("xt", "score", "z"),
    returns=("x_s",),
    table="""
    hint | First the step of the ODE: x_t and β/2 times (x_t + score). It does not know the dial.
    hint | Then a step of Langevin's walk on top of it. Which h makes the variance of its noise, 2h, equal to dial · β?
    hint | h = dial · β/2: a push of dial · β/2 · score, and noise dial · β. You may call your own `langevin_step`.
    why | A step of the ODE moves the density to the earlier time. A step of Langevin's walk leaves a density where it
        is. So any amount of the second may be added to the first.
    noise without the push that pays for it | (1 + dial) → 1 | The noise scatters and nothing gathers.
    the dial is squared in the noise | (dial * beta) → (dial**2 * beta) |
        The variance of the noise is dial · β, so its spread is √(dial · β).
    z is multiplied by the variance, not by its root #3 | (dial * beta) ** 0.5 → dial * beta |
        A factor of z is a spread.
    fresh noise whatever the dial is #17 | (dial * beta) → (beta) | At dial 0 nothing may depend on z.
    no fresh noise at any dial #8 | (dial * beta) ** 0.5 * z → 0 * z | The push is there, its noise is not.
    the step goes forwards, to more noise | xt + beta → xt - beta | Backwards in time the signs turn round.
    β is not halved | beta / 2 → beta | √(1−β) is about 1 − β/2.
    x_t is divided by the exact root √(1−β) | return → xt / (1 - beta) ** 0.5 + beta / 2 * (1 + dial) * score
        + (dial * beta) ** 0.5 * z | As good as ours for small steps. But the task
        asks for 1 + β/2: at β = 0.1 your weight of x_t is {f(1.0, 0.0, 0.1, 0.0, 0.0):.3f}, and 1.050 is asked for.
    """,
)
def family_step(xt, score, beta, dial, z):
    return xt + beta / 2 * (xt + (1 + dial) * score) + (dial * beta) ** 0.5 * z


def crossed(t: int, walkers: int = 20_000) -> float:
    """The share of walkers that are right of 0 after 500 steps of h = 0.01 at noise level t, all from the left bump."""
    schedule, rng = linear(), np.random.default_rng(0)
    bumps = MixtureDenoiser([[-1.0], [1.0]], 0.2, schedule, weights=[0.3, 0.7])
    x = np.full((walkers, 1), -1.0)
    for _ in range(500):
        score = score_from_eps.reference(bumps(x, t), schedule.at(t))
        x = langevin_step.reference(x, score, 0.01, rng.standard_normal(x.shape))
    return float((x > 0).mean())


crossing_level = Finding(
    "crossing_level",
    right=range(86, 104),  # where 2000 walkers may show 45 % to 55 %
    exactly=93,
    wrong=lambda t: f"at t = {t}, {crossed(t):.0%} of 20,000 walkers end right of 0; find the smallest t for half.",
    asked="a noise level",
    among=range(1, 1001),
    hints=(
        "At t = 20 nearly nobody crosses, at t = 200 most do. Try the middle, and halve the interval again.",
        "A share from 45 % to 55 % counts.",
    ),
    why="Noise fills the valley between the bumps. The time to cross grows exponentially with the valley's depth in "
    "log q, so a little less noise makes a walk hopeless.",
)
