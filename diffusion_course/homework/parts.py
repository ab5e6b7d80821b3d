"""The hidden tests: each graded part of the homework asks a `Student` for answers and gives points.

`grade(name, namespace)` is all that a test cell calls. It prints one line, which the student will read (✓ right, ○ not
attempted, ✗ the name of the mistake, then what to look at; never what was asked), and returns the points.

A part is judged by itself: where a function of the student's calls another of theirs, it is right if it is right with
that other one as it is. Functions are judged here, what depends on training in `results.py`.
"""

import io
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial

import numpy as np

from ..check import homework as check
from ..check.engine import Exercise, Mistake
from ..check.homework.walk import exact, walk
from ..forward import to_float64
from . import channel, results
from .results import FULL, HALF, NONE

SCALE = {"a sum, not a mean", "the sum over coordinates, then the mean over points"}  # right but for a factor


def grade(name: str, namespace: dict) -> float:
    """The points of part `name`, after printing what was found.

    The student is `namespace["student"]`, which the grader puts there. Where there is none but a STUDENT_ID, the
    namespace is the notebook's own: so the source notebook grades itself.
    """
    points, judge = PARTS[name]
    try:
        share, says = judge(_student(namespace))
    except channel.NotAttempted:
        print(f"○ {name}: not attempted.")
        return NONE
    except channel.NoAnswer as reason:
        share, says = NONE, f"no answer. {reason}"
    print(f"{'✓' if share == FULL else '✗'} {name}: {' '.join(says.split())}")
    return points * share


def _student(namespace) -> channel.Student:
    if "student" in namespace:
        return namespace["student"]
    if "STUDENT_ID" not in namespace:
        raise LookupError("there is no student here to grade: neither `student` nor STUDENT_ID is defined.")
    from .local import Student  # only the source notebook comes here

    return Student(namespace)


def by_function(student, name, partly=None, follow=None) -> tuple[float, str]:
    """Is the function `name` right on the hidden questions?

    `follow(student)` is the reference with the student's other functions in it; `partly(mistake, examine)` says whether
    half the points are earned, where `examine(changed)` asks another exercise.
    """
    exercise, attempt = EXAMS[name], partial(_call, student, name)
    mistake = examine(exercise, attempt)
    if mistake is None:
        return FULL, "right."
    if follow and _agrees(replace(exercise, reference=follow(student), faults=()), attempt):
        return FULL, "right, with the functions that it calls as they are."
    if isinstance(mistake.__cause__, channel.NoAnswer):
        raise mistake.__cause__
    share = HALF if partly and partly(mistake, attempt) else NONE
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

rng = np.random.default_rng(20)
LEVELS = np.concatenate([[1.0], np.sort(rng.uniform(0.02, 0.98, 30))[::-1]])


def _points(n):
    return rng.standard_normal((n, 2))


def _walks():
    """Exact denoisers of two Gaussians, with grids and noise to walk by."""
    for mean, std, times in (([1.1, -0.4], 0.4, [30, 21, 17, 8, 2, 0]), ([-0.3, 0.9], 0.9, [30, 15, 14, 0])):
        yield exact(LEVELS, mean, std), LEVELS, _points(20), times, rng.standard_normal((len(times) - 1, 20, 2))


def _losses():
    """Two models, and points at times of their own."""
    for gain in (LEVELS**0.5, rng.uniform(-1, 1, 31)):
        model = check.Affine(gain, rng.standard_normal((31, 2)))
        yield model, LEVELS, _points(12), rng.permutation(np.arange(1, 31))[:12], _points(12)


QUESTIONS = {
    "make_alpha_bar": ((1000,), (400,), (64,)),
    "add_noise": tuple((_points(n), rng.uniform(0, 1, (n, 1)), _points(n)) for n in (16, 1, 7)),
    "loss": tuple(_losses()),
    "reverse_step": tuple(
        (_points(9), _points(9), np.float64(a_t), np.float64(a_s), _points(9))
        for a_t, a_s in ((0.31, 0.44), (0.02, 0.7), (0.66, 1.0))
    ),
    "time_grid": ((1000, 35), (1000, 11), (90, 90), (60, 59), (12, 1)),
    "sample": tuple(_walks()),
}
# What crosses the channel has lost its type, and right numbers are enough here.
EXAMS = {
    name: replace(getattr(check, name), probes=asked, refuse=lambda _: None, whole=False)
    for name, asked in QUESTIONS.items()
}


def _only_noise(name):
    """Half the points where all is right but the fresh noise (the last argument): right when there is none."""

    def partly(mistake, attempt):
        quiet = tuple((*probe[:-1], 0 * probe[-1]) for probe in EXAMS[name].probes)
        return examine(replace(EXAMS[name], probes=quiet), attempt) is None

    return partly


def _but_for_scale(mistake, attempt):
    """Half the points where the loss is right but for a factor."""
    return mistake.fault in SCALE


def _with_their_add_noise(student):
    return partial(check.loss.reference, noised=partial(student.call, "add_noise"))


def _with_their_step(student):
    return partial(walk, step=partial(student.call, "reverse_step"))


# Part → its points and its judge, student → (share of the points, sentence); in the order of the notebook.
PARTS = {
    "make_alpha_bar": (0.5, partial(by_function, name="make_alpha_bar")),
    "add_noise": (1.0, partial(by_function, name="add_noise")),
    "network": (1.0, results.network),
    "loss": (1.0, partial(by_function, name="loss", partly=_but_for_scale, follow=_with_their_add_noise)),
    "reverse_step": (1.0, partial(by_function, name="reverse_step", partly=_only_noise("reverse_step"))),
    "time_grid": (0.5, partial(by_function, name="time_grid")),
    "sample": (1.0, partial(by_function, name="sample", partly=_only_noise("sample"), follow=_with_their_step)),
    "training": (1.0, results.training),
    "samples_10": (1.0, partial(results.samples, strokes=10)),
    "samples_50": (1.0, partial(results.samples, strokes=50)),
    "samples_1000": (1.0, partial(results.samples, strokes=1000)),
}
