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
    returns=("mean", "projection onto the axes"),
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
    the chance is 1 − s | (t - s) / t → 1 - s | That is the share revealed since t = 1, not since t.
    the share that stays is revealed | (t - s) / t → s / t | With probability s/t a masked place stays masked.
    the places that should stay are revealed | u < → u >= | Reveal where u is *below* the probability.
    """,
)
def unmask_step(codes, drawn, u, t, s):
    return np.where((codes == -1) & (u < (t - s) / t), drawn, codes)


SHARES = {"hat": 0.4, "glasses": 0.4, "beard": 0.34, "long_hair": 0.5, "happy": 0.5}  # of all portraits, independent
NAMES = *SHARES, "hair_colour", "background"
ROWS = np.array(list(product((0, 1), repeat=5)))
CLUB = np.where(ROWS, [*SHARES.values()], [1 - share for share in SHARES.values()]).prod(1) * (ROWS.sum(1) == 2)
CLUB /= CLUB.sum()


def written(groups) -> np.ndarray:
    """How likely each of ROWS is if the groups of places come in turn."""
    made = np.ones(len(ROWS))
    for i, row in enumerate(ROWS):
        known: list[int] = []
        for group in groups:
            agree = CLUB * (ROWS[:, known] == row[known]).all(1)
            for place in group:
                made[i] *= agree @ (ROWS[:, place] == row[place]) / (agree.sum() or 1)
            known += group
    return made


def _not_enough(groups) -> str | None:
    found = [list(group) for group in groups]
    if sorted(name for group in found for name in group) != sorted(NAMES):
        return f"return lists of names in which each of {', '.join(NAMES)} stands once; yours are {found}."
    places = [[NAMES.index(name) for name in group if name in SHARES] for group in found]
    made = written(places)
    if (share := made[ROWS.sum(1) == 2].sum()) < 0.999:
        return f"with your order {share:.0%} of the rows have exactly two of the five; all of them should."
    if several := [group for group in places if len(group) > 1]:
        a, b = several[0][:2]
        both, club = (chance @ ROWS[:, [a, b]].all(1) for chance in (made, CLUB))
        told = f"every row keeps the rule, but {NAMES[a]} and {NAMES[b]} are drawn blind to each other"
        return f"{told}: {both:.0%} of the rows have both, and {club:.0%} of the club."
    return f"you ask {len(found)} times; fewer will do." if len(found) > 5 else None


@exercise(
    probes=((NAMES,),),
    refuse=_not_enough,
    measure=lambda groups: np.array(1.0),
    table="""
    hint | Two places may be drawn together if knowing one says nothing about the other. Which are these?
    hint | Hair colour and background are independent of everything; no two of the five are.
    hint | So each of the five comes alone, or with a colour.
    why | What depends on each other comes one by one. The colours depend on nothing, so they can come with any place.
    """,
)
def reveal_order(names):
    *four, fifth, hair, background = names
    return [[name] for name in four] + [[fifth, hair, background]]
