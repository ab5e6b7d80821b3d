"""Exercises of lesson 4: the simple loss, the weight of a target, what a network answers.

More are in `lesson4_parts`, the training loop in `lesson4_loop`. This is the first lesson whose answers are in torch.
"""

import numpy as np
import torch

from ..forward import add_noise
from .lesson5 import SHORT
from .table import exercise

X = torch.tensor([[1.0, -0.5], [0.3, 2.0], [-1.0, 0.4], [0.8, 0.1]])
E = torch.tensor([[2.0, 0.1], [-0.7, 1.2], [0.5, -0.3], [-1.5, 0.6]])
TIMES = torch.tensor([30, 1, 50, 12])
WEIGHT = torch.tensor(0.5, requires_grad=True)


def halves(xt, t):
    """A network with one weight: ε̂ = x_t / 2."""
    return WEIGHT * xt


def curved(xt, t):
    """Another, which looks at the time too."""
    return torch.sin(WEIGHT * xt) + torch.as_tensor(t)[:, None] / 100


def mixed(x0, signal, eps, noise):
    """x_t with factors of one's own, one a sample."""
    signal, noise = (torch.as_tensor(factor, dtype=x0.dtype)[:, None] for factor in (signal, noise))
    return signal * x0 + noise * eps


def _with_slope(loss):
    """The loss and its derivative by the weight; NaN where `backward()` would find no way to it."""
    loss = torch.as_tensor(loss)
    if loss.ndim:
        return loss.detach()
    slope = torch.autograd.grad(loss, WEIGHT)[0] if loss.requires_grad else torch.tensor(torch.nan)
    return torch.stack([loss.detach(), slope])


def _of_halves(f, n=4) -> float:
    return f(halves, X[:n], TIMES[:n], E[:n], SHORT).item()


def _given(f, x0: float, eps: float) -> float:
    """What the network is given for one point at t = 30."""
    kept = []
    f(lambda xt, t: kept.append(torch.as_tensor(xt)) or WEIGHT * xt, x0 + 0 * X[:1], TIMES[:1], eps + 0 * X[:1], SHORT)
    return kept[0].mean().item()


def _of_errors(f) -> float:
    """The loss of two errors, 1 and 2, whatever x_t is."""
    eps = E[:1]
    return float(f(lambda xt, t: eps + torch.tensor([[1.0, 2.0]]) + 0 * WEIGHT, X[:1], TIMES[:1], eps, SHORT))


@exercise(
    probes=tuple(
        (model, X[part], TIMES[part], E[part], SHORT)
        for model, part in ((halves, slice(1)), (halves, slice(4)), (curved, slice(3)), (curved, slice(1, 3)))
    ),
    measure=_with_slope,
    returns=("loss",),
    parts={
        "at t = 30 the factor of x_0 in what you give the network": lambda f: _given(f, 1.0, 0.0),
        "at t = 30 the factor of ε in what you give the network": lambda f: _given(f, 0.0, 1.0),
        "the loss of two numbers that are wrong by 1 and by 2": _of_errors,
    },
    tolerance=1e-5,
    hints=(
        "Make x_t with `add_noise`; `schedule.at(t)` gives ᾱ for each sample.",
        "ε̂ is `model(xt, t)`. Square the difference to ε, then take one mean over all numbers.",
    ),
    why="The mean squared error is smallest for the mean of all ε that could have led to x_t, and a sampler needs "
    "that. A mean over all numbers keeps its size when the batch or the picture grows.",
    shows={
        "told": lambda f: f"For the network ε̂ = x_t / 2 you return {_of_halves(f):.3g}, and "
        f"{_of_halves(simple_loss.reference):.3g} is right.",
        "grows": lambda f: f"Two samples give {_of_halves(f, 2):.3g}, four give {_of_halves(f):.3g}.",
    },
    mistakes="""
    the noise is multiplied by 1 − ᾱ, not √(1 − ᾱ) #1 | add_noise(x0, a, eps) → mixed(x0, a**0.5, eps, 1 - a) | {told}
    the square roots in x_t are missing #1 | add_noise(x0, a, eps) → mixed(x0, a, eps, 1 - a) |
        {told} Powers add, so amplitudes have roots.
    x_0 is multiplied by ᾱ, not √ᾱ #1 | add_noise(x0, a, eps) → mixed(x0, a, eps, (1 - a) ** 0.5) | {told}
    x_0 is not scaled | add_noise(x0, a, eps) → mixed(x0, a**0, eps, (1 - a) ** 0.5) | {told} x_0 shrinks by √ᾱ.
    ᾱ of step t − 1 #5 | schedule.at(t) → schedule.at(t - 1) |
        {told} The network is told t, so x_t must have the noise of t.
    the answer is compared with x_0, not ε #13 | (eps - model → (x0 - model |
        Then the network learns x_0, and a sampler that asks it for ε gets pictures where it expects noise.
    the answer is compared with x_t | (eps - model → (xt - model |
        The network is given x_t; it would learn to hand it through.
    the network is given x_0, not x_t | model(xt, t) → model(x0, t) |
        x_0 holds nothing of ε, so there is nothing to learn.
    the network is given the noise itself | model(xt, t) → model(eps, t) | That is the answer. The question is x_t.
    a sum, not a mean | .mean() → .sum() | {grows} A loss that grows with the batch changes the size of the steps too.
    the sum over coordinates, then the mean over samples | .mean() → .sum(1).mean() |
        Take the mean over all numbers, so that a picture of 768 numbers has the same scale as a point.
    one loss a sample | .mean() → .mean(1) | `backward()` needs one number: take the mean over all samples too.
    one loss a coordinate | .mean() → .mean(0) | `backward()` needs one number: take the mean over coordinates too.
    the roots are exchanged in x_t | add_noise(x0, a, eps) → mixed(x0, (1 - a) ** 0.5, eps, a**0.5) |
        x_0 has the factor √ᾱ, ε the factor √(1 − ᾱ).
    the square is missing | ** 2).mean() → ** 1).mean() | Errors of both signs cancel: a network could be wrong at no
        loss.
    the absolute value, not the square | ** 2).mean() → ).abs().mean() |
        The least absolute error leads to the median of ε, the least square to its mean.
    the mean is taken before the square | ** 2).mean() → ).mean() ** 2 |
        Errors of both signs cancel before they are squared.
    the loss is cut off from the network | .mean() → .mean().detach() |
        The number is right, but `backward()` finds no way from it to the weights. `.item()`, `.detach()` and
        `torch.tensor(…)` cut it.
    """,
)
def simple_loss(model, x0, t, eps, schedule):
    a = schedule.at(t)
    xt = add_noise(x0, a, eps)
    return ((eps - model(xt, t)) ** 2).mean()


def _one_error(f) -> str:
    """The same wrong guess named in three ways at ᾱ = 0.8, weighted by the learner's function."""
    wrong = {"eps": 0.5, "x0": 0.5 * (0.2 / 0.8) ** 0.5, "v": 0.5 / 0.8**0.5}
    yours = ", ".join(f"{float(f(name, 0.8)) * error**2:.3g} as {name}" for name, error in wrong.items())
    return f"At ᾱ = 0.8 a guess whose ε is off by ½ has the squared error 0.25; with your weights it is {yours}."


@exercise(
    probes=tuple((target, a) for a in (0.8, 0.5, np.array([0.1, 0.9])) for target in ("eps", "x0", "v")),
    kinds=("numpy", "torch"),
    returns=("weight",),
    parts={f"at ᾱ = 0.8 your weight for {name}": lambda f, name=name: f(name, 0.8) for name in ("eps", "x0", "v")},
    hints=(
        "Take one wrong guess. By how much is its ε off, if its x_0 is off by 1? x_t is the same for both.",
        "√ᾱ · (error of x_0) = −√(1−ᾱ) · (error of ε), and (error of ε) = √ᾱ · (error of v). The loss has squares.",
    ),
    why="x_t is known, so a guess of one is a guess of all three, and their errors are proportional. The weight is the "
    "square of the factor: 1, ᾱ / (1−ᾱ) = SNR, and ᾱ.",
    shows={"errors": _one_error},
    mistakes="""
    every target has the weight 1 | body → return 1.0 | {errors}
    the inverse of the SNR for x_0 | alpha_bar_t / (1 - alpha_bar_t) → (1 - alpha_bar_t) / alpha_bar_t | {errors}
    the inverse weights | snr, "v": alpha_bar_t → 1 / snr, "v": 1 / alpha_bar_t | {errors}
    the weights of unsquared errors #19 | snr, "v": alpha_bar_t → snr**0.5, "v": alpha_bar_t**0.5 |
        {errors} Square the factors.
    √SNR for x_0, not the SNR #19 | snr, → snr**0.5, | {errors}
    ᾱ for x_0, not the SNR | snr, → alpha_bar_t, | {errors}
    √ᾱ for v, not ᾱ #19 | "v": alpha_bar_t → "v": alpha_bar_t**0.5 | {errors}
    v has the weight 1 | "v": alpha_bar_t → "v": 1.0 | {errors}
    1 − ᾱ for v, not ᾱ | "v": alpha_bar_t → "v": 1 - alpha_bar_t | {errors}
    1 / ᾱ for v, not ᾱ | "v": alpha_bar_t → "v": 1 / alpha_bar_t | {errors}
    x_0 and v have each other's weight | snr, "v": alpha_bar_t → alpha_bar_t, "v": snr | {errors}
    """,
)
def target_weight(target, alpha_bar_t):
    snr = alpha_bar_t / (1 - alpha_bar_t)
    return {"eps": 1.0, "x0": snr, "v": alpha_bar_t}[target]


ANSWER, XT = np.array([1.0, -0.5, 0.7]), np.array([0.4, -1.2, 2.0])


def _decoded(f) -> str:
    """x_0 = 1, ε = ½ at ᾱ = ¼, decoded from each of its three names."""
    xt = 0.5 + 0.75**0.5 / 2
    names = {"eps": 0.5, "x0": 1.0, "v": (0.5 - 0.75**0.5 * xt) / 0.5}
    yours = ", ".join(f"{float(f(answer, name, xt, 0.25)):.3g} from {name}" for name, answer in names.items())
    return f"A noisy sample with ε = 0.5 is decoded to {yours}; each must be 0.5."


@exercise(
    probes=tuple((ANSWER, output, XT, a) for a in (0.25, 0.9) for output in ("eps", "x0", "v")),
    kinds=("numpy", "torch"),
    linear=("answer", "xt"),
    returns=("ε̂",),
    hints=(
        "If the network answers with ε, its answer is ε̂. With x_0, solve x_t = √ᾱ x_0 + √(1−ᾱ) ε for ε.",
        "v is a point on the circle of lesson 2: ε = √ᾱ v + √(1−ᾱ) x_t.",
    ),
    why="x_t and one of the three names determine the other two. A sampler asks for ε̂, so every answer becomes one.",
    shows={"decoded": _decoded},
    mistakes="""
    every output is taken for ε #13 | body → return answer | {decoded}
    every output is taken for x_0 #13 | output == "x0" → True | {decoded}
    every output is taken for v #13 | output == "x0" → False && output == "v" → True | {decoded}
    v is taken for ε #13 | output == "v" → False | {decoded}
    x_0 is taken for ε #13 | output == "x0" → False | {decoded}
    v is taken for x_0 #13 | output == "x0" → output != "eps" | {decoded}
    ε is taken for v #13 | output == "v" → True | {decoded}
    x̂_0 is returned, not ε̂ | (xt - a**0.5 * answer) / (1 - a) ** 0.5 → answer && a**0.5 * answer + (1 - a) ** 0.5 *
        xt → a**0.5 * xt - (1 - a) ** 0.5 * answer |
        {decoded}
    """,
)
def decode(answer, output, xt, alpha_bar_t):
    a = alpha_bar_t
    if output == "x0":
        return (xt - a**0.5 * answer) / (1 - a) ** 0.5
    if output == "v":
        return a**0.5 * answer + (1 - a) ** 0.5 * xt
    return answer
