"""The hidden tests: each graded part of the homework asks a `Student` for answers and gives points.

`grade(name, namespace)` is all that a test cell calls. It prints one line, which the student will read (✓ right, ○ not
attempted, ✗ the name of the mistake, then what to look at; never what was asked), and returns the points: a share of
those that the test cell has in the source notebook.

A part is judged by itself: where a function of the student's calls another of theirs, it is right if it is right with
that other one as it is. Functions are judged here, what depends on training in `results.py`.
"""

import io
from contextlib import redirect_stdout
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np

from ..check import homework as check
from ..check.engine import Exercise, Mistake
from ..check.homework.walk import exact, walk
from ..forward import to_float64
from . import channel, drawn, results
from .results import FULL, HALF, NONE

LIMIT = 250  # seconds for all answers of one test: the 100 that the notebook states, and room for a busy machine
SCALE = {"a sum, not a mean", "the sum over coordinates, then the mean over points"}  # right but for a factor


def grade(name: str, namespace: dict) -> float:
    """The points of part `name`, after printing what was found.

    The student is `namespace["student"]`, which the grader puts there. Where there is none but a STUDENT_ID, the
    namespace is the notebook's own: so the source notebook grades itself.
    """
    points, judge = PARTS[name]
    student = _student(namespace)
    student.begin_test(LIMIT)
    try:
        share, says = judge(student)
    except channel.NotAttempted:
        print(f"○ {name}: not attempted.")
        return NONE
    except channel.NoAnswer as reason:
        share, says = NONE, f"no answer. {reason}"
    print(f"{'✓' if share == FULL else '✗'} {name}: {' '.join(says.split())}")
    return (points if student.points is None else student.points) * share


def _student(namespace) -> channel.Student:
    if "student" in namespace:
        return namespace["student"]
    if "STUDENT_ID" not in namespace:
        raise LookupError("there is no student here to grade: neither `student` nor STUDENT_ID is defined.")
    from .local import Student  # only the source notebook comes here

    return Student(namespace)


def by_function(student, name, partly=None, follow=None) -> tuple[float, str]:
    """Is the function `name` right on the hidden questions?

    `follow(student)` is the reference with the student's other functions in it; `partly(exercise, mistake, attempt)`
    says whether half the points are earned.
    """
    exercise, attempt = exams(student.secret)[name], partial(_call, student, name)
    mistake = examine(exercise, attempt)
    if mistake is None:
        return FULL, "right."
    if follow and _agrees(replace(exercise, reference=follow(student), faults=()), attempt):
        return FULL, "right, with the functions that it calls as they are."
    if isinstance(mistake.__cause__, channel.NoAnswer):
        raise mistake.__cause__
    share = HALF if partly and partly(exercise, mistake, attempt) else NONE
    if mistake.fault:
        return share, str(mistake).removeprefix(f"{name}: ")
    return share, _unnamed(exercise, attempt)


def examine(exercise: Exercise, attempt) -> Mistake | None:
    """What is wrong with the attempt, if anything."""
    try:
        with redirect_stdout(io.StringIO()):
            exercise(attempt)
    except Mistake as mistake:
        return mistake
    return None


def _agrees(exercise, attempt) -> bool:
    """Is the attempt right, by a reference in which a function of the student's may do anything? But not nothing:
    where the answers are NaN, or the same for another model (the first argument), not to write it would be right."""
    (model, *rest), (other, *_) = exercise.probes
    try:
        if examine(exercise, attempt):
            return False
        one, two = (to_float64(exercise.reference(each, *rest)) for each in (model, other))
        return bool(np.abs(one - two).max() > 10 * exercise.tolerance)  # not of NaN
    except (channel.NoAnswer, TypeError, ValueError, RuntimeError):
        return False


def _call(student, name, *args):
    """The student's function, for an exercise: models cross as their tables."""
    return student.call(name, *(channel.Affine(a.gain, a.centre) if isinstance(a, check.Affine) else a for a in args))


def _unnamed(exercise, attempt) -> str:
    """A mistake that nobody has named yet; as much of it as can be told without telling the question."""
    answer, right = attempt(*exercise.probes[0]), to_float64(exercise.reference(*exercise.probes[0]))
    try:
        answer = to_float64(answer)
    except (TypeError, ValueError):
        return f"the answer is no array of numbers but a {type(answer).__name__}."
    if answer.shape != right.shape:
        return f"the answer has the wrong shape. It is {answer.shape}, asked is {right.shape}."
    if not np.isfinite(answer).all():
        return "the answer is NaN or infinite. Look at what is divided by, and under the roots."
    return "not what the formula gives. The check below your function asks the same with other numbers."


# ---- the questions -------------------------------------------------------------------------------

@lru_cache(maxsize=8)
def exams(secret: str) -> dict[str, Exercise]:
    """Part → the public exercise with the questions that are drawn from this secret."""
    # What crosses the channel has lost its type, and right numbers are enough here.
    loose = {"refuse": lambda _: None, "whole": False}
    asked = {name: tuple(ask(drawn.generator(secret, name))) for name, ask in QUESTIONS.items()}
    return {name: replace(getattr(check, name), probes=probes, **loose) for name, probes in asked.items()}


def _levels(rng):
    """ᾱ_0 … ᾱ_30, no two of them near each other."""
    return np.concatenate([[1.0], 1 - (np.arange(1, 31) + rng.uniform(-0.3, 0.3, 30)) / 31.5])


def _whole(rng, low, high):
    return int(rng.integers(low, high))


def _horizons(rng):
    return (1000,), (_whole(rng, 300, 600),), (_whole(rng, 40, 90),)


def _noisings(rng):
    return [(rng.standard_normal((n, 2)), rng.uniform(0, 1, (n, 1)), rng.standard_normal((n, 2))) for n in (16, 1, 7)]


def _losses(rng):
    """Two models, and points at times of their own."""
    levels = _levels(rng)
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
    levels = _levels(rng)
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
    return examine(replace(exercise, probes=quiet), attempt) is None


def _but_for_scale(exercise, mistake, attempt):
    """Is the loss right but for a factor?"""
    return mistake.fault in SCALE


def _with_their_add_noise(student):
    return partial(check.loss.reference, noised=partial(student.call, "add_noise"))


def _with_their_step(student):
    return partial(walk, step=partial(student.call, "reverse_step"))


# Part → its points and its judge, student → (share of the points, sentence); in the order of the notebook.
PARTS = {
    "make_alpha_bar": (0.5, partial(by_function, name="make_alpha_bar")),
    "add_noise": (1.0, partial(by_function, name="add_noise")),
    "network": (1.0, results.answers),
    "loss": (1.0, partial(by_function, name="loss", partly=_but_for_scale, follow=_with_their_add_noise)),
    "reverse_step": (1.0, partial(by_function, name="reverse_step", partly=_only_noise)),
    "time_grid": (0.5, partial(by_function, name="time_grid")),
    "sample": (1.0, partial(by_function, name="sample", partly=_only_noise, follow=_with_their_step)),
    "training": (1.0, results.training),
    "samples_10": (1.0, partial(results.samples, steps=10)),
    "samples_50": (1.0, partial(results.samples, steps=50)),
    "samples_1000": (1.0, results.samples),
}
