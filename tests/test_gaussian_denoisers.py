"""The exact denoisers of Gaussian data: Bayes' rule on a grid, least squares, and the ends of time."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from diffusion_course.denoisers import FullGaussianDenoiser, GaussianDenoiser
from diffusion_course.forward import add_noise
from diffusion_course.schedule import linear, zero_terminal_snr

SCHEDULE = linear()


@given(mean=st.floats(-3, 3), std=st.floats(0.1, 2), z=st.floats(-4, 4), t=st.integers(1, 1000))
def test_gaussian_is_bayes_rule_on_a_grid(mean, std, z, t):
    power, xt = SCHEDULE.at(t), mean + std * z
    x0 = mean + std * np.linspace(-12, 12, 24_001)  # at least 5 points in the narrowest spread, √β_1 = 0.01
    eps = (xt - power**0.5 * x0) / (1 - power) ** 0.5
    log_p = -((x0 - mean) ** 2) / (2 * std**2) - eps**2 / 2
    p = np.exp(log_p - log_p.max())
    model = GaussianDenoiser(mean, std, SCHEDULE)
    assert model(xt, t) == pytest.approx(p @ eps / p.sum(), abs=1e-7)
    assert model.x0_hat(np.array([xt]), t)[0] == pytest.approx(p @ x0 / p.sum(), abs=1e-7)


def test_gaussian_is_the_least_squares_fit():
    """No affine function of x_t predicts ε better: the residual is uncorrelated with x_t."""
    rng, n, t = np.random.default_rng(0), 100_000, 300
    x0, eps = 2 + 0.5 * rng.standard_normal(n), rng.standard_normal(n)
    xt = add_noise(x0, SCHEDULE.at(t), eps)
    residual = eps - GaussianDenoiser(2.0, 0.5, SCHEDULE)(xt, t)
    for product in (residual, residual * (xt - xt.mean())):
        assert abs(product.mean()) < 4 * product.std() / n**0.5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_gaussian_of_arrays_one_step_a_sample_keeps_type(dtype):
    mean, std, t = np.array([2.0, -1.0]), np.array([0.3, 0.5]), [1, 500, 1000]
    xt = np.random.default_rng(1).standard_normal((3, 2)).astype(np.float16).astype(float)
    model = GaussianDenoiser(mean, std, SCHEDULE)
    for method in ("__call__", "x0_hat"):
        answer = getattr(model, method)(torch.tensor(xt, dtype=dtype), torch.tensor(t))
        assert answer.dtype == (torch.float32 if dtype == torch.float16 else dtype)
        one_by_one = [
            [getattr(GaussianDenoiser(mean[j], std[j], SCHEDULE), method)(xt[i, j], t[i]) for j in (0, 1)]
            for i in range(3)
        ]
        np.testing.assert_allclose(getattr(model, method)(xt, t), one_by_one, rtol=1e-12)
        np.testing.assert_allclose(answer, one_by_one, atol=1e-5)


def test_half_precision_is_widened_also_where_all_else_are_numbers():
    xt = np.linspace(-2, 2, 5)
    for half in (torch.tensor(xt, dtype=torch.bfloat16), xt.astype(np.float16)):
        for method in (GaussianDenoiser(2.0, 0.5, SCHEDULE), GaussianDenoiser(2.0, 0.5, SCHEDULE).x0_hat):
            assert method(half, 300).dtype in (torch.float32, np.float32)
            np.testing.assert_allclose(method(half, 300), method(xt, 300), atol=1e-6)


def test_gaussian_without_spread_finds_the_noise():
    x0, eps = np.full(5, 3.0), np.random.default_rng(2).standard_normal(5)
    xt = add_noise(x0, SCHEDULE.at(40), eps)
    np.testing.assert_allclose(GaussianDenoiser(3.0, 0.0, SCHEDULE)(xt, 40), eps, atol=1e-12)


# Gaussian data whose coordinates vary together.

MEAN, COV = np.array([1.0, -2.0, 0.5]), np.array([[1.0, 0.6, 0.0], [0.6, 0.5, 0.1], [0.0, 0.1, 2.0]])


@pytest.mark.parametrize("t", [1, 30, 400, 1000])
@pytest.mark.parametrize("cov", [COV, np.outer(MEAN, MEAN)], ids=["full", "of rank 1"])
def test_full_gaussian_is_conditioning_of_the_joint_gaussian(cov, t):
    """x_t and x_0 are jointly Gaussian: E[x_0 | x_t] = mean + cov(x_0, x_t) cov(x_t)⁻¹ (x_t − √ᾱ mean)."""
    power, xt = SCHEDULE.at(t), np.random.default_rng(3).standard_normal((4, 3))
    model = FullGaussianDenoiser(MEAN, cov, SCHEDULE)
    regression = power**0.5 * cov @ np.linalg.inv(power * cov + (1 - power) * np.eye(3))
    x0_hat = MEAN + (xt - power**0.5 * MEAN) @ regression.T
    np.testing.assert_allclose(model.x0_hat(xt, t), x0_hat, atol=1e-9)
    np.testing.assert_allclose(model(xt, t), (xt - power**0.5 * x0_hat) / (1 - power) ** 0.5, atol=1e-9)
    for dtype, tolerance in ((torch.float64, 1e-9), (torch.float32, 1e-4)):
        tensors = model.x0_hat(torch.tensor(xt, dtype=dtype), torch.full((4,), t))
        assert tensors.dtype == dtype
        np.testing.assert_allclose(tensors, x0_hat, atol=tolerance)


def test_full_gaussian_is_the_least_squares_fit():
    rng, n, t = np.random.default_rng(4), 50_000, 300
    x0, eps = rng.multivariate_normal(MEAN, COV, n), rng.standard_normal((n, 3))
    xt = add_noise(x0, SCHEDULE.at(t), eps)
    for residual in (
        eps - FullGaussianDenoiser(MEAN, COV, SCHEDULE)(xt, t),
        x0 - FullGaussianDenoiser(MEAN, COV, SCHEDULE).x0_hat(xt, t),
    ):
        products = residual[:, :, None] * np.concatenate([np.ones((n, 1)), xt - xt.mean(0)], 1)[:, None]
        assert (np.abs(products.mean(0)) < 4 * products.std(0) / n**0.5).all()


def test_a_small_covariance_that_is_not_symmetric_is_refused():
    with refused("symmetric"):
        FullGaussianDenoiser(0.0, [[1e-9, 9e-10], [-9e-10, 1e-9]], SCHEDULE)


def test_a_diagonal_covariance_is_the_plain_gaussian():
    xt, std = np.random.default_rng(5).standard_normal((4, 3)), np.array([0.0, 0.5, 2.0])
    for t in (1, [1, 10, 500, 1000]):
        full = FullGaussianDenoiser(0.5, np.diag(std**2), SCHEDULE)(xt, t)
        np.testing.assert_allclose(full, GaussianDenoiser(0.5, std, SCHEDULE)(xt, t), atol=1e-12)


def test_zero_terminal_snr_has_the_mean_as_the_only_guess():
    end, xt = zero_terminal_snr(SCHEDULE), np.random.default_rng(13).standard_normal((4, 3))
    for model in (GaussianDenoiser(MEAN, 0.5, end), FullGaussianDenoiser(MEAN, COV, end)):
        np.testing.assert_allclose(model.x0_hat(xt, 1000), np.broadcast_to(MEAN, (4, 3)), atol=1e-12)
        np.testing.assert_allclose(model(xt, 1000), xt, atol=1e-12)


def test_samples_that_its_mean_or_spread_does_not_fit_are_refused():
    for xt in (np.zeros((4, 2)), torch.zeros(4, 2)):
        with refused("mean of shape (3,)", "xt of shape (4, 2)"):
            GaussianDenoiser([0.0, 1.0, 2.0], 1.0, SCHEDULE)(xt, 5)
        with refused("std of shape (1, 4, 2)"):
            GaussianDenoiser(0.0, np.ones((1, 4, 2)), SCHEDULE).x0_hat(xt, 5)
    for wrong in ([0.0], "a"):
        with refused("xt must be a float", wrong):
            GaussianDenoiser(0.0, 1.0, SCHEDULE)(wrong, 5)
    for other in (None, SCHEDULE.alpha_bar):
        with refused("must be a Schedule"):
            GaussianDenoiser(0.0, 1.0, other)
