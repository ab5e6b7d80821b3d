"""Exercises of the optional notebook on steering: a push on ε̂, a slope through the network, an interval."""

import numpy as np
import torch

from ..beyond.mixture import MixtureDenoiser
from ..denoisers import FullGaussianDenoiser, GaussianDenoiser
from ..forward import x0_from_eps
from ..metrics import sliced_wasserstein
from ..samplers import ddim
from ..schedule import cosine
from .asked import Finding
from .table import exercise

SHORT = cosine(T=50)
EPS_HAT, SLOPE = np.array([0.4, -1.2, 2.0]), np.array([1.0, -0.5, 0.7])


@exercise(
    probes=((2.0, 1.0, 0.36, 1.0), (2.0, 1.0, 0.36, 0.0), (EPS_HAT, SLOPE, 0.9, 2.5), (EPS_HAT[:1], SLOPE[:1], 0.1, 1)),
    kinds=("numpy", "torch"),
    linear=("eps_hat", "slope"),
    returns=("ε̂",),
    table="""
    hint | The slope points where we want to go, and ε̂ points away from where we go. Which sign follows?
    hint | score = −ε̂ / √(1−ᾱ_t). Add scale · slope to the score, and solve for ε̂.
    why | The score becomes score + scale · slope. ε̂ is −√(1−ᾱ_t) times the score, so it loses √(1−ᾱ_t) scale · slope.
    the sign is wrong | eps_hat - → eps_hat + | ε̂ is taken *out* of x_t, so it must lose what you want to gain.
    the root is missing #1 | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) | ε̂ is −√(1−ᾱ_t) times the score.
    the scale is not used #16 | scale * → | At scale 0 nothing may change.
    """,
)
def steer(eps_hat, slope, alpha_bar_t, scale):
    return eps_hat - scale * (1 - alpha_bar_t) ** 0.5 * slope


PAIR = FullGaussianDenoiser([0.0, 1.0], [[1.0, 0.9], [0.9, 1.0]], SHORT)
PLAIN, PLACES = GaussianDenoiser(2.0, 0.5, SHORT), torch.tensor([[0.3, -1.0], [1.5, 0.2], [-0.7, 2.0]])


def to_two(x0_hat):
    """How far the first coordinate is from 2."""
    return ((x0_hat[:, 0] - 2) ** 2).sum()


def to_zero(x0_hat):
    """How far everything is from 0."""
    return (x0_hat**2).sum()


@exercise(
    probes=(
        (PLAIN, PLACES, 20, SHORT, to_zero),
        (PAIR, PLACES, 35, SHORT, to_two),
        (PAIR, PLACES[:1], 5, SHORT, to_zero),
    ),
    kinds=("torch",),
    returns=("slope",),
    table="""
    hint | First model(xt, t), then x0_from_eps, then loss: the number must be computed *from* xt, switched on.
    hint | `torch.autograd.grad(number, xt)` returns a tuple with one tensor. Down the loss is the way we want to go.
    why | The loss looks at the clean guess, and the gradient goes back through the network to x_t. So the network
        itself says which pixels of x_t must change, and how, to make the guess better.
    the slope leads up the loss | return → slope | The loss shall fall: return minus its gradient.
    the gradient stops at the guess | grad(loss(x0_hat), xt) → grad(loss(x0_hat), x0_hat) |
        Take it with respect to x_t, so that it goes back through the network.
    the gradient goes past the network | model(xt, t) → model(xt, t).detach() |
        x̂_0 depends on x_t in two ways, directly and through ε̂. Yours keeps the first only: leave out `detach`.
    the loss looks at x_t, not at the guess | loss(x0_hat) → loss(xt) | x_t is full of noise; ask the guess x̂_0.
    the loss looks at the noise | loss(x0_hat) → loss(model(xt, t)) | The loss is about the picture x̂_0, not about ε̂.
    """,
)
def slope_through(model, xt, t, schedule, loss):
    xt = xt.detach().requires_grad_()
    x0_hat = x0_from_eps(xt, schedule.at(t), model(xt, t))
    (slope,) = torch.autograd.grad(loss(x0_hat), xt)
    return -slope


def interval(top: int) -> tuple[float, float]:
    """Obedience and sliced W₁ in the notebook: 2000 samples, guided by w = 4 up to t = `top`, of the blurred model."""
    schedule, rng = cosine(), np.random.default_rng(2)
    angle = np.arange(6) * np.pi / 3
    six = 1.4 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    free, asked = (MixtureDenoiser(bumps, 0.4, schedule) for bumps in (six, six[:2]))

    def guided(xt, t):
        return asked(xt, t) if t > top else free(xt, t) + 4 * (asked(xt, t) - free(xt, t))

    *_, x = ddim(guided, schedule, np.random.default_rng(1).standard_normal((2000, 2)), 50)
    real = six[rng.integers(2, size=2000)] + 0.2 * rng.standard_normal((2000, 2))
    nearest = np.linalg.norm(x[:, None] - six, axis=2).argmin(axis=1)
    return float((nearest < 2).mean()), sliced_wasserstein(x, real, rng.standard_normal((64, 2)))


def _off(top: int) -> str:
    obeys, far = interval(top)
    wanted = ["at least 99.5 % must obey"] * (obeys < 0.995) + ["the distance must be below 0.1"] * (far >= 0.1)
    return f"with guidance below t = {top}, {obeys:.1%} obey and the distance is {far:.3f}: {' and '.join(wanted)}."


guidance_top = Finding(
    "guidance_top",
    right=range(200, 300),  # 50 steps: all from 200 to 219 are one
    wrong=_off,
    asked="a time",
    among=range(1001),
    hints=(
        "At 1000 all obey, and the crowd is pushed far out. At 0 there is no guidance. What does a middle value do?",
        "The bumps are decided late: try 600, 400, 200, and look at both numbers.",
    ),
    why="At high noise the push moves whole crowds outward, since all bumps are still one. Late, when the bumps have "
    "parted, it clears away what strays towards those not asked for, which this blurred model needs.",
)
