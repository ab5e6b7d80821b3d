"""The schedule designer: sound at every position of its sliders, warns where the package warns."""

import warnings

import numpy as np
import pytest

from diffusion_course import data, schedule
from diffusion_course.lab.designer import design, filmstrips, verdict

ENDS = [(2.0, 12.0), (-14.0, 0.0), (-1.5, 1.5)]  # of the three sliders in lesson 3
SMILEY = data.smiley(8)
EPS = np.random.default_rng(0).standard_normal(SMILEY.shape)


def test_curve_runs_from_start_to_end_in_log_snr():
    alpha_bar = design(4.0, -6.0, 1.0, T=50)
    assert alpha_bar.shape == (51,) and alpha_bar[0] == 1
    log_snr = np.log(alpha_bar[1:] / (1 - alpha_bar[1:]))
    np.testing.assert_allclose(log_snr[[0, -1]], [4, -6], atol=1e-9)
    u = np.linspace(0, 1, 50)
    np.testing.assert_allclose(log_snr, 4 - 10 * u**2, atol=1e-9)


def test_every_slider_position_makes_a_schedule():
    grids = [np.linspace(low, high, 9) for low, high in ENDS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", schedule.TerminalSNRWarning)
        for start in grids[0]:
            for end in grids[1]:
                for bend in grids[2]:
                    assert schedule.Schedule(design(start, end, bend)).T == 100


@pytest.mark.parametrize("end", ENDS[1])
@pytest.mark.parametrize("bend", ENDS[2])
def test_figure_at_the_ends_of_the_sliders(end, bend):
    figure = filmstrips({"drawn": design(2.0, end, bend), "other": design(12.0, end, bend)}, SMILEY, EPS)
    assert figure.png()[:4] == b"\x89PNG"
    assert "drawn: ᾱ" in figure.alt and ("⚠" in figure.alt) == (end == 0)


def test_verdict_counts_and_warns_and_lets_no_warning_out(recwarn):
    assert verdict([1.0, 0.5, 0.05, 0.001]) == "ᾱ < 0.1 from t = 2 of 3"
    assert verdict([1.0, 0.5]).startswith("ᾱ never falls below 0.1\n⚠ √ᾱ_T = 0.707")
    assert not recwarn.list


@pytest.mark.parametrize("end", [3.0, 4.0, float("nan")])
def test_rising_curve_is_refused(end):
    with pytest.raises(ValueError, match="must fall"):
        design(3.0, end, 0)
