"""Numbers that a lesson prints or draws: what is not the idea of the cell stands here."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..base import words
from ..base.arrays import to_float64


def ks_distance(x: Any) -> float:
    """The Kolmogorov–Smirnov distance of all numbers of x to N(0, 1): the largest gap between the two distributions.

    >>> round(ks_distance(np.random.default_rng(0).standard_normal(10_000)), 2)
    0.01
    """
    x = np.sort(to_float64(x).ravel())
    bell = np.array([(1 + math.erf(z / math.sqrt(2))) / 2 for z in x])
    return float(np.abs(bell - (np.arange(len(x)) + 0.5) / len(x)).max())


def plain(x: float) -> str:
    """x with two significant digits, without a power of ten.

    >>> plain(7.03), plain(0.0000404)
    ('7', '0.00004')
    """
    return np.format_float_positional(x, 2, fractional=False, trim="-")


def with_ones(x: np.ndarray) -> np.ndarray:
    """The rows of x (n, …), flat, and a column of ones: what a least-squares fit with an offset takes.

    >>> with_ones(np.zeros((2, 3))).shape
    (2, 4)
    """
    return np.column_stack([x.reshape(len(x), -1), np.ones(len(x))])


def averaged(pictures: Any, k: int) -> np.ndarray:
    """Pictures (n, c, h, w), each pixel replaced by the average of the k × k pixels around it.

    Beyond an edge, the pixels of the edge are repeated. Raises ValueError unless k ≥ 1.

    >>> averaged(np.array([[[[0.0, 3.0, 0.0]]]]), 3).round(2).tolist()
    [[[[1.0, 1.0, 1.0]]]]
    """
    if k < 1:
        raise ValueError(f"k, the side of a patch, must be 1 or more pixels, not {k!r}.")
    for axis in (2, 3):
        around = [(k // 2, (k - 1) // 2) if i == axis else (0, 0) for i in range(4)]
        pictures = sliding_window_view(np.pad(to_float64(pictures), around, mode="edge"), k, axis=axis).mean(-1)
    return pictures


def fitting(portraits: Any, prompt: str) -> np.ndarray:
    """Those of the real portraits (`x0` and `codes`, as `data.faces` gives them) that have all that the prompt says.

    >>> from diffusion_course import data
    >>> fitting(data.faces("test"), "hat, glasses, blue hair").shape
    (63, 3, 16, 16)
    """
    said = words.face_codes(prompt)
    return portraits.x0[(portraits.codes == said)[:, said >= 0].all(axis=1)]
