"""Six ways to make a training pair, as six hands wrote them. Each has one fault, and each will train.

All have the same task: from bytes 0 … 255 of any shape, the betas β_1 … β_T (so `beta[0]` is β_1), a step t
in 1 … T and a generator, return x_t and the noise ε in it. They are material for lesson 3, where the faults are
found and repaired (`check.training_pair` names the one that is left). Nothing else in the course uses them.
"""

import numpy as np


def pair_a(photos, beta, t, rng):
    """A training pair (x_t, ε)."""
    x0 = photos / 127.5 - 1
    alpha_bar = np.concatenate([[1.0], np.cumprod(beta)])
    eps = rng.standard_normal(x0.shape)
    return np.sqrt(alpha_bar[t]) * x0 + np.sqrt(1 - alpha_bar[t]) * eps, eps


def pair_b(photos, beta, t, rng):
    """A training pair (x_t, ε)."""
    x0 = photos / 255
    alpha_bar = np.concatenate([[1.0], np.cumprod(1 - beta)])
    eps = rng.standard_normal(x0.shape)
    return np.sqrt(alpha_bar[t]) * x0 + np.sqrt(1 - alpha_bar[t]) * eps, eps


def pair_c(photos, beta, t, rng):
    """A training pair (x_t, ε)."""
    x0 = photos / 127.5 - 1
    alpha_bar = np.concatenate([[1.0], np.cumprod(1 - beta)])
    eps = rng.standard_normal(x0.shape)
    return np.sqrt(alpha_bar[t]) * x0 + (1 - alpha_bar[t]) * eps, eps


def pair_d(photos, beta, t, rng):
    """A training pair (x_t, ε)."""
    x0 = photos / 127.5 - 1
    alpha_bar = np.concatenate([[1.0], np.cumprod(1 - beta)])
    eps = rng.standard_normal(x0.shape)
    return np.sqrt(alpha_bar[t - 1]) * x0 + np.sqrt(1 - alpha_bar[t - 1]) * eps, eps


def pair_e(photos, beta, t, rng):
    """A training pair (x_t, ε)."""
    x0 = photos / 127.5 - 1
    alpha_bar = np.concatenate([[1.0], np.cumprod(1 - beta)])
    eps = rng.random(x0.shape)
    return np.sqrt(alpha_bar[t]) * x0 + np.sqrt(1 - alpha_bar[t]) * eps, eps


def pair_f(photos, beta, t, rng):
    """A training pair (x_t, ε)."""
    x0 = photos / 127.5 - 1
    alpha_bar = np.concatenate([[1.0], np.cumprod(1 - beta[::-1])])
    eps = rng.standard_normal(x0.shape)
    return np.sqrt(alpha_bar[t]) * x0 + np.sqrt(1 - alpha_bar[t]) * eps, eps
