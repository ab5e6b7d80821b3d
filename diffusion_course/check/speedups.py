"""Checks of fast samplers: a whole DDIM walk, one stroke of Heun's method, one of DPM-Solver++(2M)."""

from itertools import pairwise

import numpy as np

from .. import denoisers, forward, samplers, schedule, traps
from ..exercise import Exercise, Fault
from .sampling import SCHEDULE

POINT, OFF_CENTRE = denoisers.GaussianDenoiser(1.0, 0.0, SCHEDULE), denoisers.GaussianDenoiser(0.5, 0.3, SCHEDULE)
STATIC = np.random.default_rng(0).standard_normal((200, 1))


def _rng():
    return np.random.default_rng(1)


def _ddim_walk(model, schedule, x, n, eta, rng):
    *_, x0 = samplers.ddim(model, schedule, x, n, eta, rng)
    return x0


def _follow(model, schedule, x, times, eta, rng, wide=False):
    """DDIM at these times, wherever they end; `wide` adds noise of η² β to what has room for η² β̃."""
    for t, s in pairwise(times):
        eps_hat = model(x, t)
        power, beta = schedule.at(s), 1 - schedule.at(t) / schedule.at(s)
        fresh = eta**2 * forward.posterior_variance(schedule.at(t), power)
        x = power**0.5 * forward.x0_from_eps(x, schedule.at(t), eps_hat) + (1 - power - fresh) ** 0.5 * eps_hat
        if s > 0:
            x = x + (eta**2 * beta if wide else fresh) ** 0.5 * rng.standard_normal(x.shape)
    return x


def _spread_at_the_end(attempt):
    return attempt(OFF_CENTRE, SCHEDULE, STATIC, 10, 1.0, _rng()).std()


def _ends(attempt, n, eta):
    """Mean and spread of where 200 walks of data that are the single point 1 end."""
    with np.errstate(all="ignore"):
        x = attempt(POINT, SCHEDULE, STATIC, n, eta, _rng())
    return f"mean {x.mean():.3g}, spread {x.std():.2g}"


def _one_point(n, eta, hint):
    return lambda attempt: (
        f"All data are the point 1, so every walk must end there exactly; with {n} strokes of T = 50 and η = {eta:g} "
        f"yours end at {_ends(attempt, n, eta)}: {hint}"
    )


ddim_walk = Exercise(
    "ddim_walk",
    _ddim_walk,
    probes=tuple(
        (model, SCHEDULE, STATIC, n, eta, _rng())
        for model, n, eta in (
            (OFF_CENTRE, 50, 0.5),  # first, for only the first is asked twice: is the noise that of `rng`?
            (POINT, 25, 0.0),
            (POINT, 7, 0.0),
            (POINT, 10, 1.0),
            (OFF_CENTRE, 20, 0.0),
        )
    ),
    faults=(
        Fault(
            "the times turn negative where n does not divide T",
            traps.walk_a,
            _one_point(7, 0, "an index of −6 is no error in Python, it counts from the static end."),
            atlas=6,
        ),
        Fault(
            "the times do not end at 0 where n does not divide T",
            lambda model, schedule, x, n, eta, rng: _follow(
                model, schedule, x, range(schedule.T, -1, -(schedule.T // n)), eta, rng
            ),
            _one_point(7, 0, "`range(T, -1, -(T // n))` stops above 0, and may take more strokes than n."),
            atlas=6,
        ),
        Fault(
            "noise is still added on the last stroke",
            traps.walk_b,
            _one_point(10, 1, "`t` is where the stroke comes from and never 0; ask for s > 0, and take σ² = η² β̃."),
            atlas=7,
        ),
        Fault(
            "fresh noise of η² β where room is made for η² β̃",
            lambda model, schedule, x, n, eta, rng: _follow(model, schedule, x, schedule.steps(n), eta, rng, wide=True),
            lambda attempt: (
                "With data N(½, 0.3²), 10 strokes and η = 1 the spread at the end should be "
                f"{_spread_at_the_end(_ddim_walk):.2f}; yours is {_spread_at_the_end(attempt):.2f}. With one point as "
                "the data nothing shows, for there the last stroke mends every other."
            ),
        ),
        Fault(
            "η is ignored: every walk is as noisy as DDPM",
            traps.walk_c,
            lambda attempt: (
                "At η = 0 the generator must not matter; with two generators and 20 strokes the same starts end "
                f"{_two_generators(attempt):.2g} apart."
            ),
            atlas=17,
        ),
        Fault(
            "the last stroke goes to ᾱ_1, not to ᾱ_0 = 1",
            traps.walk_d,
            _one_point(25, 0, "a last bit of noise stays on every sample."),
            atlas=18,
        ),
        Fault(
            "the generator is not used: no fresh noise at any η",
            lambda model, schedule, x, n, eta, rng: _ddim_walk(model, schedule, x, n, 0.0, rng),
            "At η = 1 a walk has as much fresh noise as DDPM; yours is the walk of η = 0.",
            atlas=8,
        ),
        Fault(
            "the walk stops one stroke early",
            lambda model, schedule, x, n, eta, rng: list(samplers.ddim(model, schedule, x, n, eta, rng))[-2],
            _one_point(10, 0, "n strokes have n + 1 ends, and the last is 0."),
        ),
    ),
)


def _two_generators(attempt):
    ends = [attempt(OFF_CENTRE, SCHEDULE, STATIC, 20, 0.0, np.random.default_rng(seed)) for seed in (1, 2)]
    return np.abs(ends[0] - ends[1]).mean()


def _euler_step(x, t, s, eps_hat, schedule):
    """x̄ + (σ_s − σ_t) ε̂, in terms of x."""
    return forward.add_noise(forward.x0_from_eps(x, schedule.at(t), eps_hat), schedule.at(s), eps_hat)


def _heun_step(model, schedule, x, t, s):
    slope = model(x, t)
    return _euler_step(x, t, s, (slope + model(_euler_step(x, t, s, slope, schedule), s)) / 2, schedule)


def _heun_with(second, mix=lambda first, second: (first + second) / 2):
    """A faulty stroke: `second(model, x, there, t, s)` for the second slope, `mix` of the two."""

    def step(model, schedule, x, t, s):
        first = model(x, t)
        there = _euler_step(x, t, s, first, schedule)
        return _euler_step(x, t, s, mix(first, second(model, x, there, t, s)), schedule)

    return step


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
            lambda model, schedule, x, t, s: _twice(model, schedule, x, t, s),
            "The mean slope leads from x_t to x_s. You follow it from the place that Euler's stroke had reached.",
        ),
    ),
)


def _twice(model, schedule, x, t, s):
    first = model(x, t)
    there = _euler_step(x, t, s, first, schedule)
    return _euler_step(there, t, s, (first + model(there, s)) / 2, schedule)


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
