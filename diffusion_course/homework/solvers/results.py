"""What a student of the second homework measured, measured once more: errors, a grid, a network, and its guidance.

Each function takes a `channel.Student` and returns (share of the points, sentence).
"""

from contextlib import suppress
from functools import partial
from itertools import islice

import numpy as np

from ...check.homework import measuring, steered, variant
from ..grading import channel
from ..grading.judge import FULL, HALF, NONE
from ..spiral import network
from ..spiral.results import figures as ofclouds

ASKED = (16, 25, 50)  # steps with which `error` is asked; those of the table are known to all
STEPS = 50  # of our sampler, for the network
LINE = variant.LINES[50]
OBEY = 0.95  # of the samples; chance gives half. Right solutions: 0.99 and more
SEEDS = 3  # of our own measurement


def errors(student) -> tuple[float, str]:
    """Is the table that of the three solvers on the student's bell, and does `error` measure it? Half: only one is."""
    count = int(student.draw("errors").choice(ASKED))
    asked = {name: [_number(student.call("error", channel.Named(name), count))] for name in measuring.SOLVERS}
    wrong = measuring.errors_mistake(student.spiral, asked, (count,))
    told = measuring.errors_mistake(student.spiral, student.value("errors"))
    if not wrong:
        return (HALF, f"{told}. Your function `error` is right.") if told else (FULL, "right.")
    says = f"{wrong}: so says your function `error`, asked about other numbers of steps."
    return (NONE, says) if told else (HALF, f"{says} The table is right.")


def my_grid(student) -> tuple[float, str]:
    """Are 8 steps at the student's times better than even ones, with the exact denoiser of their spiral?"""
    passed, told = measuring.grid_mistake(student.spiral, student.call("my_grid", measuring.FROM, measuring.SHORT))
    return (FULL if passed else NONE), f"right. {told}" if passed else told


def training(student) -> tuple[float, str]:
    """Is it a network, trained in this run, whose samples lie on the spiral and on the half that is asked for?

    Half the points if it draws the whole spiral, and does not do what it is told.
    """
    if why := network.untrained(student, told=(0, 1)):
        network.begun(student)
        return NONE, why
    xT = student.draw("whole").standard_normal((variant.COUNT, 2))
    whole = measuring.solve("euler", student.denoise, xT, STEPS)
    passed, says = variant.judge(student.spiral, whole, STEPS)
    network.look_at(student, "samples of the network", whole)
    if not passed:
        return NONE, f"told nothing, under our sampler {says}"
    obeys, distance, _ = _guided(student, 1.0, STEPS, "training")
    if obeys < OBEY:
        return HALF, f"it draws the spiral, but only {obeys:.0%} of its samples lie on the half that it was told."
    if not distance <= LINE:
        return HALF, f"told a half, its samples are {distance:.4f} radii from the curve (at most {LINE}). {says}"
    return FULL, f"right. {says} Told a half, {obeys:.1%} obey."


def measured(student) -> tuple[float, str]:
    """Are the student's numbers those of their network, guided by ours from other noise?"""
    table = student.value("measured")
    if isinstance(table, list) and not table:
        raise channel.NotAttempted("`measured` is empty.")
    right = [[_guided(student, w, steered.STEPS, "measured", i) for i in range(SEEDS)] for w in steered.SCALES]
    if why := steered.table_mistake(table, np.array(right)):
        return NONE, f"{why}."
    if why := network.untrained(student, told=(0, 1)):
        return network.doubted(student, why)
    return FULL, "right: the same as ours, within the errors."


def figures(student) -> str:
    """The orders, the clouds and the means of guidance that the student measured, to hold their sentences against."""
    told = []
    with suppress(channel.NoAnswer, ValueError, TypeError):
        for name, row in islice(dict(student.value("errors")).items(), 5):
            told.append(f"{str(name)[:20]}: order {-np.polyfit(np.log(measuring.COUNTS), np.log(row), 1)[0]:.2f}")
    with suppress(channel.NoAnswer, ValueError, TypeError):
        told.append(ofclouds(student))
    with suppress(channel.NoAnswer, ValueError, TypeError):
        for scale, row in zip(steered.SCALES, np.asarray(student.value("measured"), dtype=float).mean(1), strict=True):
            told.append("scale {:g}: obeys {:.3f}, distance {:.4f}, spread {:.2f}".format(scale, *row))
    return "; ".join(filter(None, told))


def _guided(student, scale: float, steps: int, *what) -> tuple[float, float, float]:
    """How samples of their network, guided by ours, fit the halves (`Variant.halves`), one for each point in turn."""
    xT, cond = student.draw(*what).standard_normal((steered.POINTS, 2)), np.arange(steered.POINTS) % 2
    theirs = partial(network.answer, student)
    x = measuring.solve("euler", lambda xt, t: steered.guided.reference(theirs, xt, t, cond, scale), xT, steps)
    return student.spiral.halves(x, cond) if np.isfinite(x).all() else (0.0, np.inf, 0.0)


def _number(answer) -> float:
    try:
        return float(np.asarray(answer, dtype=float).reshape(()))
    except (TypeError, ValueError):
        raise channel.Refused(f"`error` must return one number, not a {type(answer).__name__}.") from None
