"""The forward process as mathematics, for floats, arrays and tensors alike."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffusion_course import scalar
from diffusion_course.base.arrays import widened
from diffusion_course.forward import (
    Levels,
    add_noise,
    eps_from_v,
    eps_from_x0,
    levels,
    noise_step,
    posterior,
    v_from_eps,
    x0_from_eps,
    x0_from_v,
)
from diffusion_course.schedule import linear

# Every kind of x the functions serve, and the relative error its numbers carry.
KINDS = {
    "float": (float, 1e-12),
    "float64 array": (lambda x: np.atleast_1d(np.asarray(x, np.float64)), 1e-12),
    "float32 array": (lambda x: np.atleast_1d(np.asarray(x, np.float32)), 1e-5),
    "float64 tensor": (lambda x: torch.as_tensor(x, dtype=torch.float64), 1e-12),
    "float32 tensor": (lambda x: torch.as_tensor(x, dtype=torch.float32), 1e-5),
}
every_kind = pytest.mark.parametrize(("kind", "tolerance"), KINDS.values(), ids=KINDS)
every_array = pytest.mark.parametrize(("kind", "tolerance"), list(KINDS.values())[1:], ids=list(KINDS)[1:])
powers = st.floats(0.01, 0.99)
numbers = st.floats(-5, 5)

DIVIDING = [x0_from_eps, v_from_eps, eps_from_x0]
ALL = [add_noise, noise_step, *DIVIDING, eps_from_v, x0_from_v]
every_function = pytest.mark.parametrize("function", ALL)


def number(x):
    """The one number that a float, an array or a tensor holds."""
    return np.asarray(x).item()


def same_type(result, x):
    assert type(result) is type(x)
    assert np.shape(result) == np.shape(x)
    assert getattr(result, "dtype", float) == getattr(x, "dtype", float)


# Noising.


def test_second_moment_of_noised_unit_variance_data_is_1():
    x0, eps = np.random.default_rng(0).standard_normal((2, 20_000))
    xt = add_noise(x0, 0.25, eps)
    # Var(s²) = 2/(n−1) for unit variance; forgetting the square root would give 0.625.
    assert abs(xt.var(ddof=1) - 1) < 4 * (2 / 19_999) ** 0.5


@pytest.mark.parametrize("t", [1, 10, 100, 300])
def test_closed_form_against_20000_chains(t):
    schedule, rng, n = linear(300, 1e-3, 0.05), np.random.default_rng(1), 20_000
    x = np.full(n, 3.0)
    for beta in schedule.beta[1 : t + 1]:
        x = noise_step(x, beta, rng.standard_normal(n))
    mean = add_noise(3.0, schedule.at(t), 0.0)
    variance = add_noise(0.0, schedule.at(t), 1.0) ** 2
    assert abs(x.mean() - mean) < 4 * (variance / n) ** 0.5
    assert abs(x.var(ddof=1) - variance) < 4 * variance * (2 / (n - 1)) ** 0.5
    kurtosis = ((x - mean) ** 4).mean() / variance**2
    assert abs(kurtosis - 3) < 4 * (96 / n) ** 0.5  # Var((x/σ)⁴) = 105 − 9 for a Gaussian


@given(x0=numbers, eps=numbers, power=st.floats(0, 1))
def test_noising_is_the_scalar_program(x0, eps, power):
    expected = scalar.add_noise(x0, power, eps)
    for kind, tolerance in KINDS.values():
        xt = add_noise(kind(x0), power, kind(eps))
        assert number(xt) == pytest.approx(expected, rel=tolerance, abs=10 * tolerance)
    one_step = (1 - power) ** 0.5 * x0 + power**0.5 * eps
    assert noise_step(x0, power, eps) == pytest.approx(one_step, abs=1e-7)


def test_ends_of_the_route():
    x0, eps = np.random.default_rng(2).standard_normal((2, 4, 3))
    np.testing.assert_array_equal(add_noise(x0, 1.0, eps), x0)
    np.testing.assert_array_equal(add_noise(x0, 0, eps), eps)
    np.testing.assert_array_equal(noise_step(x0, 0.0, eps), x0)
    np.testing.assert_array_equal(noise_step(x0, 1.0, eps), eps)


def test_the_noise_level_near_the_clean_end_keeps_its_digits_in_float32():
    near = [1 - 1e-9]
    for power in (near, np.array(near), torch.tensor(near, dtype=torch.float64)):
        _, noise = levels(power, torch.zeros(1, dtype=torch.float32))
        assert noise.dtype == torch.float32
        assert float(noise) == pytest.approx(1e-9**0.5, rel=1e-6)


# Three names of one thing.


@given(x0=numbers, eps=numbers, power=powers)
def test_conversions_round_trip(x0, eps, power):
    for kind, tolerance in KINDS.values():
        x0_, eps_ = kind(x0), kind(eps)
        xt = add_noise(x0_, power, eps_)
        v = v_from_eps(xt, power, eps_)
        close = {"rel": 100 * tolerance, "abs": 1000 * tolerance}  # dividing by √0.01 costs two digits
        assert number(v) == pytest.approx(power**0.5 * eps - (1 - power) ** 0.5 * x0, **close)
        assert number(x0_from_eps(xt, power, eps_)) == pytest.approx(x0, **close)
        assert number(eps_from_x0(xt, power, x0_)) == pytest.approx(eps, **close)
        assert number(x0_from_v(xt, power, v)) == pytest.approx(x0, **close)
        assert number(eps_from_v(xt, power, v)) == pytest.approx(eps, **close)
    assert x0_from_eps(1.5, power, eps) == pytest.approx(scalar.x0_from_eps(1.5, power, eps), abs=1e-12)


def test_v_needs_no_division_at_either_end():
    xt, v = 2.0, 0.5
    assert (x0_from_v(xt, 1.0, v), eps_from_v(xt, 1.0, v)) == (2.0, 0.5)
    assert (x0_from_v(xt, 0.0, v), eps_from_v(xt, 0.0, v)) == (-0.5, 2.0)


# One ᾱ a sample, or one for all; kinds of x that stay what they are.


@every_array
@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 4), (4, 1, 4, 4)])
def test_one_level_a_sample_equals_sample_by_sample(shape, kind, tolerance):
    a, b = np.random.default_rng(3).standard_normal((2, *shape))
    level = np.array([0.1, 0.4, 0.7, 0.9])
    for function in ALL:
        one_by_one = np.stack([function(a[i], level[i], b[i]) for i in range(4)])
        for level_kind in (np.asarray, list, torch.as_tensor):
            at_once = function(kind(a), level_kind(level), kind(b))
            same_type(at_once, kind(a))
            np.testing.assert_allclose(np.asarray(at_once), one_by_one, rtol=tolerance, atol=10 * tolerance)


@every_array
def test_the_posterior_takes_one_level_a_sample(kind, tolerance):
    x0, xt = np.random.default_rng(4).standard_normal((2, 3, 2, 2))
    t, s = np.array([0.1, 0.4, 0.7]), np.array([0.3, 0.9, 1.0])
    mean, variance = posterior(kind(x0), kind(xt), t, s)
    same_type(mean, kind(xt))
    assert variance.shape == (3, 1, 1)
    assert variance.dtype == mean.dtype
    for i in range(3):
        mean_i, variance_i = posterior(x0[i], xt[i], t[i], s[i])
        np.testing.assert_allclose(np.asarray(mean[i]), mean_i, rtol=tolerance, atol=10 * tolerance)
        assert number(variance[i]) == pytest.approx(variance_i, rel=tolerance)


def test_one_number_may_stand_for_every_sample():
    curve = linear().alpha_bar
    np.testing.assert_allclose(add_noise(3.0, curve, 0.7), curve**0.5 * 3 + (1 - curve) ** 0.5 * 0.7)
    eps, level = np.random.default_rng(5).standard_normal((3, 3)), np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(add_noise(2.0, level, eps), add_noise(np.full((3, 3), 2.0), level, eps))
    np.testing.assert_allclose(x0_from_eps(eps, level, 0.5), x0_from_eps(eps, level, np.full((3, 3), 0.5)))
    for pair, full in (((eps, 0.0), (eps, np.zeros((3, 3)))), ((0.0, eps), (np.zeros((3, 3)), eps))):
        mean, variance = posterior(*pair, level[::-1] - 0.05, level[::-1])
        np.testing.assert_allclose(mean, posterior(*full, level[::-1] - 0.05, level[::-1])[0])
        assert variance.shape == (3, 1)


def test_a_small_step_keeps_its_noise_in_float32():
    x, eps = torch.zeros(2), torch.ones(2)
    for beta in (1e-4, 1e-8):
        noised = noise_step(x, torch.tensor(beta), eps)
        torch.testing.assert_close(noised, torch.full((2,), beta**0.5), rtol=1e-6, atol=0)


@every_kind
def test_type_dtype_and_shape_survive_a_number(kind, tolerance):
    x = kind(0.5)
    for function in ALL:
        for level in (0.3, np.float64(0.3), np.array(0.3), torch.tensor(0.3)):
            same_type(function(x, level, x), x)
    same_type(posterior(x, x, np.float64(0.3), 0.5)[0], x)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, np.float16])
def test_half_precision_is_computed_and_returned_in_float32(dtype):
    """At ᾱ = 1e-9 the quotient is 30,000 and more: float16 ends at 65,504, bfloat16 has two digits."""
    is_numpy = dtype is np.float16
    xt, other = np.random.default_rng(6).standard_normal((2, 2, 3)).astype(np.float32)
    half = [x.astype(np.float16) if is_numpy else torch.tensor(x).to(dtype) for x in (xt, other)]
    exact = [np.asarray(x if is_numpy else x.float(), np.float64) for x in half]
    for function in ALL:
        for power in (1e-9, [1e-9, 1 - 1e-9]):
            result = function(half[0], np.array(power), half[1])
            assert result.dtype in (np.float32, torch.float32)
            np.testing.assert_allclose(result, function(exact[0], np.array(power), exact[1]), rtol=2e-6, atol=1e-6)
    assert posterior(*half, 0.3, 0.5)[0].dtype in (np.float32, torch.float32)
    assert levels(np.array([0.3, 0.5]), half[0]).signal.dtype in (np.float32, torch.float32)
    for x in (xt, torch.tensor(xt), 0.5):
        assert widened(x) is x


def test_gradients_flow_through_the_formulas():
    x0 = torch.ones(3, requires_grad=True)
    add_noise(x0, 0.25, torch.zeros(3)).sum().backward()
    np.testing.assert_allclose(x0.grad, 0.5)


# What a network does: levels that it already has, traced without a look at them.


def test_formulas_are_traced_and_agree_with_levels_of_tensors():
    x, y = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    power = torch.tensor([0.1, 0.5, 0.9])
    functions = [f for f in ALL if f is not noise_step]

    def together(x, y, signal, noise):
        return [function(x, Levels(signal, noise), y) for function in functions]

    traced = torch.compile(together, fullgraph=True, backend="eager")(x, y, power**0.5, (1 - power) ** 0.5)
    for function, result in zip(functions, traced, strict=True):
        torch.testing.assert_close(result, function(x, power, y), atol=1e-6, rtol=1e-6)


def test_levels_that_are_ready_are_only_shaped_and_cast():
    ready = Levels(torch.tensor([0.6, 0.8], dtype=torch.float64), torch.tensor([0.8, 0.6], dtype=torch.float64))
    signal, noise = levels(ready, torch.zeros(2, 3, 4))
    assert (signal.shape, signal.dtype) == ((2, 1, 1), torch.float32)
    assert noise.flatten().tolist() == pytest.approx([0.8, 0.6])
    np.testing.assert_allclose(levels(ready, np.zeros((2, 3)))[0], [[0.6], [0.8]])
    assert levels(Levels(1, 0), np.zeros(3)) == (1, 0)
