"""The hidden tests of the second homework: what is asked, drawn from the secret of the class, and what it earns.

`parts.grade(name, globals())` is all that a test cell calls. Functions are judged here, what was measured in
`results.py`.
"""

from functools import partial

import numpy as np

from ...check import homework as check
from ...check.homework.walk import exact
from ..grading import judge
from ..prepare import drawn
from . import results


def grade(name: str, namespace: dict) -> float:
    """The points of part `name`, after printing what was found (`judge.grade`)."""
    return judge.grade(PARTS, name, namespace)


# ---- the questions -------------------------------------------------------------------------------

LAST = 30  # T of the questions


def _bells(rng):
    """Ways between two times, of data with two spreads of their own."""
    for t, s in _ways(rng):
        mean, std = rng.uniform(0.4, 1.4, 2) * rng.choice([-1, 1], 2), rng.uniform(0.2, 1.5, 2)
        yield rng.standard_normal((9, 2)), t, s, drawn.levels(rng), mean, std


def _ways(rng):
    """A long one, a short one, one that ends low, and the last one."""
    for t, s in ((28, 9), (16, 14), (7, 1), (5, 0)):
        yield int(t + rng.integers(-1, 2)), int(s and s + rng.integers(0, 2))


def _model(rng, levels):
    return exact(levels, rng.uniform(0.4, 1.4, 2) * rng.choice([-1, 1], 2), rng.uniform(0.3, 0.6))


def _steps(rng):
    for t, s in _ways(rng):
        levels = drawn.levels(rng)
        yield _model(rng, levels), rng.standard_normal((9, 2)), t, s, levels


def _walks(rng):
    """Uneven times; not all of them end at 0."""
    for steps, end in ((5, 0), (3, 4), (4, 0)):
        levels, between = drawn.levels(rng), rng.choice(np.arange(6, LAST - 1), steps - 1, replace=False)
        yield _model(rng, levels), levels, rng.standard_normal((9, 2)), [LAST, *sorted(between.tolist())[::-1], end]


def _falling(rng):
    """Errors that fall with noise on them."""
    for counts in ([10, 20, 40, 80], [6, 12, 48], [5, 15, 45, 90, 180]):
        noise = rng.uniform(0.7, 1.4, len(counts))
        yield counts, (rng.uniform(0.5, 3) * np.array(counts) ** -rng.uniform(0.8, 2.6) * noise).tolist()


def _losses(rng):
    """Of either condition some are hidden and some told."""
    for _ in range(2):
        x0, eps = rng.standard_normal((2, 12, 2))
        times, rows = rng.permutation(np.arange(1, LAST + 1))[:12], rng.permutation(12)
        yield _told(rng), drawn.levels(rng), x0, rows % 2, times, eps, rows < 4


def _told(rng):
    """A model of two conditions, and of none."""
    return check.Affine(rng.uniform(-1, 1, (3, LAST + 1)), rng.standard_normal((3, LAST + 1, 2)))


def _guided(rng):
    for scale in (rng.uniform(2, 4), rng.uniform(0.3, 0.7), 0.0):
        cond = rng.permutation([0, 1] * 5)
        yield _told(rng), rng.standard_normal((10, 2)), int(rng.integers(5, LAST)), cond, float(scale)


def _draws(rng):
    for n in (5, 3, 2):
        yield (rng.uniform(0.5, 1, n).tolist(),)


QUESTIONS = {
    "follow": _bells,
    "euler_step": _steps,
    "heun_step": _steps,
    "two_step": _walks,
    "order": _falling,
    "told_loss": _losses,
    "guided": _guided,
    "mean_and_error": _draws,
}
_function = partial(judge.function, QUESTIONS)
PARTS = {
    "follow": (1.0, _function("follow")),
    "euler_step": (0.5, _function("euler_step")),
    "heun_step": (1.0, _function("heun_step")),
    "two_step": (1.0, _function("two_step")),
    "order": (0.5, _function("order")),
    "errors": (1.0, results.errors),
    "my_grid": (1.0, results.my_grid),
    "told_loss": (1.0, _function("told_loss")),
    "training": (1.0, results.training),
    "guided": (0.5, _function("guided")),
    "mean_and_error": (0.5, _function("mean_and_error")),
    "measured": (1.0, results.measured),
}
FIGURES = results.figures
RESULTS = ("errors", "training", "measured")
ALIKE = {
    "(the checks)": (["check/homework/solvers.py", "check/homework/steered.py"], list(QUESTIONS)),
    "(the package)": (["samplers.py", "guidance.py"], ["ddim_step", "heun_step", "heun", "dpm_solver", "guided"]),
}
