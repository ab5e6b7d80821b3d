"""Six ways to make a training pair, as six hands wrote them. Each has one fault, and each will train.

All have the same task: from bytes 0 … 255 of any shape, the betas β_1 … β_T (so `beta[0]` is β_1), a step t
in 1 … T and a generator, return x_t and the noise ε in it. They are material for lesson 3, where the faults are
found and repaired (`check.training_pair` names the one that is left). Nothing else in the course uses them.
"""

from itertools import pairwise

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


"""DDIM as four hands wrote it. Each walk has one fault at its edges, and each makes pictures.

All have the same task: walk x_T (n, …) to x_0 in `n` strokes with η between 0 and 1, drawing noise from `rng`. They are
material for lesson 6, where the faults are found without any network and repaired (`check.ddim_walk` names the one that
is left). Nothing else in the course uses them; `samplers.ddim` is what all of them mean to do.
"""



def walk_a(model, schedule, x, n, eta, rng):
    """x_0 after n strokes of DDIM."""
    alpha_bar = schedule.alpha_bar
    stride = -(-schedule.T // n)  # T / n, rounded up
    for t, s in pairwise(schedule.T - stride * np.arange(n + 1)):
        eps_hat = model(x, t)
        x0_hat = (x - (1 - alpha_bar[t]) ** 0.5 * eps_hat) / alpha_bar[t] ** 0.5
        sigma2 = eta**2 * (1 - alpha_bar[s]) / (1 - alpha_bar[t]) * (1 - alpha_bar[t] / alpha_bar[s])
        x = alpha_bar[s] ** 0.5 * x0_hat + (1 - alpha_bar[s] - sigma2) ** 0.5 * eps_hat
        x = x + sigma2**0.5 * rng.standard_normal(x.shape)
    return x


def walk_b(model, schedule, x, n, eta, rng):
    """x_0 after n strokes of DDIM."""
    alpha_bar = schedule.alpha_bar
    for t, s in pairwise(schedule.steps(n)):
        eps_hat = model(x, t)
        x0_hat = (x - (1 - alpha_bar[t]) ** 0.5 * eps_hat) / alpha_bar[t] ** 0.5
        sigma2 = eta**2 * (1 - alpha_bar[s]) / (1 - alpha_bar[t]) * (1 - alpha_bar[t] / alpha_bar[s])
        x = alpha_bar[s] ** 0.5 * x0_hat + (1 - alpha_bar[s] - sigma2) ** 0.5 * eps_hat
        if t > 0:  # no noise at the end
            x = x + eta * (1 - alpha_bar[t] / alpha_bar[s]) ** 0.5 * rng.standard_normal(x.shape)
    return x


def walk_c(model, schedule, x, n, eta, rng):
    """x_0 after n strokes of DDIM."""
    alpha_bar = schedule.alpha_bar
    for t, s in pairwise(schedule.steps(n)):
        eps_hat = model(x, t)
        x0_hat = (x - (1 - alpha_bar[t]) ** 0.5 * eps_hat) / alpha_bar[t] ** 0.5
        sigma2 = (1 - alpha_bar[s]) / (1 - alpha_bar[t]) * (1 - alpha_bar[t] / alpha_bar[s])
        x = alpha_bar[s] ** 0.5 * x0_hat + (1 - alpha_bar[s] - sigma2) ** 0.5 * eps_hat
        x = x + sigma2**0.5 * rng.standard_normal(x.shape)
    return x


def walk_d(model, schedule, x, n, eta, rng):
    """x_0 after n strokes of DDIM."""
    alpha_bar = schedule.alpha_bar
    for t, s in pairwise(schedule.steps(n)):
        eps_hat = model(x, t)
        x0_hat = (x - (1 - alpha_bar[t]) ** 0.5 * eps_hat) / alpha_bar[t] ** 0.5
        kept = alpha_bar[max(s, 1)]
        sigma2 = eta**2 * (1 - kept) / (1 - alpha_bar[t]) * max(1 - alpha_bar[t] / kept, 0)
        x = kept**0.5 * x0_hat + (1 - kept - sigma2) ** 0.5 * eps_hat
        x = x + sigma2**0.5 * rng.standard_normal(x.shape)
    return x
