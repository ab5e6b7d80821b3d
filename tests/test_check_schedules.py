"""Lesson 3's checks: the solution passes, a blank is calm, every planted fault gets its own name."""

import numpy as np
import pytest

from diffusion_course import check, data, forward, scalar, schedule
from diffusion_course.check import broken
from diffusion_course.check.engine import Mistake
from diffusion_course.check.pairs import training_pair
from diffusion_course.check.schedules import alpha_bar_from_log_snr, shifted_alpha_bar

EXERCISES = (alpha_bar_from_log_snr, shifted_alpha_bar, training_pair)
PAIRS = {
    broken.pair_a: "β is used where α is meant",
    broken.pair_b: "x_0 is scaled to 0 … 1",
    broken.pair_c: "a square root is missing",
    broken.pair_d: "ᾱ is taken one step too early",
    broken.pair_e: "uniform noise, not Gaussian",
    broken.pair_f: "the product is taken backwards",
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
    hands = {function for name, function in vars(broken).items() if name.startswith("pair_")}
    assert hands == set(PAIRS)
    for pair, name in PAIRS.items():
        with pytest.raises(Mistake) as found:
            training_pair(pair)
        assert found.value.fault == name


def test_two_faults_in_one_function_get_no_wrong_name():
    def both(photos, beta, t, rng):
        return broken.pair_c(photos / 2, beta, t, rng)

    with pytest.raises(Mistake) as found:
        training_pair(both)
    assert found.value.fault is None


def pair_of(x0=lambda photos: photos / 127.5 - 1, draw=np.random.Generator.standard_normal, mix=None):
    """A training pair that differs from the right one in its scale, its noise, or how it mixes the two."""

    def pair(photos, beta, t, rng):
        kept, clean = np.prod(1 - beta[:t]), x0(photos)
        eps = draw(rng, clean.shape)
        return (mix or forward.add_noise)(clean, kept, eps), eps

    return pair


NEIGHBOURS = {
    "yours is 0.980 x_0 + 0.141 ε.": pair_of(mix=lambda x, kept, eps: kept * x + (1 - kept) ** 0.5 * eps),
    "yours is 0.980 x_0 + 0.020 ε.": pair_of(mix=lambda x, kept, eps: kept * x + (1 - kept) * eps),
    "yours is 0.990 x_0 − 0.141 ε.": pair_of(mix=lambda x, kept, eps: forward.add_noise(x, kept, -eps)),
    "yours is 0.495 x_0 + 0.141 ε.": pair_of(lambda photos: photos / 255 - 0.5),
    "yours is 126.219 x_0 + 0.141 ε + 126.219.": pair_of(lambda photos: photos * 1.0),
    "mean 0.00, spread 0.58, kurtosis 1.8": pair_of(draw=lambda rng, shape: rng.uniform(-1, 1, shape)),
    "mean 0.00, spread 1.00, kurtosis 1.8": pair_of(draw=lambda rng, shape: 12**0.5 * (rng.random(shape) - 0.5)),
    "a part of spread 0.14 is neither": lambda *given: (pair_of()(*given)[0], pair_of()(*given)[1][::-1] + 1e-3),
}


@pytest.mark.parametrize("told", NEIGHBOURS)
def test_a_mistake_without_a_name_is_told_by_its_half(told):
    with pytest.raises(Mistake) as found:
        training_pair(NEIGHBOURS[told])
    assert found.value.fault is None and told in str(found.value)


def test_what_is_no_pair_keeps_the_plain_message():
    with pytest.raises(Mistake, match="raised ZeroDivisionError"):
        training_pair(lambda photos, beta, t, rng: 1 / 0)
    with pytest.raises(Mistake, match=r"you return .*, expected"):  # right in law, but another draw
        training_pair(pair_of(draw=lambda rng, shape: -rng.standard_normal(shape)))


def test_cosine_with_a_zero_inside_the_walk_is_named_however_it_is_rounded():
    """Past a zero of f the ratios are rounding errors; two ways to write the same curve get the same name."""

    def bounded(curve):
        return np.append(1.0, np.cumprod(1 - np.minimum(1 - curve[1:] / curve[:-1], 0.999)))

    for curve in (
        lambda T: np.cos((np.arange(T + 1) + 0.008) * (np.pi / 2) / 1.008) ** 2,
        lambda T: np.cos(0.5 * np.pi * ((np.arange(T + 1) + 0.008) / 1.008)) ** 2,
    ):
        with pytest.raises(Mistake) as found:
            check.cosine_alpha_bar(lambda T, curve=curve: bounded(curve(T)))
        assert found.value.fault == "t is not divided by T"


def test_cosine_with_a_floor_under_alpha_bar_is_shown_its_own_numbers():
    def floored(T):
        curve = np.cos((np.arange(T + 1) / T + 0.008) / 1.008 * np.pi / 2) ** 2
        return np.maximum(curve / curve[0], 1e-9)

    with pytest.raises(Mistake, match=r"T=1 you return \[1, 1e-09\], expected \[1, 0.001\]"):
        check.cosine_alpha_bar(floored)


@pytest.mark.parametrize("pair", PAIRS)
def test_round_trip_finds_every_hand_but_the_uniform_one(pair):
    beta = schedule.linear(20, 0.02, 0.5).beta[1:]
    kept = scalar.alpha_bar([0.0, *beta])
    photos = np.arange(256.0)
    for t in (1, 10):
        xt, eps = pair(photos, beta, t, np.random.default_rng(0))
        error = np.abs(forward.x0_from_eps(xt, kept[t], eps) - (photos / 127.5 - 1)).max()
        assert error < 1e-12 if pair is broken.pair_e else error > 0.05
    assert (abs(eps.mean()) > 0.3) == (pair is broken.pair_e)


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
