"""What the spiral asks and what it earns. Functions are judged by hidden questions, what depends on training in
`results`. `parts.grade(name, globals())` is all that a test cell calls.
"""

from contextlib import suppress
from dataclasses import replace
from functools import partial

import numpy as np

from ...check import homework as check
from ...check.homework.walk import walk
from ..grading import channel, judge
from . import results

MIDWAY = np.float64(0.3), np.float64(0.45)  # two levels
SCALE = {"a sum, not a mean", "the sum over coordinates, then the mean over points"}  # right but for a factor
FUNCTIONS = "make_alpha_bar add_noise loss reverse_step time_grid sample".split()
QUESTIONS = {name: getattr(check, name).draw for name in FUNCTIONS}


def _only_noise(exercise, mistake, attempt):
    """Is all right but the fresh noise (the last argument), so that it is right when there is none?"""
    quiet = tuple((*probe[:-1], 0 * probe[-1]) for probe in exercise.probes)
    return judge.examine(replace(exercise, probes=quiet), attempt) is None


def _theirs(student, name: str):
    """Their function of this name; ours if it is right: one that has its points must not play along with another."""
    theirs = partial(student.call, name)
    exam = judge.exam(name, QUESTIONS[name], student.secret, *student.again)
    if name in student.right or judge.examine(exam, theirs) is None:
        return exam.reference

    def shaped(*given):
        answer = theirs(*given)
        if np.shape(answer) != np.shape(given[0]):  # before any arithmetic
            raise channel.Refused(f"`{name}` returns another shape.")
        return answer

    return shaped


def _with_their_add_noise(student):
    return partial(check.loss.reference, noised=_theirs(student, "add_noise"))


def _with_their_step(student):
    """Unless theirs hardly heeds x_t or ε̂ on its way: a walk by it is no loop."""
    *points, z = student.draw("heeds").standard_normal((3, 9, 2))
    theirs = _theirs(student, "reverse_step")
    with suppress(channel.NoAnswer, ValueError, TypeError):
        if judge.heeds(lambda xt, eps_hat: theirs(xt, eps_hat, *MIDWAY, z), *points):
            return partial(walk, step=theirs)
    return walk


_function = partial(judge.function, QUESTIONS)
PARTS: judge.Parts = {
    "make_alpha_bar": (0.5, _function("make_alpha_bar")),
    "add_noise": (1.0, _function("add_noise")),
    "network": (1.0, results.answers),
    "loss": (1.0, _function("loss", partly=lambda _, known, __: known.fault in SCALE, follow=_with_their_add_noise)),
    "reverse_step": (1.0, _function("reverse_step", partly=_only_noise)),
    "time_grid": (0.5, _function("time_grid")),
    "sample": (1.0, _function("sample", partly=_only_noise, follow=_with_their_step)),
    "training": (1.0, results.training),
    "samples_10": (1.0, partial(results.samples, steps=10)),
    "samples_50": (1.0, partial(results.samples, steps=50)),
    "samples_1000": (1.0, results.samples),
}
grade = partial(judge.grade, PARTS)
FIGURES = results.figures
RESULTS = ("training", "samples_10", "samples_50", "samples_1000")
ALIKE = {
    "(the checks)": (["check/homework/noising.py", "check/homework/walk.py"], FUNCTIONS),
    "(the package)": (["denoisers.py", "samplers.py"], ["IdealDenoiser", "ddpm", "ddpm_step"]),
}
