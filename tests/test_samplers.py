"""Samplers: with an exact denoiser the samples have the right law, and every stroke is the formula."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from diffusion_course.denoisers import GaussianDenoiser, IdealDenoiser
from diffusion_course.forward import add_noise, step_variance, x0_from_eps
from diffusion_course.samplers import ddim, ddpm, dpm_solver, encode, euler, heun, strokes
from diffusion_course.schedule import cosine, from_beta, linear, sigmoid, zero_terminal_snr

SCHEDULE = linear()
MEAN, STD = 2.0, 0.5
EXACT = GaussianDenoiser(MEAN, STD, SCHEDULE)


def without_noise(sampler, **options):
    """An ODE's sampler, called as one that takes an `rng`."""
    return lambda *args, rng=None, **given: sampler(*args, **options, **given)


ODE_SAMPLERS = {
    "euler": without_noise(euler),
    "heun": without_noise(heun),
    "dpm-1": without_noise(dpm_solver, order=1),
    "dpm-2": without_noise(dpm_solver, order=2),
    "dpm-3": without_noise(dpm_solver, order=3),
}
SAMPLERS = {
    "ddpm": ddpm,
    "ddim": ddim,
    "ddim-half": lambda *args, **given: ddim(*args, eta=0.5, **given),
    **ODE_SAMPLERS,
}
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
every_ode_sampler = pytest.mark.parametrize("sampler", ODE_SAMPLERS.values(), ids=ODE_SAMPLERS)


def rng(seed=0):
    return np.random.default_rng(seed)


def assert_moments(x, mean, variance):
    """Sample mean and variance of a Gaussian within 4 standard errors."""
    n = x.size
    assert abs(x.mean() - mean) < 4 * (variance / n) ** 0.5
    assert abs(x.var(ddof=1) - variance) < 4 * variance * (2 / (n - 1)) ** 0.5


# The law of the samples.


@pytest.mark.parametrize("schedule", [SCHEDULE, cosine(), sigmoid()], ids=["linear", "cosine", "sigmoid"])
@pytest.mark.parametrize("eta", [None, 0.0, 0.5, 1.0])
def test_all_steps_with_the_exact_denoiser_return_the_data_distribution(schedule, eta):
    """At 1000 steps the discretisation bias is below 2 standard errors of 10,000 samples."""
    model = GaussianDenoiser(MEAN, STD, schedule)
    xT, options = rng().standard_normal(10_000), {"rng": rng(1), "steps": 1000}
    *_, x0 = ddpm(model, schedule, xT, **options) if eta is None else ddim(model, schedule, xT, eta=eta, **options)
    assert_moments(x0, MEAN, STD**2)


def ddpm_wide(*args, **options):
    return ddpm(*args, variance=step_variance, **options)


def ddim_with(eta):
    return lambda *args, **options: ddim(*args, eta=eta, **options)


@pytest.mark.parametrize(
    ("sampler", "share"), [(ddpm, 1.0), (ddpm_wide, None), *((ddim_with(eta), eta**2) for eta in (0.0, 0.5, 1.0))]
)
@pytest.mark.parametrize("n", [1, 2, 7, 30, 50])
def test_few_steps_have_the_law_that_the_algorithm_box_gives(sampler, share, n):
    """With an affine denoiser each stroke is affine, so mean and variance obey a short recursion.

    This knows the bias of few steps exactly. The mean of a stroke is DDIM's equation 12, with σ² = share · β̃;
    DDPM has the mean of share 1, and the fresh noise β̃ or, wide, β.
    """
    power = SCHEDULE.alpha_bar
    times = [round(i * 1000 / n) for i in range(n, -1, -1)]
    mean, variance = 0.0, 1.0
    for t, s in pairwise(times):
        total = power[t] * STD**2 + 1 - power[t]
        beta = 1 - power[t] / power[s]
        sigma2 = (1.0 if share is None else share) * (1 - power[s]) / (1 - power[t]) * beta
        to_x0 = power[t] ** 0.5 * STD**2 / total  # E[x_0|x_t] = MEAN + to_x0 (x_t − √ᾱ_t MEAN)
        to_eps = (1 - power[t]) ** 0.5 / total  # E[ε|x_t] = to_eps (x_t − √ᾱ_t MEAN)
        slope = power[s] ** 0.5 * to_x0 + (1 - power[s] - sigma2) ** 0.5 * to_eps
        mean = power[s] ** 0.5 * MEAN + slope * (mean - power[t] ** 0.5 * MEAN)
        variance = slope**2 * variance + (beta if share is None and s > 0 else sigma2)
    *_, x0 = sampler(EXACT, SCHEDULE, rng(2).standard_normal(20_000), steps=n, rng=rng(3))
    assert_moments(x0, mean, variance)


def test_every_yield_of_ddpm_has_the_noised_distribution():
    for t, x in zip(range(1000, -1, -1), ddpm(EXACT, SCHEDULE, rng().standard_normal(5_000), rng=rng(4)), strict=True):
        if t % 100 == 0:
            power = SCHEDULE.at(t)
            assert_moments(x, power**0.5 * MEAN, power * STD**2 + 1 - power)


@every_sampler
def test_a_walk_with_the_ideal_denoiser_ends_on_the_data(sampler):
    data = rng(5).uniform(-1, 1, (6, 2))
    model = IdealDenoiser(data, SCHEDULE)
    *_, x0 = sampler(model, SCHEDULE, rng(6).standard_normal((60, 2)), steps=250, rng=rng(7))
    distance = np.linalg.norm(x0[:, None] - data, axis=-1)
    assert distance.min(1).max() < 0.01
    assert len(set(distance.argmin(1))) == 6  # and on all of them


# What is yielded.


@every_sampler
@pytest.mark.parametrize("n", [1, 2, 3, 30, 999, 1000])
def test_first_xT_then_one_item_a_stroke(sampler, n):
    xT = rng().standard_normal((3, 2))
    path = list(sampler(EXACT, SCHEDULE, xT, steps=n, rng=rng()))
    assert path[0] is xT
    assert len(path) == n + 1
    assert all(x.shape == xT.shape for x in path)


@pytest.mark.parametrize(("sampler", "n"), [(ddpm, 1000), (ddim, 50), (euler, 50), (heun, 25), (dpm_solver, 20)])
def test_default_numbers_of_strokes(sampler, n):
    assert len(list(sampler(EXACT, SCHEDULE, rng().standard_normal(2)))) == n + 1


def test_dpm_solver_is_of_order_2_by_default():
    xT = rng().standard_normal(4)
    for x, y in zip(dpm_solver(EXACT, SCHEDULE, xT), dpm_solver(EXACT, SCHEDULE, xT, order=2), strict=True):
        np.testing.assert_array_equal(x, y)


@every_sampler
@pytest.mark.parametrize("steps", [10, [1000, 300, 1, 0], [5, 0]])
def test_the_model_is_asked_once_at_every_visited_step(sampler, steps):
    asked = []

    def model(xt, t):
        asked.append(t)
        return EXACT(xt, t)

    list(sampler(model, SCHEDULE, rng().standard_normal(4), steps=steps, rng=rng()))
    visited = SCHEDULE.steps(10)[:-1].tolist() if steps == 10 else steps[:-1]
    if sampler is ODE_SAMPLERS["heun"]:  # and again where each stroke but the last ends: 2n − 1 in all
        visited = [*visited[:1], *(t for t in visited[1:] for _ in "ab")]
    assert asked == visited
    assert all(type(t) is int for t in asked)


@every_sampler
def test_the_path_that_was_yielded_does_not_change(sampler):
    xT = rng().standard_normal(4)
    seen = [(x, x.copy()) for x in sampler(EXACT, SCHEDULE, xT, steps=20, rng=rng())]
    for x, then in seen:
        np.testing.assert_array_equal(x, then)


@every_sampler
def test_the_last_item_is_the_predicted_x0(sampler):
    """No noise on the last stroke, and ᾱ_0 = 1 there, not ᾱ_1."""
    for steps in (1, 10, [1000, 400, 250, 0], [1000, 1, 0]):
        *_, before, x0 = sampler(EXACT, SCHEDULE, rng().standard_normal(50), steps=steps, rng=rng(1))
        t = list(strokes(SCHEDULE, steps))[-1][0]
        expected = x0_from_eps(before, SCHEDULE.at(t), EXACT(before, t))
        np.testing.assert_allclose(x0, expected, atol=1e-10)


class Counting:
    """A generator that counts the draws."""

    __module__ = "numpy"

    def __init__(self):
        self.draws = []

    def standard_normal(self, shape):
        self.draws.append(shape)
        return np.zeros(shape)


@pytest.mark.parametrize(("eta", "draws"), [(None, 9), (1.0, 9), (0.1, 9), (0.0, 0)])
def test_fresh_noise_at_every_stroke_but_the_last(eta, draws):
    source = Counting()
    options = {} if eta is None else {"eta": eta}
    list((ddpm if eta is None else ddim)(EXACT, SCHEDULE, np.zeros((3, 2)), steps=10, rng=source, **options))
    assert source.draws == [(3, 2)] * draws


# Relations between samplers.


@pytest.mark.parametrize("schedule", [SCHEDULE, cosine(), sigmoid()], ids=["linear", "cosine", "sigmoid"])
@pytest.mark.parametrize("steps", [1000, 50, 7, [1000, 600, 100, 3, 0]])
def test_ddim_with_eta_1_is_ddpm_with_the_same_noise(schedule, steps):
    model, xT = GaussianDenoiser(MEAN, STD, schedule), rng().standard_normal(20)
    walks = (
        ddpm(model, schedule, xT, steps=steps, rng=rng(8)),
        ddim(model, schedule, xT, steps=steps, eta=1.0, rng=rng(8)),
    )
    for x, y in zip(*walks, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-6)


def test_ddim_with_eta_0_is_deterministic_and_otherwise_not():
    def end(eta, seed):
        *_, x0 = ddim(EXACT, SCHEDULE, np.linspace(-2, 2, 9), eta=eta, rng=rng(seed))
        return x0

    np.testing.assert_array_equal(end(0.0, 1), end(0.0, 2))
    assert np.abs(end(0.1, 1) - end(0.1, 2)).min() > 0
    np.testing.assert_array_equal(end(0.1, 1), end(0.1, 1))


def test_ddim_with_all_steps_follows_the_exact_transport_map():
    """For Gaussian data the ODE moves quantiles to quantiles: x_0 = mean + std · x_T / spread of x_T."""
    xT = np.linspace(-2, 2, 9)
    *_, x0 = ddim(EXACT, SCHEDULE, xT, steps=1000)
    power = SCHEDULE.alpha_bar[-1]
    expected = MEAN + STD * (xT - power**0.5 * MEAN) / (power * STD**2 + 1 - power) ** 0.5
    np.testing.assert_allclose(x0, expected, atol=0.01)  # 1000 strokes: bias of order 1/1000 each way


@every_ode_sampler
def test_more_steps_are_closer_to_the_exact_transport_map(sampler):
    def error(n):
        *_, x0 = sampler(EXACT, SCHEDULE, np.array([2.0]), steps=n)
        power = SCHEDULE.alpha_bar[-1]
        exact = MEAN + STD * (2.0 - power**0.5 * MEAN) / (power * STD**2 + 1 - power) ** 0.5
        return abs(x0[0] - exact)

    errors = [error(n) for n in (5, 20, 100, 1000)]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("steps", [1, 7, 50, 1000, [1000, 600, 100, 3, 0]])
def test_euler_and_first_order_dpm_are_ddim_without_noise(steps):
    xT = rng().standard_normal(20)
    for walk in (euler(EXACT, SCHEDULE, xT, steps), dpm_solver(EXACT, SCHEDULE, xT, steps, order=1)):
        for x, y in zip(walk, ddim(EXACT, SCHEDULE, xT, steps), strict=True):
            np.testing.assert_allclose(x, y, atol=1e-9)


def test_strokes_of_euler_and_heun_are_the_ode_in_sigma():
    """x̄_s = x̄_t + (σ_s − σ_t) slope, with Euler's one slope and with the mean of Heun's two."""
    signal, sigma = SCHEDULE.alpha_bar**0.5, SCHEDULE.snr**-0.5
    xT = rng().standard_normal(20)
    t, s = 700, 400

    def follow(slope):
        return signal[s] * (xT / signal[t] + (sigma[s] - sigma[t]) * slope)

    end = follow(EXACT(xT, t))
    mean = (EXACT(xT, t) + EXACT(end, s)) / 2
    np.testing.assert_allclose(list(euler(EXACT, SCHEDULE, xT, [t, s, 0]))[1], end, atol=1e-12)
    np.testing.assert_allclose(list(heun(EXACT, SCHEDULE, xT, [t, s, 0]))[1], follow(mean), atol=1e-12)


@pytest.mark.parametrize(("order", "power"), [(1, 0), (2, 1), (3, 2)])
@pytest.mark.parametrize("start", [1000, 700])
def test_dpm_solver_integrates_guesses_that_are_polynomials(order, power, start):
    """A stroke of order k is exact where x̂_0 is a power of λ up to k − 1 (order 2: its half-way value instead).

    The integral ∫ e^{λ−λ_s} λ^p dλ is taken by brute force: Simpson's rule on 2,000 intervals.
    """
    times, lam = [start, 500, 300, 200, 0], SCHEDULE.log_snr / 2

    def model(xt, t):
        signal, noise = SCHEDULE.alpha_bar[t] ** 0.5, (1 - SCHEDULE.alpha_bar[t]) ** 0.5
        return (xt - signal * lam[t] ** power) / noise

    path = list(dpm_solver(model, SCHEDULE, np.array([0.3]), times, order))
    t, s = times[2:4]  # here three guesses are known
    grid = np.linspace(lam[t], lam[s], 2001)
    weights = np.array([1, *[4, 2] * 999, 4, 1]) * (lam[s] - lam[t]) / 6000
    guess = np.full(2001, (lam[t] + lam[s]) / 2) if order == 2 else grid**power
    noise = (1 - SCHEDULE.alpha_bar) ** 0.5
    expected = noise[s] / noise[t] * path[2] + SCHEDULE.alpha_bar[s] ** 0.5 * (
        weights @ (np.exp(grid - lam[s]) * guess)
    )
    np.testing.assert_allclose(path[3], expected, atol=1e-10)


@every_ode_sampler
@pytest.mark.parametrize("spacing", ["trailing", "leading", "linspace", "logsnr"])
def test_every_spacing_leads_to_the_transport_map(sampler, spacing):
    xT = np.linspace(-2, 2, 9)
    *_, x0 = sampler(EXACT, SCHEDULE, xT, steps=SCHEDULE.steps(200, spacing))
    power = SCHEDULE.alpha_bar[-1]
    expected = MEAN + STD * (xT - power**0.5 * MEAN) / (power * STD**2 + 1 - power) ** 0.5
    np.testing.assert_allclose(x0, expected, atol=0.05)


def test_heun_from_the_end_of_cosine_does_better_starting_lower():
    """The mean of the slopes is far off from σ_T = 20,000 to 16 in one stroke, not from 107 to 71 to 49."""
    schedule = cosine()
    model, xT = GaussianDenoiser(MEAN, STD, schedule), np.linspace(-2, 2, 9)

    def error(steps):
        *_, x0 = heun(model, schedule, xT, steps)
        return np.abs(x0 - (MEAN + STD * xT)).max()  # √ᾱ_T, and even √ᾱ at log-SNR −10.2, count for less than 0.02

    assert error(schedule.steps(26, "logsnr")[1:]) < 0.05
    assert error(25) > 0.5


# Up and down again.


@pytest.mark.parametrize("schedule", [SCHEDULE, cosine(), sigmoid()], ids=["linear", "cosine", "sigmoid"])
def test_encode_climbs_the_transport_map(schedule):
    x0 = MEAN + STD * np.linspace(-2, 2, 9)
    first, *_, xT = encode(GaussianDenoiser(MEAN, STD, schedule), schedule, x0, steps=1000)
    power = schedule.alpha_bar[-1]
    spread = (power * STD**2 + 1 - power) ** 0.5
    assert first is x0
    np.testing.assert_allclose(xT, power**0.5 * MEAN + spread * (x0 - MEAN) / STD, atol=0.02)


def test_decoding_what_was_encoded_errs_with_the_length_of_the_strokes():
    """Twice the strokes, half the error: order 1."""
    x0 = MEAN + STD * np.linspace(-2, 2, 9)

    def error(n):
        *_, xT = encode(EXACT, SCHEDULE, x0, steps=n)
        *_, back = ddim(EXACT, SCHEDULE, xT, steps=n)
        return np.abs(back - x0).max()

    errors = np.array([error(n) for n in (62, 125, 250, 500)])
    np.testing.assert_allclose(np.log2(errors[:-1] / errors[1:]), 1, atol=0.2)


def test_encode_asks_at_the_cleaner_end_of_each_stroke_and_never_at_0():
    asked = []

    def model(xt, t):
        asked.append(t)
        return EXACT(xt, t)

    path = list(encode(model, SCHEDULE, np.zeros(3), steps=[1000, 400, 30, 0]))
    assert asked == [1, 30, 400]
    assert len(path) == 4
    tensors = encode(EXACT, SCHEDULE, torch.zeros(3, dtype=torch.float64), steps=[1000, 400, 30, 0])
    for x, y in zip(path, tensors, strict=True):
        np.testing.assert_allclose(y.numpy(), x, atol=1e-12)


@given(n=st.integers(1, 40), eta=st.floats(0, 1), seed=st.integers(0, 1000))
def test_a_walk_that_knows_x0_returns_it(n, eta, seed):
    """With a model that always blames the difference from x_0 on noise, every sampler comes home."""
    x0 = rng(seed).standard_normal(5)
    point, xT = GaussianDenoiser(x0, 0.0, SCHEDULE), rng(seed + 1).standard_normal((3, 5))
    walks = [ddim(point, SCHEDULE, xT, steps=n, eta=eta, rng=rng(seed))]
    for *_, end in walks + [sampler(point, SCHEDULE, xT, steps=n) for sampler in ODE_SAMPLERS.values()]:
        np.testing.assert_allclose(end, np.broadcast_to(x0, (3, 5)), atol=1e-9)


def test_starting_in_the_middle():
    clean = MEAN + STD * rng(9).standard_normal(20_000)
    x = add_noise(clean, SCHEDULE.at(400), rng(10).standard_normal(20_000))
    *_, x0 = ddpm(EXACT, SCHEDULE, x, steps=np.arange(400, -1, -1), rng=rng(11))
    assert_moments(x0, MEAN, STD**2)


# Floats, arrays and tensors.


@every_sampler
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-4)])
def test_torch_and_numpy_walk_alike(sampler, dtype, tolerance, monkeypatch):
    """Same x_T and same noise; float32 loses about √(1/ᾱ_T) ≈ 160 units of 6e-8 at the first stroke."""
    noise = list(rng(12).standard_normal((100, 5, 2)))
    queue = iter([])

    def recorded(x, _):
        eps = next(queue)
        return torch.tensor(eps, dtype=x.dtype) if isinstance(x, torch.Tensor) else eps

    monkeypatch.setattr("diffusion_course.samplers.randn_like", recorded)
    xT = rng(13).standard_normal((5, 2))
    queue = iter(noise)
    arrays = list(sampler(EXACT, SCHEDULE, xT, steps=50))
    queue = iter(noise)
    tensors = list(sampler(EXACT, SCHEDULE, torch.tensor(xT, dtype=dtype), steps=50))
    for x, y in zip(arrays, tensors, strict=True):
        assert y.dtype == dtype
        np.testing.assert_allclose(y.numpy(), x, atol=tolerance)


@every_sampler
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_keep_their_type(sampler, dtype):
    for x in sampler(EXACT, SCHEDULE, np.zeros((2, 3), dtype), steps=5, rng=rng()):
        assert x.dtype == dtype


@every_sampler
def test_a_single_float_can_walk(sampler):
    path = list(sampler(EXACT, SCHEDULE, 0.3, steps=20, rng=rng()))
    assert len(path) == 21
    assert all(isinstance(x, float) for x in path)


@every_sampler
def test_tensor_noise_comes_from_the_given_generator_alone(sampler):
    def end(seed):
        generator = torch.Generator().manual_seed(seed)
        *_, x0 = sampler(EXACT, SCHEDULE, torch.zeros(4), steps=10, rng=generator)
        return x0

    torch.manual_seed(0)
    state = torch.get_rng_state()
    assert torch.equal(end(1), end(1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(end(1), end(2)) == (sampler in (ddim, *ODE_SAMPLERS.values()))


@every_sampler
def test_no_graph_is_built(sampler):
    net = torch.nn.Linear(2, 2)

    def model(xt, t):
        assert not torch.is_grad_enabled()
        return net(xt)

    for x in sampler(model, SCHEDULE, torch.zeros(3, 2), steps=5):
        assert not x.requires_grad
        assert torch.is_grad_enabled()  # the caller's own code is left alone


# Refusals.


@every_sampler
@pytest.mark.parametrize("steps", [0, -3, 1001, 2.5, 10.0, True])
def test_impossible_numbers_of_steps_are_refused_before_the_walk(sampler, steps):
    with refused("whole number from 1 to T = 1000", repr(steps)):
        next(sampler(EXACT, SCHEDULE, np.zeros(2), steps=steps))


@every_sampler
@pytest.mark.parametrize("steps", [[], [0], [10], [10, 5], [0, 5, 10], [10, 10, 0], [5, 10, 0], [[10, 0]], [10, 0, -5]])
def test_times_that_do_not_fall_to_0_are_refused(sampler, steps):
    with refused("fall", "end at 0", np.asarray(steps)):
        next(sampler(EXACT, SCHEDULE, np.zeros(2), steps=steps))


@every_sampler
@pytest.mark.parametrize("steps", [[1001, 5, 0], [10.5, 5.0, 0.0], [10.0, 0.0], [np.nan, 0.0]])
def test_times_that_are_not_steps_are_refused(sampler, steps):
    with refused("whole numbers from 0", "T = 1000"):
        next(sampler(EXACT, SCHEDULE, np.zeros(2), steps=steps))


@pytest.mark.parametrize("eta", [-0.1, 1.1, float("nan")])
def test_eta_outside_0_and_1_is_refused(eta):
    with refused("[0, 1]", eta):
        next(ddim(EXACT, SCHEDULE, np.zeros(2), eta=eta))


@pytest.mark.parametrize("order", [0, 4, -1, 2.0, None, "2"])
def test_impossible_orders_are_refused(order):
    with refused("order", "1, 2 or 3", repr(order)):
        next(dpm_solver(EXACT, SCHEDULE, np.zeros(2), order=order))


def broken_net(answer):
    def my_net(xt, t):
        return answer if t < 500 else 0 * xt

    return my_net


@every_sampler
@pytest.mark.parametrize("xT", [np.zeros((3, 2)), torch.zeros(3, 2)], ids=["array", "tensor"])
@pytest.mark.parametrize(
    ("answer", "got"),
    [
        ((np.zeros((3, 2)), None), "tuple"),
        (None, "NoneType"),
        (0.0, "shape ()"),
        (np.zeros((3, 1)), "shape (3, 1)"),
        (torch.zeros(2, 3), "shape (2, 3)"),
    ],
)
def test_answers_that_are_not_like_xt_are_refused(sampler, xT, answer, got):
    with refused("my_net", "(3, 2)", got, "t = 400"):
        list(sampler(broken_net(answer), SCHEDULE, xT, steps=5))


@every_sampler
@pytest.mark.parametrize("answer", [None, (0.0,), np.zeros(1)])
def test_answers_that_are_not_a_number_are_refused_for_a_number(sampler, answer):
    with refused("my_net", "()", "t = 400"):
        list(sampler(broken_net(answer), SCHEDULE, 0.0, steps=5))


@every_sampler
@pytest.mark.parametrize("kind", [np.array, torch.tensor])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_answers_that_are_not_finite_are_refused(sampler, kind, value):
    with refused("my_net", "NaN or infinity", "t = 400"):
        list(sampler(broken_net(kind([0.0, value])), SCHEDULE, kind([0.0, 0.0]), steps=5))


def test_a_model_that_is_an_object_is_named_by_its_class():
    class FaceNet:
        def __call__(self, xt, t):
            return None

    with refused("FaceNet(xt, t)", "t = 1000"):
        list(ddim(FaceNet(), SCHEDULE, np.zeros(2)))


@every_sampler
def test_pure_static_cannot_be_read_by_an_eps_network(sampler):
    schedule = zero_terminal_snr(SCHEDULE)
    with refused("ᾱ_t = 0", "predict x_0 or v"):
        list(sampler(GaussianDenoiser(0.0, 1.0, schedule), schedule, np.zeros(2)))


def test_a_generator_of_the_other_library_is_refused():
    with refused("Generator", "Tensor", "torch Generator"):
        list(ddpm(EXACT, SCHEDULE, torch.zeros(2), rng=rng()))


@pytest.mark.filterwarnings("ignore::diffusion_course.schedule.TerminalSNRWarning")
def test_one_step_schedules_walk():
    schedule = from_beta([0.5])
    model = GaussianDenoiser(MEAN, STD, schedule)
    xT = rng().standard_normal(3)
    *_, x0 = ddpm(model, schedule, xT)
    np.testing.assert_allclose(x0, x0_from_eps(xT, 0.5, model(xT, 1)))
