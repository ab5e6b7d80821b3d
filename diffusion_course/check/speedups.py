"""Checks of fast samplers: a whole DDIM walk. Those of solvers are in `solvers`."""

from itertools import pairwise

import numpy as np

from .. import denoisers, forward, samplers
from ..check import broken
from ..check.engine import Exercise, Fault
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
            broken.walk_a,
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
            broken.walk_b,
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
            broken.walk_c,
            lambda attempt: (
                "At η = 0 the generator must not matter; with two generators and 20 strokes the same starts end "
                f"{_two_generators(attempt):.2g} apart."
            ),
            atlas=17,
        ),
        Fault(
            "the last stroke goes to ᾱ_1, not to ᾱ_0 = 1",
            broken.walk_d,
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
