"""Judges: what `measure` and the quality table ask about the samples of an experiment.

A judge has `numbers(x, cond, seed)`, the measurements by name, and `held_out(n, seed)`, real data that no network was
trained on. `score` names the measurement that the quality table draws (lower is better), `second` the one that tells
what the score alone would hide: whether the whole curve is covered, whether training pictures were copied.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch

from .. import data, metrics
from ..base.refusals import as_pictures
from . import checkpoints
from .recipes import EXPERIMENTS
from .sets import Samples


class Judge(Protocol):
    """What every judge can be asked."""

    score: str
    second: str

    def numbers(self, x: Any, cond: Any = None, seed: int = 0) -> dict[str, float]: ...

    def held_out(self, n: int, seed: int = 0) -> Samples: ...


class Measure(NamedTuple):
    """A number measured on samples, on as many fresh real data (floor) and on pure noise."""

    value: float
    floor: float
    noise: float


def report(judge: Judge, x: Any, cond: Any = None, seed: int = 0) -> dict[str, Measure]:
    """Every number of the samples x beside that of as many real data (floor) and of pure noise."""
    real = judge.held_out(len(x), seed)
    noise = np.random.default_rng(seed).standard_normal(np.shape(x), dtype=np.float32)
    rows = ((x, cond), (real.x0, real.cond), (noise, real.cond if cond is not None else None))
    columns = [judge.numbers(some, said, seed) for some, said in rows]
    return {name: Measure(*(column[name] for column in columns)) for name in columns[0]}


class SpiralJudge:
    """How far points lie from the spiral, and how much of it they cover."""

    score, second = "distance", "wasserstein"

    def numbers(self, x: Any, cond: Any = None, seed: int = 0) -> dict[str, float]:
        rng = np.random.default_rng(2000 + seed)
        real, directions = data.spiral(len(x), rng), rng.standard_normal((metrics.DIRECTIONS, 2))
        return metrics.spiral_numbers(x, real, directions)

    def held_out(self, n: int, seed: int = 0) -> Samples:
        return Samples(data.spiral(n, np.random.default_rng(1000 + seed)))


class PictureJudge:
    """How much pictures look like the real ones to a small classifier, and whether they show what was asked for."""

    score, second = "frechet", "distance"

    def __init__(self, name: str) -> None:
        self.experiment, self.classifier = EXPERIMENTS[name], checkpoints.pretrained(f"{name}-classifier")
        self.test = self.experiment.load("test", 0)

    @cached_property
    def train(self) -> Samples:
        return self.experiment.load("train", 0)

    @cached_property
    def real(self) -> torch.Tensor:
        """Features of all training pictures, to which the Fréchet distance is taken."""
        return metrics.features(self.classifier, self.train.x0)

    def numbers(self, x: Any, cond: Any = None, seed: int = 0) -> dict[str, float]:
        """Up to three numbers of pictures x (n, c, h, w) that were made for the conditions `cond` (n, k).

        frechet: of the classifier's features, against those of all training pictures; accuracy: share of the stated
        attributes that the classifier finds, where there are codes; distance: mean root-mean-square distance to the
        nearest training picture, in units of pixel values. One well under that of held-out pictures means copies.
        """
        shown = as_pictures(x).clamp(-1, 1)  # as a screen would show it
        numbers = {"frechet": metrics.frechet(metrics.features(self.classifier, shown), self.real)}
        if cond is not None:
            numbers["accuracy"] = metrics.accuracy(self.classifier, shown, cond)
        return numbers | {"distance": float(metrics.nearest_distance(shown, self.train.x0).mean())}

    def held_out(self, n: int, seed: int = 0) -> Samples:
        """The part of the held-out pictures that this seed takes, and their conditions."""
        if not 2 <= n <= len(self.test.x0):
            most = len(self.test.x0)
            raise ValueError(f"there are {most} held-out pictures to compare with: give 2 … {most} samples, not {n}.")
        start = seed * n % (len(self.test.x0) - n + 1)
        rows = slice(start, start + n)
        return Samples(self.test.x0[rows], None if self.test.cond is None else self.test.cond[rows])
