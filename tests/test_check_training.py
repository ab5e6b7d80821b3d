"""Lesson 4's exercises agree with the package: the loss that is trained, and the names that the weights relate."""

import numpy as np
import pytest
import torch

from diffusion_course import check, forward, schedule, training
from diffusion_course.check.engine import Mistake
from diffusion_course.check.training import E, X, _one_error, answers_half


def test_wrong_answers_that_nobody_foresaw_are_still_refused():
    for exercise, attempt in (
        (check.simple_loss, lambda model, x0, a, eps: 0.0),
        (check.target_weight, lambda target, a: 2.0),
    ):
        with pytest.raises(Mistake, match="you return"):
            exercise(attempt)


def test_simple_loss_is_the_one_that_is_trained():
    s, t = schedule.cosine(), 300
    x0, eps = torch.tensor(X), torch.tensor(E)
    trained = training.losses(lambda xt, t: answers_half(xt), s, x0, t, eps).mean().item()
    assert trained == pytest.approx(check.simple_loss.reference(answers_half, X, float(s.at(t)), E))


@pytest.mark.parametrize("alpha_bar_t", [0.8, 0.5, 0.01])
def test_weighted_errors_of_one_guess_are_equal(alpha_bar_t):
    rng = np.random.default_rng(0)
    x0, eps, guess = rng.standard_normal((3, 50))
    xt = forward.add_noise(x0, alpha_bar_t, eps)
    errors = {
        "eps": eps - guess,
        "x0": x0 - forward.x0_from_eps(xt, alpha_bar_t, guess),
        "v": forward.v_from_eps(xt, alpha_bar_t, eps) - forward.v_from_eps(xt, alpha_bar_t, guess),
    }
    for target, error in errors.items():
        weight = check.target_weight.reference(target, alpha_bar_t)
        np.testing.assert_allclose(weight * error**2, errors["eps"] ** 2)


def test_symptom_of_the_right_weights_is_one_number_three_times():
    assert _one_error(check.target_weight.reference).count("0.25") == 3
