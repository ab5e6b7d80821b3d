"""Step spacings: the contract for every n, T and curve, their definitions, and the grids of `diffusers`."""

import numpy as np
import pytest
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler
from hypothesis import example, given
from hypothesis import strategies as st

from diffusion_course.schedule import Schedule, cosine, linear, sigmoid, zero_terminal_snr
from diffusion_course.spacing import SPACINGS

pytestmark = pytest.mark.filterwarnings("ignore::diffusion_course.schedule.TerminalSNRWarning")
every_spacing = pytest.mark.parametrize("spacing", SPACINGS)
CURVES = {
    "linear": linear,
    "cosine": cosine,
    "sigmoid": sigmoid,
    "zero-linear": lambda T: zero_terminal_snr(linear(T)) if T > 1 else Schedule([1.0, 0.0]),
    "zero-cosine": lambda T: zero_terminal_snr(cosine(T)) if T > 1 else Schedule([1.0, 0.0]),
}


def assert_walk(schedule, n, spacing):
    times = schedule.steps(n, spacing)
    assert times.dtype.kind == "i"
    assert len(times) == n + 1
    assert (times[0], times[-1]) == (schedule.T, 0)
    assert (np.diff(times) < 0).all()


@every_spacing
@pytest.mark.parametrize("T", [1, 2, 3, 7, 64, 101, 1000])
@pytest.mark.parametrize("curve", CURVES)
def test_every_number_of_steps_walks_from_T_to_0(curve, T, spacing):
    schedule = CURVES[curve](T)
    for n in range(1, T + 1):
        assert_walk(schedule, n, spacing)


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=40).map(np.cumprod), st.booleans(), st.data())
@example(np.array([0.5]), True, None)
def test_on_any_curve(kept, ends_at_0, data):
    schedule = Schedule([1.0, *kept[:-1], 0.0] if ends_at_0 else [1.0, *kept])
    n = data.draw(st.integers(1, schedule.T)) if data else 1
    for spacing in SPACINGS:
        assert_walk(schedule, n, spacing)


def test_the_names_are_those_of_the_functions():
    assert list(SPACINGS) == ["trailing", "leading", "linspace", "logsnr"]


# What each name means.


@pytest.mark.parametrize(
    ("spacing", "times"),
    [
        ("trailing", [1000, 857, 714, 571, 429, 286, 143, 0]),
        ("leading", [1000, 711, 569, 427, 285, 143, 1, 0]),  # whole strides of 142, counted from t = 1
        ("linspace", [1000, 834, 667, 500, 334, 168, 1, 0]),
    ],
)
def test_seven_strokes(spacing, times):
    assert np.abs(linear().steps(7, spacing) - times).max() <= (spacing == "linspace")  # halves round either way


@pytest.mark.parametrize("maker", [linear, cosine, sigmoid])
@pytest.mark.parametrize("n", [2, 5, 8])
def test_logsnr_takes_the_times_nearest_to_even_places(maker, n):
    schedule = maker()
    level = np.maximum(schedule.log_snr[1:], -10.2)
    places = np.linspace(level[-1], level[0], n)
    nearest = 1 + np.abs(level - places[:, None]).argmin(1)
    np.testing.assert_array_equal(schedule.steps(n, "logsnr")[1:], [*nearest[1:], 0])


def test_logsnr_spends_no_strokes_on_static():
    """ᾱ of `cosine` falls by 100,000 in its last ten steps: one stroke crosses all that is below log-SNR −10.2."""
    times = cosine().steps(20, "logsnr")
    assert cosine().log_snr[times[0]] < -19
    assert (cosine().log_snr[times[2:]] > -10.2).all()


# The same names elsewhere. Their times count from 0 and the final 0 is left out.


def theirs(kind, n, **options):
    scheduler = kind(num_train_timesteps=1000, beta_schedule="linear", beta_start=1e-4, beta_end=0.02, **options)
    scheduler.set_timesteps(n)
    return scheduler.timesteps.numpy() + 1


@pytest.mark.parametrize("n", [2, 7, 10, 30, 50, 333, 1000])
def test_diffusers_has_the_same_grids_but_starts_leading_below_T(n):
    ours = {spacing: linear().steps(n, spacing)[:-1] for spacing in SPACINGS}
    np.testing.assert_array_equal(ours["trailing"], theirs(DDIMScheduler, n, timestep_spacing="trailing"))
    np.testing.assert_array_equal(ours["leading"][1:], theirs(DDIMScheduler, n, timestep_spacing="leading")[1:])
    assert theirs(DDIMScheduler, n, timestep_spacing="leading")[0] == 1 + (n - 1) * (1000 // n)
    # np.round goes to the even neighbour of a half, which is another one counted from 0.
    assert np.abs(ours["linspace"] - theirs(DDIMScheduler, n, timestep_spacing="linspace")).max() <= 1


def test_where_linspace_of_diffusers_differs():
    assert theirs(DDIMScheduler, 1, timestep_spacing="linspace").tolist() == [1]
    assert theirs(DPMSolverMultistepScheduler, 7, timestep_spacing="linspace")[-1] > 1


def test_logsnr_is_the_uniform_lambda_of_dpm_solver():
    for n in (2, 5, 8):
        grid = theirs(DPMSolverMultistepScheduler, n, use_lu_lambdas=True)
        np.testing.assert_array_equal(linear().steps(n, "logsnr")[:-1], grid)


def test_where_whole_times_are_too_coarse_it_repeats_them_and_ours_takes_neighbours():
    grid = theirs(DPMSolverMultistepScheduler, 60, use_lu_lambdas=True)
    assert (np.diff(grid) == 0).any()
    assert linear().steps(60, "logsnr")[-6:].tolist() == [5, 4, 3, 2, 1, 0]
