"""Checks of the forward half: noise, one random step, the times to train on.

Where a function draws its own noise, its moments are compared (within a few percent), not its numbers.
"""

import numpy as np

from .. import forward
from ..check.engine import Exercise, Fault

DRAWS = 100_000  # enough for a kurtosis within 0.05


def moments(x):
    """Shape, mean, spread and kurtosis of all numbers of x; a Gaussian's kurtosis is 3."""
    x = np.asarray(x, dtype=np.float64)
    centred = x - x.mean()
    return x.shape, x.mean(), x.std(), (centred**4).mean() / max((centred**2).mean() ** 2, 1e-30)


def _moments_of(draw, expected: str, hint: str):
    """The symptom "mean, spread, kurtosis", quoted from numbers `draw(attempt)` of the learner's function."""

    def symptom(attempt):
        _, mean, spread, kurtosis = moments(draw(attempt))
        return (
            f"Your numbers have mean {round(mean, 2) + 0.0:.2f}, spread {spread:.2f}, "
            f"kurtosis {kurtosis:.1f}; expected {expected}: {hint}"
        )

    return symptom


def _of_noise(hint: str):
    return _moments_of(lambda attempt: attempt((DRAWS,), np.random.default_rng(1)), "0, 1, 3", hint)


noise = Exercise(
    "noise",
    lambda shape, rng: rng.standard_normal(shape),
    probes=(((DRAWS,), np.random.default_rng(0)), ((1000, 2, 50), np.random.default_rng(1))),
    measure=moments,
    tolerance=0.05,
    faults=(
        Fault(
            "uniform noise from 0 to 1, not Gaussian",
            lambda shape, rng: rng.random(shape),
            _of_noise("`rand` is uniform, `randn` and `standard_normal` are Gaussian."),
            atlas=2,
        ),
        Fault(
            "uniform noise from −1 to 1, not Gaussian",
            lambda shape, rng: rng.uniform(-1, 1, shape),
            _of_noise("centred, yet too narrow and without tails."),
            atlas=2,
        ),
        Fault(
            "uniform noise scaled to variance 1, not Gaussian",
            lambda shape, rng: rng.uniform(-(3**0.5), 3**0.5, shape),
            _of_noise("mean and spread are right, the tails are missing."),
            atlas=2,
        ),
        Fault(
            "one random number for all",
            lambda shape, rng: np.full(shape, rng.standard_normal()),
            _of_noise("every pixel needs its own draw."),
        ),
    ),
)


def diffuse_one(x, beta_t, rng):
    """One step of the chain that draws its own noise."""
    return forward.noise_step(x, beta_t, forward.randn_like(x, rng))


ZEROS, ONES = np.zeros(DRAWS), np.ones((1000, 100))
RANDOM = np.random.default_rng(2)


def _of_step(hint: str):
    expected = "0, 0.60, 3 from x = 0 at β = 0.36"
    return _moments_of(lambda attempt: attempt(ZEROS, 0.36, np.random.default_rng(1)), expected, hint)


random_step = Exercise(
    "random_step",
    diffuse_one,
    probes=((ZEROS, 0.36, RANDOM), (ONES, 0.36, RANDOM), (ONES, 0.75, RANDOM)),
    measure=moments,
    tolerance=0.05,
    faults=(
        Fault(
            "the diffusion coefficient is itself random",
            lambda x, beta_t, rng: (
                (1 - beta_t) ** 0.5 * x + (beta_t**0.5 * rng.standard_normal(x.shape)) * rng.standard_normal(x.shape)
            ),
            _of_step("√β_t is a number of the schedule; only ε is drawn."),
            atlas=9,
        ),
        Fault(
            "uniform noise, not Gaussian",
            lambda x, beta_t, rng: (1 - beta_t) ** 0.5 * x + beta_t**0.5 * rng.random(x.shape),
            _of_step("`random` is uniform in 0…1; `standard_normal` is Gaussian."),
            atlas=2,
        ),
        Fault(
            "one random number for the whole x",
            lambda x, beta_t, rng: (1 - beta_t) ** 0.5 * x + beta_t**0.5 * rng.standard_normal(),
            _of_step("every number of x needs its own draw."),
        ),
        Fault(
            "the noise is multiplied by β, not √β",
            lambda x, beta_t, rng: (1 - beta_t) ** 0.5 * x + beta_t * rng.standard_normal(x.shape),
            _of_step("β is a variance; a factor in front of ε is a spread."),
            atlas=19,
        ),
    ),
)


def _found_range(attempt):
    times = np.asarray(attempt(10_000, 5, np.random.default_rng(1)))
    return (
        f"For T = 5 you draw from {times.min():g} to {times.max():g}; the walk asks for every t from 1 to T, "
        "and for t = 0 (clean) never."
    )


def _span(times):
    """Number, smallest, largest, and how many different ones."""
    times = np.asarray(times)
    return len(times), times.min(), times.max(), len(np.unique(times))


training_times = Exercise(
    "training_times",
    lambda n, T, rng: rng.integers(1, T + 1, n),
    probes=((10_000, 5, np.random.default_rng(0)), (10_000, 20, np.random.default_rng(0))),
    measure=_span,
    faults=(
        Fault("times 0 … T − 1", lambda n, T, rng: rng.integers(0, T, n), _found_range, atlas=5),
        Fault("times 0 … T", lambda n, T, rng: rng.integers(0, T + 1, n), _found_range, atlas=5),
        Fault("times 1 … T − 1", lambda n, T, rng: rng.integers(1, T, n), _found_range, atlas=5),
        Fault(
            "one time for the whole batch",
            lambda n, T, rng: np.full(n, rng.integers(1, T + 1)),
            "Each sample of a batch gets its own t, or one step teaches one t only.",
        ),
        Fault(
            "times between whole numbers",
            lambda n, T, rng: rng.uniform(1, T, n),
            lambda attempt: (
                f"Your first time is {np.asarray(attempt(1, 5, np.random.default_rng(1)))[0]:.3g}; t is a whole number."
            ),
        ),
    ),
)
