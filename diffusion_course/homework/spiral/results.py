"""What depends on the student's training: the network, its samples under our sampler, and those of their own.

Each function takes a `channel.Student` and returns (share of the points, sentence). The pass lines are
`variant.LINES`; notebooks/homework/calibration.md says how far from them right solutions stay.
"""

import warnings
from contextlib import suppress
from functools import partial
from itertools import islice

import numpy as np

from ... import samplers, schedule
from ...check.homework import network_mistake, variant
from ..grading import channel
from ..grading.judge import FULL, HALF, NONE
from . import network, walks

STEPS = 50  # of our sampler: as good as 1000, and twenty times quicker
NEARER = 0.5  # medians of two clouds of one network in equally many steps differ by a fifth, 10 and 1000 steps tenfold;
# a cloud that is so much nearer than one drawn anew had more steps


def answers(student) -> tuple[float, str]:
    """Weights, and ε̂ of x_t's shape from x_t and t, row by row; half the points if the shape at least is right."""
    rng, about = student.draw("network"), student.training()
    points, times = rng.uniform(-2, 2, (4, 2)), np.array([1, 101, 401, 801]) + rng.integers(0, 100, 4)
    mistake = network_mistake(partial(student.denoise, as_is=True), points, np.maximum(times * student.T // 1000, 1))
    if not about["weights"]:
        return NONE, "`model` has no weights that an optimiser could find, so it is no network."
    if mistake and mistake.fault in ("t is ignored", "x_t is ignored") and not about["steps"]:
        student.unanswered = True  # layers that begin at zero answer when they are trained: ask again after that
    if mistake is None:
        return FULL, "right."
    return HALF if mistake.fault != "not finite" else NONE, str(mistake).removeprefix("network: ")


def training(student) -> tuple[float, str]:
    """Do 512 samples that our sampler draws from their network lie on their spiral?"""
    rng = student.draw("ours")
    xT = rng.standard_normal((variant.COUNT, 2))
    watched = walks.Watched(student)
    try:
        *_, x = samplers.ddpm(watched, _levels(student), xT, steps=STEPS, rng=rng)
    except ValueError:  # how the sampler refuses what is not finite
        return NONE, "the network says NaN or infinity. Look at the loss while it trains."
    passed, says = variant.judge(student.spiral, x, STEPS)
    network.look_at(student, "samples of the network", x)
    if not passed:
        network.begun(student)
    elif why := network.untrained(student) or watched.strange:
        return network.doubted(student, why)
    return (FULL, f"right. {says}") if passed else (NONE, f"under our sampler {says}")


def samples(student, steps: int | None = None) -> tuple[float, str]:
    """Their cloud, and one that their functions draw anew from our noise: both must pass. None: in T steps.

    Half the points if only the new one does. A cloud alone earns nothing: it could come from anywhere.
    """
    steps = student.T if steps is None else steps
    spiral, cloud = student.spiral, _cloud(student, steps)
    passed, says = variant.judge(spiral, cloud, steps)
    network.look_at(student, f"samples[{steps}]", cloud)
    try:
        given = _drawn(student, steps)
    except channel.TooSlow:
        if steps <= STEPS:
            raise
        student.remark(f"a `sample` too slow for {steps} steps: judged by {STEPS}")
        given, steps = _drawn(student, STEPS), STEPS
    *_, drawn = given
    anew, found = variant.judge(spiral, drawn, steps)
    nearer = passed and np.shape(drawn) == cloud.shape and _middle(spiral, cloud) < NEARER * _middle(spiral, drawn)
    if nearer:
        student.remark(f"samples[{steps}] nearer to the curve than their network draws in as many steps")
    if not anew:
        return NONE, f"drawn anew by your `sample` from your `model`, {found}" if passed else _whose(student, says)
    if why := network.untrained(student) or walks.astray(student, given, partial(_drawn, student, 10)):
        return network.doubted(student, why)
    if not passed:
        return HALF, f"{says} Drawn anew by your `sample`, they are right."
    if nearer:
        return HALF, f"your samples are nearer than {steps} steps of your network end: made in more? {says} {found}"
    return FULL, f"right. {says}"


def _middle(spiral, cloud) -> float:
    """The median distance of a cloud, NaN if one of it is."""
    return float(np.median(spiral.distance(cloud)))


def figures(student) -> str:
    """What the student's own clouds are like, to hold their sentences against."""
    told = []
    for steps, cloud in islice(dict(student.value("samples")).items(), 5):
        with suppress(ValueError, TypeError):
            if np.shape(cloud) == (variant.COUNT, 2):  # of more points the distances would fill the memory
                distance, coverage = student.spiral.distance(cloud).mean(), student.spiral.coverage(cloud)
                told.append(f"{int(steps)} steps: distance {distance:.4f}, coverage {coverage:.2f}")
    return "; ".join(told)


def _cloud(student, steps):
    clouds = student.value("samples")
    if not isinstance(clouds, dict):
        raise channel.Refused(f"`samples` is no dict of clouds but a {type(clouds).__name__}.")
    if not clouds:
        raise channel.NotAttempted("`samples` is empty.")
    return _points(clouds.get(steps, clouds.get(str(steps))))


def _drawn(student, steps):
    """Our x_T, the times, our noise, and what their `sample` of their `model` makes of them."""
    rng = student.draw("drawn", steps)
    xT = rng.standard_normal((variant.COUNT, 2), dtype=np.float32)
    noise = rng.standard_normal((steps, variant.COUNT, 2), dtype=np.float32)
    times = schedule.linear(student.T).steps(steps).tolist()
    model, levels = channel.Named("model"), channel.Named("alpha_bar")
    return xT, times, noise, _points(student.call("sample", model, levels, xT, times, noise, seconds=120))


def _points(cloud):
    """A cloud as an array, whatever it was; None stays None."""
    try:
        return None if cloud is None else np.array(cloud, dtype=np.float64)
    except (TypeError, ValueError):
        raise channel.Refused(f"The samples are no array of points but a {type(cloud).__name__}.") from None


def _levels(student) -> schedule.Schedule:
    """The schedule that they trained with, if it is one; a mistake in it has cost its points already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(channel.NoAnswer, ValueError, TypeError):
            levels = schedule.Schedule(student.value("alpha_bar"))
            if levels.T == student.T:
                return levels
    return network.levels_of(student)


def _whose(student, says) -> str:
    """The usual reason for a cloud on no spiral of theirs: the id in the notebook is not the one handed in under."""
    try:
        said = student.value("STUDENT_ID")
        other = isinstance(said, str) and variant.of(said, student.salt, student.curve) != student.spiral
    except (channel.NoAnswer, ValueError):
        return says
    if not other:
        return says
    student.reason = f"The notebook's STUDENT_ID is {said[:40]!r}, but it was handed in as {student.id!r}."
    return f"{says} {student.reason}"
