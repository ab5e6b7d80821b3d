"""The whole route in plain Python floats: slow, obvious, and the specification the rest is tested against.

No NumPy, no torch: `math`, `random` and lists. Lists over t have T+1 entries, index 0 is the clean start.
"""

import math
from collections.abc import Callable
from random import Random


def linear_beta(T: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02) -> list[float]:
    """β_0 … β_T: β_0 = 0 (nothing happens before step 1), then a straight line from β_1 to β_T."""
    rise = (beta_end - beta_start) / max(T - 1, 1)
    return [0.0] + [beta_start + rise * (t - 1) for t in range(1, T + 1)]


def alpha_bar(beta: list[float]) -> list[float]:
    """ᾱ_0 … ᾱ_T: the running product of (1 − β_s), s ≤ t."""
    kept, power = [], 1.0
    for beta_t in beta:
        power = power * (1 - beta_t)
        kept.append(power)
    return kept


def noising_chain(x0: float, beta: list[float], rng: Random) -> list[float]:
    """The forward chain x_0 … x_T, one step at a time: shrink by √(1−β_t), then add noise of variance β_t."""
    path = [x0]
    for beta_t in beta[1:]:
        path.append(math.sqrt(1 - beta_t) * path[-1] + math.sqrt(beta_t) * rng.gauss(0, 1))
    return path


def add_noise(x0: float, alpha_bar_t: float, eps: float) -> float:
    """The closed form: t steps in one."""
    return math.sqrt(alpha_bar_t) * x0 + math.sqrt(1 - alpha_bar_t) * eps


def x0_from_eps(xt: float, alpha_bar_t: float, eps: float) -> float:
    """The closed form solved for x_0."""
    return (xt - math.sqrt(1 - alpha_bar_t) * eps) / math.sqrt(alpha_bar_t)


def posterior(x0: float, xt: float, beta: list[float], t: int) -> tuple[float, float]:
    """Mean and variance of q(x_{t−1} | x_t, x_0): the product of two Gaussians in x_{t−1}.

    One says that x_{t−1} came from x_0 (mean √ᾱ_{t−1} x_0, variance 1−ᾱ_{t−1}), the other that x_t came from
    x_{t−1} (mean x_t/√α_t, variance β_t/α_t). Precisions add; the mean is weighted by them.
    """
    alpha_t, before = 1 - beta[t], alpha_bar(beta)[t - 1]
    if before == 1:
        return x0, 0.0  # t = 1: x_0 is known, so x_{t−1} = x_0 is certain
    from_x0, from_xt = 1 / (1 - before), alpha_t / beta[t]
    mean = (from_x0 * math.sqrt(before) * x0 + from_xt * xt / math.sqrt(alpha_t)) / (from_x0 + from_xt)
    return mean, 1 / (from_x0 + from_xt)


def ideal_eps(xt: float, alpha_bar_t: float, data: list[float]) -> float:
    """E[ε | x_t] when x_0 is one of `data`, each equally likely: Bayes' rule, term by term."""
    squares = [(xt - math.sqrt(alpha_bar_t) * x) ** 2 for x in data]
    nearest = min(squares)  # a factor that all terms share: it cancels, and keeps one of them at exp(0) = 1
    likelihood = [math.exp((nearest - square) / (2 * (1 - alpha_bar_t))) for square in squares]
    x0_hat = sum(w * x for w, x in zip(likelihood, data, strict=True)) / sum(likelihood)
    return (xt - math.sqrt(alpha_bar_t) * x0_hat) / math.sqrt(1 - alpha_bar_t)


def ddpm(model: Callable[[float, int], float], beta: list[float], xT: float, rng: Random) -> list[float]:
    """The reverse walk x_T … x_0: guess x_0, draw x_{t−1} from the posterior; no noise in the last step."""
    kept, path = alpha_bar(beta), [xT]
    for t in range(len(beta) - 1, 0, -1):
        x0_hat = x0_from_eps(path[-1], kept[t], model(path[-1], t))
        mean, variance = posterior(x0_hat, path[-1], beta, t)
        path.append(mean + math.sqrt(variance) * rng.gauss(0, 1))
    return path
