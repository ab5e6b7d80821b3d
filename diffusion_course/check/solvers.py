"""Checks of solvers: one stroke of Heun's method, the extended guess of DPM-Solver++(2M)."""

from itertools import pairwise

import numpy as np

from .. import denoisers, schedule
from ..check.engine import Exercise, Fault
from ..samplers import euler_stroke
from .sampling import SCHEDULE
from .speedups import OFF_CENTRE, STATIC


def _heun_step(model, schedule, x, t, s):
    slope = model(x, t)
    there = euler_stroke(schedule, x, t, s, slope)
    return euler_stroke(schedule, x, t, s, (slope + model(there, s)) / 2)


def _heun_with(second, mix=lambda first, second: (first + second) / 2):
    """A faulty stroke: `second(model, x, there, t, s)` for the second slope, `mix` of the two."""

    def step(model, schedule, x, t, s):
        first = model(x, t)
        there = euler_stroke(schedule, x, t, s, first)
        return euler_stroke(schedule, x, t, s, mix(first, second(model, x, there, t, s)))

    return step


def _twice(model, schedule, x, t, s):
    first = model(x, t)
    there = euler_stroke(schedule, x, t, s, first)
    return euler_stroke(schedule, there, t, s, (first + model(there, s)) / 2)


def _error(step, n):
    """Mean distance from the exact end of the ODE for N(½, 0.3²), from t = 40 to 10 in n strokes."""
    x, times = STATIC, np.linspace(800, 200, n + 1).astype(int)
    for t, s in pairwise(times):
        x = step(OFF_CENTRE_FINE, FINE, x, int(t), int(s))
    return np.abs(x - _exact(800, 200)).mean()


FINE = schedule.cosine(T=1000)
OFF_CENTRE_FINE = denoisers.GaussianDenoiser(0.5, 0.3, FINE)


def _exact(t, s):
    """Where the ODE leads STATIC from t to s: x keeps its place among the standard deviations of the Gaussian."""
    (at_t, spread_t), (at_s, spread_s) = [(0.5 * a**0.5, (a * 0.3**2 + 1 - a) ** 0.5) for a in (FINE.at(t), FINE.at(s))]
    return at_s + spread_s * (STATIC - at_t) / spread_t


def _halving(hint):
    def symptom(attempt):
        few, many = _error(attempt, 10), _error(attempt, 20)
        return (
            f"On the ODE of a Gaussian, twice the strokes must make a quarter of the error (order 2); "
            f"10 and 20 of yours are off by {few:.2g} and {many:.2g}: {hint}"
        )

    return symptom


heun_step = Exercise(
    "heun_step",
    _heun_step,
    probes=tuple((OFF_CENTRE, SCHEDULE, STATIC, t, s) for t, s in ((45, 40), (30, 10), (10, 9))),
    faults=(
        Fault(
            "the second slope is not used",
            _heun_with(lambda model, x, there, t, s: model(x, t)),
            _halving("this is Euler's stroke."),
        ),
        Fault(
            "the second slope is asked at the old place",
            _heun_with(lambda model, x, there, t, s: model(x, s)),
            _halving("level s belongs to the place where Euler's stroke ends, not to x_t."),
        ),
        Fault(
            "the second slope is asked at the old time",
            _heun_with(lambda model, x, there, t, s: model(there, t)),
            _halving("the place where Euler's stroke ends has noise of level s."),
        ),
        Fault(
            "the slopes are added, not averaged",
            _heun_with(lambda model, x, there, t, s: model(there, s), lambda first, second: first + second),
            _halving("twice the slope goes twice as far."),
        ),
        Fault(
            "only the second slope is halved",
            _heun_with(lambda model, x, there, t, s: model(there, s), lambda first, second: first + second / 2),
            _halving("`a + b / 2` is no mean; it wants brackets, `(a + b) / 2`."),
        ),
        Fault(
            "only the second slope is taken",
            _heun_with(lambda model, x, there, t, s: model(there, s), lambda first, second: second),
            _halving("the slope at the end is as one-sided as that at the start; take the mean."),
        ),
        Fault(
            "the second half starts where the first stroke ended",
            _twice,
            "The mean slope leads from x_t to x_s. You follow it from the place that Euler's stroke had reached.",
        ),
    ),
)


def _extended_guess(x0_hat, x0_before, h, h_before):
    """The line through two guesses, at the middle of the stroke ahead: DPM-Solver++(2M)."""
    return x0_hat + h / (2 * h_before) * (x0_hat - x0_before)


def _line(attempt):
    found = float(attempt(2.0, 1.0, 1.0, 1.0))
    return f"By hand: guesses 1, then 2, strokes of length 1: half a stroke ahead lies 2.5; you return {found:.3g}."


NOW, BEFORE = np.array([0.4, -1.2, 2.0]), np.array([0.1, -0.7, 2.5])
extended_guess = Exercise(
    "extended_guess",
    _extended_guess,
    probes=((NOW, BEFORE, 0.5, 0.5), (NOW, BEFORE, 0.3, 0.6), (NOW, BEFORE, 0.9, 0.2)),
    faults=(
        Fault(
            "the line is followed backwards",
            lambda now, before, h, h_before: now - h / (2 * h_before) * (now - before),
            _line,
        ),
        Fault(
            "the line is followed for the whole stroke",
            lambda now, before, h, h_before: now + h / h_before * (now - before),
            lambda attempt: f"{_line(attempt)} Ahead lies a stroke along which the guess changes; take its middle.",
        ),
        Fault(
            "the lengths of the two strokes are exchanged",
            lambda now, before, h, h_before: now + h_before / (2 * h) * (now - before),
            "The slope is the change of the guess by `h_before`, the stroke behind; it is followed for half of `h`.",
        ),
        Fault(
            "the change of the guess is not divided by `h_before`",
            lambda now, before, h, h_before: now + h / 2 * (now - before),
            lambda attempt: (
                "Guesses 1, then 2, with h = h_before = ½: half a stroke ahead lies 2.5 again; "
                f"you return {float(attempt(2.0, 1.0, 0.5, 0.5)):.3g}. A slope is a change *by* a length."
            ),
        ),
        Fault(
            "the strokes are taken for equally long",
            lambda now, before, h, h_before: now + (now - before) / 2,
            "With h = 0.3 after h_before = 0.6 the line is followed half as far as with equal strokes.",
        ),
        Fault(
            "the line starts at the older guess",
            lambda now, before, h, h_before: before + h / (2 * h_before) * (now - before),
            lambda attempt: f"{_line(attempt)} The stroke ahead begins at the newer guess.",
        ),
        Fault(
            "the mean of the two guesses",
            lambda now, before, h, h_before: (now + before) / 2,
            lambda attempt: f"{_line(attempt)} That is half a stroke behind.",
        ),
    ),
)
