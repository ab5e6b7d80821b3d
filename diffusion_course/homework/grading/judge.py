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
from . import channel, local

FULL, HALF, NONE = 1.0, 0.5, 0.0
LIMIT = 250  # seconds for all answers of one test: the 100 that the notebook states, and room for a busy machine
IDLE = 0.05  # by so little, of its size, an answer may move that does nothing
ONE_STEP = "only one step is taken", "`return` stands inside the loop"  # slips in a loop that is there
BELOW = np.array([0, 1, 1, 1, 0, 0])

Judge = Callable[[channel.Student], tuple[float | None, str]]  # None: it is a blank
Parts = dict[str, tuple[float, Judge]]


def grade(parts: Parts, name: str, namespace: dict) -> float:
    """The points of part `name`, after printing what was found.

    That is one line, which the student will read: ✓ right, ○ not attempted, ✗ the name of the mistake, then what to
    look at; never what was asked. The student is `namespace["student"]`, which the grader puts there. Where there is
    none but a STUDENT_ID, the namespace is the notebook's own: so the source notebook grades itself.
    """
    points, judge = parts[name]
    if not {"student", "STUDENT_ID"} & namespace.keys():
        raise LookupError("there is no student here to grade: neither `student` nor STUDENT_ID is defined.")
    student = namespace["student"] if "student" in namespace else local.Student(namespace)
    student.begin_test(LIMIT)
    try:
        share, says = judge(student)
    except channel.NotAttempted:
        share, says = None, "not attempted."
    except channel.NoAnswer as reason:
        share, says = NONE, f"no answer. {reason}"
    print(f"{'○' if share is None else '✓' if share == FULL else '✗'} {name}: {' '.join(says.split())}")
    return (points if student.points is None else student.points) * (share or NONE)


def function(questions: dict[str, Callable], name: str, partly=None, follow=None) -> Judge:
    """The judge of a function by hidden questions: those that `questions[name]` draws. `follow(student)` is the
    reference with their other functions in it; `partly(exercise, mistake, attempt)` says if half the points are earned.
    """

    def judge(student):
        exercise, attempt = exam(name, questions[name], student.secret, *student.again), partial(_call, student, name)
        mistake = examine(exercise, attempt)
        if mistake is None:
            student.right.add(name)
            return FULL, "right."
        if isinstance(mistake.__cause__, channel.NoAnswer):
            raise mistake.__cause__
        if why := _idle(attempt, exercise, mistake.fault):
            return None, f"not attempted. {why}"
        if follow and _agrees(replace(exercise, reference=follow(student), faults=()), attempt):
            return FULL, "right, with the functions that it calls as they are."
        share = HALF if partly and partly(exercise, mistake, attempt) else NONE
        return share, str(mistake).removeprefix(f"{name}: ") if mistake.fault else _unnamed(exercise, attempt)

    return judge


@lru_cache(maxsize=100)
def exam(name: str, ask: Callable, secret: str, *again: str) -> Exercise:
    """The public exercise with the questions that `ask(rng)` draws from this secret; `again`: others."""
    probes = tuple(ask(drawn.generator(secret, name, *again)))
    # What crosses the channel has lost its type, and right numbers are enough here.
    return replace(getattr(check, name), probes=probes, refuse=lambda _: None, whole=False)


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
    where the answers are NaN, or the same for another model or other points, to write nothing would be right. Fresh
    noise need not count: a step without it has lost its points elsewhere."""
    probe, right = exercise.probes[0], exercise.reference
    try:
        places = [i for i, given in enumerate(probe) if isinstance(given, Affine) or np.ndim(given) == 2]
        least = 10 * exercise.tolerance
        return not examine(exercise, attempt) and all(bool(_moved(right, probe, i) > least) for i in places)  # no NaN
    except (channel.NoAnswer, TypeError, ValueError, RuntimeError):
        return False


def _moved(function, probe, place: int) -> float:
    """By how much an answer moves, at most, with another model or array in this place."""
    given = probe[place]
    others = [Affine(given.gain + by, given.centre) if isinstance(given, Affine) else given + by for by in (0, 1, -1)]
    there, *moved = (to_float64(function(*probe[:place], each, *probe[place + 1 :])) for each in others)
    return float(np.max([np.abs(each - there).max() if each.shape == there.shape else np.inf for each in moved]))


def _idle(attempt, exercise, fault: str | None) -> str | None:
    """Why an answer is as good as a blank, which `repair` would fill, if it is. A mistake with a name is none."""
    try:
        if fault not in ONE_STEP and _asks_once(attempt, *exercise.probes[0]):
            return "It does not ask its model at every step."
        if fault or any(heeds(attempt, *probe) for probe in exercise.probes):
            return None
        return "It gives back what it was given, or hardly heeds it."
    except (channel.NoAnswer, TypeError, ValueError):
        return None


def _asks_once(attempt, model, *given) -> bool:
    """Is it a walk that knows its way where the model knows t = 1 to 5 only, and the same whatever it says below 5?"""
    place = next((i for i, each in enumerate(given) if isinstance(each, list)), None)
    if place is None or not isinstance(model, Affine):
        return False
    few, times = slice(6), [5, *[20] * (len(given[place]) - 3), 5, 0]
    given = *given[:place], times, *given[place + 1 :]
    try:
        one, other = (attempt(Affine(model.gain[few] + by, model.centre[few]), *given) for by in (0, BELOW))
    except channel.Failed:
        return False
    return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=IDLE)


def heeds(attempt, *probe) -> bool:
    """Does an answer move with its model, or where there is none with two arrays, by more than IDLE of its size?"""
    arrays = [i for i, each in enumerate(probe) if isinstance(each, np.ndarray)]
    places = [0] if isinstance(probe[0], Affine) else arrays
    least = IDLE * np.abs(to_float64(attempt(*probe))).max()
    return sum(not _moved(attempt, probe, i) <= least for i in places) >= min(len(places), 2)  # NaN counts as moved


def _call(student, name, *args):
    """The student's function, for an exercise."""
    answer = student.call(name, *args)
    if answer is None:  # whoever deletes the line that says so has written nothing either
        raise channel.NotAttempted(f"`{name}` returns nothing.")
    return answer


def _unnamed(exercise, attempt) -> str:
    """A mistake that nobody has named yet; as much of it as can be told without telling the question."""
    answer, right = attempt(*exercise.probes[0]), to_float64(exercise.reference(*exercise.probes[0]))
    try:
        answer = to_float64(answer)
    except ValueError:
        return f"the answer is no array of numbers but a {type(answer).__name__}."
    if answer.shape != right.shape:
        return f"the answer has the wrong shape. It is {answer.shape}, asked is {right.shape}."
    if not np.isfinite(answer).all():
        return "the answer is NaN or infinite. Look at what is divided by, and under the roots."
    return "not what the formula gives. The check below your function asks the same with other numbers."
