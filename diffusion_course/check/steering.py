"""Exercises of the optional notebook on steering: a slope through the network, and how hard to pull."""

import numpy as np
import torch

from ..denoisers import FullGaussianDenoiser, GaussianDenoiser
from ..forward import x0_from_eps
from ..samplers import ddpm, ddpm_step
from ..schedule import cosine
from .asked import Finding
from .guidance import steer
from .table import exercise

SHORT = cosine(T=50)
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
    hint | First model(xt, t), then x0_from_eps, then loss: the number must be computed *from* xt.
    hint | Begin with `xt = xt.detach().requires_grad_()`.
    hint | The slope of the loss leads up. We want to go down.
    why | The gradient goes back through the network to x_t. So the network itself says which pixels of x_t must
        change, and how, to make the guess better.
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


LEANING = np.array([[1.0, 0.9], [0.9, 1.0]])
THREE = np.array([[2.0, 0.5, -0.3], [0.5, 1.0, 0.2], [-0.3, 0.2, 0.5]])


@exercise(
    probes=((LEANING, 0.5), (LEANING, 0.9), (THREE, 0.2), (np.eye(2), 0.36)),
    returns=("r²",),
    table="""
    hint | `np.linalg.inv(covariance)` is the data's precision. What x_t tells is a precision, too, on the diagonal.
    hint | x_t/√ᾱ_t is x_0 with noise of the variance (1−ᾱ_t)/ᾱ_t, the same for each number: `np.eye(len(covariance))`.
    hint | Add the two, and turn the sum back into a covariance. The first number's variance is at [0, 0].
    why | Independent sources add their precisions. The inverse of the sum is the covariance that is left, and its
        first entry the variance of u.
    the precision is returned | return → precision[0, 0] | Invert the sum: a variance is asked for.
    the other numbers are taken for known | return → 1 / precision[0, 0] |
        That is the variance if v were known. It is uncertain as well: invert the whole matrix, then take [0, 0].
    the common variance is returned | return → 1 - alpha_bar_t | It forgets that the noisy v says something about u.
    the signal is taken for whole | alpha_bar_t / (1 - alpha_bar_t) → 1 / (1 - alpha_bar_t) |
        In x_t the number has the factor √ᾱ_t, so x_t tells less about it: divide by the variance of x_t/√ᾱ_t.
    the noise's variance stands for its precision | alpha_bar_t / (1 - alpha_bar_t) → (1 - alpha_bar_t) / alpha_bar_t |
        Little noise is much precision.
    the covariance is not inverted | inv(covariance) + → inv(np.linalg.inv(covariance)) + | Only precisions add.
    """,
)
def variance_left(covariance, alpha_bar_t):
    precision = np.linalg.inv(covariance) + alpha_bar_t / (1 - alpha_bar_t) * np.eye(len(covariance))
    return np.linalg.inv(precision)[0, 0]


def mean_of_v(percent: int) -> float:
    """Where v ends on average in the notebook, if u is told with so much of 1 − ᾱ: DDPM's noise leaves it alone."""
    schedule = cosine()
    pair = FullGaussianDenoiser(np.zeros(2), LEANING, schedule)

    def told(xt, t):
        with torch.enable_grad():
            slope = slope_through.reference(pair, xt, t, schedule, to_two)
        share = percent / 100 * (1 - schedule.at(t))
        return steer.reference(pair(xt, t), slope, schedule.at(t), 1 / (2 * share))

    start = torch.zeros(1, 2, dtype=torch.float64)
    *_, x = ddpm(told, schedule, start, 200, step=lambda *given: ddpm_step(*given[:5]))
    return float(x[0, 1])


pull = Finding(
    "pull",
    right=range(76, 85),
    wrong=lambda percent: f"with {percent} % of the common variance, v ends at {mean_of_v(percent):.2f} on average.",
    asked="a percentage",
    among=range(20, 201),
    hints=(
        "At 100 % the pull is too gentle, and v ends too low. So is the share that you need above 100 or below?",
        "At 60 % v ends at 1.88, too high. In between, the mean changes nearly evenly.",
    ),
    why="The true variance is below the common one, most of all in the middle of the way. No constant share has its "
    "shape, but 80 % has the same effect on the mean. It fits this covariance only.",
)
