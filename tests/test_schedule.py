"""Schedules: published figures, what follows from ᾱ, every refusal and the warning."""

import copy
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused
from sampling import written

from diffusion_course import schedule as file
from diffusion_course.schedule import (
    Schedule,
    TerminalSNRWarning,
    cosine,
    from_beta,
    linear,
    sigmoid,
    zero_terminal_snr,
)

quiet = pytest.mark.filterwarnings("ignore::diffusion_course.schedule.TerminalSNRWarning")
MAKERS = list(written(file, "T").values())
every_maker = pytest.mark.parametrize("maker", MAKERS)
falling = st.lists(st.floats(0.01, 0.99), min_size=1, max_size=30).map(lambda kept: np.cumprod([1.0, *kept]))


# Published figures.


def test_linear_is_the_published_curve():
    kept = linear().alpha_bar
    np.testing.assert_allclose(kept[[1, 250, 500, 750]], [0.9999, 0.5241, 0.0786, 0.0034], atol=5e-5)
    np.testing.assert_allclose(kept[1000], 0.00004, atol=5e-6)
    assert np.argmax(kept < 0.1) == 476


def test_cosine_is_the_published_curve():
    kept = cosine().alpha_bar
    np.testing.assert_allclose(kept[500], 0.4938, atol=5e-5)
    assert np.argmax(kept < 0.1) == 794
    assert cosine().beta[-1] == pytest.approx(0.999, rel=1e-12)


def test_sigmoid_is_the_rescaled_logistic_curve():
    logistic = 1 / (1 + np.exp(-np.linspace(-3, 3, 1001)))
    expected = (logistic[-1] - logistic) / (logistic[-1] - logistic[0])  # from 1 to 0
    np.testing.assert_allclose(sigmoid().alpha_bar[:-1], expected[:-1], atol=1e-12)
    assert sigmoid().alpha_bar[-1] == pytest.approx(0.001 * expected[-2])  # the last beta is 0.999


@pytest.mark.parametrize(("T", "power", "amplitude"), [(100, 0.3636, 0.60), (50, 0.6029, 0.776)])
def test_fewer_steps_with_the_same_betas_leave_signal(T, power, amplitude):
    with pytest.warns(TerminalSNRWarning, match=rf"{amplitude:.0%}\s.*T = {T}"):
        schedule = linear(T)
    assert schedule.alpha_bar[-1] == pytest.approx(power, abs=5e-4)
    assert schedule.alpha_bar[-1] ** 0.5 == pytest.approx(amplitude, abs=5e-3)


# One array, and what is derived from it.


@given(falling)
@quiet
def test_everything_follows_from_alpha_bar(alpha_bar):
    schedule = Schedule(alpha_bar)
    assert schedule.T == len(alpha_bar) - 1
    for derived in (schedule.alpha, schedule.beta, schedule.snr, schedule.log_snr):
        assert (derived.shape, derived.dtype) == (alpha_bar.shape, np.float64)
    assert (schedule.alpha[0], schedule.beta[0], schedule.log_snr[0]) == (1, 0, np.inf)
    np.testing.assert_allclose(np.cumprod(schedule.alpha), alpha_bar, rtol=1e-12)
    np.testing.assert_allclose(schedule.alpha + schedule.beta, 1, atol=1e-15)
    np.testing.assert_allclose(1 / (1 + np.exp(-schedule.log_snr)), alpha_bar, rtol=1e-12)  # the logistic function
    np.testing.assert_allclose(np.exp(schedule.log_snr[1:]), schedule.snr[1:], rtol=1e-12)
    np.testing.assert_allclose(from_beta(schedule.beta[1:]).alpha_bar, alpha_bar, rtol=1e-12)


@every_maker
@pytest.mark.parametrize("T", [2, 10, 1000])
@quiet
def test_zero_terminal_snr_keeps_the_first_level_and_ends_in_pure_noise(maker, T):
    before, after = maker(T), zero_terminal_snr(maker(T))
    assert (after.alpha_bar[-1], after.snr[-1], after.log_snr[-1]) == (0, 0, -np.inf)
    assert after.alpha_bar[1] == pytest.approx(before.alpha_bar[1], rel=1e-12)
    # √ᾱ is shifted and rescaled: its differences keep their proportions.
    old, new = np.diff(before.alpha_bar[1:] ** 0.5), np.diff(after.alpha_bar[1:] ** 0.5)
    np.testing.assert_allclose(new / new.sum(), old / old.sum(), rtol=1e-9)
    np.testing.assert_allclose(zero_terminal_snr(after).alpha_bar, after.alpha_bar, atol=1e-15)


@pytest.mark.parametrize("copied", [lambda s: s, copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_a_schedule_cannot_change_nor_can_a_copy(copied):
    given_array = np.array([1.0, 0.5, 0.005])
    schedule = copied(Schedule(given_array))
    given_array[1] = 0.7
    np.testing.assert_array_equal(schedule.alpha_bar, [1.0, 0.5, 0.005])
    for kept in (schedule.alpha_bar, schedule.log_snr):
        with pytest.raises(ValueError, match="read-only"):
            kept[1] = 0.7
    with pytest.raises(AttributeError):
        schedule.alpha_bar = given_array


# Looking up ᾱ, and the step of an SNR.

KINDS = {"list": list, "tensor": torch.tensor, "int16 tensor": lambda t: torch.tensor(t, dtype=torch.int16)}
KINDS |= {kind.__name__: lambda t, kind=kind: np.array(t, kind) for kind in (np.uint8, np.int16, np.uint64, np.int64)}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_at_takes_whole_numbers_of_every_type(kind):
    powers = linear().at(kind([0, 3, 200]))
    assert isinstance(powers, np.ndarray)
    np.testing.assert_array_equal(powers, linear().alpha_bar[[0, 3, 200]])
    one = linear().at(kind([7])[0])
    assert type(one) is float and one == linear().alpha_bar[7]
    assert linear().at([1000, 0]).tolist() == linear().alpha_bar[[1000, 0]].tolist()


WRONG_TIMES = [-1, 1001, 5.0, True, None, "5", float("nan"), [5, -1], [5, 1001], [1.5], [True], np.array(-1)]
WRONG_TIMES += [torch.tensor([-1]), torch.tensor(5.0), torch.tensor([True]), np.array([1.0]), np.True_]


@pytest.mark.parametrize("t", WRONG_TIMES, ids=repr)
def test_other_times_are_refused_by_their_value(t):
    with refused("0", "T = 1000", "not", str(t) if np.shape(t) else repr(t)):
        linear().at(t)


@every_maker
@pytest.mark.parametrize("t", [1, 2, 300, 999, 1000])
def test_t_of_snr_finds_the_step_and_the_nearest_by_ratio(maker, t):
    for schedule in (maker(), zero_terminal_snr(maker())):
        if schedule.snr[t] > 0:
            assert schedule.t_of_snr(schedule.snr[t]) == t
            nearer = schedule.snr[t] * (schedule.snr[t - 1] / schedule.snr[t]) ** 0.4 if t > 1 else 1e9
            assert schedule.t_of_snr(nearer) == t
            if t > 1:  # the middle by ratio, not by difference
                assert schedule.t_of_snr(schedule.snr[t] * (schedule.snr[t - 1] / schedule.snr[t]) ** 0.52) == t - 1
    assert type(schedule.t_of_snr(1e-12)) is int


@pytest.mark.parametrize("snr", [0.0, -1.0, np.inf, np.nan])
def test_impossible_ratios_are_refused(snr):
    with refused("above 0", repr(snr)):
        linear().t_of_snr(snr)


# Refusals.

NOT_WHOLE = [0, -1, True, np.True_, 2.0, 2.5, float("nan"), float("inf"), None, "four", [4]]


@pytest.mark.parametrize("T", NOT_WHOLE)
def test_an_impossible_T_is_refused(T):
    for maker in MAKERS:
        with refused(repr(T), "whole number, at least 1"):
            maker(T)


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda: cosine(s=-0.1), ["offset of cosine", "at least 0", "-0.1"]),
        (lambda: cosine(s=np.nan), ["offset of cosine", "nan"]),
        (lambda: cosine(s=np.inf), ["offset of cosine", "finite", "inf"]),
        (lambda: sigmoid(10, 3.0, -3.0), ["start", "below", "3.0", "-3.0"]),
        (lambda: sigmoid(10, 1.0, 1.0), ["start", "below", "1.0"]),
        (lambda: sigmoid(10, np.nan, 3.0), ["start must be a finite number, not nan."]),
        *((lambda b=b: from_beta(b), ["numbers are needed", b]) for b in ({}, ["a"])),
        *((lambda s=s: linear(10, s), ["beta_start", "above 0 and at most 1", repr(s)]) for s in ("a", None, 0.0, 2)),
        *((lambda s=s: linear(10, 1e-4, s), ["beta_end", repr(s)]) for s in ("a", True, np.nan)),
        *((lambda s=s: zero_terminal_snr(s), ["must be a Schedule"]) for s in (linear().alpha_bar, None)),
        *((lambda s=s: Schedule(s), ["numbers are needed", repr(s)]) for s in ("linear", {1: 2}, [1.0, "a"])),
        (lambda: zero_terminal_snr(Schedule([1.0, 0.01])), ["T ≥ 2"]),
        (lambda: Schedule([0.9999, 0.5, 0.005]), ["exactly 1", "0.9999", "put a 1 in front"]),
        (lambda: Schedule([0.0, 0.5, 0.005]), ["exactly 1", "0.0"]),
        (lambda: Schedule([1 + 1e-12, 0.5, 0.005]), ["[0, 1]", "t = 0", 1 + 1e-12]),
        (lambda: linear(100_000), ["fall", "or 0?"]),  # ᾱ underflows to 0 half way
        (lambda: Schedule([1.0, *linear().alpha_bar[:0:-1]]), ["fall", "backwards?"]),
        (lambda: Schedule([1.0, 0.02, 0.02]), ["fall", "from t = 1 to 2", "the whole product at every t"]),
        *((lambda s=s: Schedule(np.ones(s)), ["(T+1,)", s]) for s in [(), (0,), (1,), (3, 1), (1, 3)]),
        *((lambda s=s: from_beta(np.full(s, 0.5)), ["T ≥ 1", s]) for s in [(), (0,), (2, 2)]),
    ],
)
def test_what_cannot_be_a_schedule_is_refused(call, parts):
    with refused(*parts):
        call()


@given(falling, st.data())
@quiet
def test_a_bad_entry_is_refused_by_its_place_and_value(alpha_bar, data):
    t = data.draw(st.integers(1, len(alpha_bar) - 1))
    for value in (-0.25, 1.25, -np.inf, np.inf, np.nan, alpha_bar[t - 1], min(1.0, alpha_bar[t - 1] * 1.5)):
        broken = alpha_bar.copy()
        broken[t] = value
        rising = value >= alpha_bar[t - 1] and value <= 1
        with refused(*(["fall", f"from t = {t - 1} to {t}"] if rising else ["[0, 1]", f"t = {t}", value])):
            Schedule(broken)
    for value in (0.0, -0.1, 1.1, np.nan, np.inf):
        beta = np.full(len(alpha_bar), 0.5)
        beta[t - 1] = value
        with refused("(0, 1]", f"t = {t}", value):
            from_beta(beta)


def test_a_tensor_of_any_float_type_is_a_schedule():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for given in (torch.tensor([1.0, 0.5, 0.005]), torch.tensor([1.0, 0.5, 0.005], dtype=torch.float64)):
            made = Schedule(given)
            given[1] = 0.6  # and what was given is not looked at again
            assert made.alpha_bar.dtype == np.float64 and made.at(1) == 0.5


# The warning.


def test_full_length_schedules_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for maker in MAKERS:
            zero_terminal_snr(maker())
        Schedule([1.0, 0.01])  # √0.01 = 0.1 is still allowed
        with pytest.raises(TerminalSNRWarning):
            Schedule([1.0, 0.0103])


@pytest.mark.parametrize("call", [lambda: Schedule([1.0, 0.64]), lambda: from_beta([0.36])])
def test_the_warning_says_what_is_left_what_to_do_and_names_the_callers_line(call):
    with pytest.warns(TerminalSNRWarning) as caught:
        call()
    for part in ("0.8", "80%", "T = 1", "zero_terminal_snr", "steps", "betas"):
        assert part in str(caught[0].message)
    assert (caught[0].filename, caught[0].lineno) == (__file__, call.__code__.co_firstlineno)


@pytest.mark.parametrize(("option", "times", "code"), [("default", 3, 0), ("ignore", 0, 0), ("error", 1, 1)])
def test_the_warning_shows_each_time_unless_told_otherwise(option, times, code):
    cell = "from diffusion_course.schedule import linear\nfor run in range(3): linear(T=100)"
    done = subprocess.run([sys.executable, "-W", option, "-c", cell], capture_output=True, text=True)
    assert (done.stderr.count("TerminalSNRWarning: √"), done.returncode) == (times, code)
    assert "schedule.py:" not in done.stderr  # no line of the package is shown as the one to mend
