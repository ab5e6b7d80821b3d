"""Lesson 1's exercises by hand: its cases, answers as learners write them, what they are told."""

import math

import numpy as np
import pytest
import torch

from diffusion_course import denoisers, schedule
from diffusion_course.check import add_noise, best_guess, noise_step, x0_from_eps
from diffusion_course.check.engine import Mistake


def told(check, attempt):
    with pytest.raises(Mistake) as caught:
        check(attempt)
    return str(caught.value)


def test_by_hand():
    assert noise_step.reference(2.0, 0.36, 1.0) == pytest.approx(0.8 * 2 + 0.6)
    assert add_noise.reference(3.0, 0.25, 2.0) == pytest.approx(1.5 + 2 * math.sqrt(0.75))
    assert x0_from_eps.reference(1.5 + 2 * math.sqrt(0.75), 0.25, 2.0) == pytest.approx(3)
    # x_t = 0.4 at ᾱ = ½, data ±1: the weights are e^(±0.4√2), the guess is their tanh
    assert best_guess.reference(0.4, 0.5, np.array([-1.0, 1.0])) == pytest.approx(math.tanh(0.4 * math.sqrt(2)))


def test_best_guess_is_the_ideal_denoiser():
    with pytest.warns(schedule.TerminalSNRWarning):
        half = schedule.Schedule([1.0, 0.5])
    data = np.array([-1.0, -0.5, 0.0, 0.25, 2.0])
    ideal = denoisers.IdealDenoiser(data[:, None], half)
    for xt in (-3.0, 0.3, 1.5):
        guess = best_guess.reference(xt, 0.5, data)
        assert guess == pytest.approx(float(ideal.x0_hat(np.array([[xt]]), 1)[0, 0]))


@pytest.mark.parametrize(
    ("check", "attempt"),
    [
        (noise_step, lambda x, beta_t, eps: math.sqrt(1 - beta_t) * x + math.sqrt(beta_t) * eps),
        (add_noise, lambda x0, a, eps: a**0.5 * x0 + (1 - a) ** 0.5 * eps),
        (add_noise, lambda x0, a, eps: torch.as_tensor(x0) * a**0.5 + torch.as_tensor(eps) * (1 - a) ** 0.5),
        (x0_from_eps, lambda xt, a, eps: xt / math.sqrt(a) - math.sqrt(1 / a - 1) * eps),
        (
            best_guess,
            lambda xt, a, data: np.average(data, weights=np.exp(-((xt - a**0.5 * data) ** 2) / 2 / (1 - a))),
        ),
    ],
)  # fmt: skip
def test_other_ways_are_right(check, attempt, capsys):
    check(attempt)
    assert capsys.readouterr().out.startswith("✓")


def test_loop_over_the_data_is_right(capsys):
    def attempt(xt, alpha_bar_t, data):
        weights = [math.exp(-((xt - math.sqrt(alpha_bar_t) * x) ** 2) / (2 * (1 - alpha_bar_t))) for x in data]
        return sum(w * x for w, x in zip(weights, data, strict=True)) / sum(weights)

    best_guess(attempt)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    ("check", "attempt", "numbers"),
    [
        # 0.25² + 0.75² = 0.625, 0.25 + 0.75² = 0.8125, 0.25² + 0.75 = 0.8125
        (add_noise, lambda x0, a, eps: a * x0 + (1 - a) * eps, "variance 0.625, expected 0.25 + 0.75 = 1"),
        (add_noise, lambda x0, a, eps: a**0.5 * x0 + (1 - a) * eps, "variance 0.8125"),
        (add_noise, lambda x0, a, eps: a * x0 + (1 - a) ** 0.5 * eps, "variance 0.8125"),
        (add_noise, lambda x0, a, eps: (1 - a) ** 0.5 * x0 + a**0.5 * eps, "x_0 = 1, ε = 0 you return 0."),
        # 0.64² + 0.36² = 0.5392, 0.64 + 0.36² = 0.7696, 0.64² + 0.36 = 0.7696, 1 + 0.36
        (noise_step, lambda x, b, eps: (1 - b) * x + b * eps, "variance 0.5392, expected 0.64 + 0.36 = 1"),
        (noise_step, lambda x, b, eps: (1 - b) ** 0.5 * x + b * eps, "variance 0.7696"),
        (noise_step, lambda x, b, eps: (1 - b) * x + b**0.5 * eps, "variance 0.7696"),
        (noise_step, lambda x, b, eps: x + b**0.5 * eps, "variance 1.36"),
        (best_guess, lambda xt, a, data: data[np.argmin((xt - a**0.5 * data) ** 2)], "you return -1."),
    ],
)  # fmt: skip
def test_quoted_numbers(check, attempt, numbers):
    assert numbers in told(check, attempt)


@pytest.mark.parametrize(
    ("check", "attempt", "name"),
    [
        (noise_step, lambda x, b, eps: (1 - b) ** 0.5 * x - b**0.5 * eps, "the noise is subtracted"),
        (add_noise, lambda x0, a, eps: a**0.5 * x0 + (1 - a**0.5) * eps, "1 − √ᾱ, not √(1 − ᾱ)"),
        (x0_from_eps, lambda xt, a, eps: xt - (1 - a) ** 0.5 * eps / a**0.5, "a bracket is missing"),
        (x0_from_eps, lambda xt, a, eps: (xt - (1 - a) ** 0.5 * eps) * a**0.5, "multiplied by √ᾱ, not divided"),
    ],
)
def test_slips_of_the_pen_are_named(check, attempt, name):
    assert name in told(check, attempt)


@pytest.mark.parametrize(
    ("exponent", "name"),
    [
        (lambda xt, a, pile: -((xt - a * pile) ** 2) / 2 / (1 - a), "shrunk by ᾱ, not √ᾱ"),
        (lambda xt, a, pile: -((xt / a**0.5 - pile) ** 2) / 2 / (1 - a), "stretched by 1/√ᾱ"),
        (lambda xt, a, pile: (xt - a**0.5 * pile) ** 2 / 2 / (1 - a), "the minus in the exponent is missing"),
        (lambda xt, a, pile: -(xt - a**0.5 * pile) / 2 / (1 - a), "the distance is not squared"),
    ],
)
def test_wrong_weights_are_named(exponent, name):
    def attempt(xt, alpha_bar_t, pile):
        weights = np.exp(exponent(xt, alpha_bar_t, pile))
        return (weights * pile).sum() / weights.sum()

    assert name in told(best_guess, attempt)


@pytest.mark.parametrize(
    ("average", "name"),
    [
        (lambda w, pile, a: (w * pile).mean(), "the mean of weight · number"),
        (lambda w, pile, a: (w * pile).mean() / w.sum(), "a mean is divided by a sum"),
        (lambda w, pile, a: (w * a**0.5 * pile).sum() / w.sum(), "the average is that of √ᾱ x_i"),
        (lambda w, pile, a: pile.mean(), "you return 0: x_t is not looked at"),
    ],
)
def test_wrong_averages_are_named(average, name):
    def attempt(xt, alpha_bar_t, pile):
        weights = np.exp(-((xt - alpha_bar_t**0.5 * pile) ** 2) / (2 * (1 - alpha_bar_t)))
        return average(weights, pile, alpha_bar_t)

    assert name in told(best_guess, attempt)


def test_solving_is_probed_first_by_the_numbers_of_the_lesson():
    text = told(x0_from_eps, lambda xt, a, eps: 0 * xt)
    assert text == "x0_from_eps: for xt=3.23205, alpha_bar_t=0.25, eps=2 you return 0, expected 3."


def test_unknown_mistake_is_told_by_numbers():
    assert (
        told(add_noise, lambda x0, a, eps: x0)
        == "add_noise: for x0=3, alpha_bar_t=0.25, eps=2 you return 3, expected 3.23205."
    )
