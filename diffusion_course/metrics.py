"""How good are samples? Numbers, each to be read beside its floor and its ceiling.

The floor is the same number for as many fresh real data, the ceiling that of pure noise: `run.judges.report` gives all
three. They depend on n: the coverage of real points is 0.39 with 32 of them and 1.0 with 512, and the Fréchet distance
of finite sets is too large, the more so the fewer they are.

Sources: Heusel et al. 2017 (arXiv:1706.08500) for the Fréchet distance of features; Bonneel et al. 2015
(doi:10.1007/s10851-014-0506-3) for the sliced Wasserstein distance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import data
from .base.refusals import as_pictures, numbers_of, tensor_of

BINS = 64  # equal arc lengths of the spiral; 512 real points leave one empty once in 50 sets
POINTS_A_BIN = 32  # where the nearest curve point is looked for
DIRECTIONS = 128  # of the sliced Wasserstein distance
PART = 500  # pictures looked at together


def spiral_numbers(x: Any, real: Any, directions: Any) -> dict[str, float]:
    """Four numbers by name of points x (n, 2), against the spiral: lengths are in units of the data's deviation.

    distance: mean distance to the curve; distance_95: its 95th percentile; coverage: share of 64 equal arc lengths
    that hold the nearest curve point of a sample; wasserstein: *sliced* W1 to the real points (n, 2), along directions
    (m, 2): a shift by 1 counts 2/π.
    """
    distance = distance_to_spiral(x)
    return {
        "distance": float(distance.mean()),
        "distance_95": float(np.quantile(distance, 0.95)),
        "coverage": coverage(x),
        "wasserstein": sliced_wasserstein(x, real, directions),
    }


def distance_to_spiral(x: Any) -> np.ndarray:
    """Distance (n,) from each point of x (n, 2) to the nearest point of the spiral's curve.

    Squared distance from a point at polar (ρ, φ) to the raw curve at angle θ, with Δ = θ − φ:
    f = (θ − ρ)² + 4 θ ρ sin²(Δ/2),   f′ = 2 (θ − ρ cos Δ + θ ρ sin Δ).
    In each quarter of a turn, counted from φ, the best of nine angles brackets a root of f′, found by bisection.

    >>> float(distance_to_spiral(data.spiral(5)).max()) < 1e-6
    True
    """
    shape = data.spiral_shape()
    raw, last = numbers_of(x, (None, 2), "x") * shape.scale + shape.centre, shape.angles[-1]
    rho = np.hypot(raw[:, 0], raw[:, 1])[:, None]
    phi = np.arctan2(raw[:, 1], raw[:, 0])[:, None]

    def squared(theta):
        return (theta - rho) ** 2 + 4 * theta * rho * np.sin((theta - phi) / 2) ** 2

    distances = []
    for quarter in range(-2, 11):
        knots = np.clip(phi + np.pi / 2 * (quarter + np.arange(-4, 5) / 8), 0, last)
        best = np.take_along_axis(knots, squared(knots).argmin(axis=1, keepdims=True), axis=1)
        low, high = np.clip([best - np.pi / 16, best + np.pi / 16], 0, last)
        for _ in range(30):
            middle = (low + high) / 2
            delta = middle - phi
            falling = middle - rho * np.cos(delta) + middle * rho * np.sin(delta) < 0
            low, high = np.where(falling, middle, low), np.where(falling, high, middle)
        distances.append(np.sqrt(squared((low + high) / 2)) / shape.scale)
    return np.min(distances, axis=0)[:, 0]


def coverage(x: Any) -> float:
    """The share of 64 equal arc lengths of the spiral in which the nearest curve point of some sample lies."""
    curve = data.spiral_curve(BINS * POINTS_A_BIN)
    parts = np.array_split(numbers_of(x, (None, 2), "x"), len(x) // PART + 1)
    nearest = np.concatenate([((part[:, None] - curve) ** 2).sum(-1).argmin(1) for part in parts])
    return len(np.unique(nearest // POINTS_A_BIN)) / BINS


def sliced_wasserstein(a: Any, b: Any, directions: Any) -> float:
    """Sliced W1 of two sets (n, d): the mean over directions (m, d) of the W1 of their projections.

    In one dimension the best matching is by rank: W1 = mean |sorted a − sorted b|. Directions are normalised.
    """
    sets = {"a": a, "b": b, "directions": directions}
    a, b, directions = (numbers_of(x, (None, None), name) for name, x in sets.items())
    if a.shape != b.shape or directions.shape[1] != a.shape[1]:
        raise ValueError(f"the sets have shapes {a.shape} and {b.shape}, directions {directions.shape}: draw as many.")
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError("a direction is 0: draw directions from a normal distribution.")
    unit = (directions / lengths).T
    return float(np.abs(np.sort(a @ unit, axis=0) - np.sort(b @ unit, axis=0)).mean())


@torch.no_grad()
def features(classifier: Any, x: Any) -> Tensor:
    """The classifier's features (n, 64) of pictures x, in float64."""
    return torch.cat([classifier.features(part) for part in as_pictures(x).split(PART)]).double()


def frechet(a: Any, b: Any) -> float:
    """‖μ_a − μ_b‖² + tr(C_a + C_b − 2 (C_a C_b)^½) of two sets of features (n, d): W2² of two Gaussians.

    The trace of the root is the sum of the roots of the eigenvalues of C_a^½ C_b C_a^½, which is symmetric.
    """
    a, b = (tensor_of(features, "a set of features").double() for features in (a, b))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(f"give two sets of features (n, d) with n ≥ 2, not {tuple(a.shape)} and {tuple(b.shape)}.")
    if not (a.isfinite().all() and b.isfinite().all()):
        raise ValueError("the features hold NaN or infinity: look at the samples they come from.")
    cov_a, cov_b = torch.cov(a.T).reshape(a.shape[1], -1), torch.cov(b.T).reshape(a.shape[1], -1)
    values, vectors = torch.linalg.eigh(cov_a)
    root_a = vectors * values.clamp(min=0).sqrt() @ vectors.T
    shared = torch.linalg.eigvalsh(root_a @ cov_b @ root_a).clamp(min=0).sqrt().sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + cov_a.trace() + cov_b.trace() - 2 * shared)


def nearest_distance(x: Any, train: Any) -> Tensor:
    """Root-mean-square distance (n,) of each picture to the most similar training picture."""
    x, train = as_pictures(x).flatten(1).double(), as_pictures(train, "train").flatten(1).double()  # a copy is at 0
    if x.shape[1] != train.shape[1]:
        raise ValueError(f"pictures of {x.shape[1]} numbers cannot be compared with pictures of {train.shape[1]}.")
    return torch.cat([torch.cdist(part, train).amin(dim=1) for part in x.split(PART)]).float() / x.shape[1] ** 0.5


@torch.no_grad()
def accuracy(model: Any, x: Any, codes: Any) -> float:
    """Share of right answers over all pictures x and all attributes `codes` (n, k) or (n,); −1 is not counted."""
    pictures, codes = as_pictures(x), tensor_of(codes, "codes")
    if codes.shape[:1] != pictures.shape[:1] or not (codes >= 0).any():
        raise ValueError(f"codes {tuple(codes.shape)} for {len(pictures)} pictures: give one each that says something.")
    found = torch.cat([model.predict(part) for part in pictures.split(PART)])
    if (codes := codes.reshape(len(found), -1)).shape != found.shape:
        raise ValueError(f"codes must have shape {tuple(found.shape)}, as the model answers, not {tuple(codes.shape)}.")
    return (found == codes)[codes >= 0].float().mean().item()
