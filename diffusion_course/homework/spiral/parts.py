"""The hidden tests of the spiral: what is asked, drawn from the secret of the class, and what it earns.

`parts.grade(name, globals())` is all that a test cell calls. Functions are judged here, what depends on training in
`results.py`.
"""

from contextlib import suppress
from dataclasses import replace
from functools import partial

import numpy as np

from ...check import homework as check
from ...check.homework.walk import exact, walk
from ..grading import channel, judge
from ..prepare import drawn
from . import results

MIDWAY = np.float64(0.3), np.float64(0.45)  # two levels
SCALE = {"a sum, not a mean", "the sum over coordinates, then the mean over points"}  # right but for a factor


def grade(name: str, namespace: dict) -> float:
    """The points of part `name`, after printing what was found (`judge.grade`)."""
    return judge.grade(PARTS, name, namespace)


# ---- the questions -------------------------------------------------------------------------------

def _whole(rng, low, high):
    return int(rng.integers(low, high))


def _horizons(rng):
    return (1000,), (_whole(rng, 300, 600),), (_whole(rng, 40, 90),)


def _noisings(rng):
    return [(rng.standard_normal((n, 2)), rng.uniform(0, 1, (n, 1)), rng.standard_normal((n, 2))) for n in (16, 1, 7)]


def _losses(rng):
    """Two models, and points at times of their own."""
    levels = drawn.levels(rng)
    for gain in (levels**0.5, rng.uniform(-1, 1, 31)):
        model = check.Affine(gain, rng.standard_normal((31, 2)))
        x0, eps = rng.standard_normal((2, 12, 2))
        yield model, levels, x0, rng.permutation(np.arange(1, 31))[:12], eps


def _steps(rng):
    """A short one, a long one, and the last one."""
    short, far, last = rng.uniform(0.25, 0.4), rng.uniform(0.01, 0.04), rng.uniform(0.5, 0.8)
    for a_t, a_s in ((short, short + rng.uniform(0.1, 0.2)), (far, rng.uniform(0.6, 0.8)), (last, 1.0)):
        xt, eps_hat, z = rng.standard_normal((3, 9, 2))
        yield xt, eps_hat, np.float64(a_t), np.float64(a_s), z


def _grids(rng):
    few, many = int(rng.choice([11, 13, 17, 19])), int(rng.choice([23, 35, 39, 43]))  # 1000 leaves a large rest
    full, nearly = _whole(rng, 70, 120), _whole(rng, 40, 70)
    return (1000, many), (1000, few), (full, full), (nearly, nearly - 1), (_whole(rng, 10, 20), 1)


def _walks(rng):
    """Exact denoisers of two Gaussians, with grids and noise to walk by."""
    levels = drawn.levels(rng)
    for std, steps in ((rng.uniform(0.3, 0.5), 5), (rng.uniform(0.8, 1.1), 3)):
        mean, between = rng.uniform(0.4, 1.4, 2) * rng.choice([-1, 1], 2), rng.choice(28, steps - 1, replace=False)
        times = [30, *sorted((2 + between).tolist(), reverse=True), 0]
        yield exact(levels, mean, std), levels, rng.standard_normal((20, 2)), times, rng.standard_normal((steps, 20, 2))


QUESTIONS = {
    "make_alpha_bar": _horizons,
    "add_noise": _noisings,
    "loss": _losses,
    "reverse_step": _steps,
    "time_grid": _grids,
    "sample": _walks,
}


def _only_noise(exercise, mistake, attempt):
    """Is all right but the fresh noise (the last argument), so that it is right when there is none?"""
    quiet = tuple((*probe[:-1], 0 * probe[-1]) for probe in exercise.probes)
    return judge.examine(replace(exercise, probes=quiet), attempt) is None


def _but_for_scale(exercise, mistake, attempt):
    """Is the loss right but for a factor?"""
    return mistake.fault in SCALE


def _theirs(student, name: str):
    """Their function of this name, or None if it is right: one that has its points must not play along with another."""
    theirs = partial(student.call, name)
    exam = judge.exam(name, QUESTIONS[name], student.secret, *student.again)
    if name in student.right or judge.examine(exam, theirs) is None:
        return None

    def shaped(*given):
        answer = theirs(*given)
        if np.shape(answer) != np.shape(given[0]):  # before any arithmetic
            raise channel.Refused(f"`{name}` returns another shape.")
        return answer

    return shaped


def _with_their_add_noise(student):
    theirs = _theirs(student, "add_noise")
    return partial(check.loss.reference, noised=theirs) if theirs else check.loss.reference


def _with_their_step(student):
    """Unless theirs hardly heeds x_t or ε̂ on its way: a walk by it is no loop."""
    *points, z = student.draw("heeds").standard_normal((3, 9, 2))
    theirs = _theirs(student, "reverse_step")
    with suppress(channel.NoAnswer, ValueError, TypeError):
        if theirs and judge.heeds(lambda xt, eps_hat: theirs(xt, eps_hat, *MIDWAY, z), *points):
            return partial(walk, step=theirs)
    return walk


_function = partial(judge.function, QUESTIONS)
PARTS: judge.Parts = {
    "make_alpha_bar": (0.5, _function("make_alpha_bar")),
    "add_noise": (1.0, _function("add_noise")),
    "network": (1.0, results.answers),
    "loss": (1.0, _function("loss", partly=_but_for_scale, follow=_with_their_add_noise)),
    "reverse_step": (1.0, _function("reverse_step", partly=_only_noise)),
    "time_grid": (0.5, _function("time_grid")),
    "sample": (1.0, _function("sample", partly=_only_noise, follow=_with_their_step)),
    "training": (1.0, results.training),
    "samples_10": (1.0, partial(results.samples, steps=10)),
    "samples_50": (1.0, partial(results.samples, steps=50)),
    "samples_1000": (1.0, results.samples),
}
FIGURES = results.figures
RESULTS = ("training", "samples_10", "samples_50", "samples_1000")
ALIKE = {
    "(the checks)": (["check/homework/noising.py", "check/homework/walk.py"], list(QUESTIONS)),
    "(the package)": (["denoisers.py", "samplers.py"], ["IdealDenoiser", "ddpm", "ddpm_step"]),
}
