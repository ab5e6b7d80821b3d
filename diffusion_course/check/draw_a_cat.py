"""Exercises of "Draw a cat": attention, hidden words, why the products are divided."""

import numpy as np

from .asked import Finding
from .table import exercise

rng = np.random.default_rng(0)
Q, K, V = rng.standard_normal((2, 4)), rng.standard_normal((3, 4)), rng.standard_normal((3, 5))
ONE, LONG = rng.standard_normal((1, 16)), rng.standard_normal((5, 16))


@exercise(
    probes=((Q, K, V), (Q[:1], K, V), (Q, K[:1], V[:1]), (ONE, LONG, LONG), (K, K, V)),
    kinds=("torch",),
    returns=("answer", "weights"),
    table="""
    hint | The products of all questions with all keys are one matrix product, (n, d) times (d, m): `q @ k.T`.
    hint | Divide by √d, d = q.shape[-1]; then `.softmax(dim=-1)`, so that each row sums to 1 over the keys.
    hint | The answer is `weights @ v`. Return it and the weights.
    why | Every question gets a mean of the values, in which those count most whose keys point its way. All of it is
        matrix products, so it is fast, and all of it can be learned.
    the products are not divided | / q.shape[-1] ** 0.5 →  |
        The weights are too near to 0 and 1: the products must be divided by √d.
    divided by d instead of its root | q.shape[-1] ** 0.5 → q.shape[-1] |
        A sum of d products has a spread of √d, so divide by the root; you divide by d.
    the softmax runs over the questions | axis=1 → axis=0 |
        Each row of weights must sum to 1; yours do not. Take the softmax over the keys, the last axis.
    no softmax | weights = np.exp(fit) / np.exp(fit).sum(axis=1, keepdims=True) → weights = fit |
        Weights must be positive and sum to 1. The softmax does that.
    not normalised | / np.exp(fit).sum(axis=1, keepdims=True) →  | Divide by the sum of each row.
    the answer is a mean of the keys | weights @ v → weights @ k | The keys only decide the weights; what is given away
        are the values v.
    """,
)
def attend(q, k, v):
    fit = q @ k.T / q.shape[-1] ** 0.5
    weights = np.exp(fit) / np.exp(fit).sum(axis=1, keepdims=True)
    return weights @ v, weights


IDS = np.array([[7, 3, -1, -1], [5, -1, -1, -1], [2, 9, 4, 1], [6, 8, 0, -1]])
KEEP = np.array([[0.5, 0.1, 0.9, 0.2], [0.05, 0.9, 0.6, 0.4], [0.93, 0.12, 0.7, 0.03], [0.14, 0.6, 0.3, 0.8]])


@exercise(
    probes=((IDS, KEEP), (IDS[:1], KEEP[:1]), (IDS[1:2], KEEP[1:2]), (IDS, 1 - KEEP), (IDS[2:], np.ones((2, 4)))),
    kinds=("torch",),
    table="""
    hint | `keep < 0.15` is True where a word is hidden, and `keep[:, :1] < 0.1` for the rows that are hidden whole.
    hint | `a | b` is True where one of the two is; a shape (B, 1) is stretched over the row.
    hint | `torch.where(hidden, -1, ids)` gives new ids and leaves the old ones as they are.
    why | The network meets prompts of every length, and the empty one. So it can answer with and without the words, and
        guidance has a difference to exaggerate.
    no whole rows | hidden = np.logical_or(keep < 0.15, keep[:, :1] < 0.1) → hidden = keep < 0.15 |
        The second row should be hidden whole, because its first number is below 0.1.
    only whole rows | hidden = np.logical_or(keep < 0.15, keep[:, :1] < 0.1) → hidden = keep[:, :1] < 0.1 |
        Single words must be hidden too, where their own number is below 0.15.
    the words stay and the rest goes | (hidden, -1, ids) → (hidden, ids, -1) |
        Where the number is small the word is hidden; you hide all the others.
    0 stands for no word | hidden, -1 → hidden, 0 | 0 is a word of the vocabulary; no word is −1.
    hidden where the number is large | keep < 0.15 → keep > 0.15 | Hidden is what has a number *below* 0.15.
    one limit for both | < 0.1) → < 0.15) | A whole row is hidden only where its first number is below 0.1.
    """,
)
def hide_words(ids, keep):
    hidden = np.logical_or(keep < 0.15, keep[:, :1] < 0.1)
    return np.where(hidden, -1, ids)


def largest_weight(d: int) -> float:
    """The mean over many questions of the largest of 16 weights, with nothing divided: q and k normal of length d."""
    q, k = np.random.default_rng(d).standard_normal((2, 16, 4000, d))
    fit = (q[0] * k).sum(axis=-1)
    weights = np.exp(fit - fit.max(axis=0))
    return float((weights.max(axis=0) / weights.sum(axis=0)).mean())


long_enough = Finding(
    "long_enough",
    exactly=26,
    right=range(23, 30),  # 0.7375 to 0.766: what a few thousand questions cannot tell apart
    wrong=lambda d: f"with vectors of length {d} the largest weight is {largest_weight(d):.2f} on average, not 0.75.",
    asked="a length",
    among=range(1, 1001),
    hints=(
        "Draw a question and 16 keys with torch.randn, many times; leave the division out; take the largest weight.",
        "With `attend`: multiply q by √d beforehand, which undoes its division. Try d = 8 and 64, then in between.",
    ),
    why="The products spread like √d. From d = 26 on, one key takes three quarters of all attention on average, "
    "before anything has been learned. The division keeps the spread at 1 whatever d is.",
)
