"""Checks of measuring: a distance that does not grow with n, read between its floor and its noise row."""

import numpy as np

from ..check.engine import Exercise, Fault


def _table(a, b):
    """Distances (len(a), len(b)) between two sets of points."""
    return np.linalg.norm(a[:, None] - b, axis=-1)


def _nearest_distance(samples, real):
    return _table(samples, real).min(1).mean()


def _doubled(attempt):
    once, twice = attempt(SAMPLES, REAL), attempt(np.concatenate([SAMPLES, SAMPLES]), REAL)
    return (
        f"The same samples given twice are not worse, yet your distance goes from {once:.3g} to {twice:.3g}: "
        "a sum depends on n, a mean does not."
    )


SAMPLES = np.array([[0.0, 1.0], [2.0, 0.5], [-1.0, 3.0]])
REAL = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 1.0], [5.0, -1.0]])
nearest_distance = Exercise(
    "nearest_distance",
    _nearest_distance,
    probes=((SAMPLES, REAL), (REAL, SAMPLES), (SAMPLES[:2], SAMPLES)),
    faults=(
        Fault(
            "a sum, not a mean",
            lambda samples, real: _table(samples, real).min(1).sum(),
            _doubled,
            atlas=20,
        ),
        Fault(
            "the distance of the sets' means",
            lambda samples, real: np.linalg.norm(samples.mean(0) - real.mean(0)),
            "Samples that all sit in the middle would pass: measure each sample, then average.",
        ),
        Fault(
            "the mean over all pairs",
            lambda samples, real: _table(samples, real).mean(),
            lambda attempt: f"Real points against themselves get {attempt(REAL, REAL):.3g}; expected 0.",
        ),
        Fault(
            "from real to samples",
            lambda samples, real: _table(samples, real).min(0).mean(),
            "That is how well the samples cover the real points; asked is how near each sample is to one.",
        ),
        Fault(
            "squared distances",
            lambda samples, real: (_table(samples, real).min(1) ** 2).mean(),
            "Take the root of each before averaging, so that the unit is that of the data.",
        ),
    ),
)


def _measured(distance, samples, real, fresh, noise):
    """Value, floor (fresh real points) and plain-noise row, all against the same real points."""
    return distance(samples, real), distance(fresh, real), distance(noise, real)


SHAKE = np.array([[0.1, 0.0], [0.0, -0.2], [0.1, 0.1], [0.0, 0.3]])
FRESH, NOISE = REAL + SHAKE, 0.3 * REAL[::-1] - 1
TOLD = (_nearest_distance, SAMPLES, REAL, FRESH, NOISE)
measured = Exercise(
    "measured",
    _measured,
    probes=(
        (_nearest_distance, SAMPLES, REAL, FRESH, NOISE),
        (_nearest_distance, NOISE, FRESH, REAL, SAMPLES),
    ),
    faults=(
        Fault(
            "no floor: real points against themselves",
            lambda distance, samples, real, fresh, noise: (
                distance(samples, real),
                distance(real, real),
                distance(noise, real),
            ),
            lambda attempt: (
                f"Your floor is {attempt(*TOLD)[1]:.3g}, which no sampler "
                "can reach: measure fresh real points, as the samples are fresh."
            ),
            atlas=20,
        ),
        Fault(
            "only the value, without floor and noise row",
            lambda distance, samples, real, fresh, noise: distance(samples, real),
            lambda attempt: (
                f"You return {attempt(*TOLD):.3g}. Is that good? Without "
                "the floor and the plain-noise row nobody knows."
            ),
            atlas=20,
        ),
        Fault(
            "floor and noise row are exchanged",
            lambda distance, samples, real, fresh, noise: (
                distance(samples, real),
                distance(noise, real),
                distance(fresh, real),
            ),
            "Return value, floor, noise row, in this order.",
        ),
    ),
)
