"""Checks of the second homework's guidance: a loss that hides conditions, guidance, and how it is measured."""

import numpy as np

from ...base.arrays import to_float64
from . import variant
from .affine import Affine
from .measuring import judged
from .questions import LAST, asked, levels, no_gradient


def _told(rng):
    """A model of two conditions, and of none."""
    return Affine(rng.uniform(-1, 1, (3, LAST + 1)), rng.standard_normal((3, LAST + 1, 2)))


def _losses(rng):
    """Of either condition some are hidden and some told."""
    for _ in range(2):
        x0, eps = rng.standard_normal((2, 12, 2))
        times, rows = rng.permutation(np.arange(1, LAST + 1))[:12], rng.permutation(12)
        yield _told(rng), levels(rng), x0, rows % 2, times, eps, rows < 4


def _guided(rng):
    for scale in (rng.uniform(2, 4), rng.uniform(0.3, 0.7), 0.0):
        cond = rng.permutation([0, 1] * 5)
        yield _told(rng), rng.standard_normal((10, 2)), int(rng.integers(5, LAST)), cond, float(scale)


@asked(_losses, returns=("loss",), tolerance=1e-5, refuse=no_gradient, table="""
    nothing is hidden #15 | np.where(hide, -1, cond) → np.where(hide, cond, cond) |
        Where `hide` is True the network must hear −1, or it never learns to answer without a condition.
    all is hidden | np.where(hide, -1, cond) → np.where(hide, -1, -1) |
        Elsewhere the network's third argument is `cond`.
    the mask is turned round #15 | np.where(hide, -1, cond) → np.where(hide, cond, -1) |
        `hide` is True where the condition is *not* told.
    hidden is told as 0 | np.where(hide, -1, cond) → np.where(hide, 0, cond) |
        0 is the inner half. What is not said is −1.
    x_t is made without the roots #1 | a**0.5 * x0 + (1 - a) ** 0.5 * eps → a * x0 + (1 - a) * eps |
        ᾱ is a power, amplitudes have its root.
    the answer is compared with x_0, not ε #13 | (eps - model → (x0 - model | The network answers with the noise.
    the network is given x_0, not x_t | model(xt, t, told) → model(x0, t, told) | x_0 holds nothing of ε.
    a sum, not a mean | ).mean() → ).sum() | The step would grow with the batch: take the mean over all numbers.
    the square is missing | told)) ** 2 → told)) | Errors of both signs cancel in a mean.
    all points get the level of the first | alpha_bar[t][:, None] → alpha_bar[t[0]] | Each row has a t of its own.
""")
def told_loss(model, alpha_bar, x0, cond, t, eps, hide):
    a = alpha_bar[t][:, None]
    xt = a**0.5 * x0 + (1 - a) ** 0.5 * eps
    told = np.where(hide, -1, cond)
    return ((eps - model(xt, t, told)) ** 2).mean()


@asked(_guided, returns=("ε̂",), table="""
    the scale is one too large #16 | scale * (asked - free) → (scale + 1) * (asked - free) |
        At scale 1 it must be the model that is told the condition.
    the scale is one too small | scale * (asked - free) → (scale - 1) * (asked - free) |
        At scale 1 it must be the model that is told the condition, at 0 the one that is told nothing.
    the difference is turned round | (asked - free) → (free - asked) | What the condition changes is asked minus free.
    the free answer is not taken off | scale * (asked - free) → scale * asked | Only the *difference* is exaggerated.
    the free answer hears 0, not −1 | 0 * cond - 1 → 0 * cond | 0 is the inner half. What is not said is −1.
    the free answer hears the condition | 0 * cond - 1 → cond | Without the condition means −1 for every row.
    the condition is never used | model(xt, t, cond) → model(xt, t, 0 * cond - 1) |
        One of the two answers must hear what is asked.
    a mean of the two | free + scale * (asked - free) → scale * free + (1 - scale) * asked |
        At scale 0 it is the free answer, at 1 the other one.
""")
def guided(model, xt, t, cond, scale):
    free, asked = model(xt, t, 0 * cond - 1), model(xt, t, cond)
    return free + scale * (asked - free)


def _draws(rng):
    # One value stands far off, so that no median is near the mean.
    return [([*rng.uniform(0.5, 0.6, n - 1).round(3).tolist(), 1.0],) for n in (5, 3, 2)]


@asked(_draws, refuse=lambda both: None, returns=("mean", "standard error"), tolerance=1e-3, table="""
    the spread is returned, not the standard error | / len(values) ** 0.5 → |
        A mean of n draws is √n times surer than one draw: divide the spread by √n.
    it is divided by n, not by √n | / len(values) ** 0.5 → / len(values) | Variances add, so the error falls with √n.
    the spread of these n, not of all | ddof=1 → ddof=0 |
        The mean is itself taken from these draws, which makes their spread look small: divide by n − 1, `ddof=1`.
    the variance stands for the spread | np.std( → np.var( | Take its root.
    the median stands for the mean | np.mean → np.median |
""")
def mean_and_error(values):
    return np.mean(values), np.std(values, ddof=1) / len(values) ** 0.5


# ---- what was measured ---------------------------------------------------------------------------

SCALES, SEEDS, STEPS, POINTS = (0.0, 0.5, 1.0, 2.0, 4.0), 5, 25, 1024
ROOM = 0.03, 0.003, 0.06  # for obeying, distance, spread: two right measurements differ by less, beside their errors


def table_mistake(table, right) -> str | None:
    """What is wrong with the numbers (scales, seeds, 3), held against such a table of ours, or None."""
    shape = len(SCALES), SEEDS, len(ROOM)
    try:
        table = to_float64(table)
    except (TypeError, ValueError):
        return f"`measured` must be a tensor of shape {shape}, not a {type(table).__name__}"
    if table.shape != shape or not np.isfinite(table).all():
        return f"`measured` must be finite numbers of shape {shape}, not of shape {table.shape}"
    if (table < 0).any() or (table[..., 0] > 1).any():
        return "a share lies between 0 and 1, and neither a distance nor a spread is below 0"
    if (np.ptp(table[..., 1:], axis=1) < 1e-9).any():
        return "every seed gives the same: does each draw have noise of its own?"
    usual = np.array(ROOM)
    scatter = right.std(axis=1, ddof=1).clip(usual / 2, 2 * usual)  # of ours: a table must not make its own room
    if (table.std(axis=1, ddof=1) > 4 * scatter).any():
        return "your seeds differ by more than seeds of one network do"
    room = 4 * scatter * np.hypot(SEEDS**-0.5, right.shape[1] ** -0.5) + usual
    off = np.abs(table.mean(axis=1) - right.mean(axis=1))
    for scale, wrong in zip(SCALES, ~(off <= room), strict=True):
        if wrong.any():
            name = ("obeying", "the distance", "the spread")[int(wrong.argmax())]
            return f"at scale {scale:g} {name} is not what guidance does to your network"
    return None


def measured(table, spiral: variant.Variant) -> None:
    """Judge the table by its form, and by what holds for every network; the rest the grader asks yours."""
    told = table_mistake(table, to_float64(table))
    if told is None:
        nothing, _, once, *_ = to_float64(table).mean(axis=1)[:, 0]
        if not (0.4 < nothing < 0.6 and once > 0.9):
            told = f"{nothing:.0%} obey at scale 0 and {once:.0%} at scale 1; right are half, by luck, and nearly all"
    judged("measured", table, told, "in form. The grader will measure your network once more.")
