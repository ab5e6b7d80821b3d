"""Samplers: with an exact denoiser the samples have the right law, and every step is its formula."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import (
    EXACT,
    MEAN,
    ODE_SAMPLERS,
    SAMPLERS,
    SCHEDULE,
    SCHEDULES,
    STD,
    assert_moments,
    end,
    rng,
)

from diffusion_course.denoisers import FullGaussianDenoiser, GaussianDenoiser, IdealDenoiser
from diffusion_course.forward import add_noise, posterior_variance, step_variance, x0_from_eps
from diffusion_course.samplers import (
    ddim,
    ddim_step,
    ddpm,
    ddpm_step,
    dpm_solver,
    dpm_solver_step,
    heun,
    heun_step,
)

every_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
every_ode_sampler = pytest.mark.parametrize("sampler", ODE_SAMPLERS.values(), ids=ODE_SAMPLERS)


# The law of the samples.


@every_schedule
@pytest.mark.parametrize("eta", [None, 0.0, 0.5])  # 1.0 is ddpm, see below
def test_all_steps_with_the_exact_denoiser_return_the_data_distribution(schedule, eta):
    """At 1000 steps the discretisation bias is below 2 standard errors of 10,000 samples."""
    model, options = GaussianDenoiser(MEAN, STD, schedule), {} if eta is None else {"eta": eta}
    xT = rng().standard_normal(10_000)
    x0 = end(ddpm if eta is None else ddim, model, schedule, xT, steps=1000, rng=rng(1), **options)
    assert_moments(x0, MEAN, STD**2)


@pytest.mark.parametrize(
    ("name", "share", "options"),
    [("ddpm", 1.0, {}), ("ddpm-wide", None, {}), *(("ddim", eta**2, {"eta": eta}) for eta in (0.0, 0.5, 1.0))],
)
@pytest.mark.parametrize("n", [1, 2, 7, 50])
def test_few_steps_have_the_law_that_the_algorithm_box_gives(name, share, options, n):
    """With an affine denoiser each step is affine, so mean and variance obey a short recursion.

    This knows the bias of few steps exactly. The mean of a step is DDIM's equation 12, with σ² = share · β̃;
    DDPM has the mean of share 1, and the fresh noise β̃ or, wide, β.
    """
    power = SCHEDULE.alpha_bar
    mean, variance = 0.0, 1.0
    for t, s in pairwise([round(i * 1000 / n) for i in range(n, -1, -1)]):
        total = power[t] * STD**2 + 1 - power[t]
        beta = 1 - power[t] / power[s]
        sigma2 = (1.0 if share is None else share) * (1 - power[s]) / (1 - power[t]) * beta
        to_x0 = power[t] ** 0.5 * STD**2 / total  # E[x_0|x_t] = MEAN + to_x0 (x_t − √ᾱ_t MEAN)
        to_eps = (1 - power[t]) ** 0.5 / total  # E[ε|x_t] = to_eps (x_t − √ᾱ_t MEAN)
        slope = power[s] ** 0.5 * to_x0 + (1 - power[s] - sigma2) ** 0.5 * to_eps
        mean = power[s] ** 0.5 * MEAN + slope * (mean - power[t] ** 0.5 * MEAN)
        variance = slope**2 * variance + (beta if share is None and s > 0 else sigma2)
    x0 = end(SAMPLERS[name], EXACT, SCHEDULE, rng(2).standard_normal(20_000), steps=n, rng=rng(3), **options)
    assert_moments(x0, mean, variance)


def test_every_yield_of_ddpm_has_the_noised_distribution():
    for t, x in zip(range(1000, -1, -1), ddpm(EXACT, SCHEDULE, rng().standard_normal(5_000), rng=rng(4)), strict=True):
        if t % 100 == 0:
            power = SCHEDULE.at(t)
            assert_moments(x, power**0.5 * MEAN, power * STD**2 + 1 - power)


@every_sampler
def test_correlated_data_come_back_correlated(sampler):
    """5,000 samples by 200 steps: mean and covariance within 4 standard errors and what 200 steps are off, 0.02."""
    cov, n = np.array([[1.0, 0.9], [0.9, 1.0]]), 5000
    model = FullGaussianDenoiser([1.0, -1.0], cov, SCHEDULE)
    steps = SCHEDULE.steps(200, "logsnr")
    x0 = end(sampler, model, SCHEDULE, rng(5).standard_normal((n, 2)), steps=steps, rng=rng(6))
    assert np.abs(x0.mean(0) - [1, -1]).max() < 4 / n**0.5 + 0.02
    assert np.abs(np.cov(x0.T) - cov).max() < 4 * (2 / n) ** 0.5 + 0.02


@every_sampler
def test_the_ideal_denoiser_leads_to_the_data(sampler):
    data = rng(5).uniform(-1, 1, (6, 2))
    x0 = end(sampler, IdealDenoiser(data, SCHEDULE), SCHEDULE, rng(6).standard_normal((60, 2)), steps=250, rng=rng(7))
    distance = np.linalg.norm(x0[:, None] - data, axis=-1)
    assert distance.min(1).max() < 0.01
    assert len(set(distance.argmin(1))) == 6  # and to all of them


def test_starting_in_the_middle():
    clean = MEAN + STD * rng(9).standard_normal(20_000)
    xt = add_noise(clean, SCHEDULE.at(400), rng(10).standard_normal(20_000))
    assert_moments(end(ddpm, EXACT, SCHEDULE, xt, steps=np.arange(400, -1, -1), rng=rng(11)), MEAN, STD**2)


# The steps.


@every_sampler
@pytest.mark.parametrize("steps", [1, 10, [1000, 400, 250, 0], [1000, 1, 0]], ids=str)
def test_the_last_item_is_the_predicted_x0(sampler, steps):
    """No noise on the last step, and ᾱ_0 = 1 there, not ᾱ_1."""
    *_, before, x0 = sampler(EXACT, SCHEDULE, rng().standard_normal(50), steps=steps, rng=rng(1))
    t = steps[-2] if isinstance(steps, list) else 1000 // steps
    np.testing.assert_allclose(x0, x0_from_eps(before, SCHEDULE.at(t), EXACT(before, t)), atol=1e-10)


@every_schedule
@pytest.mark.parametrize("steps", [1000, 7, [1000, 600, 100, 3, 0]], ids=str)
def test_ddim_with_eta_1_is_ddpm_with_the_same_noise(schedule, steps):
    model, xT = GaussianDenoiser(MEAN, STD, schedule), rng().standard_normal(20)
    paths = (
        ddpm(model, schedule, xT, steps=steps, rng=rng(8)),
        ddim(model, schedule, xT, steps=steps, eta=1.0, rng=rng(8)),
    )
    for x, y in zip(*paths, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-6)


def test_ddim_with_eta_0_is_deterministic_and_otherwise_not():
    def ends(eta, seed):
        return end(ddim, EXACT, SCHEDULE, np.linspace(-2, 2, 9), eta=eta, rng=rng(seed))

    np.testing.assert_array_equal(ends(0.0, 1), ends(0.0, 2))
    assert np.abs(ends(0.1, 1) - ends(0.1, 2)).min() > 0
    np.testing.assert_array_equal(ends(0.1, 1), ends(0.1, 1))


def test_steps_of_ddpm_and_ddim_are_their_formulas():
    x0_hat, eps_hat, z = rng(12).standard_normal((3, 5))
    a_t, a_s = SCHEDULE.at(700), SCHEDULE.at(400)
    xt = add_noise(x0_hat, a_t, eps_hat)
    wide, narrow = step_variance(a_t, a_s), posterior_variance(a_t, a_s)
    for eta in (0.0, 0.3, 1.0):
        fresh = eta**2 * narrow
        expected = a_s**0.5 * x0_hat + (1 - a_s - fresh) ** 0.5 * eps_hat + fresh**0.5 * z
        np.testing.assert_allclose(ddim_step(xt, x0_hat, 700, 400, SCHEDULE, z, eta), expected, atol=1e-12)
    np.testing.assert_allclose(ddpm_step(xt, x0_hat, 700, 400, SCHEDULE, z), expected, atol=1e-12)  # that of η = 1
    expected += (wide**0.5 - narrow**0.5) * z
    np.testing.assert_allclose(ddpm_step(xt, x0_hat, 700, 400, SCHEDULE, z, step_variance), expected, atol=1e-12)
    np.testing.assert_array_equal(ddpm_step(xt, x0_hat, 5, 0, SCHEDULE, z, step_variance), x0_hat)


def test_steps_of_ddim_and_heun_are_the_ode_in_sigma():
    """x̄_s = x̄_t + (σ_s − σ_t) slope, with Euler's one slope and with the mean of Heun's two."""
    signal, sigma = SCHEDULE.alpha_bar**0.5, SCHEDULE.snr**-0.5
    xT, t, s = rng().standard_normal(20), 700, 400

    def follow(slope):
        return signal[s] * (xT / signal[t] + (sigma[s] - sigma[t]) * slope)

    there = follow(EXACT(xT, t))
    mean = (EXACT(xT, t) + EXACT(there, s)) / 2
    np.testing.assert_allclose(ddim_step(xT, EXACT.x0_hat(xT, t), t, s, SCHEDULE), there, atol=1e-12)
    np.testing.assert_allclose(list(ddim(EXACT, SCHEDULE, xT, [t, s, 0]))[1], there, atol=1e-12)
    np.testing.assert_allclose(list(heun(EXACT, SCHEDULE, xT, [t, s, 0]))[1], follow(mean), atol=1e-12)
    stepped = heun_step(xT, EXACT.x0_hat(xT, t), t, s, SCHEDULE, EXACT.x0_hat)
    np.testing.assert_allclose(stepped, follow(mean), atol=1e-12)


@pytest.mark.parametrize("steps", [1, 7, 50, 1000, [1000, 600, 100, 3, 0]], ids=str)
def test_first_order_dpm_is_ddim_without_noise(steps):
    xT = rng().standard_normal(20)
    path = dpm_solver(EXACT, SCHEDULE, xT, steps, order=1)
    for x, y in zip(path, ddim(EXACT, SCHEDULE, xT, steps), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-9)


@pytest.mark.parametrize(("order", "power"), [(1, 0), (2, 1), (3, 2)])
@pytest.mark.parametrize("start", [1000, 700])
def test_dpm_solver_integrates_guesses_that_are_polynomials(order, power, start):
    """A step of order k is exact where x̂_0 is a power of u up to k − 1 (order 2: its half-way value instead).

    The integral ∫ e^{u−u_s} u^p du is taken by brute force: Simpson's rule on 2,000 intervals.
    """
    times, u = [start, 500, 300, 200, 0], SCHEDULE.log_snr / 2

    def model(xt, t):
        return (xt - SCHEDULE.alpha_bar[t] ** 0.5 * u[t] ** power) / (1 - SCHEDULE.alpha_bar[t]) ** 0.5

    path = list(dpm_solver(model, SCHEDULE, np.array([0.3]), times, order=order))
    t, s = times[2:4]  # here three guesses are known
    grid = np.linspace(u[t], u[s], 2001)
    weights = np.array([1, *[4, 2] * 999, 4, 1]) * (u[s] - u[t]) / 6000
    guess = np.full(2001, (u[t] + u[s]) / 2) if order == 2 else grid**power
    noise = (1 - SCHEDULE.alpha_bar) ** 0.5
    expected = noise[s] / noise[t] * path[2] + SCHEDULE.alpha_bar[s] ** 0.5 * (weights @ (np.exp(grid - u[s]) * guess))
    np.testing.assert_allclose(path[3], expected, atol=1e-10)
    newest, *before = [(time, np.full(1, u[time] ** power)) for time in (300, 500, start)[:order]]
    np.testing.assert_allclose(dpm_solver_step(path[2], newest[1], t, s, SCHEDULE, before), expected, atol=1e-10)


@settings(max_examples=40)
@given(n=st.integers(1, 40), eta=st.floats(0, 1), seed=st.integers(0, 1000))
def test_a_model_that_knows_x0_returns_it(n, eta, seed):
    """With a model that always blames the difference from x_0 on noise, every sampler comes home."""
    x0 = rng(seed).standard_normal(5)
    point, xT = GaussianDenoiser(x0, 0.0, SCHEDULE), rng(seed + 1).standard_normal((3, 5))
    ends = [end(ddim, point, SCHEDULE, xT, steps=n, eta=eta, rng=rng(seed))]
    for x in ends + [end(sampler, point, SCHEDULE, xT, steps=n) for sampler in ODE_SAMPLERS.values()]:
        np.testing.assert_allclose(x, np.broadcast_to(x0, (3, 5)), atol=1e-9)
