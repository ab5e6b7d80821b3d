"""Public checks of the homework's forward half: the schedule, the noise, the loss, and how the training went."""

import numpy as np
import torch

from ... import forward, schedule
from .. import curves, intuition, training
from ..engine import Fault, Mistake
from .typed import TypedExercise, no_float32, no_gradient, no_tensor
from .walk import Affine, tensors

# ---- the schedule --------------------------------------------------------------------------------


def _betas(T):
    return np.linspace(0.1 / T, 12 / T, T)


def _make_alpha_bar(T):
    return torch.tensor(schedule.from_beta(_betas(T)).alpha_bar, dtype=torch.float32)


def _kept(T):
    """T shrunk, β kept."""
    return np.concatenate([[1.0], np.cumprod(1 - np.linspace(1e-4, 0.012, T))])


def _ends(hint):
    """The symptom "first and last ᾱ for T = 1000", quoted from the learner's own function."""

    def symptom(attempt):
        ends = attempt(1000)
        return (
            f"For T = 1000 your ᾱ starts {ends[0]:.4g}, {ends[1]:.4g} and ends {ends[-1]:.3g}; "
            f"expected 1, 0.9999 and 0.0023: {hint}"
        )

    return symptom


make_alpha_bar = TypedExercise(
    "make_alpha_bar",
    _make_alpha_bar,
    probes=((1000,), (50,), (200,)),
    tolerance=1e-4,  # float32 is good enough
    refuse=no_float32,
    faults=(
        *(
            Fault(name, lambda T, mutant=mutant: mutant(_betas(T)), _ends(hint), atlas)
            for name, (mutant, atlas, hint) in curves.MISTAKEN.items()
        ),
        Fault(
            "β is the same for every T",
            _kept,
            f"At T = 50 your ᾱ leaves √ᾱ_T = {_kept(50)[-1] ** 0.5:.2f} of the signal in x_T, which should be static: "
            "fewer steps need larger betas, 0.1/T … 12/T.",
            atlas=10,
        ),
        Fault(
            "the betas are returned, not ᾱ",
            lambda T: np.concatenate([[0.0], _betas(T)]),
            "ᾱ_t is the running product of 1 − β_s, with a 1 in front for t = 0.",
        ),
        Fault(
            "there are T + 1 betas",
            lambda T: np.cumprod(1 - np.linspace(0.1 / T, 12 / T, T + 1)),
            "β_1 … β_T are T numbers; the 1 in front, ᾱ_0, makes T + 1 levels of them.",
        ),
        Fault(
            "the root is taken",
            lambda T: schedule.from_beta(_betas(T)).alpha_bar ** 0.5,
            "ᾱ is a power; the functions below take the roots that they need.",
        ),
    ),
)


# ---- the forward process -------------------------------------------------------------------------


def _add_noise(x0, alpha_bar_t, eps):
    return forward.add_noise(x0, alpha_bar_t[:, 0], eps)


X0 = [[1.0, -0.5], [0.3, 2.0], [-1.2, 0.7], [0.0, 1.0]]
EPS = [[2.0, 0.1], [-0.7, 1.2], [0.4, -1.5], [1.0, 1.0]]
POWERS = [[0.25], [0.81], [0.0], [1.0]]
add_noise = TypedExercise(
    "add_noise",
    _add_noise,
    probes=(tuple(tensors(X0, POWERS, EPS)), tuple(tensors(EPS[:1], POWERS[:1], X0[:1]))),
    tolerance=1e-5,
    refuse=no_tensor,
    faults=(
        *intuition.add_noise.faults,
        Fault(
            "all points get the level of the first",
            lambda x0, alpha_bar_t, eps: _add_noise(x0, alpha_bar_t[:1] + 0 * alpha_bar_t, eps),
            "Each row has its own level: `alpha_bar_t` has shape (n, 1) and broadcasts as it is.",
        ),
    ),
)


# ---- the loss ------------------------------------------------------------------------------------


def _loss(model, alpha_bar, x0, t, eps, noised=_add_noise):
    """Mean over all numbers of (ε − ε̂)²; `noised` is the forward process that it calls."""
    return ((eps - model(noised(x0, alpha_bar[t][:, None], eps), t)) ** 2).mean()


def _other(error=lambda eps, eps_hat, x0: ((eps - eps_hat) ** 2).mean(), noised=_add_noise):
    """A faulty loss: another error, or another x_t."""
    return lambda model, alpha_bar, x0, t, eps: error(eps, model(noised(x0, alpha_bar[t][:, None], eps), t), x0)


FAULTY_LOSS = {
    "the noise of x_t is multiplied by 1 − ᾱ, not √(1 − ᾱ)": _other(
        noised=lambda x0, a, eps: a**0.5 * x0 + (1 - a) * eps
    ),
    "the square roots in x_t are missing": _other(noised=lambda x0, a, eps: a * x0 + (1 - a) * eps),
    "the answer is compared with x_0, not ε": _other(lambda eps, eps_hat, x0: ((x0 - eps_hat) ** 2).mean()),
    "the network is given x_0, not x_t": _other(noised=lambda x0, a, eps: x0),
    "the network is given the noise itself": _other(noised=lambda x0, a, eps: eps),
    "a sum, not a mean": _other(lambda eps, eps_hat, x0: ((eps - eps_hat) ** 2).sum()),
    "the sum over coordinates, then the mean over points": _other(
        lambda eps, eps_hat, x0: ((eps - eps_hat) ** 2).sum(1).mean()
    ),
    "the square is missing": _other(lambda eps, eps_hat, x0: (eps - eps_hat).mean()),
    "the absolute value, not the square": _other(lambda eps, eps_hat, x0: abs(eps - eps_hat).mean()),
}

LEVELS = np.array([1.0, 0.8, 0.5, 0.25, 0.04])
TIMES = np.array([1, 4, 2, 3])
MODELS = Affine(LEVELS, np.outer(LEVELS, [0.3, -1.0])), Affine(0 * LEVELS + 0.5, np.ones((5, 2)))
loss = TypedExercise(
    "loss",
    _loss,
    probes=tuple((model, *tensors(LEVELS, X0, TIMES, EPS)) for model in MODELS),
    tolerance=1e-5,
    refuse=no_gradient,
    faults=(
        *(
            Fault(fault.name, FAULTY_LOSS[fault.name], fault.message(fault.mutant), fault.atlas)
            for fault in training.simple_loss.faults
        ),
        Fault(
            "ᾱ is taken one step too early",
            lambda model, alpha_bar, x0, t, eps: _loss(lambda xt, s: model(xt, t), alpha_bar, x0, t - 1, eps),
            "x_t belongs to ᾱ_t, and so does the t that the network is told. `alpha_bar[0]` is t = 0.",
            atlas=5,
        ),
        Fault(
            "the network is told t − 1",
            lambda model, alpha_bar, x0, t, eps: _loss(lambda xt, t: model(xt, t - 1), alpha_bar, x0, t, eps),
            "The sampler will tell it t: a network that learned another clock is asked the wrong questions.",
            atlas=5,
        ),
        Fault(
            "all points get the level of the first",
            lambda model, alpha_bar, x0, t, eps: _loss(lambda xt, s: model(xt, t), alpha_bar, x0, t * 0 + t[0], eps),
            "Each row has its own t: `alpha_bar[t][:, None]` has one level a row, shape (n, 1).",
        ),
        Fault(
            "the root of the mean is taken",
            _other(lambda eps, eps_hat, x0: ((eps - eps_hat) ** 2).mean() ** 0.5),
            "It has the same minimum but another gradient: asked is the mean itself.",
        ),
        Fault(
            "no mean is taken",
            _other(lambda eps, eps_hat, x0: (eps - eps_hat) ** 2),
            "A loss is one number: the mean over all points and both coordinates.",
        ),
    ),
)


# ---- the training --------------------------------------------------------------------------------

LOSS = 0.35  # right solutions end at 0.25 to 0.29 (notebooks/homework/calibration.csv), and start near 1


def losses(each) -> None:
    """Judge the loss of each step of a training by where it ends; what that means the samples will tell."""
    begins, ends = np.mean(each[:20]), np.mean(each[-max(1, len(each) // 10) :])
    told = f"training: the loss goes from {begins:.3g} to {ends:.3g} in {len(each):,} steps"
    if not np.isfinite(ends):
        raise Mistake(f"{told}. Is the gradient of the step before still in it (zero_grad)?", "not finite")
    if ends > max(1.2, 1.2 * begins):
        raise Mistake(f"{told}: it rises. Is the gradient of the step before still in it (zero_grad)?", "rises")
    if ends > 0.9:
        raise Mistake(f"{told}: nothing is learned. Are backward() and the optimiser's step() called?", "stays")
    if ends > LOSS:
        print(f"○ {told}. Right ones end below {LOSS} after 10,000: fewer steps, or something is still wrong.")
        return
    print(f"✓ {told}.")
