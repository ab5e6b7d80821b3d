"""The check of the homework's network."""

import numpy as np
import torch
from torch import nn

from ..engine import Mistake
from ..numbers import say
from .questions import tensors

POINTS, TIMES = np.array([[0.5, -1.0], [1.5, 0.3], [-0.7, 2.0], [0.0, 0.1]]), np.array([1, 80, 400, 1000])
ASKED = [128, 128, 128, 2]
SAID = {
    "nothing returned": "`forward` returns None. Is a `return` missing?",
    "no weights": "it has no weights that an optimiser could find. Put the layers into nn.Sequential or nn.ModuleList, "
    "not into a list.",
    "no gradient": "no gradient reaches its weights: no `.detach()` or `no_grad` in it.",
    "another shape": "for x_t of shape (4, 2) and t of shape (4,) it returns shape {}; ε̂ has the shape of x_t.",
    "not finite": "it returns NaN or infinity. Look at its inputs and at the loss.",
    "rows are mixed": "a point gets another answer when it is asked beside others. Each row must be answered for "
    "itself and by its own t: no BatchNorm, no Dropout, no mean over the batch, not t[0] for all.",
    "t is ignored": "at one point it says the same for every t. The same x_t means other noise at another t, so the "
    "time code must be among its inputs.",
    "x_t is ignored": "it says the same for every x_t, so it cannot see any noise.",
}


def network_mistake(denoise, points=POINTS, times=TIMES) -> Mistake | None:
    """What is wrong with ε̂ = denoise(xt, t), for arrays xt (n, 2) and t (n,), whether it is trained or not.

    It is asked about 4 `points` (4, 2) at 4 `times` (4,), alone and beside each other.
    """
    pairs = [(np.repeat(points[[i]], 2, axis=0), np.repeat(times[[i]], 2)) for i in range(4)]
    here, now = np.repeat(points[:1], 4, axis=0), np.repeat(times[2:3], 4)
    answer, *others = (denoise(*asked) for asked in ((points, times), *pairs, (here, times), (points, now)))
    if np.shape(answer) != points.shape:
        return _mistake("another shape", np.shape(answer))
    if not all(np.isfinite(each).all() for each in (answer, *others)):  # a NaN would win any comparison below
        return _mistake("not finite")
    *twins, at_times, of_points = others
    if max(np.abs(twin - answer[i]).max() for i, twin in enumerate(twins)) > 1e-3:
        return _mistake("rows are mixed")
    if np.ptp(at_times, axis=0).max() < 1e-6:
        return _mistake("t is ignored")
    return _mistake("x_t is ignored") if np.ptp(of_points, axis=0).max() < 1e-6 else None


def _mistake(fault: str, *quoted) -> Mistake:
    return Mistake(f"network: {SAID[fault].format(*quoted)}", fault)


def network(make, T: int = 1000) -> None:
    """Check the network that `make()` makes: ε̂ of x_t's shape, that depends on x_t and on t, row by row."""
    times = np.maximum(TIMES * T // 1000, 1)
    try:
        model = make()
        answer = model(*tensors(POINTS, times))
        weights, reached = list(model.parameters()), answer is None or answer.requires_grad
    except NotImplementedError:
        say("○ network: not attempted yet. Replace `raise NotImplementedError`, run the cell again.")
        return
    except Exception as error:
        raise Mistake(f"network: asked for 4 points it raised {type(error).__name__}: {error}") from error
    if answer is None:
        raise _mistake("nothing returned")
    if not weights:
        raise _mistake("no weights")
    if not reached:
        raise _mistake("no gradient")
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():  # layers that start at zero would look as if they saw nothing
        for each in weights:
            each += 0.1 * torch.randn(each.shape, generator=rng)
    if mistake := network_mistake(lambda xt, t: model(*tensors(xt, t)).detach().numpy(), times=times):
        raise mistake
    widths = [layer.out_features for layer in model.modules() if isinstance(layer, nn.Linear)]
    size = f"{sum(each.numel() for each in weights):,} weights"
    shape = "three hidden layers of 128" if widths == ASKED else "not the layers asked for, which costs no points"
    say(f"✓ network: answers row by row, with x_t and t; {size}, {shape}.")
