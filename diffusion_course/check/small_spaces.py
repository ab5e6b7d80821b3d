"""Exercises of the notebook on small spaces: principal axes, one step of unmasking, and an order to unmask in."""

from itertools import product

import numpy as np

from .table import exercise

RNG = np.random.default_rng(0)
LEANING = RNG.standard_normal((60, 4)) @ np.diag([3.0, 0.2, 1.0, 2.0]) @ RNG.standard_normal((4, 4)) + 5


def _projection(answer) -> tuple:
    """The mean and the projection onto the axes: which axes of a plane, and with which signs, is free."""
    mean, axes = (np.asarray(part, float) for part in answer)
    return mean, axes.T @ axes


@exercise(
    probes=((LEANING, 2), (LEANING[:, :3], 1), (LEANING, 3)),
    measure=_projection,
    returns=("mean", "axes (as a projection)"),
    table="""
    hint | Subtract the mean first: the axes say how the data differ from it.
    hint | `np.linalg.svd(x - mean, full_matrices=False)` returns three arrays; the rows of the last are all axes.
    hint | They are sorted: the first k rows are the axes along which the data vary most.
    why | Among all planes through the mean, the one along the first k axes leaves the smallest squared error.
    the mean is not subtracted | svd(x - mean → svd(x |
        Then the first axis points from 0 to the middle of the data, which says nothing about how they differ.
    the last axes are returned | axes[:k] → axes[-k:] | Along these the data vary least.
    columns are returned, not rows | axes[:k] → axes[:, :k].T | The third result of `svd` has its axes as rows.
    one mean for all numbers | x.mean(0) → x.mean(0) * 0 + x.mean() | Each pixel has a mean of its own: `x.mean(0)`.
    the axes keep their lengths | _, axes → size, axes && axes[:k] → (size[:, None] * axes)[:k] |
        An axis is a direction, of length 1.
    """,
)
def principal_axes(x, k):
    mean = x.mean(0)
    _, _, axes = np.linalg.svd(x - mean, full_matrices=False)
    return mean, axes[:k]


CODES = np.array([[-1, 2, -1, 0], [1, -1, -1, -1]])
DRAWN = np.array([[1, 0, 3, 1], [0, 1, 2, 2]])
U = np.array([[0.1, 0.05, 0.9, 0.2], [0.3, 0.45, 0.55, 0.62]])


@exercise(
    probes=tuple((CODES, DRAWN, U, t, s) for t, s in ((1.0, 0.5), (0.5, 0.25), (0.8, 0.4), (0.5, 0.2), (0.25, 0.0))),
    whole=True,
    table="""
    hint | A place that is masked at t is still masked at s with probability s/t. With which probability is it revealed?
    hint | `u < p` is true with probability p. A place changes where it is masked *and* that is true.
    hint | `np.where(condition, drawn, codes)` takes from `drawn` where the condition holds.
    why | At level t a place is masked with probability t, at level s with probability s. So of the masked ones the
        share s/t stays, and the rest, (t − s)/t, is revealed; what was revealed before stays as it is.
    what was known is changed | (codes == -1) & → |
        Only masked places, where the code is −1, may be revealed. The others are settled.
    the chance is t − s | (t - s) / t → t - s |
        That is the chance of any place; this one is known to be masked, which has probability t. At s = 0 all that is
        masked must be revealed.
    the share that stays is revealed | (t - s) / t → s / t | With probability s/t a masked place stays masked.
    the places that should stay are revealed | u < → u >= | Reveal where u is *below* the probability.
    """,
)
def unmask_step(codes, drawn, u, t, s):
    return np.where((codes == -1) & (u < (t - s) / t), drawn, codes)


CHOOSING = "hat", "glasses", "beard", "long_hair", "happy"  # of these everyone in the club has exactly two
NAMES = *CHOOSING, "hair_colour", "background"


def share_right(groups) -> float:
    """How often exactly two of the five come out if the groups are drawn one after the other, exactly."""
    groups = [[name for name in group if name in CHOOSING] for group in groups]
    total = 0.0
    for values in product((0, 1), repeat=len(CHOOSING)):
        had, chance, known = 0, 1.0, 0
        said = dict(zip(CHOOSING, values, strict=True))
        for group in groups:
            yes = min(max((2 - had) / (len(CHOOSING) - known), 0.0), 1.0) if known < len(CHOOSING) else 0.0
            for name in group:
                chance *= yes if said[name] else 1 - yes
            had, known = had + sum(said[name] for name in group), known + len(group)
        total += chance * (sum(values) == 2)
    return total


def _not_enough(groups) -> str | None:
    found = [list(group) for group in groups]
    if sorted(name for group in found for name in group) != sorted(NAMES):
        return f"return lists of names in which each of {', '.join(NAMES)} stands once; yours are {found}."
    if len(found) > 5:
        return f"you ask {len(found)} times; at most 5 are allowed."
    if (share := share_right(found)) < 0.999:
        return f"with your order {share:.0%} of the members have exactly two of the five; all of them should."
    return None


@exercise(
    probes=((NAMES,),),
    refuse=_not_enough,
    measure=lambda groups: np.array(1.0),
    table="""
    hint | Two places may be drawn together if knowing one says nothing about the other. Which are these?
    hint | Hair colour and background are independent of everything. They can go along with any other.
    hint | Once four of the five are known, the fifth is certain. So five groups of one each do it, with company.
    why | Hat, glasses, beard, long hair and happy depend on each other, so they come one by one. The colours depend on
        nothing, and drawing them together with another place loses nothing.
    """,
)
def reveal_order(names):
    *four, fifth, hair, background = names
    return [[name] for name in four] + [[fifth, hair, background]]
