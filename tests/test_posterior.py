"""The posterior q(x_s | x_t, x_0), fresh noise, and what the formulas of `forward` refuse."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused
from test_forward import ALL, DIVIDING, every_array, every_function, every_kind, same_type

from diffusion_course import scalar
from diffusion_course.base.arrays import cast
from diffusion_course.forward import (
    add_noise,
    eps_from_x0,
    levels,
    noise_step,
    posterior,
    posterior_variance,
    randn_like,
    step_variance,
)
from diffusion_course.schedule import linear


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
    t_s = schedule.alpha_bar[1:], schedule.alpha_bar[:-1]
    expected = (1 - t_s[1]) / (1 - t_s[0]) * schedule.beta[1:]
    np.testing.assert_allclose(posterior(0.0, 0.0, *t_s)[1], expected, rtol=1e-12)
    np.testing.assert_allclose(posterior_variance(*t_s), expected, rtol=1e-12)
    np.testing.assert_allclose(step_variance(*t_s), schedule.beta[1:], rtol=1e-12)
    np.testing.assert_allclose(step_variance(*map(torch.tensor, t_s)), schedule.beta[1:], rtol=1e-12)


def test_posterior_ends():
    assert posterior(0.8, -1.3, 0.4, 1.0) == (0.8, 0.0)  # at s = 0 the sample is x_0 itself
    mean, variance = posterior(0.8, -1.3, 0, 0.64)  # x_t = pure noise says nothing
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
    seeded = torch.Generator().manual_seed if isinstance(x, torch.Tensor) else np.random.default_rng
    state = torch.get_rng_state()
    first, again, other = (randn_like(x, seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    same_type(first, x)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    same_type(randn_like(x), x)
    assert not np.array_equal(randn_like(x), randn_like(x))


def test_noise_for_whole_numbers_is_not_rounded():
    eps = randn_like(np.arange(5), np.random.default_rng(0))
    np.testing.assert_array_equal(eps, np.random.default_rng(0).standard_normal(5))


@pytest.mark.parametrize(
    ("x", "rng", "library"),
    [*product([torch.zeros(2)], [np.random.default_rng(), 7], ["torch"]),
     *product([np.zeros(2), 0.0], [torch.Generator(), 7], ["numpy"])],
)  # fmt: skip
def test_a_generator_of_the_other_library_is_refused(x, rng, library):
    with refused("rng is", "7" if rng == 7 else "Generator", f"give a {library} Generator"):
        randn_like(x, rng)


# Refusals.


@pytest.mark.parametrize("function", [noise_step, posterior, step_variance, posterior_variance])
def test_levels_are_refused_where_they_would_pass_for_two_samples(function):
    x, two = np.ones(2), levels(0.5, 1.0)
    for arguments in {noise_step: [(x, two, x)], posterior: [(x, x, two, 0.9), (x, x, 0.1, two)]}.get(
        function, [(two, 0.9), (0.1, two)]
    ):
        with refused("give ᾱ here", "Levels("):
            function(*arguments)


@every_function
@pytest.mark.parametrize("level", [-0.01, 1.01, float("nan"), float("inf")])
def test_levels_outside_0_and_1_are_refused(function, level):
    for x in (0.5, np.full(3, 0.5), torch.full((3,), 0.5)):
        with refused("beta_t" if function is noise_step else "alpha_bar_t", "[0, 1]", level):
            function(x, level, x)
    for kind in (np.array, torch.tensor):
        with refused("[0, 1]"):
            function(np.zeros(3), kind([0.5, level, 0.5]), np.zeros(3))


@every_function
def test_what_is_no_number_array_or_tensor_is_refused(function):
    for x in ([0.5, 0.5], "x", None, np.array(["x"]), 1j):
        for pair in ((x, 0.5), (0.5, x)):
            with refused("must be a float, a NumPy array or a torch tensor", "not", str(x)):
                function(pair[0], 0.5, pair[1])
    with refused("ndarray", "Tensor", "both of one kind"):
        function(np.zeros(2), 0.5, torch.zeros(2))


@every_array
@pytest.mark.parametrize("level", [np.full(3, 0.5), np.full(1, 0.5), np.full((4, 1), 0.5), np.full((4, 4), 0.5)])
def test_levels_that_are_not_one_a_sample_are_refused(level, kind, tolerance):
    x = kind(np.zeros((4, 4)))
    for function in ALL:
        with refused(level.shape, tuple(x.shape), "one number", "(4,)"):
            function(x, level, x)


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize("other", [(4, 1), (1, 2), (2,), (2, 4), (4, 2, 1)])
def test_shapes_that_do_not_match_are_refused_though_they_would_broadcast(other, kind):
    x, y = kind(np.zeros((4, 2))), kind(np.zeros(other))
    for function in ALL:
        with refused("(4, 2)", other, "equal"):
            function(x, 0.5, y)
    with refused("(4, 2)", other):
        posterior(x, y, 0.2, 0.5)


@pytest.mark.parametrize("function", DIVIDING)
def test_dividing_by_nothing_is_refused(function):
    end, parts = (1.0, ("ᾱ_t = 1", "start at t = 1")) if function is eps_from_x0 else (0.0, ("ᾱ_t = 0", "x_0 or v"))
    for level in (end, np.float64(end), int(end), np.array([0.5, end]), torch.tensor([0.5, end])):
        with refused(*parts):
            function(np.zeros(2), level, np.zeros(2))


@given(t=st.floats(0, 1), s=st.floats(0, 1))
def test_posterior_refuses_to_step_towards_the_noise(t, s):
    t, s = max(t, s), min(t, s)
    for function in (lambda *levels: posterior(0.0, 0.0, *levels), step_variance, posterior_variance):
        with refused("ᾱ_t < ᾱ_s", t, s):
            function(t, s)


@pytest.mark.parametrize(("t", "s"), [(-0.1, 0.5), (0.5, 1.1), (float("nan"), 0.5), (0.5, float("nan"))])
def test_posterior_refuses_levels_outside_0_and_1(t, s):
    for kind in (float, lambda level: np.array([level, level])):
        with refused("≤ 1", t, s):
            posterior(np.zeros(2), np.zeros(2), kind(t), kind(s))


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.int16, torch.bool])
def test_whole_number_tensors_are_refused(dtype):
    x = torch.zeros(2, dtype=dtype)
    calls = [lambda: randn_like(x), lambda: cast(np.zeros(2), x), lambda: cast(np.array(0.5), x)]
    calls += [lambda f=f, level=level: f(x, np.array(level), x) for f in ALL for level in (0.5, [0.5, 0.5])]
    calls += [lambda: add_noise(torch.zeros(2), 0.5, x), lambda: posterior(x, 0.0, 0.2, 0.5)]
    for call in calls:
        with refused(dtype, "x.float()"):
            call()


def test_a_value_is_not_read_where_it_costs_a_wait(monkeypatch):
    """A bad level goes through unseen there: what stands on a device is checked before it goes there."""
    for module in ("forward", "base.refusals"):
        monkeypatch.setattr(f"diffusion_course.{module}.may_read", lambda x: False)
    signal, _ = levels(torch.tensor([4.0, 1.0]), torch.zeros(2))
    assert signal.tolist() == [2.0, 1.0]
    assert eps_from_x0(torch.ones(1), torch.tensor([1.0]), torch.zeros(1)).isinf().all()
