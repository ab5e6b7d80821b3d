"""The leaderboard of lesson 6: the best spiral at 1, 2 and 4 evaluations, with the network frozen.

No answer is right here. The learner's walk is measured like ours, and told where it stands; refused is only what
breaks the rules: more evaluations than allowed, or something that is no set of samples.
"""

import numpy as np
import torch

from .. import data, metrics
from ..check.engine import Mistake
from ..run import quality
from ..samplers import ddim, dpm_solver

BUDGETS, SAMPLES = (1, 2, 4), 1000


class Budget(quality.Counted):
    """A denoiser that may be asked `n` times."""

    def __init__(self, model, n):
        super().__init__(model)
        self.n = n

    def __call__(self, xt, t):
        if self.count == self.n:
            raise Mistake(f"leaderboard: with n = {self.n} your walk calls the model more than {self.n} times.")
        return super().__call__(xt, t)


def leaderboard(attempt, seeds=(0, 1, 2)):
    """Print the learner's scores and ours. Raises `Mistake` if `attempt(model, schedule, xT, n)` breaks the rules."""
    rivals = {"yours": attempt, "static": _static, "DDIM": _ddim, "DPM-Solver++": _dpm_solver}
    try:
        table = {name: [[score(walk, n, seed) for seed in seeds] for n in BUDGETS] for name, walk in rivals.items()}
    except NotImplementedError:
        print("○ leaderboard: not attempted yet. Replace `raise NotImplementedError`, run the cell again.")
        return
    print(f"{'distance + W₁':14}" + "".join(f"{n:>12} eval." for n in BUDGETS) + f"   mean ± spread of {len(seeds)}")
    for name, rows in table.items():
        print(f"{name:14}" + "".join(f"{np.mean(row):10.3f} ± {quality.spread_of(np.array(row)):.3f}" for row in rows))
    for i, n in enumerate(BUDGETS):
        means = {name: np.mean(rows[i]) for name, rows in table.items()}
        place = sorted(means.values()).index(means["yours"]) + 1
        print(f"{n} evaluation{'s' * (n > 1)}: you are at place {place} of {len(means)}.")


def score(walk, n, seed):
    """Distance to the curve plus sliced W1 to fresh points, of samples that `walk` makes with at most n evaluations."""
    model = quality.network("spiral")
    xT = torch.randn(SAMPLES, 2, generator=torch.Generator().manual_seed(seed))
    x = walk(Budget(model, n), model.schedule, xT.clone(), n)
    if getattr(x, "shape", None) != xT.shape or not torch.as_tensor(x).isfinite().all():
        got = f"shape {tuple(x.shape)}" if hasattr(x, "shape") else type(x).__name__
        raise Mistake(f"leaderboard: return {SAMPLES} finite points of shape {tuple(xT.shape)}, not {got}.")
    x, rng = torch.as_tensor(x).detach().numpy(), np.random.default_rng(seed)
    fresh, directions = data.spiral(SAMPLES, rng=rng), rng.standard_normal((metrics.DIRECTIONS, 2))
    return float(metrics.distance_to_spiral(x).mean() + metrics.sliced_wasserstein(x, fresh, directions))


def _static(model, schedule, xT, n):
    return xT


def _ddim(model, schedule, xT, n):
    *_, x = ddim(model, schedule, xT, n)
    return x


def _dpm_solver(model, schedule, xT, n):
    *_, x = dpm_solver(model, schedule, xT, n)
    return x
