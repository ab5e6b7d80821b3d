"""The schedule designer without a browser: what Python holds, and what stands where no kernel runs."""

import numpy as np
import pytest

from diffusion_course.lab.designer import T, designer
from diffusion_course.schedule import TerminalSNRWarning, cosine, linear


@pytest.fixture(scope="module")
def mine():
    return designer()


def test_it_begins_with_linear_and_follows_the_browser(mine):
    assert np.array_equal(mine.alpha_bar, linear().alpha_bar) and mine.alpha_bar.flags.writeable
    mine.drawn.curve = cosine().alpha_bar.tolist()
    assert np.array_equal(mine.schedule().alpha_bar, cosine().alpha_bar) and mine.schedule().T == T


def test_a_curve_that_ends_early_warns_here_as_everywhere(mine):
    mine.drawn.curve = np.linspace(1, 0.5, T + 1).tolist()
    with pytest.warns(TerminalSNRWarning, match=r"√ᾱ_T = 0\.707"):
        mine.schedule()


def test_the_still_is_alive_without_a_kernel_and_described(mine):
    assert "<img alt=" in mine.still and "enliven(" in mine.still
    assert "linear, √ᾱ_T = 0.0064" in mine.alt and "sigmoid, √ᾱ_T = 0.00055" in mine.alt
