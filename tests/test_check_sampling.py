"""Lesson 5's exercises: the cases by hand, answers as learners write them, what they are told."""

import re

import numpy as np
import pytest
import torch

from diffusion_course import forward
from diffusion_course.check import ddpm_step, guided, time_grid
from diffusion_course.check.engine import Mistake
from diffusion_course.schedule import Schedule


def by_the_paper(xt, t, s, eps_hat, schedule, z, fresh=True):
    """DDPM's own form of the mean, for a stroke of any length."""
    a_t, a_s = schedule.alpha_bar[[t, s]].tolist()
    beta = 1 - a_t / a_s
    mean = (xt - beta / (1 - a_t) ** 0.5 * eps_hat) / (1 - beta) ** 0.5
    return mean + fresh * ((1 - a_s) / (1 - a_t) * beta) ** 0.5 * z


def on_tensors(xt, t, s, eps_hat, schedule, z):
    return by_the_paper(torch.tensor(xt), t, s, torch.tensor(eps_hat), schedule, torch.tensor(z))


def told(check, attempt):
    with pytest.raises(Mistake) as caught:
        check(attempt)
    return str(caught.value)


def test_by_hand():
    schedule = Schedule([1.0, 0.25, 0.005])
    assert ddpm_step.reference(1.0, 1, 0, 0.0, schedule, z=7.0) == pytest.approx(2)
    assert time_grid.reference(10, 4).tolist() == [10, 8, 5, 2, 0]
    assert guided.reference(2.0, 5.0, 3.0) == 11


@pytest.mark.parametrize(
    ("check", "attempt"),
    [
        (ddpm_step, by_the_paper),
        (ddpm_step, on_tensors),
        (ddpm_step, lambda xt, t, s, e, schedule, z: by_the_paper(xt, t, s, e, schedule, z, fresh=t > 1)),
        (time_grid, lambda T, n: np.linspace(T, 0, n + 1).astype(int)),
        (time_grid, lambda T, n: [T - T * i // n for i in range(n + 1)]),
        (time_grid, lambda T, n: torch.linspace(T, 0, n + 1).round()),
        (guided, lambda free, asked, scale: (1 - scale) * free + scale * asked),
    ],
)
def test_other_ways_are_right(check, attempt, capsys):
    check(attempt)
    assert capsys.readouterr().out.startswith("✓")


def test_noise_that_stops_one_stroke_early_is_seen():
    def attempt(xt, t, s, eps_hat, schedule, z):
        return by_the_paper(xt, t, s, eps_hat, schedule, z, fresh=s > 1)

    assert "t=2, s=1" in told(ddpm_step, attempt)


def test_a_stroke_that_takes_s_for_t_minus_1_is_seen():
    def attempt(xt, t, s, eps_hat, schedule, z):
        return by_the_paper(xt, t, t - 1, eps_hat, schedule, z)

    assert "t=30, s=20" in told(ddpm_step, attempt)


def test_the_three_answers_are_the_three_factors():
    """A wrong factor of z shows in the third number only."""
    message = told(ddpm_step, lambda *given: by_the_paper(*given[:-1], given[-1] / 2))
    *_, returned, expected = ([float(x) for x in row.split(", ")] for row in re.findall(r"\[(.*?)\]", message))
    assert returned[:2] == expected[:2] and returned[2] == pytest.approx(expected[2] / 2, rel=1e-3)


@pytest.mark.parametrize(
    ("check", "attempt", "name"),
    [
        (time_grid, lambda T, n: list(range(T, -1, -(T // n))), "a range with a fixed stride misses 0"),
        (time_grid, lambda T, n: [T - T // n * i for i in range(n)] + [0], "takes all that is left"),
        (time_grid, lambda T, n: np.linspace(T, 0, n).astype(int), "n times, where n + 1 are needed"),
        (time_grid, lambda T, n: np.linspace(T, 0, n + 1), "your second time is 7.5"),
        (guided, lambda free, asked, scale: free + scale * asked, "you return 2 and 7. That counts the noise twice"),
        (guided, lambda free, asked, scale: scale * (asked - free), "you return 0 and 3"),
        (
            ddpm_step,
            lambda xt, t, s, e, schedule, z: by_the_paper(xt, t, s, -e, schedule, z),
            "ε̂ is added in x̂_0",
        ),
    ],
)
def test_slips_of_the_pen_are_named(check, attempt, name):
    assert name in told(check, attempt)


def test_a_stroke_by_hand_is_the_posterior():
    mean, variance = forward.posterior(1.0, 0.5, 0.3, 0.6)
    schedule = Schedule([1.0, 0.6, 0.3, 0.004])
    eps_hat = forward.eps_from_x0(0.5, 0.3, 1.0)
    assert ddpm_step.reference(0.5, 2, 1, eps_hat, schedule, 2.0) == pytest.approx(mean + 2 * variance**0.5)
