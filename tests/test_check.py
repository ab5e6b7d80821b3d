"""The exercises: right is right, blank is calm, each known mistake gets its own name, any other is isolated."""

import io
import itertools
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from diffusion_course import check, data, schedule
from diffusion_course.check import Mistake, broken, homework, isolate, ranking
from diffusion_course.check.asked import Asked
from diffusion_course.check.atlas import ATLAS, exercises
from diffusion_course.check.table import edited, exercise
from diffusion_course.forward import x0_from_eps
from diffusion_course.samplers import ddim

LOOPS = {"training_loop"}  # watched, not compared
EXERCISES = [each for each in exercises() if each.name not in LOOPS]
HOMEWORK = [each for each in map(homework.__getattr__, homework.MODULE) if isinstance(each, Asked)]
each_exercise = pytest.mark.parametrize("each", EXERCISES, ids=lambda each: each.name)


def told(each, attempt) -> Mistake:
    with pytest.raises(Mistake) as caught:
        each(attempt)
    assert str(caught.value).startswith(f"{each.name}: ") and "\n" not in str(caught.value)
    return caught.value


# ---- every exercise ------------------------------------------------------------------------------


@each_exercise
def test_the_solution_is_right_and_is_given_back(each, capsys):
    assert each(each.reference) is each.reference
    assert capsys.readouterr().out == f"✓ {each.name}: right. The cells below use your function.\n"


@each_exercise
def test_a_blank_is_calm_and_ours_is_given_back(each, capsys):
    def blank(*_):
        raise NotImplementedError

    def dots(*_): ...

    assert each(blank) is each(dots) is each.reference
    assert capsys.readouterr().out == f"○ {each.name}: not attempted yet, so the cells below use ours.\n" * 2


@each_exercise
def test_every_mistake_is_named(each):
    for fault in each.faults:
        mistake = told(each, fault.mutant)
        assert fault.name in str(mistake) and "{" not in str(mistake)
        assert mistake.fault == fault.name or "all your answers are NaN" in str(mistake)
        assert len(str(mistake)) < 600 and str(mistake)[-1] in ".?)"


def sentences(each) -> list[str]:
    """Those of the table, each made with its own mutant."""
    return [each.quoting(fault, fault.mutant) for fault in each.faults]


@pytest.mark.parametrize("each", [*EXERCISES, *HOMEWORK], ids=lambda each: each.name)
def test_every_sentence_of_a_table_can_be_made(each):
    sentences(each)  # raises what a broken one raises


def test_a_broken_sentence_fails_here_and_is_left_out_for_a_learner(monkeypatch):
    @exercise(probes=((2.0,), (5.0,)), table="twice too much | x → 2 * x | Of 1 you make {f(1) = :q}")
    def kept(x):
        return x

    with pytest.raises(ValueError, match="Unknown format code 'q'"):
        sentences(kept)
    assert str(told(kept, lambda x: 2 * x)) == "kept: twice too much. Of 1 you make"
    monkeypatch.setattr(isolate.Isolation, "edge", lambda self: f"{self.no_such_thing}")
    with pytest.raises(AttributeError, match="no_such_thing"):
        kept(lambda x: x if x == 2 else 7.0)
    monkeypatch.setattr(isolate, "NET", (Exception,))
    assert str(told(kept, lambda x: x if x == 2 else 7.0)).endswith("for x = 5 you return 7, and 5 is right.")


@each_exercise
def test_hints_come_one_by_one_and_then_the_solution(each, capsys):
    assert len(each.hints) >= 2 and each.why and len(repr(each)) < 120
    each._given.clear()
    for _ in range(len(each.hints) + 1):
        each.hint()
    each.solution()
    out = capsys.readouterr().out
    assert all(f"Hint {n + 1} of {len(each.hints)}: {hint}" in out for n, hint in enumerate(each.hints))
    assert f"check.{each.name}.solution()" in out and f"def {each.name}(" in out


@each_exercise
def test_whatever_is_returned_gets_one_paragraph(each):
    for odd in (None, "text", float("nan"), 7.5, np.zeros((2, 3, 5))):
        assert len(str(told(each, lambda *_, odd=odd: odd))) < 700


def test_all_twenty_of_the_atlas_are_named_and_no_exercise_is_left_out():
    assert all(ATLAS[n] for n in range(1, 21))
    assert len(EXERCISES) >= 27
    others = [name for name in check.MODULE if not isinstance(getattr(check, name), Asked)]
    assert others == ["leaderboard", "ATLAS"]


# ---- right, written any way ----------------------------------------------------------------------


def loop_over_the_pile(xt, alpha_bar_t, pile):
    weights = [math.exp(-((xt - math.sqrt(alpha_bar_t) * x) ** 2) / (2 * (1 - alpha_bar_t))) for x in pile]
    return sum(w * x for w, x in zip(weights, pile, strict=True)) / sum(weights)


def float32_cosine(T):
    t = np.arange(T + 1, dtype=np.float32) / np.float32(T)
    curve = np.cos((t + np.float32(0.008)) / np.float32(1.008) * np.float32(np.pi / 2)) ** 2
    beta = np.minimum(1 - curve[1:] / curve[:-1], np.float32(0.999))
    return np.concatenate([np.ones(1, np.float32), np.cumprod(1 - beta)])


def variances(x0, xt, alpha_bar_t, alpha_bar_s):
    mean, variance = check.posterior.reference(x0, xt, alpha_bar_t, alpha_bar_s)
    return mean, variance + 0 * x0  # an array of equal variances


def float32_pair(photos, beta, t, rng):
    kept = np.prod(1 - beta[:t])
    eps = rng.standard_normal(photos.shape, dtype=np.float32)
    return kept**0.5 * (photos / 127.5 - 1) + (1 - kept) ** 0.5 * eps, eps


def back_without_a_last_draw(x, model, alpha_bar, rng, noise=1.0):
    path = [x]
    for t in reversed(range(1, len(alpha_bar))):
        x0_hat = x0_from_eps(x, alpha_bar[t], model(x, t))
        x, variance = check.posterior.reference(x0_hat, x, alpha_bar[t], alpha_bar[t - 1])
        if t > 1:
            x = x + noise * rng.normal(scale=np.sqrt(variance), size=x.shape)
        path.append(x)
    return path


def step_by_step(s, k, contrast):
    t = 1
    while math.sqrt((1 - s.alpha_bar[t]) / s.alpha_bar[t]) / k < contrast:
        t += 1
    return t


def rescaled(root):
    slope = root[1] / (root[1] - root[-1])
    return [1.0, *((slope * root[1:] - slope * root[-1]) ** 2)]


def worst_pixel(photos, xt, eps, kept):
    back = [(x - math.sqrt(1 - kept) * e) / math.sqrt(kept) for x, e in zip(xt.flat, eps.flat, strict=True)]
    return max(abs(2 * float(photo) / 255 - 1 - x0) for photo, x0 in zip(photos.flat, back, strict=True))


RIGHT = [
    ("add_noise", lambda x0, a, eps: math.sqrt(a) * x0 + math.sqrt(1 - a) * eps),
    ("add_noise", lambda x0, a, eps: torch.tensor(x0).float() * a**0.5 + torch.tensor(eps).float() * (1 - a) ** 0.5),
    ("add_noise", lambda x0, a, eps: (a**0.5 * np.asarray(x0) + (1 - a) ** 0.5 * np.asarray(eps)).tolist()),
    ("best_guess", loop_over_the_pile),
    ("cosine_alpha_bar", float32_cosine),
    ("posterior", variances),
    ("go_back", back_without_a_last_draw),
    ("variance_after", lambda variance, betas: 1 + (variance - 1) * math.prod(1 - beta for beta in betas)),
    ("variance_after", lambda variance, betas: 1 + (variance - 1) * np.prod(1 - betas)),
    ("drowns_at", step_by_step),
    ("zero_terminal", lambda alpha_bar: rescaled(torch.tensor(alpha_bar) ** 0.5)),
    ("training_pair", float32_pair),
    ("round_trip_error", worst_pixel),
]


@pytest.mark.parametrize(("name", "attempt"), RIGHT)
def test_right_answers_of_every_kind_are_right(name, attempt, capsys):
    assert getattr(check, name)(attempt) is attempt
    assert capsys.readouterr().out.startswith("✓")


# ---- wrong in ways that no table foresees --------------------------------------------------------


def changes_its_input(x0, a, eps):
    if np.ndim(x0):
        x0 *= a**0.5
        return x0 + (1 - a) ** 0.5 * eps
    return a**0.5 * x0 + (1 - a) ** 0.5 * eps


def seeded(seed):
    return lambda x, model, alpha_bar, rng, noise=1.0: check.go_back.reference(
        x, model, alpha_bar, np.random.default_rng(seed), noise
    )


WRONG = [
    ("add_noise", lambda x0, a, eps: a**0.5 * x0 + 0.7 * (1 - a) ** 0.5 * eps, "ε is 0.6062, the right one is 0.866"),
    ("add_noise", lambda x0, a, eps: a**0.5 * x0 + (1 - a) ** 1.5 * eps, "one times (1 − ᾱ_t)). That of x_0 is right."),
    ("add_noise", lambda x0, eps: x0, "takes (x0, eps), but it is called with (x0, alpha_bar_t, eps)"),
    ("add_noise", lambda x0, a, eps: [][0], "raises IndexError: list index out of range. Handed in was x_0 = 3"),
    ("add_noise", changes_its_input, "changes its input in place"),
    ("add_noise", lambda x0, a, eps: {"x": x0}, "returns a dict; it should return numbers"),
    ("add_noise", lambda x0, a, eps: (x0, eps), "you return 2 results, where one is asked for"),
    ("add_noise", lambda x0, a, eps: (x0,), "you return a tuple with one result in it"),
    ("add_noise", 3.2, "hand over your function itself, without calling it"),
    ("posterior", lambda x0, xt, a_t, a_s: print(end=""), "your function returns None: is a `return` missing?"),
    ("posterior", lambda x0, xt, a_t, a_s: x0 + xt, "2 results are asked for: mean, then variance. You return 1."),
    ("renoise", lambda xs, s, t, schedule, z: xs - z, "your weight of z is −1, the right one is"),
    ("guided", lambda free, cond, scale: free + scale * free, "weight of ε̂ with the prompt is 0, the right one is 1"),
    ("names_from_v", lambda xt, a, v: (a**0.5 * xt - (1 - a) ** 0.5 * v, xt), "x_0 is right; what is wrong is the ε"),
    ("variance_after", lambda variance, betas: sum(betas) + variance, "depend on variance is 1, the right one is 0.75"),
    ("zero_terminal", lambda a: check.zero_terminal.reference(a)[:-1], "return 3 numbers, where 4 are asked for"),
    ("zero_terminal", lambda a: np.append(1, ((a[1:] ** 0.5 - a[-1] ** 0.5) / 0.9) ** 2), "0.7901, and 0.81 is right"),
    ("drowns_at", lambda s, k, contrast: s.T - check.drowns_at.reference(s, k, contrast), "397"),
    ("go_back", seeded(None), "asked the same twice, your function gives two answers. Draw from `rng`"),
    ("go_back", seeded(0), "the result does not depend on what `rng` draws"),
    ("spacing", lambda T, n: (T * np.linspace(1, 0, n + 1) ** 2).round(), "floats, and `alpha_bar[3.0]` is an error"),
    ("spacing", lambda T, n: check.spacing.reference(T, 10), "your number of times does not depend on n, and it must"),
    ("posterior", lambda x0, xt, a_t, a_s: (x0, 0.5), "your weight of x_0 is 1, the right one is 0.5469"),
    ("shifted_alpha_bar", lambda a, k: a / (a + k**3 * (1 - a)), "by which the SNR shrinks is 8, and 4 is right"),
    ("round_trip_error", lambda p, x, e, a: check.round_trip_error.reference(p, x, e, a) / 2, "is 1, and 2 is right"),
    ("training_pair", lambda p, b, t, rng: (p / 127.5 - 1, rng.standard_normal(p.shape)), "wrong is the weight of x_0"),
    ("generate", lambda x, a, pile: [x := x + a[i] for i in range(50, 0, -1)][-1], "use `len`"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "attempt", "text"), WRONG)
def test_a_mistake_that_is_not_in_the_table_is_isolated(name, attempt, text):
    assert text in str(told(getattr(check, name), attempt))


@pytest.mark.parametrize(
    "divide",
    [lambda a, b: a / b, np.divide, lambda a, b: np.float64(a) / b, lambda a, b: float("nan") if b == 0 else a / b],
)
def test_a_division_by_zero_is_named_however_it_is_written(divide):
    def by_division(xt, a, v):
        x0 = a**0.5 * xt - (1 - a) ** 0.5 * v
        return x0, divide(xt - a**0.5 * x0, (1 - a) ** 0.5)

    assert told(check.names_from_v, by_division).fault == "ε is found by a division, which fails at ᾱ = 1"


@pytest.mark.parametrize(
    ("divided", "fault"),
    [
        (
            lambda xt, v, x0, eps, cos, sin: ((cos * eps - v) / sin, eps),
            "x_0 is found by a division, which fails at ᾱ = 1",
        ),
        (
            lambda xt, v, x0, eps, cos, sin: ((xt - sin * eps) / cos, eps),
            "x_0 is found by a division, which fails at ᾱ = 0",
        ),
        (lambda xt, v, x0, eps, cos, sin: (x0, (sin * x0 + v) / cos), "ε is found by a division, which fails at ᾱ = 0"),
    ],
)
def test_the_result_that_is_divided_is_the_one_that_is_named(divided, fault):
    def by_division(xt, a, v):
        cos, sin = np.sqrt(a), np.sqrt(1 - a)
        return divided(xt, v, cos * xt - sin * v, sin * xt + cos * v, cos, sin)

    assert told(check.names_from_v, by_division).fault == fault


def test_a_blank_that_is_called_is_told_not_blamed_on_the_caller(capsys):
    def helper(x):
        raise NotImplementedError

    assert check.add_noise(lambda x0, a, eps: helper(x0)) is check.add_noise.reference
    assert "waits for `helper`, which it calls and which is still blank" in capsys.readouterr().out


def nearer(x):
    return x / 2


def test_a_loop_that_never_ends_is_stopped_and_its_helpers_are_as_before():
    def generate(x, alpha_bar, pile):
        n, helper = len(alpha_bar) - 1, nearer
        while n > 0:
            x = nearer(x)
        return helper(x)

    before = nearer
    assert "your loop does not end: it has called `nearer`" in str(told(check.generate, generate))
    assert nearer is before


def test_an_interrupt_is_let_through():
    def endless(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check.add_noise(endless)


# ---- the engine ----------------------------------------------------------------------------------


def halve(x, by):
    return x / by


def test_an_edit_must_match_exactly_once():
    for edits in ("x / → x *", "return → 6", "body → return 6"):
        assert edited(halve, edits)(3, 2) == 6
    for edits in ("none such → 1", "r → q", "by → 2 && r → q"):
        with pytest.raises(ValueError, match="not once"):
            edited(halve, edits)


def test_torch_code_is_asked_with_tensors():
    make = exercise(probes=((np.array([1.0, 4.0]), 2.0),), kinds=("numpy", "torch"))
    each = make(halve)
    each(lambda x, by: torch.sqrt(x**2) / by)
    with pytest.raises(Mistake, match="would be right for 2 x in place of x"):
        each(lambda x, by: torch.sqrt(x**2) / by * 2)


def test_a_finding_takes_a_range_and_tells_what_another_value_leads_to(capsys):
    assert check.few_steps(8) == 8 and check.smallest_T(...) == check.smallest_T(None) and check.few_steps(9) == 9
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("✓ few_steps: 8 is right. But 9.4% of these numbers lie between")
    assert "✓ few_steps: 9 is near enough (exactly: 8). But 7" in "".join(told)
    assert told[1].startswith("○ smallest_T: not attempted yet")
    for value, text in ((4, "take more"), (200, "Fewer steps reach 90 % too"), ("ten", "is not a whole number")):
        with pytest.raises(Mistake, match=text):
            check.few_steps(value)
    assert check.smallest_T(check.smallest_T.right[0]) and check.few_steps.hints


def test_a_drawn_schedule_is_judged_on_the_clock_of_log_snr(capsys):
    def drawn(*heights):
        curve = np.interp(np.arange(1, 1001), (1, 250, 980, 1000), heights)
        return schedule.Schedule(np.append(1.0, 1 / (1 + np.exp(-curve))))

    check.better_schedule(schedule.linear())
    check.better_schedule(drawn(9, -1, -4.4, -10))
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("○") and told[1].startswith("✓ better_schedule: deciding in 7")
    for mine, text in (
        (schedule.cosine(), "deciding in 268 steps, blind in 70, settled in 662"),
        (drawn(9, -1, -8, -10), "lift the sixth handle"),
        (drawn(9, -1, -4, -5), "at the end: pull the last"),
        (drawn(9, 3, -4.4, -10), "make the curve flatter"),
        (0.5, "hand over the toy"),
    ):
        with pytest.raises(Mistake, match=text):
            check.better_schedule(mine)


def test_jupyter_shows_one_paragraph_and_no_traceback():
    shell = InteractiveShell.instance()
    shell.push({"check": check})
    with capture_output() as captured:
        shell.run_cell("check.add_noise(lambda x0, a, eps: a**0.5 * x0 - (1 - a) ** 0.5 * eps)")
    InteractiveShell.clear_instance()
    lines = captured.stdout.strip().splitlines()
    assert "✗ add_noise: the noise is subtracted" in lines[0] and max(map(len, lines)) < 100 and captured.stderr == ""


def test_an_encoding_without_a_tick_is_no_error(monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", out)
    check.add_noise(check.add_noise.reference)
    check.add_noise.solution()
    assert Mistake("ᾱ")._render_traceback_() == ["? ?"]
    out.flush()
    assert out.buffer.getvalue().startswith(b"? add_noise: right.")


def test_the_first_three_lessons_load_no_torch():
    names = [name for name, module in check.MODULE.items() if "lesson1" <= module < "lesson4"]
    code = f"import sys; from diffusion_course import check; [getattr(check, n) for n in {names}]; "
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# ---- what reads the tables -----------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in vars(broken) if name.startswith(("pair_", "sampler_"))])
def test_broken_code_has_its_fault_and_can_be_shown(name):
    import inspect

    function = getattr(broken, name)
    each = check.training_pair if name.startswith("pair") else check.ddim_sampler
    assert told(each, function).fault and f"def {name}(" in inspect.getsource(function)


def test_the_six_pairs_have_six_faults():
    faults = {told(check.training_pair, getattr(broken, f"pair_{letter}")).fault for letter in "abcdef"}
    assert len(faults) == 6


def own_network(model, schedule, xT, n):
    model(xT, 500)  # a pretence
    return ranking.last(ddim)(ranking.quality.network("spiral"), schedule, xT, 30)


@pytest.mark.parametrize(
    ("attempt", "text"),
    [
        (lambda model, schedule, xT, n: list(ddim(model, schedule, xT, n + 1))[-1], "one evaluation is allowed"),
        (lambda model, schedule, xT, n: torch.zeros(3, 2), "finite points of shape"),
        (lambda model, schedule, xT, n: torch.full_like(xT, torch.nan), "finite points of shape"),
        (lambda model, schedule, xT, n: torch.tensor(data.spiral(len(xT), rng=np.random.default_rng(0))), "from xT"),
        (own_network, "not made by the model"),
        (lambda model, schedule, xT, n: xT, "not made by the model"),
    ],
)
def test_the_leaderboard_refuses_what_the_network_did_not_make(attempt, text):
    with pytest.raises(Mistake, match=text):
        check.leaderboard(attempt, seeds=(0,))


def test_ddim_draws_level_with_ddim_on_the_leaderboard(capsys):
    check.leaderboard(ranking.last(ddim), seeds=(0,))
    lines = {line[:16].strip(): line[16:] for line in capsys.readouterr().out.splitlines()}
    assert lines["yours"] == lines["DDIM"] != lines["pure noise"]


def test_the_slips_that_change_numbers_are_explained():
    """A thirtieth of what `benchmarks/slips.py` tries: at least nine in ten are named or isolated."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
    import slips

    kinds = []
    for each in EXERCISES[:19]:
        for _, attempt in itertools.islice(slips.mutants(each.reference, each.linear), 0, None, 30):
            kinds.append(slips.message(each, attempt)[0])
    told_ = sum(kind in ("named", "isolated", "form") for kind in kinds)
    assert told_ > 20 and told_ >= 0.9 * (told_ + kinds.count("by hand"))
