"""Schedules: published figures, another library's schedulers, every refusal, every number of steps."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from diffusion_course.schedule import (
    Schedule,
    TerminalSNRWarning,
    cosine,
    from_beta,
    linear,
    sigmoid,
    zero_terminal_snr,
)

quiet = pytest.mark.filterwarnings("ignore::diffusion_course.schedule.TerminalSNRWarning")
MAKERS = [linear, cosine, sigmoid]
falling = st.lists(st.floats(0.01, 0.99), min_size=1, max_size=30).map(lambda kept: np.cumprod([1.0, *kept]))


# Figures: indices count the T noisy steps from 0, so index i is t = i + 1.


def test_linear_is_the_published_curve():
    kept = linear().alpha_bar[1:]
    np.testing.assert_allclose(kept[[0, 249, 499, 749]], [0.9999, 0.5241, 0.0786, 0.0034], atol=5e-5)
    np.testing.assert_allclose(kept[999], 0.00004, atol=5e-6)
    assert np.argmax(kept < 0.1) == 475


def test_cosine_is_the_published_curve():
    kept = cosine().alpha_bar[1:]
    np.testing.assert_allclose(kept[499], 0.4938, atol=5e-5)
    assert np.argmax(kept < 0.1) == 793


def test_sigmoid_is_the_rescaled_logistic_curve():
    u = np.linspace(-3, 3, 1001)
    logistic = 1 / (1 + np.exp(-u))
    expected = (logistic[-1] - logistic) / (logistic[-1] - logistic[0])  # from 1 to 0
    np.testing.assert_allclose(sigmoid().alpha_bar[:-1], expected[:-1], atol=1e-12)
    assert sigmoid().alpha_bar[-1] == pytest.approx(0.001 * expected[-2])  # the last beta is 0.999


@pytest.mark.parametrize(("T", "power", "amplitude"), [(100, 0.3636, 0.60), (50, 0.6029, 0.776)])
def test_fewer_steps_with_the_same_betas_leave_signal(T, power, amplitude):
    with pytest.warns(TerminalSNRWarning, match=f"{amplitude:.0%}.*T = {T}"):
        schedule = linear(T)
    assert schedule.alpha_bar[-1] == pytest.approx(power, abs=5e-4)
    assert schedule.alpha_bar[-1] ** 0.5 == pytest.approx(amplitude, abs=5e-3)


# Another implementation. It counts from 0 and works in float32, whose rounding stays below 1e-6 here.


@pytest.mark.parametrize("T", [50, 333, 1000])
@pytest.mark.parametrize(
    ("maker", "theirs"),
    [
        (linear, {"beta_schedule": "linear"}),
        (cosine, {"beta_schedule": "squaredcos_cap_v2"}),
        (lambda T: zero_terminal_snr(linear(T)), {"rescale_betas_zero_snr": True}),
        (
            lambda T: zero_terminal_snr(cosine(T)),
            {"beta_schedule": "squaredcos_cap_v2", "rescale_betas_zero_snr": True},
        ),
    ],
)
@quiet
def test_agrees_with_diffusers(T, maker, theirs):
    expected = DDPMScheduler(num_train_timesteps=T, **theirs).alphas_cumprod
    np.testing.assert_allclose(maker(T).alpha_bar[1:], expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 10, 16, 30, 50, 333, 999, 1000])
def test_trailing_steps_agree_with_diffusers(n):
    other = DDPMScheduler(timestep_spacing="trailing")
    other.set_timesteps(n)
    np.testing.assert_array_equal(linear().steps(n)[:-1], other.timesteps.numpy() + 1)


# One array, and what is derived from it.


@given(falling)
@quiet
def test_everything_follows_from_alpha_bar(alpha_bar):
    schedule = Schedule(alpha_bar)
    assert schedule.T == len(alpha_bar) - 1
    for derived in (schedule.alpha, schedule.beta, schedule.snr, schedule.log_snr):
        assert derived.shape == alpha_bar.shape
        assert derived.dtype == np.float64
    assert schedule.alpha[0] == 1
    assert schedule.beta[0] == 0
    np.testing.assert_allclose(np.cumprod(schedule.alpha), alpha_bar, rtol=1e-12)
    np.testing.assert_allclose(schedule.alpha + schedule.beta, 1, atol=1e-15)
    # ᾱ is the logistic function of the log-SNR.
    np.testing.assert_allclose(1 / (1 + np.exp(-schedule.log_snr)), alpha_bar, rtol=1e-12)
    np.testing.assert_allclose(np.exp(schedule.log_snr[1:]), schedule.snr[1:], rtol=1e-12)


@given(st.lists(st.floats(1e-4, 0.99), min_size=1, max_size=50))
@quiet
def test_from_beta_is_undone_by_beta(beta):
    schedule = from_beta(beta)
    np.testing.assert_allclose(schedule.beta[1:], beta, rtol=1e-9)
    assert schedule.alpha_bar[0] == 1
    assert schedule.alpha_bar[1] == 1 - beta[0]


def test_ends_of_the_signal_to_noise_ratio():
    schedule = zero_terminal_snr(linear())
    assert schedule.snr[0] == schedule.log_snr[0] == np.inf
    assert schedule.snr[-1] == 0
    assert schedule.log_snr[-1] == -np.inf


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("T", [2, 10, 1000])
@quiet
def test_zero_terminal_snr_keeps_the_first_level_and_ends_in_pure_static(maker, T):
    before = maker(T)
    after = zero_terminal_snr(before)
    assert after.alpha_bar[-1] == 0
    assert after.alpha_bar[1] == pytest.approx(before.alpha_bar[1], rel=1e-12)
    # √ᾱ is shifted and rescaled: its differences keep their proportions.
    old, new = np.diff(before.alpha_bar[1:] ** 0.5), np.diff(after.alpha_bar[1:] ** 0.5)
    np.testing.assert_allclose(new / new.sum(), old / old.sum(), rtol=1e-9)
    np.testing.assert_allclose(zero_terminal_snr(after).alpha_bar, after.alpha_bar, atol=1e-15)


def test_a_schedule_cannot_change():
    given_array = np.array([1.0, 0.5, 0.005])
    schedule = Schedule(given_array)
    given_array[1] = 0.7
    assert schedule.alpha_bar[1] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        schedule.alpha_bar[1] = 0.7
    with pytest.raises(AttributeError):
        schedule.alpha_bar = given_array


# The warning.


@pytest.mark.parametrize("maker", MAKERS)
def test_full_length_schedules_do_not_warn(maker):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        maker()
        Schedule([1.0, 0.01])  # √0.01 = 0.1 is still allowed


def test_the_warning_says_how_much_is_left_and_what_to_do():
    with pytest.warns(TerminalSNRWarning) as caught:
        Schedule([1.0, 0.64])
    message = str(caught[0].message)
    for part in ("0.8", "80%", "T = 1", "zero_terminal_snr", "steps", "betas"):
        assert part in message
    assert caught[0].filename == __file__


def test_the_warning_comes_again_when_a_cell_runs_again():
    cell = "from diffusion_course.schedule import linear\nfor run in range(3): linear(T=100)"
    done = subprocess.run([sys.executable, "-c", cell], capture_output=True, text=True, check=True)
    assert done.stderr.count("TerminalSNRWarning") == 3


# Steps.


@pytest.mark.parametrize("T", [1, 2, 3, 7, 10, 64, 101, 250, 1000])
@quiet
def test_every_number_of_steps_walks_from_T_to_0(T):
    schedule = linear(T)
    for n in range(1, T + 1):
        times = schedule.steps(n)
        strides = -np.diff(times)
        assert times.dtype.kind == "i"
        assert len(times) == n + 1
        assert times[0] == T
        assert times[-1] == 0
        assert strides.min() >= 1
        # Even: rounding moves each end of a stride by at most ½.
        assert np.abs(strides - T / n).max() <= 1


@pytest.mark.parametrize(
    "n", [0, -1, 1001, True, np.True_, 2.0, 2.5, float("nan"), float("inf"), None, "4", "four", [4]]
)
def test_impossible_numbers_of_steps_are_refused(n):
    with refused("whole number from 1 to T = 1000", repr(n)):
        linear().steps(n)


def test_numpy_integers_are_whole_numbers():
    assert linear(np.int64(1000)).steps(np.int32(4)).tolist() == [1000, 750, 500, 250, 0]


def test_unknown_spacings_are_refused():
    with refused("leading", "linspace", "logsnr", "trailing", "'even'"):
        linear().steps(10, spacing="even")


def test_the_default_spacing_is_trailing():
    assert linear().steps(7).tolist() == linear().steps(7, "trailing").tolist()


# Looking up ᾱ.


@pytest.mark.parametrize(
    "kind", [list, np.array, lambda t: np.array(t, np.int32), lambda t: np.array(t, np.uint8), torch.tensor]
)
def test_at_takes_whole_numbers_of_every_kind(kind):
    np.testing.assert_array_equal(linear().at(kind([0, 3, 200])), linear().alpha_bar[[0, 3, 200]])
    assert linear().at(1000) == linear().alpha_bar[1000]
    assert linear().at(torch.tensor(7)) == linear().alpha_bar[7]


@pytest.mark.parametrize(
    "t",
    [-1, 1001, [5, -1], [5, 1001], 5.0, [1.5], True, None, "5", float("nan"), np.array(-1), torch.tensor([-1])],
)
def test_steps_outside_the_schedule_are_refused(t):
    with refused("0 (clean)", "T = 1000 (static)"):
        linear().at(t)


def test_a_refused_step_is_named():
    with refused("not -1"):
        linear().at(-1)


# Refusals of arrays.


@given(falling, st.data())
@quiet
def test_a_curve_that_does_not_fall_is_refused_where_it_does_not(alpha_bar, data):
    t = data.draw(st.integers(1, len(alpha_bar) - 1))
    for value in (alpha_bar[t - 1], min(1.0, alpha_bar[t - 1] * 1.5)):  # flat, rising
        broken = alpha_bar.copy()
        broken[t] = value
        with refused("fall at every step", f"from t = {t - 1} to {t}"):
            Schedule(broken)


def test_a_curve_that_stays_is_told_from_one_that_rises():
    with refused("already?"):
        linear(100_000)  # ᾱ underflows to 0 half way
    with refused("backwards?"):
        Schedule([1, 0.02, 0.3])


@given(falling, st.data())
@quiet
def test_a_curve_outside_0_and_1_is_refused_by_its_value(alpha_bar, data):
    t = data.draw(st.integers(1, len(alpha_bar) - 1))
    value = data.draw(st.sampled_from([-0.25, 1.25, -np.inf, np.inf]))
    broken = alpha_bar.copy()
    broken[t] = value
    with refused("[0, 1]", f"t = {t}", value):
        Schedule(broken)


@given(falling, st.data())
def test_nan_is_refused_by_its_place(alpha_bar, data):
    t = data.draw(st.integers(0, len(alpha_bar) - 1))
    broken = alpha_bar.copy()
    broken[t] = np.nan
    with refused("NaN", f"t = {t}"):
        Schedule(broken)


@pytest.mark.parametrize("first", [0.9999, 0.0, 1 + 1e-12])
def test_a_curve_that_does_not_start_at_1_is_refused(first):
    with refused("exactly 1", first, "put a 1 in front"):
        Schedule([first, 0.5, 0.005])


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 1), (1, 3)])
def test_an_array_of_the_wrong_shape_is_refused(shape):
    with refused("(T+1,)", shape):
        Schedule(np.ones(shape))


@pytest.mark.parametrize(
    "mistake, hint",
    [(lambda a: a[::-1], "backwards"), (lambda a: np.full_like(a, a[-1]), "the whole product at every t")],
)
def test_a_product_taken_backwards_or_to_the_end_is_refused(mistake, hint):
    with refused("exactly 1"):
        Schedule(mistake(linear().alpha_bar))
    with refused(hint):
        Schedule(np.concatenate([[1.0], mistake(linear().alpha_bar[1:])]))


@given(st.lists(st.floats(1e-4, 0.99), min_size=1, max_size=20), st.data())
def test_a_beta_outside_its_range_is_refused_by_its_step(beta, data):
    at = data.draw(st.integers(0, len(beta) - 1))
    beta[at] = data.draw(st.sampled_from([0.0, -0.1, 1.1, np.nan, np.inf]))
    with refused("(0, 1]", f"t = {at + 1}", beta[at]):
        from_beta(beta)


@pytest.mark.parametrize("shape", [(), (0,), (2, 2)])
def test_betas_of_the_wrong_shape_are_refused(shape):
    with refused("T ≥ 1", shape):
        from_beta(np.full(shape, 0.5))


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("T", [0, -5, 2.5, 1000.0, True, np.True_, float("nan"), float("inf"), None, "9"])
def test_an_impossible_T_is_refused(maker, T):
    with refused("whole number ≥ 1", repr(T)):
        maker(T)


@pytest.mark.parametrize("s", [-0.1, float("nan"), float("inf")])
def test_an_impossible_cosine_offset_is_refused(s):
    with refused("0 or more", s):
        cosine(s=s)


@pytest.mark.parametrize("ends", [(3.0, -3.0), (1.0, 1.0), (float("nan"), 3.0)])
def test_sigmoid_ends_out_of_order_are_refused(ends):
    with refused("below", *map(repr, ends)):
        sigmoid(10, *ends)


@quiet
def test_one_step_cannot_be_rescaled():
    with refused("T ≥ 2"):
        zero_terminal_snr(linear(1))
