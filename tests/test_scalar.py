"""The scalar program against the arrays, stage by stage: it is the specification."""

import random

import numpy as np
import pytest

from diffusion_course import forward, samplers, scalar, schedule
from diffusion_course.denoisers import IdealDenoiser

DATA = [-1.0, 0.25, 1.5]
KEPT = scalar.alpha_bar(scalar.linear_beta())


class Recorded:
    """A stand-in for `random.Random` that hands out the numbers of an array."""

    def __init__(self, numbers):
        self.numbers = iter(numbers)

    def gauss(self, mean, spread):
        return mean + spread * float(next(self.numbers))


def noise_variance(beta):
    """Variance of the noise in x_t, by the chain's own bookkeeping: old noise shrinks, new noise joins."""
    variances, variance = [], 0.0
    for beta_t in beta:
        variance = (1 - beta_t) * variance + beta_t
        variances.append(variance)
    return variances


def ideal(x, t):
    return scalar.ideal_eps(x, KEPT[t], DATA)


@pytest.mark.parametrize("T", [1, 2, 20, 1000])
@pytest.mark.filterwarnings("ignore::diffusion_course.schedule.TerminalSNRWarning")
def test_schedule(T):
    arrays = schedule.linear(T)
    beta = scalar.linear_beta(T)
    np.testing.assert_allclose(beta, arrays.beta, atol=1e-15)
    np.testing.assert_allclose(scalar.alpha_bar(beta), arrays.alpha_bar, rtol=1e-12)
    assert len(beta) == T + 1
    assert beta[0] == 0
    assert scalar.alpha_bar(beta)[0] == 1


def test_noise_variance_is_one_minus_alpha_bar_and_has_the_published_values():
    variance = noise_variance(scalar.linear_beta())
    np.testing.assert_allclose(variance, 1 - schedule.linear().alpha_bar, atol=1e-12)
    published = [0.0001, 0.4786, 0.9222, 0.9967, 1.0000]  # counted from 0, so index i is t = i + 1
    np.testing.assert_allclose([variance[i + 1] for i in (0, 250, 500, 750, 999)], published, atol=5e-5)


def test_bury_is_the_array_chain():
    beta = scalar.linear_beta()
    eps = np.random.default_rng(0).standard_normal(1000)
    x, path = 1.0, [1.0]
    for t in range(1, 1001):
        x = forward.noise_step(x, beta[t], eps[t - 1])
        path.append(x)
    np.testing.assert_allclose(scalar.noising_chain(1.0, beta, Recorded(eps)), path, atol=1e-12)


def test_bury_has_the_moments_of_the_closed_form():
    beta, n, rng = scalar.linear_beta(40, 1e-3, 0.1), 8_000, random.Random(0)
    ends = np.array([scalar.noising_chain(2.0, beta, rng)[-1] for _ in range(n)])
    mean = scalar.add_noise(2.0, scalar.alpha_bar(beta)[-1], 0.0)
    variance = noise_variance(beta)[-1]
    assert abs(ends.mean() - mean) < 4 * (variance / n) ** 0.5
    assert abs(ends.var(ddof=1) - variance) < 4 * variance * (2 / (n - 1)) ** 0.5


def test_a_buried_number_does_not_shrink_to_nothing():
    ends = np.array([scalar.noising_chain(1.0, scalar.linear_beta(), random.Random(seed))[-1] for seed in range(200)])
    assert abs(ends.var(ddof=1) - 1) < 4 * (2 / 199) ** 0.5


@pytest.mark.parametrize("t", [1, 2, 250, 999, 1000])
@pytest.mark.parametrize("xt", [-2.0, 0.1, 1.0])
def test_ideal_eps(t, xt):
    exact = IdealDenoiser(np.array(DATA)[:, None], schedule.linear())
    assert float(exact(np.array([[xt]]), t)[0, 0]) == pytest.approx(ideal(xt, t), rel=1e-6)


def test_posterior_at_step_1_is_certain():
    assert scalar.posterior(0.3, 9.0, scalar.linear_beta(), t=1) == (0.3, 0.0)


def test_ddpm_is_the_array_sampler():
    arrays, rng = schedule.linear(), np.random.default_rng(1)
    walk = [float(x) for x in samplers.ddpm(ideal, arrays, 0.4, rng=rng)]
    same_noise = Recorded(np.random.default_rng(1).standard_normal(1000))
    np.testing.assert_allclose(scalar.ddpm(ideal, scalar.linear_beta(), 0.4, same_noise), walk, atol=1e-6)


def test_ddpm_ends_on_the_data():
    beta = scalar.linear_beta(100, 1e-3, 0.2)
    kept = scalar.alpha_bar(beta)

    def exact(x, t):
        return scalar.ideal_eps(x, kept[t], DATA)

    ends = [scalar.ddpm(exact, beta, seed - 4.0, random.Random(seed))[-1] for seed in range(9)]
    assert all(min(abs(end - x) for x in DATA) < 1e-3 for end in ends)
    assert len({round(end, 2) for end in ends}) > 1
