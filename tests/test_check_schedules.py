"""Lesson 3's checks: the solution passes, a blank is calm, every planted fault gets its own name."""

import numpy as np
import pytest

from diffusion_course import bugs, check, data, forward, scalar, schedule
from diffusion_course.check.schedules import alpha_bar_from_log_snr, shifted_alpha_bar, training_pair
from diffusion_course.exercise import Mistake

EXERCISES = (alpha_bar_from_log_snr, shifted_alpha_bar, training_pair)
PAIRS = {
    bugs.pair_a: "β is used where α is meant",
    bugs.pair_b: "x_0 is scaled to 0 … 1",
    bugs.pair_c: "a square root is missing",
    bugs.pair_d: "ᾱ is taken one step too early",
    bugs.pair_e: "uniform noise, not Gaussian",
    bugs.pair_f: "the product is taken backwards",
}


def blank(*_):
    raise NotImplementedError


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_solution_passes_and_blank_is_not_attempted(exercise, capsys):
    assert exercise is getattr(check, exercise.name)
    exercise(exercise.reference)
    assert capsys.readouterr().out.startswith("✓")
    exercise(blank)
    assert capsys.readouterr().out.startswith("○")


@pytest.mark.parametrize(
    ("exercise", "fault"),
    [(exercise, fault) for exercise in EXERCISES for fault in exercise.faults],
    ids=lambda value: value.name.replace(" ", "-"),
)
def test_planted_fault_is_named_and_quotes_numbers(exercise, fault):
    with pytest.raises(Mistake, match=r"\d") as found:
        exercise(fault.mutant)
    assert found.value.fault == fault.name


def test_six_hands_have_six_faults():
    hands = {function for name, function in vars(bugs).items() if name.startswith("pair_")}
    assert hands == set(PAIRS)
    for pair, name in PAIRS.items():
        with pytest.raises(Mistake) as found:
            training_pair(pair)
        assert found.value.fault == name


def test_two_faults_in_one_function_get_no_wrong_name():
    def both(photos, beta, t, rng):
        return bugs.pair_c(photos / 2, beta, t, rng)

    with pytest.raises(Mistake) as found:
        training_pair(both)
    assert found.value.fault is None


@pytest.mark.parametrize("pair", PAIRS)
def test_round_trip_finds_every_hand_but_the_uniform_one(pair):
    beta = schedule.linear(20, 0.02, 0.5).beta[1:]
    kept = scalar.alpha_bar([0.0, *beta])
    photos = np.arange(256.0)
    for t in (1, 10):
        xt, eps = pair(photos, beta, t, np.random.default_rng(0))
        error = np.abs(forward.x0_from_eps(xt, kept[t], eps) - (photos / 127.5 - 1)).max()
        assert error < 1e-12 if pair is bugs.pair_e else error > 0.05
    assert (abs(eps.mean()) > 0.3) == (pair is bugs.pair_e)


def test_references_agree_with_the_package():
    for name in (schedule.linear(), schedule.cosine(), schedule.sigmoid()):
        alpha_bar, log_snr = name.alpha_bar[1:], name.log_snr[1:]
        np.testing.assert_allclose(alpha_bar_from_log_snr.reference(log_snr), alpha_bar, rtol=1e-9)
        shifted = alpha_bar_from_log_snr.reference(log_snr - 2 * np.log(4))
        np.testing.assert_allclose(shifted_alpha_bar.reference(alpha_bar, 4), shifted, rtol=1e-9)
    x0 = data.smiley()
    eps = forward.randn_like(x0.astype(float), np.random.default_rng(0))
    xt, drawn = training_pair.reference((x0 + 1) * 127.5, np.array([0.5, 0.9]), 1, np.random.default_rng(0))
    np.testing.assert_allclose(drawn, eps)
    np.testing.assert_allclose(xt, forward.add_noise(x0, 0.5, eps), atol=1e-6)
