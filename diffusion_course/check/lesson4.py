"""Exercises of lesson 4: the code of a time, the floor of a loss, what is learnt or copied, what a network answers.

The training loop is in `lesson4_loop`. This is the first lesson whose answers may be in torch.
"""

import functools
from collections.abc import Callable

import numpy as np

from .engine import Exercise, Mistake
from .handed import offer, quietly
from .table import exercise


class OfTensors(Exercise):
    """The exercise that hands tensors to a function which is right for tensors only."""

    def __call__(self, attempt: Callable) -> Callable:
        kept = super().__call__(attempt)
        try:
            quietly(self._judge, kept, "numpy")
        except Mistake:
            return functools.wraps(kept)(lambda *given: kept(*(offer(value, "torch") for value in given)))
        return kept


@exercise(
    probes=((np.array([2.0]), np.array([np.pi / 4])), (np.array([-3.0, 0.0, 0.5, 4.0]), np.array([0.05, 0.3, 1.5]))),
    kinds=("numpy", "torch"),
    returns=("embedding",),
    table="""
    hint | Each value meets each frequency: `values[:, None] * frequencies` has shape (n, k).
    hint | Join sines and cosines along the last axis, so that each value keeps its row.
    why | A sine alone takes the same value twice a swing; its cosine tells which of the two it is.
    sine in every second row, not in half of the columns #14 | return → np.where(np.arange(len(angles))[:, None] % 2,
        np.tile(np.cos(angles), 2), np.tile(np.sin(angles), 2)) |
        Each row must hold sine and cosine, or neighbouring times get unlike codes.
    the raw value is fed #14 | return → np.repeat(values[:, None], 2 * len(frequencies), axis=1) |
        A t up to 1000 drowns x_t, whose numbers are about 1.
    """,
)
def embed_time(values, frequencies):
    angles = values[:, None] * frequencies
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)


@exercise(
    probes=((0.5, 1.0), (0.8, 0.5), (0.1, 2.0), (0.999, 0.5), (np.array([0.9, 0.02]), 0.5)),
    kinds=("numpy", "torch"),
    returns=("floor",),
    parts={
        "at ᾱ = 1, where all noise is gone, your floor": (1.0, 0.5),
        "for data that are one point (spread 0) your floor": (0.5, 0.0),
        "for data of spread 1 at ᾱ = 0.3 your floor": (0.3, 1.0),
        "for data of spread 3 at ᾱ = 0.5 your floor": (0.5, 3.0),
    },
    table="""
    hint | Try it: draw x_0 and ε, make x_t, and fit the best line ε ≈ c x_t. What is left of ε's variance 1?
    hint | What is left is 1 − (correlation of ε and x_t)². The covariance of ε and x_t is √(1−ᾱ).
    hint | x_t has variance ᾱ s² + 1 − ᾱ, of which the part ᾱ s² comes from x_0.
    why | ε and x_t are Gaussian, so the best guess is a line, and what it leaves is 1 − (1−ᾱ) / (ᾱ s² + 1−ᾱ): the part
        of x_t's variance that comes from the data. No network gets below it.
    what can be explained, not what is left | a * spread**2 / → (1 - a) / | Near the clean end noise is hard to see.
    the floor is that of x_0 | a * spread**2 / → (1 - a) * spread**2 / |
        That is how well x_0 can be guessed. Multiply by the SNR.
    the spread is not used | return → a |
        For data of spread 1 this is right; with any other spread the data make up another part of x_t's variance.
    neither spread nor direction is right | return → 1 - a |
        At ᾱ = 1 there is hardly any noise to be seen, and the floor is 1, not 0. And `spread` must count.
    """,
)
def loss_floor(alpha_bar_t, spread):
    a = alpha_bar_t
    return a * spread**2 / (a * spread**2 + 1 - a)


@exercise(
    probes=((0.35, 0.3, 0.5), (0.09, 0.05, 0.1), (0.6, 0.4, 0.5)),
    returns=("share",),
    table="""
    hint | All that there is to learn is the way from `blind` down to `floor`.
    hint | The loss has come down by `blind - loss`. What share of the way is that?
    why | It is 0 at `blind` and 1 at `floor`. A loss above `blind` gives less than 0: worse than guessing.
    what is still to learn | blind - loss → loss - floor | At the floor all is learnt: 1, not 0.
    the way goes down to 0 | / (blind - floor) → / blind | No loss gets to 0: the way ends at the floor.
    how far, not which share | return → blind - loss | Divide by the length of the whole way.
    """,
)
def learnt(loss, floor, blind):
    return (blind - loss) / (blind - floor)


ANSWER, XT = np.array([1.0, -0.5, 0.7]), np.array([0.4, -1.2, 2.0])


@exercise(
    cls=OfTensors,
    probes=tuple((ANSWER, output, XT, a) for a in (0.25, 0.9) for output in ("eps", "x0", "v")),
    kinds=("numpy", "torch"),
    linear=("answer", "xt"),
    returns=("ε̂",),
    table="""
    hint | If the network answers with ε, its answer is ε̂. With x_0, solve x_t = √ᾱ x_0 + √(1−ᾱ) ε for ε.
    hint | v = √ᾱ ε − √(1−ᾱ) x_0, and x_t = √ᾱ x_0 + √(1−ᾱ) ε. Multiply the first by √ᾱ, the second by √(1−ᾱ), and add.
    why | x_t and one of the three names determine the other two. A sampler asks for ε̂, so every answer becomes one.
    every output is taken for ε #13 | body → return answer | Only with "eps" the network's answer is ε̂ already.
    x̂_0 is returned, not ε̂ | (xt - a**0.5 * answer) / (1 - a) ** 0.5 → answer && a**0.5 * answer + (1 - a) ** 0.5 *
        xt → a**0.5 * xt - (1 - a) ** 0.5 * answer | Return the noise, whatever the network answers with.
    """,
)
def decode(answer, output, xt, alpha_bar_t):
    a = alpha_bar_t
    if output == "x0":
        return (xt - a**0.5 * answer) / (1 - a) ** 0.5
    if output == "v":
        return a**0.5 * answer + (1 - a) ** 0.5 * xt
    return answer


BY_HAND = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.01, 0.0], [0.0, 0.01], [3.0, 0.0]])
CLOUD = np.random.default_rng(0).uniform(0, 0.1, (40, 2))


@exercise(
    probes=(BY_HAND, (CLOUD[:25], CLOUD[25:]), (CLOUD, CLOUD[:3])),
    returns=("share",),
    given=1,
    table="""
    hint | Row i of `distance` holds how far sample i lies from each of the examples. Which number of the row matters?
    hint | `distance.min(axis=1)` is the distance to the nearest example. Compared with 0.02, it gives True or False.
    why | Each sample is judged by its nearest example, and the mean of True and False is the share of True.
    the examples are counted, not the samples | axis=1 → axis=0 |
        That is the share of examples with a sample close by. Take the smallest number of each row, `axis=1`.
    every pair is counted | distance.min(axis=1) → distance |
        A sample is a copy if its nearest example is close; the others do not matter.
    all examples must be close | .min( → .max( | A sample is a copy if only one example is close.
    the number, not the share | .mean() → .sum() | A share lies between 0 and 1.
    those that are no copies | < 0.02 → > 0.02 | A copy lies nearer than 0.02.
    """,
)
def copied(samples, examples):
    distance = np.linalg.norm(samples[:, None] - examples, axis=-1)
    return (distance.min(axis=1) < 0.02).mean()
