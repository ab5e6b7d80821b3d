"""Numbers that a lesson prints: what is not the idea of the cell stands here."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..forward import to_float64


def ks_distance(x: Any) -> float:
    """The Kolmogorov–Smirnov distance of all numbers of x to N(0, 1): the largest gap between the two distributions.

    >>> round(ks_distance(np.random.default_rng(0).standard_normal(10_000)), 2)
    0.01
    """
    x = np.sort(to_float64(x).ravel())
    bell = np.array([(1 + math.erf(z / math.sqrt(2))) / 2 for z in x])
    return float(np.abs(bell - (np.arange(len(x)) + 0.5) / len(x)).max())


def with_ones(x: np.ndarray) -> np.ndarray:
    """The rows of x (n, …), flat, and a column of ones: what a least-squares fit with an offset takes.

    >>> with_ones(np.zeros((2, 3))).shape
    (2, 4)
    """
    return np.column_stack([x.reshape(len(x), -1), np.ones(len(x))])
