"""The exercises of lesson 2: right answers of any style pass; every mistake is named by its own name."""

import numpy as np
import pytest

from diffusion_course import check, forward
from diffusion_course.check.engine import Mistake

EXERCISES = [check.variance_after, check.posterior, check.names_from_v, check.best_line]
FAULTS = [(exercise, fault) for exercise in EXERCISES for fault in exercise.faults]


def name(value):
    return getattr(value, "name", None)


def variance_by_closed_form(variance, betas):
    kept = np.prod(1 - np.array(betas))
    return kept * variance + 1 - kept


def posterior_by_the_grid(x0, xt, alpha_bar_t, alpha_bar_s):
    """The slow specification of the lesson: multiply the two clues on a fine grid."""
    if alpha_bar_s == 1:
        return x0, 0.0
    at = np.linspace(-8, 8, 16001)
    of_x0 = (at - alpha_bar_s**0.5 * np.atleast_1d(x0)[:, None]) ** 2 / (2 * (1 - alpha_bar_s))
    alpha = alpha_bar_t / alpha_bar_s
    of_xt = (np.atleast_1d(xt)[:, None] - alpha**0.5 * at) ** 2 / (2 * (1 - alpha))
    weights = np.exp(-of_x0 - of_xt)
    weights /= weights.sum(1, keepdims=True)
    mean = weights @ at
    variance = float((weights[0] * (at - mean[0]) ** 2).sum())
    return (mean if np.ndim(x0) else float(mean[0])), variance


def names_by_the_package(xt, alpha_bar_t, v):
    return forward.x0_from_v(xt, alpha_bar_t, v), forward.eps_from_v(xt, alpha_bar_t, v)


RIGHT = [
    (check.variance_after, variance_by_closed_form),
    (check.posterior, forward.posterior),
    (check.posterior, posterior_by_the_grid),
    (check.names_from_v, names_by_the_package),
    (check.best_line, lambda x, y: tuple(np.polyfit(x, y, 1))),
    (check.best_line, lambda x, y: tuple(np.linalg.lstsq(np.column_stack([x, x**0]), y, rcond=None)[0])),
]


@pytest.mark.parametrize(("exercise", "attempt"), RIGHT, ids=name)
def test_right_answer_of_any_style_passes(exercise, attempt, capsys):
    exercise(attempt)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_blank_is_not_an_error(exercise, capsys):
    def blank(*probe):
        raise NotImplementedError

    exercise(blank)
    assert "not attempted" in capsys.readouterr().out


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_each_exercise_knows_at_least_four_mistakes_under_different_names(exercise):
    assert len({fault.name for fault in exercise.faults}) == len(exercise.faults) >= 4


@pytest.mark.parametrize(("exercise", "fault"), FAULTS, ids=name)
def test_each_mistake_is_named_by_its_own_name(exercise, fault):
    with pytest.raises(Mistake) as caught:
        exercise(fault.mutant)
    assert caught.value.fault == fault.name
    assert fault.name in str(caught.value)
    assert "nan" not in str(caught.value) and "{" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "number"),
    [
        ("the old variance is not shrunk", "24"),  # 4 + 100 · 0.2
        ("1−β and β are squared", "0.1111"),  # V = 0.64 V + 0.04
        ("1−β is squared", "0.5556"),  # V = 0.64 V + 0.2
        ("β is squared", "0.2"),  # V = 0.8 V + 0.04
        ("√β is added, not β", "2.236"),  # V = 0.8 V + √0.2
        ("the new noise is shrunk too", "0.8"),  # V = 0.8 (V + 0.2)
    ],
)
def test_symptom_quotes_what_the_chain_of_the_mistake_settles_at(fault, number):
    mutant = next(f.mutant for f in check.variance_after.faults if f.name == fault)
    with pytest.raises(Mistake, match=f"you say {number},"):
        check.variance_after(mutant)


def test_symptom_of_the_posterior_is_seen_at_the_clean_end():
    mutant = next(f.mutant for f in check.posterior.faults if "as if x_0" in f.name)
    with pytest.raises(Mistake, match=r"you say 3 with variance 0\.75"):
        check.posterior(mutant)


def return_in_the_loop(variance, betas):
    for beta in betas:
        variance = (1 - beta) * variance + beta
        return variance


def first_of_the_list(variance, betas):
    return (1 - betas[0]) * variance + betas[0]


def only_noise(variance, betas):
    kept = 1.0
    for beta in betas:
        kept *= 1 - beta
    return 1 - kept


def swapped(x0, xt, a_t, a_s):
    alpha = a_s / a_t
    mean = (a_t**0.5 * (1 - alpha) * x0 + alpha**0.5 * (1 - a_t) * xt) / (1 - a_s)
    return mean, (1 - a_t) / (1 - a_s) * (1 - alpha)


def precisions(x0, xt, a_t, a_s):
    alpha = a_t / a_s
    a, A, b, B = a_s**0.5 * x0, 1 - a_s, xt / alpha**0.5, (1 - alpha) / alpha
    V = 1 / (1 / A + 1 / B)
    return V * (a / A + b / B), V


def names_by_division(xt, a, v):
    x0 = a**0.5 * xt - (1 - a) ** 0.5 * v
    return x0, (xt - a**0.5 * x0) / (1 - a) ** 0.5


@pytest.mark.parametrize(
    ("exercise", "attempt", "told"),
    [
        (check.variance_after, return_in_the_loop, "only the first step is taken"),
        (check.variance_after, first_of_the_list, "only the first step is taken"),
        (check.variance_after, only_noise, "lead to 1.75, you say 0.75"),  # 1 − 0.5 · 0.5
        (check.posterior, swapped, "ᾱ_t and ᾱ_s are swapped"),
        (check.posterior, precisions, "In the last form of m and V nothing is divided by 1 − ᾱ_s"),
        (check.posterior, lambda *probe: forward.posterior(*probe)[::-1], "the variance comes first"),
        (check.names_from_v, names_by_division, "no division is needed"),
        (check.names_from_v, lambda *probe: names_by_the_package(*probe)[0], "Return both"),
        (check.names_from_v, lambda xt, a, v: ((xt - (1 - a) ** 0.5 * v) / a**0.5, v), "v is taken for the noise"),
        (check.best_line, lambda x, y: (k := np.corrcoef(x, y)[0, 1], y.mean() - k * x.mean()), "the correlation"),
    ],
)
def test_natural_mistakes_are_named_even_where_they_fail_on_some_probe(exercise, attempt, told):
    with pytest.raises(Mistake) as caught:
        exercise(attempt)
    assert told in str(caught.value)


ODD = {
    "nothing": lambda *probe: None,
    "text": lambda *probe: "2.5",
    "nan": lambda *probe: float("nan"),
    "two nans": lambda *probe: (np.nan, np.nan),
    "another shape": lambda *probe: np.zeros((2, 2)),
    "an error": lambda *probe: 1 / 0,
    "other arguments": lambda: 0,
}


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
@pytest.mark.parametrize("odd", ODD)
def test_odd_answer_is_wrong_and_not_taken_for_a_known_mistake(exercise, odd):
    with pytest.raises(Mistake, match=f"^{exercise.name}") as caught:
        exercise(ODD[odd])
    assert caught.value.fault not in {fault.name for fault in exercise.faults}


def test_unknown_mistake_shows_the_first_probe_that_differs():
    with pytest.raises(Mistake, match=r"for variance=4, betas=\[0.5, 0.5\] ") as caught:
        check.variance_after(lambda variance, betas: 2.0)
    assert caught.value.fault is None
    assert "you return 2, expected 1.75." in str(caught.value)


def test_changing_the_data_in_place_is_a_mistake():
    def in_place(x, y):
        x -= x.mean()
        return check.best_line.reference(x, y)

    with pytest.raises(Mistake, match="in place"):
        check.best_line(in_place)


def test_by_hand_cases_of_the_lesson():
    assert variance_by_closed_form(4.0, [0.5, 0.5]) == 1.75
    assert forward.posterior(1.0, 0.0, 0.36, 0.64) == pytest.approx((0.546875, 0.24609375))
    assert names_by_the_package(2.2, 0.36, 0.4) == pytest.approx([1, 2])
    assert check.best_line.reference(np.arange(3.0), np.array([1.0, 3.0, 8.0])) == pytest.approx((3.5, 0.5))
