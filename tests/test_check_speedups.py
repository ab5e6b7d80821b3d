"""Lesson 6: exercises agree with the package, traps are what the text says, the leaderboard keeps its rules."""

import numpy as np
import pytest
import torch

from diffusion_course import check, samplers
from diffusion_course.check import broken, leaderboard
from diffusion_course.check.engine import Mistake
from diffusion_course.check.solvers import _error
from diffusion_course.check.speedups import POINT, SCHEDULE, STATIC


def test_wrong_answers_that_nobody_foresaw_are_still_refused():
    for exercise, attempt in (
        (check.ddim_walk, lambda model, schedule, x, n, eta, rng: x),
        (check.heun_step, lambda model, schedule, x, t, s: x),
        (check.extended_guess, lambda x0_hat, x0_before, h, h_before: x0_hat),
    ):
        with pytest.raises(Mistake, match="you return"):
            exercise(attempt)


# ---- the traps -----------------------------------------------------------------------------------


@pytest.mark.parametrize("walk", [broken.walk_a, broken.walk_c])
def test_traps_a_and_c_are_right_where_their_fault_does_not_show(walk):
    """`a` where n divides T, `c` at η = 1: there they are the package's DDIM."""
    *_, right = samplers.ddim(POINT, SCHEDULE, STATIC, 25, 1.0, np.random.default_rng(1))
    np.testing.assert_allclose(walk(POINT, SCHEDULE, STATIC, 25, 1.0, np.random.default_rng(1)), right, atol=1e-9)


def test_trap_b_is_right_without_noise_and_leaves_the_spread_of_the_last_stroke_with_it():
    assert np.allclose(broken.walk_b(POINT, SCHEDULE, STATIC, 10, 0.0, np.random.default_rng(1)), 1)
    spread = broken.walk_b(POINT, SCHEDULE, STATIC, 10, 1.0, np.random.default_rng(1)).std()
    last = (1 - SCHEDULE.at(SCHEDULE.steps(10)[-2])) ** 0.5
    assert spread == pytest.approx(last, rel=0.15)  # of 200 samples: three standard errors


def test_trap_d_leaves_the_noise_of_the_first_step():
    x = broken.walk_d(POINT, SCHEDULE, STATIC, 25, 0.0, np.random.default_rng(1))
    assert np.abs(x - 1).max() > 1e-3
    assert x.mean() == pytest.approx(SCHEDULE.at(1) ** 0.5, abs=3 * (1 - SCHEDULE.at(1)) ** 0.5 / 200**0.5)


# ---- Heun's stroke -------------------------------------------------------------------------------


def test_stroke_of_heun_is_the_samplers_and_of_order_2():
    first = check.heun_step.reference(POINT, SCHEDULE, STATIC, 40, 20)
    np.testing.assert_allclose(list(samplers.heun(POINT, SCHEDULE, STATIC, [40, 20, 0]))[1], first)
    assert _error(check.heun_step.reference, 10) / _error(check.heun_step.reference, 20) == pytest.approx(4, rel=0.15)


# ---- the leaderboard -----------------------------------------------------------------------------


def test_blank_leaderboard_is_calm(capsys):
    def blank(*_):
        raise NotImplementedError

    check.leaderboard(blank)
    assert "not attempted" in capsys.readouterr().out


def test_ddim_draws_level_with_ddim_on_the_leaderboard(capsys):
    ranking.leaderboard(ranking._ddim, seeds=(0,))
    lines = {line[:14].strip(): line[14:] for line in capsys.readouterr().out.splitlines()}
    assert lines["yours"] == lines["DDIM"] != lines["static"]


def test_leaderboard_refuses_more_evaluations_and_what_is_no_sample():
    def greedy(model, schedule, xT, n):
        *_, x = samplers.ddim(model, schedule, xT, n + 1)
        return x

    with pytest.raises(Mistake, match="more than 1 times"):
        check.leaderboard(greedy)
    for answer in (None, torch.zeros(3, 2), torch.full((ranking.SAMPLES, 2), torch.nan)):
        with pytest.raises(Mistake, match="finite points"):
            check.leaderboard(lambda *_, answer=answer: answer)
