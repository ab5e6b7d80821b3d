"""How good are samples? Numbers with a floor and a ceiling, so that each can be read by itself.

A `Measure` has the value, its floor (the same number for fresh real data) and its plain-noise row (the same for
static). All are means or shares, so they do not grow with n; the Fréchet distance of finite sets is biased upwards,
and the more so the smaller n is: compare it with the floor of the same n, which `picture_report` does.

Sources: Heusel et al. 2017 (arXiv:1706.08500) for the Fréchet distance of features; Bonneel et al. 2015
(doi:10.1007/s10851-014-0506-3) for the sliced Wasserstein distance.
"""

from typing import NamedTuple

import numpy as np
import torch

from . import data
from .classifier import accuracy

BINS = 64  # equal arc lengths of the spiral; 512 real points leave one empty once in 50 sets
POINTS_A_BIN = 32  # where the nearest curve point is looked for
DIRECTIONS = 128  # of the sliced Wasserstein distance


class Measure(NamedTuple):
    """A measured number of samples, of fresh real data (floor) and of static (noise)."""

    value: float
    floor: float
    noise: float


# ---- points --------------------------------------------------------------------------------------


def spiral_report(x, turns=2.0, rng=None):
    """Four `Measure`s of points x (n, 2) by name, against the spiral with so many turns.

    distance: mean distance to the curve; distance_95: its 95th percentile; coverage: share of 64 equal arc lengths
    that hold the nearest curve point of a sample; wasserstein: sliced W1 to a fresh real set. All lengths are in
    units of the data's standard deviation. Floor and noise are measured on n points each, drawn from `rng`.

    >>> report = spiral_report(data.spiral(512, rng=np.random.default_rng(0)), rng=np.random.default_rng(1))
    >>> report["coverage"].value
    1.0
    """
    rng = np.random.default_rng() if rng is None else rng
    x = np.asarray(x)
    real, floor = data.spiral(len(x), turns, rng), data.spiral(len(x), turns, rng)
    noise = rng.standard_normal(x.shape)
    directions = rng.standard_normal((DIRECTIONS, 2))
    columns = [_spiral_numbers(points, real, directions, turns) for points in (x, floor, noise)]
    return {name: Measure(*(column[name] for column in columns)) for name in columns[0]}


def _spiral_numbers(x, real, directions, turns):
    distance = data.distance_to_spiral(x, turns)
    return {
        "distance": float(distance.mean()),
        "distance_95": float(np.quantile(distance, 0.95)),
        "coverage": coverage(x, turns),
        "wasserstein": sliced_wasserstein(x, real, directions),
    }


def coverage(x, turns=2.0):
    """The share of 64 equal arc lengths of the spiral in which the nearest curve point of some sample lies."""
    curve = data.spiral_curve(BINS * POINTS_A_BIN, turns)
    nearest = ((np.asarray(x)[:, None] - curve) ** 2).sum(-1).argmin(1)
    return len(np.unique(nearest // POINTS_A_BIN)) / BINS


def sliced_wasserstein(a, b, directions):
    """Mean over directions of the 1-Wasserstein distance between the projections of two sets of n points.

    In one dimension the best matching is by rank: W1 = mean |sorted a − sorted b|. Directions (m, d) are normalised.
    """
    if a.shape != b.shape:
        raise ValueError(f"the two sets must have the same shape, not {a.shape} and {b.shape}: draw as many.")
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return float(np.abs(np.sort(a @ unit.T, axis=0) - np.sort(b @ unit.T, axis=0)).mean())


# ---- pictures ------------------------------------------------------------------------------------


def picture_report(x, codes, train, test, classifier):
    """Three `Measure`s by name of pictures x (n, c, h, w) that were asked for by `codes` (n, k).

    frechet: of the classifier's features, against all training pictures; accuracy: share of the asked attributes
    that the classifier finds; distance: mean root-mean-square distance to the nearest training picture, in units of
    pixel values. `train` and `test` are (pictures, codes). The floor is of the first n held-out pictures, so give
    at most as many samples. A distance well under its floor means copies.
    """
    (train_x, _), (test_x, test_codes) = train, test
    n = len(x)
    if not 2 <= n <= len(test_x):
        raise ValueError(f"give 2 … {len(test_x)} samples (as many as there are held-out pictures), not {n}.")
    x = torch.as_tensor(x).clamp(-1, 1)  # as a screen would show it
    floor_x, floor_codes = torch.as_tensor(test_x[:n]), test_codes[:n]
    noise = torch.randn(floor_x.shape, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    real = features(classifier, train_x)
    columns = [
        {
            "frechet": frechet(features(classifier, pictures), real),
            "accuracy": accuracy(classifier, pictures, asked),
            "distance": float(nearest_distance(pictures, train_x).mean()),
        }
        for pictures, asked in ((x, codes), (floor_x, floor_codes), (noise, floor_codes))
    ]
    return {name: Measure(*(column[name] for column in columns)) for name in columns[0]}


@torch.no_grad()
def features(classifier, x):
    """The classifier's features (n, 64) of pictures x, in float64."""
    parts = torch.as_tensor(x, dtype=torch.float32).split(500)
    return torch.cat([classifier.features(part) for part in parts]).double()


def frechet(a, b):
    """‖μ_a − μ_b‖² + tr(C_a + C_b − 2 (C_a C_b)^½) of two sets of features (n, d): W2² of two Gaussians.

    The trace of the root is the sum of the roots of the eigenvalues of C_a^½ C_b C_a^½, which is symmetric.
    """
    cov_a, cov_b = torch.cov(a.T), torch.cov(b.T)
    root_a = _root(cov_a)
    shared = torch.linalg.eigvalsh(root_a @ cov_b @ root_a).clamp(min=0).sqrt().sum()
    means = ((a.mean(0) - b.mean(0)) ** 2).sum()
    return float(means + cov_a.trace() + cov_b.trace() - 2 * shared)


def nearest_distance(x, train):
    """Root-mean-square distance (n,) of each picture to the most similar training picture."""
    x, train = torch.as_tensor(x).flatten(1), torch.as_tensor(train).flatten(1)
    nearest = torch.cat([torch.cdist(part, train).min(dim=1).values for part in x.split(500)])
    return nearest / x.shape[1] ** 0.5


def _root(symmetric):
    values, vectors = torch.linalg.eigh(symmetric)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T
