"""The leaderboard of lesson 6: the best spiral at 1, 2 and 4 network evaluations, with the network frozen.

No answer is right here: the learner's sampler is measured like ours, and told where it stands. What is refused is what
would not be sampling: more evaluations than allowed, samples that the network did not make, or no samples at all.
"""

import numpy as np
import torch

from .. import data, metrics
from ..denoisers import GaussianDenoiser
from ..distill import STEPS
from ..run import quality
from ..samplers import ddim, dpm_solver
from .asked import Mistake
from .handed import is_blank
from .numbers import say

BUDGETS, SAMPLES = (1, 2, 4), 1000


class Budget(quality.Counted):
    """A denoiser that may be asked `n` times."""

    def __init__(self, model, n):
        super().__init__(model)
        self.n = n

    def __call__(self, xt, t):
        if self.count == self.n:
            allowed = "one evaluation is" if self.n == 1 else f"{self.n} evaluations are"
            raise Mistake(f"leaderboard: {allowed} allowed with n = {self.n}, and your sampler asks once more.")
        return super().__call__(xt, t)


def leaderboard(attempt, seeds=(0, 1, 2)) -> None:
    """Print the learner's scores and ours. Raises `Mistake` if `attempt(model, schedule, xT, n)` breaks the rules."""
    entries = {"yours": attempt, **RIVALS}
    try:
        table = {name: [[score(entry, n, seed) for seed in seeds] for n in BUDGETS] for name, entry in entries.items()}
    except NotImplementedError:
        say("○ leaderboard: not attempted yet.")
        return
    say(f"{'distance + W₁':16}" + "".join(f"{n:>12} eval." for n in BUDGETS) + f"   mean ± spread of {len(seeds)}")
    for name, rows in table.items():
        say(f"{name:16}" + "".join(f"{np.mean(row):10.3f} ± {quality.spread_of(np.array(row)):.3f}" for row in rows))
    for i, n in enumerate(BUDGETS):
        means = {name: np.mean(rows[i]) for name, rows in table.items()}
        place = sorted(means.values()).index(means["yours"]) + 1
        say(f"{n} evaluation{'s' * (n > 1)}: you are at place {place} of {len(means)}.")


def noise(model, schedule, xT, n: int):
    """No sampler at all."""
    return xT


def last(sampler, start=1000):
    """The sampler as an entry of the table, with even steps from `start`."""
    times = lambda n: np.linspace(start, 0, n + 1).round().astype(int)  # noqa: E731
    return lambda model, schedule, xT, n: list(sampler(model, schedule, xT, times(n)))[-1]


def student(model, schedule, xT, n: int):
    """One network that learned nothing else: what the frozen one would have to beat."""
    return list(ddim(quality.network("spiral-student"), schedule, xT, STEPS[n]))[-1]


RIVALS = {
    "pure noise": noise, "DDIM": last(ddim), "DDIM, from 900": last(ddim, 900), "DPM-Solver++": last(dpm_solver),
    "student": student,
}  # fmt: skip


def score(attempt, n: int, seed: int) -> float:
    """Distance to the curve plus sliced W₁ to fresh points, of samples made with at most n evaluations."""
    model, starts = quality.network("spiral"), torch.Generator().manual_seed(seed)
    xT, others = torch.randn(2, SAMPLES, 2, generator=starts)
    x = made(attempt, model, model.schedule, xT, n)
    if attempt not in RIVALS.values():
        prove(attempt, model, x, xT, others, n)
    x, rng = x.numpy(), np.random.default_rng(seed)
    fresh, directions = data.spiral(SAMPLES, rng=rng), rng.standard_normal((metrics.DIRECTIONS, 2))
    return float(metrics.distance_to_spiral(x).mean() + metrics.sliced_wasserstein(x, fresh, directions))


def made(attempt, model, schedule, xT, n: int):
    """The samples, as a tensor; refused unless they are finite points of xT's shape."""
    x = attempt(Budget(model, n), schedule, xT.clone(), n)
    if x is None and is_blank(attempt):
        raise NotImplementedError
    if getattr(x, "shape", None) != xT.shape or not torch.as_tensor(x).isfinite().all():
        got = f"shape {tuple(x.shape)}" if hasattr(x, "shape") else type(x).__name__
        raise Mistake(f"leaderboard: return {len(xT)} finite points of shape {tuple(xT.shape)}, not {got}.")
    return torch.as_tensor(x).detach().float()


def prove(attempt, model, x, xT, others, n: int) -> None:
    """Other starts must lead to other samples, and a model of other data to other data."""
    if (x - made(attempt, model, model.schedule, others, n)).norm(dim=1).median() < 1e-6:
        raise Mistake("leaderboard: other starts give the same samples. They must come from xT.", "not from xT")
    elsewhere = made(attempt, GaussianDenoiser([3.0, 3.0], 0.05, model.schedule), model.schedule, xT, n).mean(0)
    if (elsewhere - 3).norm() > 1.5:
        told = "With a denoiser of data around (3, 3) your samples lie around ({:.1f}, {:.1f}).".format(*elsewhere)
        raise Mistake(f"leaderboard: your samples are not made by the model. {told}", "not the model's work", "named")
