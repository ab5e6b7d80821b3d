"""How a part is judged: one line for the student, a share of the points for the teacher.

An assignment is a table, part → (points, judge), whose judges take a `channel.Student` and return (share of the points,
sentence); `spiral.parts` is one. A part is judged by itself: where a function of the student's calls another of theirs,
it is right if it is right with that other one as it is.
"""

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np

from ...base.arrays import to_float64
from ...check import homework as check
from ...check.engine import Exercise, Mistake
from ...check.homework.affine import Affine
from ..prepare import drawn
from . import channel

FULL, HALF, NONE = 1.0, 0.5, 0.0
LIMIT = 250  # seconds for all answers of one test: the 100 that the notebook states, and room for a busy machine

Judge = Callable[[channel.Student], tuple[float, str]]
Parts = dict[str, tuple[float, Judge]]


def grade(parts: Parts, name: str, namespace: dict) -> float:
    """The points of part `name`, after printing what was found.

    That is one line, which the student will read: ✓ right, ○ not attempted, ✗ the name of the mistake, then what to
    look at; never what was asked.

    The student is `namespace["student"]`, which the grader puts there. Where there is none but a STUDENT_ID, the
    namespace is the notebook's own: so the source notebook grades itself.
    """
    points, judge = parts[name]
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
    from ..grading.local import Student  # only the source notebook comes here

    return Student(namespace)


def by_function(student, exercise, partly=None, follow=None) -> tuple[float, str]:
    """Is the function that this exercise asks for right on its hidden questions?

    `follow(student)` is the reference with the student's other functions in it; `partly(exercise, mistake, attempt)`
    says whether half the points are earned.
    """
    name = exercise.name
    attempt = partial(_call, student, name)
    mistake = examine(exercise, attempt)
    if mistake is None:
        return FULL, "right."
    if isinstance(mistake.__cause__, channel.NoAnswer):
        raise mistake.__cause__
    if _idle(student, exercise):
        raise channel.NotAttempted(f"`{name}` does nothing.")
    if follow and _agrees(replace(exercise, reference=follow(student), faults=()), attempt):
        return FULL, "right, with the functions that it calls as they are."
    share = HALF if partly and partly(exercise, mistake, attempt) else NONE
    if mistake.fault:
        return share, str(mistake).removeprefix(f"{name}: ")
    return share, _unnamed(exercise, attempt)


def function(questions: dict[str, Callable], name: str, **options) -> Judge:
    """The judge of a function by hidden questions: those that `questions[name]` draws. `options`: `by_function`'s."""
    return lambda student: by_function(student, exam(name, questions[name], student.secret, *student.again), **options)


@lru_cache(maxsize=100)
def exam(name: str, ask: Callable, secret: str, *again: str) -> Exercise:
    """The public exercise with the questions that `ask(rng)` draws from this secret; `again`: others."""
    # What crosses the channel has lost its type, and right numbers are enough here.
    asked = {"probes": tuple(ask(drawn.generator(secret, name, *again))), "refuse": lambda _: None, "whole": False}
    return replace(getattr(check, name), **asked)


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
    where the answers are NaN, or the same for another model (the first argument) or for other points, to write nothing
    would be right. Fresh noise need not count: a step without it has lost its points elsewhere."""
    probe, (other, *_) = exercise.probes[0], exercise.probes[1]
    others = [(other, *probe[1:])]
    for i, given in enumerate(probe[1:], 1):
        if np.ndim(given) == 2:  # points
            others.append((*probe[:i], given + 1, *probe[i + 1 :]))
    try:
        if examine(exercise, attempt):
            return False
        answer = to_float64(exercise.reference(*probe))
        apart = [np.abs(to_float64(exercise.reference(*each)) - answer).max() for each in others]
        return all(bool(distance > 10 * exercise.tolerance) for distance in apart)  # not of NaN
    except (channel.NoAnswer, TypeError, ValueError, RuntimeError):
        return False


def _idle(student, exercise) -> bool:
    """Does the function give back what it was given, without asking a model? That is a blank, which `repair` would
    fill. A loop that forgets what it finds asks its model, and a number in its place is none to ask."""
    first, *rest = exercise.probes[0]
    try:
        answer = to_float64(_call(student, exercise.name, 0.5 if isinstance(first, Affine) else first, *rest))
    except (channel.NoAnswer, TypeError, ValueError):
        return False
    given = rest if isinstance(first, Affine) else (first, *rest)
    return any(np.shape(each) == answer.shape and np.allclose(each, answer, atol=0.01) for each in given)


def _call(student, name, *args):
    """The student's function, for an exercise: models cross as their tables."""
    answer = student.call(name, *(channel.Affine(a.gain, a.centre) if isinstance(a, Affine) else a for a in args))
    if answer is None:  # whoever deletes the line that says so has written nothing either
        raise channel.NotAttempted(f"`{name}` returns nothing.")
    return answer


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
