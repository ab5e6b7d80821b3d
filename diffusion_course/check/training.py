"""Exercises of lesson 4: the simple loss, and the weight that a target implies. (`learning.py` holds the others.)"""

import numpy as np

from .. import forward
from ..check.engine import Exercise, Fault


def _simple_loss(model, x0, alpha_bar_t, eps):
    """Mean over all numbers of (ε − ε̂)²: the mean of `training.losses`, at one level of noise."""
    return ((eps - model(forward.add_noise(x0, alpha_bar_t, eps))) ** 2).mean()


def answers_half(xt):
    """A model of the probes: ε̂ = x_t / 2."""
    return xt / 2


def answers_curved(xt):
    """Another: ε̂ = sin x_t."""
    return np.sin(xt)


def _loss_by_hand(hint: str):
    """x_0 = 1, ᾱ = ¼, ε = 2, with the model that answers x_t; quoted from the learner's function."""

    def symptom(attempt):
        found = float(attempt(lambda xt: xt, np.array([[1.0]]), 0.25, np.array([[2.0]])))
        return f"By hand x_0 = 1, ᾱ = 0.25, ε = 2 and ε̂ = x_t give 0.054; you return {found:.3g}: {hint}"

    return symptom


def _loss_of_twice(attempt):
    once, twice = (float(attempt(answers_half, X[:n], 0.5, E[:n])) for n in (2, 4))
    return (
        f"Two points give {once:.3g}, the same two and two more {twice:.3g}: "
        "a loss that grows with the batch changes the learning rate with it. Take the mean."
    )


X = np.array([[1.0, -0.5], [0.3, 2.0], [1.0, -0.5], [0.3, 2.0]])
E = np.array([[2.0, 0.1], [-0.7, 1.2], [2.0, 0.1], [-0.7, 1.2]])
simple_loss = Exercise(
    "simple_loss",
    _simple_loss,
    probes=((answers_half, X, 0.25, E), (answers_curved, X[:3], 0.8, E[:3]), (answers_half, E, 0.5, X)),
    faults=(
        Fault(
            "the noise of x_t is multiplied by 1 − ᾱ, not √(1 − ᾱ)",
            lambda model, x0, a, eps: ((eps - model(a**0.5 * x0 + (1 - a) * eps)) ** 2).mean(),
            _loss_by_hand("look at the factor in front of ε in x_t."),
            atlas=1,
        ),
        Fault(
            "the square roots in x_t are missing",
            lambda model, x0, a, eps: ((eps - model(a * x0 + (1 - a) * eps)) ** 2).mean(),
            _loss_by_hand("powers add, so each factor is the root of a power."),
            atlas=1,
        ),
        Fault(
            "the answer is compared with x_0, not ε",
            lambda model, x0, a, eps: ((x0 - model(forward.add_noise(x0, a, eps))) ** 2).mean(),
            _loss_by_hand("then the network learns x_0, and a sampler that asks for ε gets static."),
            atlas=13,
        ),
        Fault(
            "the network is given x_0, not x_t",
            lambda model, x0, a, eps: ((eps - model(x0)) ** 2).mean(),
            _loss_by_hand("x_0 holds nothing of ε, so there is nothing to learn from."),
        ),
        Fault(
            "the network is given the noise itself",
            lambda model, x0, a, eps: ((eps - model(eps)) ** 2).mean(),
            _loss_by_hand("that is the answer, not the question; the question is x_t."),
        ),
        Fault(
            "a sum, not a mean",
            lambda model, x0, a, eps: ((eps - model(forward.add_noise(x0, a, eps))) ** 2).sum(),
            _loss_of_twice,
        ),
        Fault(
            "the sum over coordinates, then the mean over points",
            lambda model, x0, a, eps: ((eps - model(forward.add_noise(x0, a, eps))) ** 2).sum(1).mean(),
            "Asked is the mean over all numbers, so that a picture of 768 numbers has the same scale as a point.",
        ),
        Fault(
            "the square is missing",
            lambda model, x0, a, eps: (eps - model(forward.add_noise(x0, a, eps))).mean(),
            "Errors of both signs cancel in a mean; a network could be wrong everywhere at no loss.",
        ),
        Fault(
            "the absolute value, not the square",
            lambda model, x0, a, eps: np.abs(eps - model(forward.add_noise(x0, a, eps))).mean(),
            _loss_by_hand("the least absolute error is the median's; the square leads to the mean E[ε | x_t]."),
        ),
    ),
)


def _target_weight(target, alpha_bar_t):
    """c with (ε − ε̂)² = c · (error of the target)²."""
    return {"eps": 1.0, "x0": alpha_bar_t / (1 - alpha_bar_t), "v": alpha_bar_t}[target]


def _weights(**changed):
    """A faulty `target_weight`: `changed` says for a target by which function of ᾱ it errs."""
    return lambda target, a: changed[target](a) if target in changed else _target_weight(target, a)


def _one_error(attempt):
    """The same wrong guess named in three ways at ᾱ = 0.8, weighted by the learner's function."""
    wrong = {"eps": 0.5, "x0": 0.5 * (0.2 / 0.8) ** 0.5, "v": 0.5 / 0.8**0.5}
    found = ", ".join(f"{attempt(name, 0.8) * error**2:.3g} as {name}" for name, error in wrong.items())
    return f"At ᾱ = 0.8 a guess whose ε is off by ½ has the squared error ¼; with your weights it is {found}."


target_weight = Exercise(
    "target_weight",
    _target_weight,
    probes=tuple((target, a) for target in ("eps", "x0", "v") for a in (0.8, 0.5, 0.1)),
    faults=(
        Fault(
            "every target has the weight 1",
            lambda target, a: 1.0,
            lambda attempt: f"{_one_error(attempt)} Unweighted errors of different targets are different losses.",
        ),
        Fault("the inverse of the SNR for x_0", _weights(x0=lambda a: (1 - a) / a), _one_error),
        Fault("the inverse weights", lambda target, a: 1 / _target_weight(target, a), _one_error),
        Fault(
            "the weights of unsquared errors",
            lambda target, a: _target_weight(target, a) ** 0.5,
            lambda attempt: f"{_one_error(attempt)} A factor of an error is squared with it.",
            atlas=19,
        ),
        Fault("√SNR for x_0, not the SNR", _weights(x0=lambda a: (a / (1 - a)) ** 0.5), _one_error),
        Fault("ᾱ for x_0, not the SNR", _weights(x0=lambda a: a), _one_error),
        Fault("√ᾱ for v, not ᾱ", _weights(v=lambda a: a**0.5), _one_error),
        Fault("v has the weight 1", _weights(v=lambda a: 1.0), _one_error),
        Fault("1 − ᾱ for v, not ᾱ", _weights(v=lambda a: 1 - a), _one_error),
        Fault("1 / ᾱ for v, not ᾱ", _weights(v=lambda a: 1 / a), _one_error),
        Fault(
            "x_0 and v have each other's weight",
            _weights(x0=lambda a: a, v=lambda a: a / (1 - a)),
            _one_error,
        ),
    ),
)
