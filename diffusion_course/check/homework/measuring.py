"""Checks of what the second homework measures: the errors of the solvers, and where eight steps stand."""

from itertools import pairwise, product

import numpy as np

from ... import schedule
from ...base.arrays import to_float64
from ...denoisers import GaussianDenoiser, IdealDenoiser
from ..engine import Mistake
from ..numbers import say
from . import solvers, variant

LEVELS = schedule.linear(1000, 1e-4, 0.012)  # those of the notebook
COUNTS = (10, 20, 40, 80, 160)
FROM, TO = 1000, 200  # in so many steps, of 80 down to 5
NEAR = 0.01  # share by which a right error may differ: float32, and another way to compute the same
FACTORS = (
    (lambda right: right, ""),
    (lambda right: right**2, "lack their root: a mean square has twice the order"),
    (lambda right: right * 2**0.5, "are those of points, not of numbers: the mean goes over all 512 numbers"),
    (lambda right: right * 512**0.5, "are a root of a sum: take the mean of the squares"),
    (lambda right: right[::-1], "stand the other way round: the first belongs to 10 steps"),
)


def walk(step):
    """The solver that takes this step again and again."""

    def solver(model, alpha_bar, xT, times):
        x = xT
        for t, s in pairwise(times):
            x = step(model, x, t, s, alpha_bar)
        return x

    return solver


SOLVERS = {
    "euler": walk(solvers.euler_step.reference),
    "heun": walk(solvers.heun_step.reference),
    "two_step": solvers.two_step.reference,
}  # as the notebook calls them
STARTS = np.array(list(product(np.linspace(-2, 2, 16), repeat=2)))  # from where errors are measured


def solve(solver: str, model, xT, n: int, end: int = 0) -> np.ndarray:
    """Where a right solver leads, in n even steps from T to `end`."""
    return SOLVERS[solver](model, LEVELS.alpha_bar, xT, np.linspace(FROM, end, n + 1).round().astype(int).tolist())


def right_error(spiral: variant.Variant, solver: str, n: int) -> float:
    """The root of the mean squared difference, over all numbers, between a solver's end and the ODE's.

    The data are the Gaussian with mean and spread of the spiral's points.
    """
    x0 = spiral.data(2048).astype(np.float64)
    mean, std = x0.mean(axis=0), x0.std(axis=0, ddof=1)
    right = solvers.follow.reference(STARTS, FROM, TO, LEVELS.alpha_bar, mean, std)
    found = solve(solver, GaussianDenoiser(mean, std, LEVELS), STARTS, n, TO)
    return float(np.mean((found - right) ** 2) ** 0.5)


def errors_mistake(spiral: variant.Variant, errors, counts=COUNTS) -> str | None:
    """What is wrong with a table {solver: errors at these counts}, or None."""
    if not isinstance(errors, dict) or set(errors) != set(SOLVERS):
        return f"`errors` must be a dict with the keys {', '.join(SOLVERS)}"
    for name in SOLVERS:
        found, right = np.asarray(errors[name], dtype=float), [right_error(spiral, name, n) for n in counts]
        if found.shape != (len(counts),) or not np.isfinite(found).all():
            return f"`errors[{name!r}]` must be {len(counts)} finite numbers, one for each of {tuple(counts)} steps"
        near = [why for f, why in FACTORS if np.allclose(found, f(np.array(right)), rtol=NEAR, atol=2e-6)]
        if not near or near[0]:
            return f"the errors of {name} {near[0] if near else f'are not those of {name} on your bell'}"
    return None


def judged(name: str, table, mistake: str | None, right: str) -> None:
    """Say what is to be said of a table; raises Mistake for a wrong one."""
    if len(table) and mistake:
        raise Mistake(f"{name}: {mistake}.", mistake)
    say(f"✓ {name}: {right}" if len(table) else f"○ {name}: the table is empty yet.")


def errors(table, spiral: variant.Variant) -> None:
    """Judge the table of errors as the grader will."""
    judged("errors", table, errors_mistake(spiral, table), "right.")


# ---- a short grid --------------------------------------------------------------------------------

SHORT = 8
MISSED, FAR = 1.0, 0.3  # of what even steps leave: how far from the ODE's end, how far from the curve


def misses(spiral: variant.Variant, times) -> tuple[float, float]:
    """How far, in radii, 256 points end from the ODE's end and from the curve, by Euler's steps at these times.

    With the exact denoiser of the spiral.
    """
    model = IdealDenoiser(spiral.at((np.arange(768) + 0.5) / 768), LEVELS)
    xT = np.random.default_rng(0).standard_normal((256, 2))
    x, exactly = SOLVERS["euler"](model, LEVELS.alpha_bar, xT, times), solve("euler", model, xT, 250)
    return np.hypot(*(x - exactly).T).mean() / variant.RADIUS, spiral.distance(x).mean()


def grid_mistake(spiral: variant.Variant, times) -> tuple[bool, str]:
    """Are these 9 times better than even ones? And the reason in a sentence."""
    try:
        times = to_float64(times)
    except (TypeError, ValueError):
        times = np.zeros(0)
    if times.shape != (SHORT + 1,) or not (times == times.round()).all():
        return False, f"`my_grid({FROM}, {SHORT})` must return {SHORT + 1} whole numbers"
    if times[0] != FROM or times[-1] != 0 or not (np.diff(times) < 0).all():
        return False, f"the times must fall from {FROM} to 0, each below the one before"
    even = np.linspace(FROM, 0, SHORT + 1).round()
    (missed, far), (most, furthest) = (misses(spiral, each.astype(int).tolist()) for each in (times, even))
    told = f"The ODE's end is missed by {missed / most:.2f} of what even steps miss (at most {MISSED}), and the curve "
    told += f"by {far / furthest:.2f} (at most {FAR})."
    if missed > MISSED * most and far <= FAR * furthest:
        return False, f"your samples lie near the curve, and not where their noise leads. {told}"
    if missed > MISSED * most or far > FAR * furthest:
        return False, f"your times are not good enough. {told}"
    return True, told


def my_grid(attempt, spiral: variant.Variant) -> None:
    """Judge the times of 8 steps as the grader will: with the exact denoiser of the spiral, and Euler's steps."""
    try:
        times = attempt(FROM, SHORT)
    except NotImplementedError:
        say("○ my_grid: not attempted yet.")
        return
    passed, told = grid_mistake(spiral, times)
    say(f"{'✓' if passed else '✗'} my_grid: {told}")
