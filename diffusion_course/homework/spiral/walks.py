"""Do samples come from the network? The grader walks with it, under the noise that the student's `sample` was given."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import numpy as np

from ...check.homework import variant
from ...check.homework.walk import reverse_step, sample
from ..grading import channel, judge
from . import network

WAY, LOOKS, MOST_OF = (0.2, 0.7), 20, 0.8  # where on a walk, t/T, answers are looked at, how often, share of points
ALIKE = 1e-5  # answers with other weights that differ less do not come from the weights; of networks 5e-4 and more
APART = 0.005  # radii. Two walks in float32 and float64 differ by 0.0001 at most, in 1000 steps
ASTRAY = 0.03  # share of the points that may lie further apart
ROWS = 100, 160  # so many of the samples are walked again: a number between these, another for each class


class Watched:
    """Their `model` for a walk of the grader's, whose answers on the way are held against the best ones (`strange`).

    One that remembers where a walk began, and leads it to a place of its own, answers otherwise there than it does when
    it is asked by itself: trained networks are 0.001 to 0.004 off, such a one 0.3. And one that has another denoiser
    answer when it sees a walk answers there with other weights, too; which of the two is asked first, it cannot know.
    """

    def __init__(self, student):
        self.student, self.far, self.moved, self.next = student, [], [], WAY[1] * student.T
        self.rng, self.mixes = student.draw("watched"), student.training()["weights"] > 0
        self.best = network.best_of(student, student.spiral.at)

    def __call__(self, xt, t) -> np.ndarray:
        t = int(np.asarray(t).max())
        if not WAY[0] * self.student.T <= t <= self.next:
            return self.student.denoise(xt, t)
        self.next = t - (WAY[1] - WAY[0]) * self.student.T / LOOKS
        asked = [None, int(self.rng.integers(1, 2**31))] if self.mixes else [None]
        order = asked if self.rng.random() < 0.5 else asked[::-1]
        answers = {other: self.student.denoise(xt, t, other=other) for other in order}
        off = answers[None] - self.best(np.asarray(xt, dtype=np.float64), t)
        apart = np.square(off - np.median(off, axis=0)).mean(axis=1)
        self.far.append(np.quantile(apart, MOST_OF))  # a few may have strayed to where nobody has trained
        self.moved += [np.square(answers[mixed] - answers[None]).mean() for mixed in asked[1:]]
        return answers[None]

    @property
    def strange(self) -> str | None:
        """What is wrong with the answers on the way, if anything."""
        if self.far and not np.mean(self.far) < network.ROUGH:  # NaN is not
            return "`model` answers otherwise on a walk than when it is asked by itself."
        if self.moved and max(self.moved) <= ALIKE:
            return "`model` answers the same on a walk when its weights are mixed up, so they do not come from them."
        return None


def astray(student, given: tuple, few: Callable[[], tuple]) -> str | None:
    """Why the points that their `sample` returned are not those of a walk with their network and the noise that was
    given, if they are not.

    `given` is (x_T, times, noise, their points), and `few()` the same in 10 steps: there it shows quickly whether it
    is a walk with a known mistake. That is a walk still, and the mistake has cost its points elsewhere. The student's
    own step takes no part: it sees how many rows it is given, and could place points. Of one that is wrong in a way of
    its own, `repair` puts a right one in the place.
    """
    watched = Watched(student)
    if _same(student, watched, sample.reference, *given):
        return watched.strange
    shorter = few()
    found = next((walk for walk in _mistaken(student) if _same(student, student.denoise, walk, *shorter)), None)
    if found is not None and _same(student, student.denoise, found, *given):
        return None
    return "`sample` returns other points than a walk with your `model` and the noise that it was given."


def _mistaken(student) -> Iterator[Callable]:
    """Walks with a known mistake in the loop, in the step, or in both, if the student's step has it."""
    exam = judge.exam("reverse_step", reverse_step.draw, student.secret, *student.again)
    mistake = judge.examine(exam, partial(student.call, "reverse_step"))
    theirs = [fault.mutant for fault in reverse_step.faults if mistake and fault.name == mistake.fault]
    loops, steps = [fault.mutant for fault in sample.faults], [reverse_step.reference, *theirs]
    return (partial(loop, step=step) for loop, step in product([sample.reference, *loops], steps))


def _same(student, model, walk, xT, times, noise, points) -> bool:
    """Does this walk of some rows with `model`, theirs, end where theirs did?"""
    rng = student.draw("rows", len(times))
    rows = rng.choice(len(xT), rng.integers(*ROWS), replace=False)
    try:
        levels = np.asarray(student.value("alpha_bar"), dtype=np.float64).ravel()
        with np.errstate(all="ignore"):
            mine = walk(model, levels, xT[rows].astype(np.float64), times, noise[:, rows].astype(np.float64))
            if np.shape(mine) != np.shape(points[rows]):
                return False
            apart = np.abs(np.asarray(mine, dtype=np.float64) - points[rows]).max(axis=1) / variant.RADIUS
    except channel.TooSlow:  # a walk that was not seen earns nothing, and is told apart from another one
        raise
    except (channel.NoAnswer, ValueError, TypeError, IndexError, RuntimeError):
        return False
    return bool(np.mean(~(apart <= APART)) <= ASTRAY)  # NaN is not near
