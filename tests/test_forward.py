"""The forward process as mathematics, for floats, arrays and tensors alike."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from diffusion_course import scalar
from diffusion_course.forward import (
    add_noise,
    eps_from_v,
    eps_from_x0,
    levels,
    noise_step,
    posterior,
    posterior_variance,
    randn_like,
    step_variance,
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

CONVERSIONS = [x0_from_eps, eps_from_x0, v_from_eps, eps_from_v, x0_from_v]
ALL = [add_noise, noise_step, *CONVERSIONS]


def number(x):
    """The one number that a float, an array or a tensor holds."""
    return np.asarray(x).item()


def same_type(result, x):
    assert type(result) is type(x)
    assert np.shape(result) == np.shape(x)
    assert getattr(result, "dtype", float) == getattr(x, "dtype", float)


# Noising.


def test_second_moment_of_noised_unit_variance_data_is_1():
    rng = np.random.default_rng(0)
    x0, eps = rng.standard_normal((2, 20_000))
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
def test_add_noise_is_the_scalar_program(x0, eps, power):
    expected = scalar.add_noise(x0, power, eps)
    for kind, tolerance in KINDS.values():
        xt = add_noise(kind(x0), power, kind(eps))
        assert number(xt) == pytest.approx(expected, rel=tolerance, abs=10 * tolerance)


@given(x=numbers, eps=numbers, beta=st.floats(0, 1))
def test_one_step_keeps_1_minus_beta_of_the_power(x, eps, beta):
    expected = (1 - beta) ** 0.5 * x + beta**0.5 * eps
    assert noise_step(x, beta, eps) == pytest.approx(expected, abs=1e-7)


def test_ends_of_the_route():
    x0, eps = np.random.default_rng(2).standard_normal((2, 4, 3))
    np.testing.assert_array_equal(add_noise(x0, 1.0, eps), x0)
    np.testing.assert_array_equal(add_noise(x0, 0.0, eps), eps)
    np.testing.assert_array_equal(noise_step(x0, 0.0, eps), x0)
    np.testing.assert_array_equal(noise_step(x0, 1.0, eps), eps)


def test_the_noise_level_near_the_clean_end_keeps_its_digits_in_float32():
    x = torch.zeros(1, dtype=torch.float32)
    _, noise = levels(torch.tensor([1 - 1e-9], dtype=torch.float64), x)
    assert float(noise) == pytest.approx(1e-9**0.5, rel=1e-6)


# Three names of one thing.


@given(x0=numbers, eps=numbers, power=powers)
def test_conversions_round_trip(x0, eps, power):
    for kind, tolerance in KINDS.values():
        x0_, eps_ = kind(x0), kind(eps)
        xt = add_noise(x0_, power, eps_)
        v = v_from_eps(xt, power, eps_)
        v_defined = power**0.5 * eps - (1 - power) ** 0.5 * x0
        close = {"rel": 100 * tolerance, "abs": 1000 * tolerance}  # dividing by √0.01 costs two digits
        assert number(v) == pytest.approx(v_defined, **close)
        assert number(x0_from_eps(xt, power, eps_)) == pytest.approx(x0, **close)
        assert number(eps_from_x0(xt, power, x0_)) == pytest.approx(eps, **close)
        assert number(x0_from_v(xt, power, v)) == pytest.approx(x0, **close)
        assert number(eps_from_v(xt, power, v)) == pytest.approx(eps, **close)
        for result in (xt, v, x0_from_eps(xt, power, eps_), x0_from_v(xt, power, v)):
            same_type(result, x0_)


@given(xt=numbers, eps=numbers, power=powers)
def test_x0_from_eps_is_the_scalar_program(xt, eps, power):
    assert x0_from_eps(xt, power, eps) == pytest.approx(scalar.x0_from_eps(xt, power, eps), abs=1e-12)


def test_v_needs_no_division_at_either_end():
    xt, v = 2.0, 0.5
    assert (x0_from_v(xt, 1.0, v), eps_from_v(xt, 1.0, v)) == (2.0, 0.5)
    assert (x0_from_v(xt, 0.0, v), eps_from_v(xt, 0.0, v)) == (-0.5, 2.0)


# One ᾱ a sample.


@every_array
@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 4), (4, 3, 5, 5), (4, 1, 4, 4)])
def test_one_level_a_sample_equals_sample_by_sample(function, shape, kind, tolerance):
    a, b = np.random.default_rng(3).standard_normal((2, *shape))
    level = np.array([0.1, 0.4, 0.7, 0.9])
    one_by_one = np.stack([function(a[i], level[i], b[i]) for i in range(4)])
    for level_kind in (np.asarray, torch.as_tensor):
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


def test_a_number_can_be_noised_to_every_level_at_once():
    curve = linear().alpha_bar
    np.testing.assert_allclose(add_noise(3.0, curve, 0.7), curve**0.5 * 3 + (1 - curve) ** 0.5 * 0.7)


def test_one_number_for_x0_with_one_level_a_sample():
    eps, level = np.random.default_rng(5).standard_normal((3, 3)), np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(add_noise(2.0, level, eps), add_noise(np.full((3, 3), 2.0), level, eps))


@every_kind
def test_dtype_and_shape_survive_a_number(kind, tolerance):
    x = kind(0.5)
    for function in ALL:
        same_type(function(x, 0.3, x), x)
        same_type(function(x, np.float64(0.3), x), x)
        same_type(function(x, torch.tensor(0.3), x), x)


def test_gradients_flow_through_the_formulas():
    x0 = torch.ones(3, requires_grad=True)
    add_noise(x0, 0.25, torch.zeros(3)).sum().backward()
    np.testing.assert_allclose(x0.grad, 0.5)


# The posterior.


@given(x0=st.floats(-2, 2), xt=st.floats(-2, 2), s=st.floats(0.05, 0.95), kept=st.floats(0.05, 0.95))
def test_posterior_is_bayes_rule_on_a_grid(x0, xt, s, kept):
    mean, variance = posterior(x0, xt, alpha_bar_t=s * kept, alpha_bar_s=s)
    grid = np.linspace(-12, 12, 24_001)  # spacing 0.001, at most 1/40 of the narrowest spread
    log_p = -((grid - s**0.5 * x0) ** 2) / (2 * (1 - s))  # q(x_s | x_0)
    log_p += -((xt - kept**0.5 * grid) ** 2) / (2 * (1 - kept))  # q(x_t | x_s)
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    assert mean == pytest.approx(p @ grid, abs=1e-8)
    assert variance == pytest.approx(p @ (grid - p @ grid) ** 2, abs=1e-8)


@pytest.mark.parametrize("t", [1, 2, 3, 500, 1000])
def test_posterior_is_the_scalar_program(t):
    schedule = linear()
    expected = scalar.posterior(0.8, -1.3, scalar.linear_beta(), t)
    assert posterior(0.8, -1.3, schedule.at(t), schedule.at(t - 1)) == pytest.approx(expected, rel=1e-9)


def test_posterior_variance_is_the_published_beta_tilde():
    schedule = linear()
    _, variance = posterior(0.0, 0.0, schedule.alpha_bar[1:], schedule.alpha_bar[:-1])
    before = (1 - schedule.alpha_bar[:-1]) / (1 - schedule.alpha_bar[1:])
    np.testing.assert_allclose(variance, before * schedule.beta[1:], rtol=1e-12)
    levels_t_s = schedule.alpha_bar[1:], schedule.alpha_bar[:-1]
    np.testing.assert_allclose(posterior_variance(*levels_t_s), variance, rtol=1e-12)
    np.testing.assert_allclose(step_variance(*levels_t_s), schedule.beta[1:], rtol=1e-12)


def test_posterior_ends():
    assert posterior(0.8, -1.3, 0.4, 1.0) == (0.8, 0.0)  # at s = 0 the sample is x_0 itself
    mean, variance = posterior(0.8, -1.3, 0.0, 0.64)  # x_t = static says nothing
    assert mean == pytest.approx(0.8 * 0.8)
    assert variance == pytest.approx(0.36)


def test_posterior_in_two_hops_has_the_moments_of_one():
    """Drawing x_s from x_t, then x_r from x_s, is drawing x_r from x_t."""
    x0, xt, t, s, r = 0.8, -1.3, 0.2, 0.5, 0.9
    mean_s, variance_s = posterior(x0, xt, t, s)
    mean_r, variance_r = posterior(x0, mean_s, s, r)
    slope = posterior(0.0, 1.0, s, r)[0]
    expected = (mean_r, variance_r + slope**2 * variance_s)
    assert posterior(x0, xt, t, r) == pytest.approx(expected, rel=1e-12)


# Noise.


@pytest.mark.parametrize("x", [np.zeros(50_000), torch.zeros(50_000)], ids=["array", "tensor"])
def test_noise_is_standard_gaussian(x):
    rng = torch.Generator().manual_seed(0) if isinstance(x, torch.Tensor) else np.random.default_rng(0)
    eps = np.asarray(randn_like(x, rng), dtype=np.float64)
    n = len(eps)
    assert abs(eps.mean()) < 4 / n**0.5
    assert abs((eps**2).mean() - 1) < 4 * (2 / n) ** 0.5
    assert abs((eps**4).mean() - 3) < 4 * (96 / n) ** 0.5


@every_kind
def test_noise_is_like_x_and_depends_on_rng_alone(kind, tolerance):
    x = kind(np.zeros((2, 3))) if kind is not float else 0.0
    make = torch.Generator if isinstance(x, torch.Tensor) else None

    def draw(seed):
        return randn_like(x, make().manual_seed(seed) if make else np.random.default_rng(seed))

    same_type(draw(0), x)
    np.testing.assert_array_equal(draw(0), draw(0))
    assert not np.array_equal(draw(0), draw(1))
    same_type(randn_like(x), x)
    assert not np.array_equal(randn_like(x), randn_like(x))


def test_noise_for_whole_numbers_is_not_rounded():
    eps = randn_like(np.arange(5), np.random.default_rng(0))
    np.testing.assert_array_equal(eps, np.random.default_rng(0).standard_normal(5))


@pytest.mark.parametrize(
    ("x", "rng"),
    [
        (torch.zeros(2), np.random.default_rng()),
        (np.zeros(2), torch.Generator()),
        (0.0, torch.Generator()),
        (np.zeros(2), 7),
        (torch.zeros(2), 7),
    ],
)
def test_a_generator_of_the_other_library_is_refused(x, rng):
    library = "torch" if isinstance(x, torch.Tensor) else "numpy"
    with refused(type(rng).__qualname__, type(x).__qualname__, f"{library} Generator"):
        randn_like(x, rng)


# Refusals.


@every_kind
@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("level", [-0.01, 1.01, float("nan"), float("inf")])
def test_levels_outside_0_and_1_are_refused(function, level, kind, tolerance):
    x = kind(0.5)
    with refused("[0, 1]", 1 - level if function is noise_step else level):
        function(x, level, x)


@pytest.mark.parametrize("function", ALL)
def test_one_bad_level_among_good_ones_is_refused(function):
    with refused("[0, 1]", "2."):
        function(np.zeros(3), np.array([0.5, -1.0 if function is noise_step else 2.0, 0.5]), np.zeros(3))


@every_array
@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("level", [np.full(3, 0.5), np.full(1, 0.5), np.full((4, 1), 0.5), np.full((4, 4), 0.5)])
def test_levels_that_are_not_one_a_sample_are_refused(function, level, kind, tolerance):
    x = kind(np.zeros((4, 4)))
    with refused(level.shape, tuple(x.shape), "one number", "(4,)"):
        function(x, level, x)


@every_array
@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("other", [(4, 1), (1, 2), (2,), (2, 4), (4, 2, 1)])
def test_shapes_that_do_not_match_are_refused_though_they_would_broadcast(function, other, kind, tolerance):
    with refused("(4, 2)", other, "equal"):
        function(kind(np.zeros((4, 2))), 0.5, kind(np.zeros(other)))


def test_posterior_refuses_shapes_that_do_not_match():
    with refused("(4, 2)", "(4, 1)"):
        posterior(np.zeros((4, 2)), np.zeros((4, 1)), 0.2, 0.5)


@pytest.mark.parametrize("level", [0.0, np.array([0.5, 0.0])])
@pytest.mark.parametrize("function", [x0_from_eps, v_from_eps])
def test_dividing_by_nothing_left_of_the_signal_is_refused(function, level):
    with refused("ᾱ_t = 0", "predict x_0 or v"):
        function(np.zeros(2), level, np.zeros(2))


@pytest.mark.parametrize("level", [1.0, np.array([0.5, 1.0])])
def test_dividing_by_no_noise_is_refused(level):
    with refused("ᾱ_t = 1", "start at t = 1"):
        eps_from_x0(np.zeros(2), level, np.zeros(2))


@given(t=st.floats(0, 1), s=st.floats(0, 1))
def test_posterior_refuses_to_walk_towards_the_noise(t, s):
    t, s = max(t, s), min(t, s)
    with refused("ᾱ_t < ᾱ_s", t, s):
        posterior(0.0, 0.0, t, s)


@pytest.mark.parametrize(("t", "s"), [(-0.1, 0.5), (0.5, 1.1), (float("nan"), 0.5), (0.5, float("nan"))])
def test_posterior_refuses_levels_outside_0_and_1(t, s):
    with refused("≤ 1", t, s):
        posterior(0.0, 0.0, t, s)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
@pytest.mark.parametrize("level", [0.5, [0.5, 0.5]])
def test_whole_number_tensors_are_refused(dtype, level):
    x = torch.zeros(2, dtype=dtype)
    for function in ALL:
        with refused(dtype, "x.float()"):
            function(x, np.array(level), x)
    with refused(dtype, "x.float()"):
        randn_like(x)
