"""The public checks of the spiral homework: every student may run them as often as they like.

    from diffusion_course.check import homework as check

Most are exercises of the lessons, asked anew for torch tensors and with all noise handed in. The hidden tests ask the
same questions with other numbers (`homework/parts.py`), so whoever passes here has understood the part.
A folder of its own, because it needs torch, which the checks of the lessons do not load; the reverse half is in
`walk.py`.
"""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from torch import nn

from ... import forward, schedule, variant
from ...exercise import Exercise, Fault, Mistake
from .. import curves, intuition, training
from ..walking import time_grid
from .walk import Affine, adapted, reverse_step, sample, tensors

__all__ = [
    "Affine",
    "add_noise",
    "loss",
    "make_alpha_bar",
    "network",
    "reverse_step",
    "sample",
    "samples",
    "time_grid",
    "unless_blank",
]


@contextmanager
def unless_blank(what: str):
    """Run the block; if it meets a blank (`raise NotImplementedError`) or what a blank should define, say so calmly."""
    try:
        yield
    except NotImplementedError:
        print(f"○ {what}: waits for a blank above.")
    except NameError as error:
        print(f"○ {what}: waits for a cell above ({error}).")


# ---- the schedule --------------------------------------------------------------------------------


def _betas(T):
    return np.linspace(0.1 / T, 12 / T, T)


def _make_alpha_bar(T):
    return schedule.from_beta(_betas(T)).alpha_bar


def _kept(T):
    """T shrunk, β kept."""
    return np.concatenate([[1.0], np.cumprod(1 - np.linspace(1e-4, 0.012, T))])


make_alpha_bar = Exercise(
    "make_alpha_bar",
    _make_alpha_bar,
    probes=((1000,), (50,), (200,)),
    tolerance=1e-4,  # float32 is good enough
    faults=(
        *adapted(curves.alpha_bar_of.faults, lambda mutant: lambda T: mutant(_betas(T))),
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
    ),
)


# ---- the forward process -------------------------------------------------------------------------


def _add_noise(x0, alpha_bar_t, eps):
    return forward.add_noise(x0, alpha_bar_t[:, 0], eps)


X0 = [[1.0, -0.5], [0.3, 2.0], [-1.2, 0.7], [0.0, 1.0]]
EPS = [[2.0, 0.1], [-0.7, 1.2], [0.4, -1.5], [1.0, 1.0]]
POWERS = [[0.25], [0.81], [0.0], [1.0]]
add_noise = replace(
    intuition.add_noise,
    reference=_add_noise,
    probes=(tuple(tensors(X0, POWERS, EPS)), tuple(tensors(EPS[:1], POWERS[:1], X0[:1]))),
    tolerance=1e-5,
)


# ---- the network ---------------------------------------------------------------------------------

POINTS = np.array([[0.5, -1.0], [1.5, 0.3], [-0.7, 2.0], [0.0, 0.1]])
HOURS = np.array([1, 80, 400, 1000])


def network_mistake(denoise) -> Mistake | None:
    """What is wrong with ε̂ = denoise(xt, t), for arrays xt (n, 2) and t (n,), whether it is trained or not."""
    answer = denoise(POINTS, HOURS)
    if np.shape(answer) != POINTS.shape:
        return Mistake(
            f"network: for x_t of shape (4, 2) and t of shape (4,) it returns shape {np.shape(answer)}; "
            "ε̂ has the shape of x_t.",
            "another shape",
        )
    if not np.isfinite(answer).all():
        return Mistake("network: it returns NaN or infinity. Look at its inputs and at the loss.", "not finite")
    same_point, same_time = np.repeat(POINTS[:1], 4, axis=0), np.repeat(HOURS[2:3], 4)
    if np.ptp(denoise(same_point, HOURS), axis=0).max() < 1e-6:
        return Mistake(
            "network: at one point it says the same for every t. The same x_t means other noise at another t, "
            "so the time code must be among its inputs.",
            "t is ignored",
        )
    if np.ptp(denoise(POINTS, same_time), axis=0).max() < 1e-6:
        return Mistake("network: it says the same for every x_t, so it cannot see any noise.", "x_t is ignored")
    if np.abs(denoise(POINTS[:2], HOURS[:2]) - answer[:2]).max() > 1e-3:
        return Mistake(
            "network: a point gets another answer in another batch. Each row must be answered for itself: "
            "no BatchNorm, no mean over the batch.",
            "rows are mixed",
        )
    return None


def network(make) -> None:
    """Check the network that `make()` makes: ε̂ of x_t's shape, that depends on x_t and on t, row by row."""
    try:
        model = make()
        model(*tensors(POINTS, HOURS))
    except NotImplementedError:
        print("○ network: not attempted yet. Replace `raise NotImplementedError`, run the cell again.")
        return
    if mistake := network_mistake(lambda xt, t: model(*tensors(xt, t)).detach().numpy()):
        raise mistake
    widths = [layer.out_features for layer in model.modules() if isinstance(layer, nn.Linear)]
    asked = "three hidden layers of 128" if widths == [128, 128, 128, 2] else f"layers of {widths}, asked 3 × 128 and 2"
    print(f"✓ network: answers row by row, with x_t and t; {asked}.")


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
loss = Exercise(
    "loss",
    _loss,
    probes=tuple((model, *tensors(LEVELS, X0, TIMES, EPS)) for model in MODELS),
    tolerance=1e-5,
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
    ),
)


# ---- the result ----------------------------------------------------------------------------------


def samples(clouds: dict, spiral: variant.Variant) -> None:
    """Judge the clouds {strokes: points (512, 2)} as the grader will: a line for each, ✓ or ✗ and why."""
    for strokes in variant.LINES:
        passed, says = variant.judge(spiral, clouds.get(strokes), strokes)
        print(f"{'✓' if passed else '✗'} {strokes} strokes: {says}")
