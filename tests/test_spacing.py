"""Where the steps of a sampler lie: the contract for every n, T and curve, each grid by its formula, and refusals."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from refusals import refused

from diffusion_course.schedule import SPACINGS, Schedule, cosine, karras, linear, sigmoid, zero_terminal_snr

pytestmark = pytest.mark.filterwarnings("ignore::diffusion_course.schedule.TerminalSNRWarning")
CURVES = {
    "linear": linear,
    "cosine": cosine,
    "zero-linear": lambda T: zero_terminal_snr(linear(T)) if T > 1 else Schedule([1.0, 0.0]),
    "zero-sigmoid": lambda T: zero_terminal_snr(sigmoid(T)) if T > 1 else Schedule([1.0, 0.0]),
}


def check_times(schedule, n, spacing):
    times = schedule.steps(n, spacing)
    assert times.dtype.kind == "i" and len(times) == n + 1
    assert (times[0], times[-1]) == (schedule.T, 0)
    assert (np.diff(times) < 0).all()
    if spacing == "even":  # rounding moves each end of a step by at most ½
        assert np.abs(np.diff(times) + schedule.T / n).max() <= 1


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("curve", CURVES)
def test_every_number_of_steps_falls_from_T_to_0(curve, spacing):
    for T in (1, 2, 3, 7, 64, 101, 1000):
        schedule = CURVES[curve](T)
        for n in {*range(1, min(T, 70) + 1), *range(70, T, 41), T - (T > 1), T}:
            check_times(schedule, n, spacing)


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=40).map(np.cumprod), st.booleans(), st.data())
@example(np.array([0.5]), True, None)
def test_and_on_any_curve(kept, ends_at_0, data):
    schedule = Schedule([1.0, *kept[:-1], 0.0] if ends_at_0 else [1.0, *kept])
    n = data.draw(st.integers(1, schedule.T)) if data else 1
    for spacing in SPACINGS:
        check_times(schedule, n, spacing)


def test_seven_steps():
    assert linear().steps(7).tolist() == [1000, 857, 714, 571, 429, 286, 143, 0]
    assert linear().steps(7, "leading").tolist() == [1000, 711, 569, 427, 285, 143, 1, 0]  # strides of 142 from t = 1


def sigma_grid(sigma, n, rho):
    """EDM, equation 5, with i = 0 … n − 1 from the highest σ to the lowest."""
    first, last = sigma[-1] ** (1 / rho), sigma[0] ** (1 / rho)
    return (first + np.arange(n) / (n - 1) * (last - first)) ** rho


@pytest.mark.parametrize("maker", [linear, cosine, sigmoid])
@pytest.mark.parametrize("n", [2, 5, 8])
@pytest.mark.parametrize("spacing", ["logsnr", "exponential", "karras", "rho = 3"])
def test_grids_take_the_times_nearest_to_the_formulas_places(maker, n, spacing):
    schedule = maker()
    log_sigma = -schedule.log_snr[1:] / 2
    sigma, place = np.exp(log_sigma), spacing
    if spacing == "logsnr":
        scale = np.minimum(log_sigma, 5.1)
        places = np.linspace(scale[-1], scale[0], n)
    elif spacing == "exponential":
        scale, places = log_sigma, np.log(sigma[-1] * (sigma[0] / sigma[-1]) ** (np.arange(n) / (n - 1)))
    else:
        rho = 7 if spacing == "karras" else 3
        scale, places = sigma ** (1 / rho), sigma_grid(sigma, n, rho) ** (1 / rho)
        place = spacing if rho == 7 else lambda schedule, n: karras(schedule, n, rho=3)
    nearest = 1 + np.abs(scale - places[:, None]).argmin(1)
    expected = [schedule.T]
    for t in [*nearest[1:], 0]:
        expected.append(min(t, expected[-1] - 1))  # where σ is steep several places have one nearest time
    assert schedule.steps(n, place).tolist() == expected


def test_logsnr_spends_no_steps_on_pure_noise():
    """ᾱ of `cosine` falls by 100,000 in its last ten steps: one step crosses all that is below log-SNR −10.2."""
    times = cosine().steps(20, "logsnr")
    assert cosine().log_snr[times[0]] < -19
    assert (cosine().log_snr[times[2:]] > -10.2).all()


def test_where_whole_times_are_too_coarse_neighbours_are_taken():
    assert linear().steps(60, "logsnr")[-6:].tolist() == [5, 4, 3, 2, 1, 0]


def test_a_zero_terminal_snr_is_one_step_above_the_finite_grid():
    """σ is infinite at T; the grid starts from the last finite σ, and every finite time but its first is the same."""
    schedule = zero_terminal_snr(linear())
    shorter = Schedule(schedule.alpha_bar[:-1])
    for spacing in ("exponential", "karras"):
        assert schedule.steps(10, spacing)[1:].tolist() == shorter.steps(10, spacing)[1:].tolist()


def test_a_spacing_can_be_a_function():
    assert linear().steps(2, lambda schedule, n: np.array([schedule.T, n, 0])).tolist() == [1000, 2, 0]


@pytest.mark.parametrize("n", [0, -1, 1001, True, np.True_, 2.0, float("nan"), None, "four", [4]])
def test_impossible_numbers_of_steps_are_refused(n):
    with refused("T = 1000", repr(n), "whole number", "1"):
        linear().steps(n)


def test_numpy_integers_are_whole_numbers():
    assert linear(np.int64(1000)).steps(np.int32(4)).tolist() == [1000, 750, 500, 250, 0]


@pytest.mark.parametrize("times", [[5, 4], [1000, 500.0, 0], [1000, 1000, 0], [999, 500, 0], np.uint16([1000, 5, 1])])
def test_a_spacing_that_does_not_fall_from_T_to_0_is_refused(times):
    with refused("spacing must give 3 whole numbers falling from 1000 to 0"):
        linear().steps(2, lambda schedule, n: times)


@pytest.mark.parametrize("rho", [0, -1, np.nan, "a"])
def test_an_impossible_rho_is_refused(rho):
    with refused("rho must be a finite number at least 1, not", rho):
        karras(linear(), 5, rho)


def test_unknown_spacings_are_refused_by_name():
    with refused(*SPACINGS, "'trailing'"):
        linear().steps(10, spacing="trailing")
