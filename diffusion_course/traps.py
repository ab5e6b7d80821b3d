"""DDIM as four hands wrote it. Each walk has one fault at its edges, and each makes pictures.

All have the same task: walk x_T (n, …) to x_0 in `n` strokes with η between 0 and 1, drawing noise from `rng`. They are
material for lesson 6, where the faults are found without any network and repaired (`check.ddim_walk` names the one that
is left). Nothing else in the course uses them; `samplers.ddim` is what all of them mean to do.
"""

from itertools import pairwise

import numpy as np


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
