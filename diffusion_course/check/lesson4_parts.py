"""Exercises of lesson 4, continued: time, the floor of the loss, the average of the weights, hiding, copies."""

import dataclasses

import numpy as np

from .engine import Exercise, Mistake
from .handed import offer
from .numbers import agree
from .table import exercise

NEAR = 0.1  # share of the right answer within which a wrong one counts as an estimate of it

def _rows(f) -> list:
    return np.round(np.asarray(f(np.array([1.0, 2.0]), np.array([0.5]))), 2).tolist()


@exercise(
    probes=(
        (np.array([2.0]), np.array([np.pi / 4])),
        (np.array([-3.0, 0.0, 0.5, 4.0]), np.array([0.05, 0.3, 1.5])),
        (np.array([7.0, 2.0]), np.array([1.0, 0.1])),
    ),
    kinds=("numpy", "torch"),
    returns=("embedding",),
    hints=(
        "Each value meets each frequency: `values[:, None] * frequencies` has shape (n, k).",
        "Join sines and cosines along the last axis, so that each value keeps its row.",
    ),
    why="A sine alone takes the same value twice a swing; its cosine tells which of the two it is. Slow ones tell "
    "far times apart, fast ones near times.",
    shows={"rows": lambda f: f"Values 1, 2 and frequency ½ give you {_rows(f)}."},
    mistakes="""
    sine in every second row, not in half of the columns #14 | body → angles = values[:, None] *
        np.concatenate([frequencies, frequencies])⏎return np.where(np.arange(len(angles))[:, None] % 2 == 0,
        np.sin(angles), np.cos(angles)) |
        {rows} Each row must hold sine and cosine, or neighbouring times get unlike codes.
    the raw value is fed #14 | body → return np.repeat(values[:, None], 2 * len(frequencies), axis=1) |
        {rows} A t up to 1000 drowns x_t, whose numbers are about 1.
    the angles are fed, without sine and cosine #14 | [np.sin(angles), np.cos(angles)] → [angles, angles] |
        {rows} Angles grow with the value; their sines and cosines stay between −1 and 1.
    cosines come first | [np.sin(angles), np.cos(angles)] → [np.cos(angles), np.sin(angles)] |
        A network could learn from any order; the one agreed on here is all sines, then all cosines.
    sines and cosines alternate | np.concatenate([np.sin(angles), np.cos(angles)], axis=-1) →
        np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(len(values), -1) |
        A network could learn from any order; the one agreed on here is all sines, then all cosines.
    cosines stand below the sines, not beside them | axis=-1 → axis=0 |
        Each row is the code of one value. Join along the last axis, so that n values give n rows.
    only sines | [np.sin(angles), np.cos(angles)] → [np.sin(angles)] |
        A sine takes the same value twice a swing. The cosine tells which of the two it is.
    values and frequencies are added | values[:, None] * → values[:, None] + |
        The faster the sine, the larger the angle: multiply.
    divided by the frequencies | values[:, None] * → values[:, None] / |
        The faster the sine, the larger the angle: multiply.
    the angle has a 2 π too much | values[:, None] * → 2 * np.pi * values[:, None] * | These frequencies are in radians.
    """,
)
def embed_time(values, frequencies):
    angles = values[:, None] * frequencies
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)


class Formula(Exercise):
    """An exercise that asks for a formula, and knows an estimate of it by an experiment."""

    def _judge(self, attempt, kind: str) -> None:
        try:
            super()._judge(attempt, kind)
        except Mistake as mistake:
            probes = [tuple(offer(value, kind) for value in probe) for probe in self.probes]
            answers = [self.ask(attempt, probe) for probe in probes]
            if all(agree(answer, right, NEAR, 0.01) for answer, right in zip(answers, self._right, strict=True)):
                told = "your answers are close. If they come from an experiment, it is a good ruler; "
                told += "now find the formula it measures."
                raise Mistake(f"{self.name}: {told}", mistake.fault, mistake.kind) from None
            raise


def _formula(made: Exercise) -> Formula:
    return Formula(**{part.name: getattr(made, part.name) for part in dataclasses.fields(made)})


@_formula
@exercise(
    probes=((0.5, 1.0), (0.8, 0.5), (0.1, 2.0), (0.999, 0.5), (np.array([0.9, 0.02]), 0.5)),
    kinds=("numpy", "torch"),
    returns=("floor",),
    parts={
        "at ᾱ = 1, where all noise is gone, your floor": lambda f: f(1.0, 0.5),
        "for data that are one point (spread 0) your floor": lambda f: f(0.5, 0.0),
        "for data of spread 1 at ᾱ = 0.3 your floor": lambda f: f(0.3, 1.0),
        "for data of spread 3 at ᾱ = 0.5 your floor": lambda f: f(0.5, 3.0),
    },
    hints=(
        "Try it: draw x_0 and ε, make x_t, and fit the best line ε ≈ c x_t. What is left of ε's variance 1?",
        "What is left is 1 − (correlation of ε and x_t)². The covariance of ε and x_t is √(1−ᾱ).",
        "x_t has variance ᾱ s² + 1 − ᾱ, of which the part ᾱ s² comes from x_0.",
    ),
    why="ε and x_t are Gaussian, so the best guess is a line, and what it leaves is 1 − (1−ᾱ) / (ᾱ s² + 1−ᾱ): the part "
    "of x_t's variance that comes from the data. No network gets below it.",
    shows={"clean": lambda f: f"Near the clean end noise is hard to see; at ᾱ = 0.999 yours is {f(0.999, 0.5):.2g}."},
    mistakes="""
    what can be explained, not what is left | a * spread**2 / → (1 - a) / | {clean}
    the spread is not squared | a * spread**2 / → a * spread / && (a * spread**2 + → (a * spread + |
        Variances are added: spread².
    only one spread is squared | a * spread**2 / → a * spread / | Variances are added, and the variance is spread².
    the floor is that of x_0 | a * spread**2 / → (1 - a) * spread**2 / |
        That is how well x_0 can be guessed. Multiply by the SNR.
    the data's variance is left out | body → return alpha_bar_t | That is right for data of spread 1 only.
    """,
)
def loss_floor(alpha_bar_t, spread):
    a = alpha_bar_t
    return a * spread**2 / (a * spread**2 + 1 - a)


AVERAGE, WEIGHTS = np.array([1.0, -0.5, 0.7]), np.array([0.4, -1.2, 2.0])


@exercise(
    probes=((1.0, 0.0, 0.9), *((AVERAGE, WEIGHTS, decay) for decay in (0.99, 0.5, 0.0, 1.0))),
    kinds=("numpy", "torch"),
    linear=("average", "weights"),
    returns=("new average",),
    hints=("It keeps the share `decay` of itself.", "The two shares add up to 1."),
    why="Unrolled, the weights of k steps ago have the share (1−decay) decay^k: the average reaches back over about "
    "1 / (1−decay) steps, and the jitter of single batches cancels.",
    shows={"hand": lambda f: f"Average 1, weight 0 and decay 0.9 give 0.9; you return {f(1.0, 0.0, 0.9):.3g}."},
    mistakes="""
    decay and 1 − decay are exchanged | body → return (1 - decay) * average + decay * weights |
        {hand} Near 1 it hardly moves.
    the average is never updated #16 | body → return average + 0 * weights |
        {hand} You would sample from the untrained network.
    the weights are returned #16 | body → return weights + 0 * average | {hand} Nothing is averaged.
    the average does not shrink | decay * average → average |
        With average = weight = 1 nothing may change; yours grows for ever.
    the weights are not reduced | (1 - decay) * weights → weights | With average = weight = 1 nothing may change.
    the change has the wrong sign | body → return average + (1 - decay) * (average - weights) |
        {hand} It moves to the weights.
    """,
)
def ema_update(average, weights, decay):
    return decay * average + (1 - decay) * weights


COND, DROPPED = np.array([[1, 0, 3], [0, 1, 5], [1, 1, 0]]), np.array([True, False, True])


@exercise(
    probes=((COND, DROPPED), (COND, ~DROPPED), (COND[:2], DROPPED[:2]), (COND[:1], DROPPED[:1])),
    kinds=("torch",),
    hints=(
        "`torch.where(condition, a, b)` takes a where the condition is True and b elsewhere.",
        "`dropped` is one value a sample, and `cond` has k codes a sample: give `dropped` a second axis, `[:, None]`.",
    ),
    why="A network that is sometimes told nothing learns to answer without a prompt too. Guidance needs both answers.",
    shows={"left": lambda f: f"Six codes are to be hidden; you hide {(np.asarray(f(COND, DROPPED)) == -1).sum()}."},
    mistakes="""
    nothing is hidden #15 | np.where(dropped[:, None], -1, cond) → cond |
        {left} Without hiding the network never learns to answer without a prompt.
    the mask is turned round #15 | -1, cond → cond, -1 | Where `dropped` is True the codes are hidden; you hide the
        others.
    the mask lies along the codes | dropped[:, None] → dropped[:, None].T[:, : cond.shape[1]] |
        You hide attributes, not samples.
    0 stands for not said | -1 → 0 | 0 is already a value (no hat, black hair); not said is −1.
    only the first code is hidden | dropped[:, None] → dropped[:, None] & (np.arange(cond.shape[1]) == 0) | {left}
    dropped samples are taken out | np.where(dropped[:, None], -1, cond) → cond[~dropped] | The batch keeps its size.
    """,
)
def hide(cond, dropped):
    return np.where(dropped[:, None], -1, cond)


EXAMPLES = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
SAMPLES = np.array([[0.01, 0.0], [0.0, 0.015], [1.015, 0.015], [0.1, 0.0], [3.0, 3.0]])  # the first two are copies
BETWEEN = np.array([[0.0, 0.0]]), np.array([[0.01, 0.0], [0.0, 0.01]]), 0.02
CLOUD = np.random.default_rng(0).standard_normal((47, 2))


@exercise(
    probes=((SAMPLES, EXAMPLES, 0.02), (CLOUD[:40], CLOUD[40:], 0.4), (CLOUD[:7], CLOUD, 0.01), (CLOUD, CLOUD[:9], 2)),
    kinds=("numpy", "torch"),
    returns=("share",),
    hints=(
        "`samples[:, None] - examples` has every difference: one row a sample, one column an example.",
        "The root of the summed squares along the last axis is the distance; the nearest example is the smallest of a "
        "row.",
    ),
    why="A copy is a sample that lies on an example, whichever it is. So each sample has one say: its nearest example "
    "decides.",
    shows={
        "hand": lambda f: f"Two of five samples lie on an example: 0.4; yours is {f(SAMPLES, EXAMPLES, 0.02):.3g}.",
        "twice": lambda f: f"One sample beside two examples is a share of 1; yours is {f(*BETWEEN):.3g}.",
    },
    mistakes="""
    examples are counted, not samples | far.min(axis=1) → far.min(axis=0) |
        {hand} The smallest of each *row* belongs to a sample; you took the smallest of each column.
    all pairs are counted | far.min(axis=1) → far | {hand} Each sample has one say, not one for every example.
    the mean distance decides | far.min → far.mean | {hand} A copy is near *one* example and far from the others.
    the farthest example decides | far.min → far.max | {hand} A copy is near *one* example and far from the others.
    a sample near two examples is counted twice | (far.min(axis=1) < radius).mean() → (far < radius).sum() / len(far) |
        {twice} Ask of each sample whether its *nearest* example lies within the radius.
    a number, not a share | .mean() → .sum() | {hand} Divide by the number of samples.
    what is no copy is counted | < radius → >= radius | {hand} You count the others.
    the distance stays squared | body → far = ((samples[:, None] - examples) ** 2).sum(axis=-1)⏎return (far.min(axis=1)
        < radius).mean() | {hand} The radius is a distance, so take the root of the summed squares.
    coordinate by coordinate | np.linalg.norm(samples[:, None] - examples, axis=-1) →
        np.abs(samples[:, None] - examples).max(axis=-1) |
        {hand} All within `radius` in each coordinate is a square; the distance makes it a circle.
    the coordinates are added | np.linalg.norm(samples[:, None] - examples, axis=-1) →
        np.abs(samples[:, None] - examples).sum(axis=-1) |
        Distance is the root of the summed squares, not the sum of the steps along the axes.
    """,
)
def copied(samples, examples, radius):
    far = np.linalg.norm(samples[:, None] - examples, axis=-1)
    return (far.min(axis=1) < radius).mean()
