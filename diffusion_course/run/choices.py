"""The samplers that one can ask for by name. Importing this file loads no torch.

A sampler comes to the command line and to the quality table by a line in `SAMPLERS`; CONTRIBUTING tells the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import samplers
from ..base.refusals import whole

HEUN_FROM = 960  # σ = 16. From T, where cosine has σ = 20,000, one step would divide σ by thousands (lesson 6)


class Sampler(NamedTuple):
    """A sampler by its name in figures. `times(schedule, n)`: its sampling steps for at most n network evaluations.

    A step takes `cost` evaluations; the last, to t = 0, takes one.
    """

    label: str
    run: Callable
    times: Callable[[Any, int], Any] = lambda schedule, n: n
    cost: int = 1

    def evaluations(self, n: int) -> int:
        """How many of n evaluations are used up by whole steps."""
        return n - (n - 1) % self.cost


def heun_times(schedule: Any, n: int) -> np.ndarray:
    """Even times for Heun's method with at most n evaluations: k sampling steps cost 2k − 1."""
    start = min(HEUN_FROM, schedule.T)
    n = whole(n, "n, the number of evaluations,", most=2 * start)
    return np.round(np.linspace(start, 0, (n + 1) // 2 + 1)).astype(int)


def student_times(schedule: Any, n: int) -> Any:
    """The times that a few-step student was taught."""
    from .. import distill  # only here: it loads torch

    return distill.student_times(schedule, n)


SAMPLERS = {
    "ddpm": Sampler("DDPM", samplers.ddpm),
    "ddim": Sampler("DDIM", samplers.ddim),
    "heun": Sampler("Heun", samplers.heun, heun_times, cost=2),
    "dpm": Sampler("DPM-Solver++", samplers.dpm_solver),
    "dpm-logsnr": Sampler(
        "DPM-Solver++, log-SNR", samplers.dpm_solver, lambda schedule, n: schedule.steps(n, "logsnr")
    ),
    "student": Sampler("student", samplers.ddim, student_times),
}
