"""The engine of the exercises: whatever a learner hands in gets one clear paragraph, never a crash."""

import functools

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from diffusion_course.check.engine import Exercise, Fault, Mistake
from diffusion_course.schedule import cosine

X = np.array([1.0, 2.0, 4.0])
halve = Exercise(
    "halve",
    lambda x, by: x / by,
    probes=((X, 2), (3.0, 2.0)),
    faults=(
        Fault("multiplied", lambda x, by: x * by, lambda attempt: f"From 4 by 2 you make {attempt(4, 2):g}."),
        Fault("divides by zero elsewhere", lambda x, by: x / (by - 2), "A hint."),
    ),
)


def refused(attempt, exercise=halve):
    with pytest.raises(Mistake) as caught:
        exercise(attempt)
    text = str(caught.value)
    assert text.startswith(f"{exercise.name}: ") or text.startswith(f"{exercise.name}(")
    assert "\n" not in text
    return caught.value


def nothing(x, by):
    x / by


def in_place(x, by):
    if isinstance(x, np.ndarray):
        x /= by
        return x
    return x / by


def fails(x, by):
    return {"a": x}[by]


@pytest.mark.parametrize(
    ("attempt", "fault", "text"),
    [
        (lambda x: x, "other arguments", "your function takes (x), but is called with (x, by)"),
        (lambda x, *, by: x, "other arguments", "takes (x, *, by), but is called with (x, by)"),
        (lambda: 1, "other arguments", "takes (), but is called with (x, by)"),
        (nothing, "nothing returned", "for x=[1, 2, 4], by=2 your function returned None. Is a `return` missing?"),
        (in_place, "input changed", "changed its input in place"),
        (fails, None, "halve(x=[1, 2, 4], by=2) raised KeyError: 2 (line "),
        (lambda x, by: fails(x, by), None, "raised KeyError: 2"),
        (lambda x, by: np.atleast_1d(x)[:2] / by, None, "you return [0.5, 1], expected [0.5, 1, 2]."),
        (lambda x, by: np.atleast_2d(x / by), None, "[[0.5, 1, 2]] of shape (1, 3)"),
        (lambda x, by: np.nan * x, None, "you return [nan, nan, nan], expected"),
        (lambda x, by: (x / by, by), None, "you return ([0.5, 1, 2], 2), expected [0.5, 1, 2]."),
        (lambda x, by: np.outer([1, 2], np.ones(3)), None, "[[1, 1, 1], [2, 2, 2]] of shape (2, 3)"),
        (lambda x, by: int("a\nb"), None, "raised ValueError: invalid literal"),
        (lambda x, by: {"x": x}, None, "your function returned dict; numbers are expected"),
        (lambda x, by: "half", None, "your function returned 'half'; numbers are expected"),
        (lambda x, by: abs, None, "your function returned abs; numbers are expected"),
        (lambda x, by: cosine(), None, "your function returned Schedule; numbers are expected"),
        (lambda x, by: x / by + 0.001, None, "for x=[1, 2, 4], by=2 you return [0.501, 1.001, 2.001]"),
        (lambda x, by: x / by + np.random.default_rng().random(), "not reproducible", "asked the same twice"),
        (lambda x, by: x * by, "multiplied", "multiplied. From 4 by 2 you make 8."),
        (halve.reference(np.ones(3), 2), None, "give the check your function itself, without calling it"),
    ],
)
def test_wrong_answers(attempt, fault, text):
    mistake = refused(attempt)
    assert mistake.fault == fault
    assert text in str(mistake)


def default(x, by, extra=1):
    return x / by / extra


def keywords(x, by, **kwargs):
    assert not kwargs
    return x / by


def prints(x, by):
    print("looking at", by)
    return x / by


class Callable:
    def __call__(self, x, by):
        return x / by


@pytest.mark.parametrize(
    "attempt",
    [
        lambda x, by: x / by,
        lambda *given: given[0] / given[1],
        lambda x, by: (x / by).tolist() if isinstance(x, np.ndarray) else x / by,
        lambda x, by: tuple(x / by) if isinstance(x, np.ndarray) else x / by,
        lambda x, by: torch.as_tensor(x) / by,
        lambda x, by: torch.tensor(x, requires_grad=True, dtype=torch.float32) / by,
        lambda x, by: list(torch.as_tensor(x) / by) if isinstance(x, np.ndarray) else np.float32(x / by),
        lambda x, by: x / by + 1e-9,
        np.divide,  # written in C
        default,
        keywords,
        prints,
        functools.partial(default, extra=1),
        Callable(),
    ],
)
def test_right_answers(attempt, capsys):
    halve(attempt)
    assert capsys.readouterr().out.endswith("✓ halve: right on all 2 probes.\n")


def test_whole_numbers_are_numbers(capsys):
    twice = Exercise("twice", lambda n: 2.0 * n, probes=((2,), (np.array([1, 2]),)))
    twice(lambda n: n + n)
    assert capsys.readouterr().out.startswith("✓")


def test_blank_beside_other_lines(capsys):
    def blank(x, by):
        half = x / by
        raise NotImplementedError(half)

    halve(blank)
    assert capsys.readouterr().out == (
        "○ halve: not attempted yet. Replace `raise NotImplementedError`, run the cell again.\n"
    )


def test_interrupt_is_let_through():
    def endless(x, by):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        halve(endless)


def test_probes_survive_what_attempts_do():
    def spoils(x, by):
        x *= 0
        return x

    for attempt in (spoils, in_place):
        refused(attempt)
    assert X.tolist() == [1, 2, 4]
    halve(halve.reference)


DRAW = Exercise(
    "draw",
    lambda x, rng: x + rng.standard_normal(x.shape),
    probes=((np.zeros(5), np.random.default_rng(0)), (np.ones((2, 3)), np.random.default_rng(1))),
    faults=(Fault("no noise", lambda x, rng: x, "Add it."),),
)


def test_each_call_gets_the_generator_from_its_start(capsys):
    for _ in range(2):
        DRAW(lambda x, rng: x + rng.normal(size=x.shape))
    assert capsys.readouterr().out.count("✓") == 2
    assert refused(lambda x, rng: x, DRAW).fault == "no noise"


def test_noise_from_elsewhere_is_refused():
    assert (
        refused(lambda x, rng: x + np.random.default_rng().standard_normal(x.shape), DRAW).fault == "not reproducible"
    )


def test_measure_compares_functions_and_draws(capsys):
    model = Exercise(
        "model",
        lambda w: lambda x: w * x,
        probes=((2.0,), (3.0,)),
        measure=lambda function: function(5.0),
        faults=(Fault("added", lambda w: lambda x: w + x, lambda f: f"At w = 2, x = 5 it is {f(2)(5):g}."),),
    )
    model(lambda w: lambda x: x * w)
    assert capsys.readouterr().out.startswith("✓")
    assert str(refused(lambda w: lambda x: x + w, model)) == "model: added. At w = 2, x = 5 it is 7."
    assert "10 is no answer of the kind asked for" in str(refused(lambda w: 5 * w, model))


def test_objects_as_arguments_are_not_taken_for_changed(capsys):
    takes = Exercise(
        "takes",
        lambda schedule, function, rows: function(schedule.alpha_bar[1]) + rows[0][0],
        probes=((cosine(T=10), np.sqrt, [np.ones(2), np.zeros(2)]),),
    )
    takes(lambda schedule, function, rows: rows[0][0] + function(schedule.at(1)))
    assert capsys.readouterr().out.startswith("✓")

    def spoils_a_row(schedule, function, rows):
        rows[1][:] = 1
        return takes.reference(schedule, function, rows)

    assert refused(spoils_a_row, takes).fault == "input changed"


def test_fault_that_the_attempt_shares_only_on_the_probes():
    """The symptom may ask for more than the probes do; the mutant then answers in the attempt's place."""

    def only_probes(x, by):
        if np.all(np.equal(x, 4)):
            raise ValueError("not on this one")
        return x * by

    assert str(refused(only_probes)) == "halve: multiplied. From 4 by 2 you make 8."


def test_nan_is_not_taken_for_a_fault_that_fails():
    scalar = Exercise("scalar", lambda x: x, probes=((2.0,),), faults=(Fault("fails", lambda x: x / 0, "A hint."),))
    assert refused(lambda x: float("nan"), scalar).fault is None


ratio = Exercise(
    "ratio",
    lambda x, parts: x / parts[0] if parts else x,
    probes=((3.0, [2.0]), (1.0, [4.0]), (5.0, [])),
    faults=(
        Fault("not divided", lambda x, parts: x, "A hint."),
        Fault("multiplied", lambda x, parts: x * parts[0], "A hint."),
        Fault("empty forgotten", lambda x, parts: x / parts[0], "A hint."),
    ),
)


def multiplied_if_any(x, parts):
    for part in parts:
        return x * part


def fails_without_parts(x, parts):
    return x / parts[0]


def test_fault_is_named_though_both_fail_on_a_later_probe():
    """The one returns None where the other raises: what else they answer tells the mistake."""
    assert refused(multiplied_if_any, ratio).fault == "multiplied"
    assert refused(fails_without_parts, ratio).fault == "empty forgotten"


def test_failure_on_a_later_probe_is_no_excuse_for_a_wrong_answer_before_it():
    def wrong_and_fails(x, parts):
        return x / parts[0] + 1

    mistake = refused(wrong_and_fails, ratio)
    assert mistake.fault is None
    assert str(mistake) == "ratio: for x=3, parts=[2] you return 2.5, expected 1.5."


def test_failure_after_right_answers_is_told_with_its_arguments():
    def right_then_nothing(x, parts):
        for part in parts:
            return x / part

    alone = Exercise("ratio", ratio.reference, ratio.probes)
    assert "for x=5, parts=[] your function returned None." in str(refused(right_then_nothing, alone))
    assert str(refused(fails_without_parts, alone)).startswith("ratio(x=5, parts=[]) raised IndexError")


def test_failure_from_the_first_probe_on_is_no_known_fault():
    always = Exercise("always", lambda x: x, probes=((2.0,),), faults=(Fault("fails", lambda x: x / 0, "A hint."),))
    mistake = refused(lambda x: x / 0, always)
    assert mistake.fault is None and "ZeroDivisionError" in str(mistake)


def test_a_blank_that_is_called_is_named_not_blamed_on_the_caller(capsys):
    def helper(x):
        raise NotImplementedError

    halve(lambda x, by: helper(x) / by)
    assert capsys.readouterr().out == "○ halve: waits for `helper`, which it calls and which is still blank.\n"


def test_an_error_under_a_decorator_is_told_by_the_learners_own_line():
    @torch.no_grad()
    def attempt(x, by):
        return x / none_such  # noqa: F821

    line = attempt.__wrapped__.__code__.co_firstlineno + 2
    assert f"(line {line} of attempt)" in str(refused(attempt))


def test_large_answers_are_told_by_their_moments():
    big = Exercise("big", lambda x: x + 1, probes=((np.zeros((20, 30)),),))
    text = str(refused(lambda x: torch.as_tensor(x) + 2, big))
    assert text == (
        "big: for x=array of shape (20, 30), mean 0, spread 0 you return array of shape (20, 30), mean 2, "
        "spread 0, expected array of shape (20, 30), mean 1, spread 0. "
        "The first difference: [0, 0] is 2, expected 1."
    )


@pytest.mark.filterwarnings("error")
def test_mutants_make_no_noise():
    loud = Exercise(
        "loud",
        lambda x: x,
        probes=((np.zeros(2),),),
        faults=(Fault("divided", lambda x: x / x, "A hint."),),
    )
    assert refused(lambda x: x + 1, loud).fault is None


def test_jupyter_shows_one_paragraph_and_no_traceback():
    assert issubclass(Mistake, AssertionError)
    shell = InteractiveShell.instance()
    shell.colors = "NoColor" if hasattr(shell, "color_info") else shell.colors
    shell.push({"halve": halve})
    with capture_output() as captured:
        result = shell.run_cell("halve(lambda x, by: x * by)")
    assert isinstance(result.error_in_exec, AssertionError)
    assert captured.stdout.strip() == "✗ halve: multiplied. From 4 by 2 you make 8."
    assert captured.stderr == ""
    InteractiveShell.clear_instance()
    lines = Mistake("many words " * 20)._render_traceback_()
    assert max(map(len, lines)) <= 88 and " ".join(lines) == "✗ " + "many words " * 19 + "many words"
