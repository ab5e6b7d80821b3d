"""The hidden tests give what is earned: the solution all, the empty release nothing, and tricks nothing either."""

import copy
import csv
import re
import time
import tracemalloc
from contextlib import suppress
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
import torch
from nbformat.v4 import new_notebook
from nbgrader.utils import determine_grade
from solved import BY_FUNCTION, FUNCTIONS, LEVELS, full, graded, handed_in, release, solution, trained

from diffusion_course.check import homework as check
from diffusion_course.check.homework import variant
from diffusion_course.check.homework.walk import reverse_step
from diffusion_course.denoisers import IdealDenoiser
from diffusion_course.homework.grading import channel, judge, local
from diffusion_course.homework.grading import run as runs
from diffusion_course.homework.inside import answer
from diffusion_course.homework.prepare import make as prepare
from diffusion_course.homework.solvers import parts as solvers
from diffusion_course.homework.spiral import parts, results, walks

RESULTS = ("training", "samples_10", "samples_50")
CELLS = local.source_cells()
GRADED = {cell.id: cell for cell in CELLS if cell.metadata.get("nbgrader", {}).get("grade")}


@pytest.fixture(scope="module")
def solved():
    """A hand-in with every function right and a model as if trained; tests take a copy before they change it."""
    return handed_in()


# ---- the notebook --------------------------------------------------------------------------------


def test_the_test_cells_are_the_parts_in_their_order_worth_12_with_the_conclusions():
    cells = [cell for cell in GRADED.values() if cell.cell_type == "code"]
    assert [cell.id.removeprefix("grade-").replace("-", "_") for cell in cells] == list(parts.PARTS)
    for cell, (name, (points, _)) in zip(cells, parts.PARTS.items(), strict=True):
        assert cell.metadata.nbgrader.points == points and f'parts.grade("{name}", globals())' in cell.source
    assert sum(cell.metadata.nbgrader.points for cell in GRADED.values()) == 12


def test_the_table_in_the_notebook_promises_the_points_and_lines_that_are_used():
    text = next(cell.source for cell in CELLS if cell.id == "how-to-work")
    told = re.findall(r"^\| \d+ \|.*\| (½|\d) \|$", text, flags=re.MULTILINE)
    assert sum(0.5 if points == "½" else int(points) for points in told) == 12
    lines = ", ".join(f"{line:.2f}" for line in variant.LINES.values())
    assert f"**{lines}** of its radius" in text and f"**{variant.COVERED:.0%}**".replace("%", " %") in text


def test_every_solution_cell_is_blank_in_the_release_and_no_hidden_test_is_left():
    cells = release()
    for cell in CELLS:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            assert cells[cell.id] != cell.source and "SOLUTION" not in cells[cell.id]
    assert "import parts" not in "".join(cells.values())


# ---- the pass lines --------------------------------------------------------------------------------


def test_right_solutions_stay_so_far_inside_the_lines_that_fewer_than_1_in_1000_fails():
    """The runs that `benchmarks/homework.py` and `class_of_300.py` measured, by the tail model that is stated there."""
    rows = []
    for table in ("calibration.csv", "class_of_300.csv"):
        with prepare.shipped().with_name(table).open(newline="") as file:
            rows += csv.DictReader(file)
    assert len({row["seed"] for row in rows}) >= 300 and len({row["id"] for row in rows}) >= 300
    for steps, line in variant.LINES.items():
        log = np.log([float(row[f"distance_{steps}"]) for row in rows])
        assert (np.log(line) - log.mean()) / log.std(ddof=1) > NormalDist().inv_cdf(0.999)
        assert min(float(row[f"coverage_{steps}"]) for row in rows) >= variant.COVERED


# ---- what is earned ------------------------------------------------------------------------------


def test_the_solution_earns_everything(solved):
    assert graded(solved, BY_FUNCTION) == full(BY_FUNCTION)
    assert graded(solved, RESULTS) == full(RESULTS)


def test_the_release_runs_to_its_end_and_nothing_of_it_is_attempted(capsys):
    blank = release()
    names = local.run([blank[cell] for cell in solution()])
    capsys.readouterr()
    assert set(graded(names).values()) == {0}
    assert capsys.readouterr().out.splitlines() == [f"○ {part}: not attempted." for part in parts.PARTS]


def test_an_empty_notebook_is_not_attempted_either(capsys):
    assert set(graded({"STUDENT_ID": "ada"}).values()) == {0}
    assert capsys.readouterr().out.count("○") == len(parts.PARTS)


def test_without_any_student_the_grader_complains_and_gives_no_points():
    with pytest.raises(LookupError, match="no student here to grade"):
        parts.grade("add_noise", {})


def test_the_student_that_the_grader_provides_comes_first(solved):
    other = local.Student({"STUDENT_ID": "ada"})
    assert parts.grade("add_noise", solved | {"student": other}) == 0


def test_each_part_says_one_line_that_does_not_tell_what_was_asked(solved, capsys):
    wrong = {name: (lambda *args, **kwargs: torch.full((3, 2), 0.123)) for name in BY_FUNCTION}
    for names in (solved, solved | wrong):
        for part in set(parts.PARTS) - {"samples_1000"}:  # which takes long and speaks as the others do
            parts.grade(part, names)
            said = capsys.readouterr().out
            assert said.count("\n") == 1 and re.match(r"[✓○✗] " + part, said)
            assert not re.search(r"x0=|xt=|alpha_bar\w*=|noise=|\bT=|\bn=|times=", said)


# ---- partial credit, and mistakes that are not paid for twice ------------------------------------


@pytest.mark.parametrize(
    ("cell", "old", "new", "part"),
    [
        ("loss", ".mean()", ".sum()", "loss"),
        ("loss", ".mean()", ".sum(1).mean()", "loss"),
        ("reverse-step", "variance.sqrt() * z", "0 * z", "reverse_step"),
        ("sample", "noise[i])", "0 * noise[i])", "sample"),
    ],
)
def test_what_is_right_but_for_a_factor_or_the_noise_earns_half(cell, old, new, part):
    assert parts.grade(part, handed_in({cell: (old, new)})) == parts.PARTS[part][0] / 2


def test_a_network_that_ignores_the_time_earns_half(solved, capsys):
    solved["Denoiser"].forward, forward = lambda self, xt, t: 0.5 * xt, solved["Denoiser"].forward
    assert parts.grade("network", solved | {"model": solved["Denoiser"]()}) == 0.5
    solved["Denoiser"].forward = forward
    assert "at one point it says the same for every t" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cell", "old", "new", "lost"),
    [
        ("add-noise", "(1 - alpha_bar_t).sqrt()", "(1 - alpha_bar_t)", "add_noise"),
        ("reverse-step", "alpha_bar_s.sqrt()", "alpha_bar_s", "reverse_step"),
    ],
)
def test_a_mistake_in_one_function_does_not_cost_the_one_that_calls_it(cell, old, new, lost, capsys):
    points = graded(handed_in({cell: (old, new)}), BY_FUNCTION)
    assert [part for part in BY_FUNCTION if points[part] < parts.PARTS[part][0]] == [lost]
    assert "with the functions that it calls as they are" in capsys.readouterr().out


def plays_along(name, rows, otherwise):
    """The right function, but for the number of rows that the question of another one has."""
    right = getattr(check, name).reference
    return lambda x, *rest: otherwise(x, *rest) if len(x) == rows else right(x, *rest)


@pytest.mark.parametrize(
    ("helper", "part", "nothing"),
    [
        (
            plays_along("reverse_step", 20, lambda x, eps, a, s, z: eps if s == 1 else x),
            "sample",
            lambda model, a, x, times, noise: [model(x, torch.full((len(x),), t)) for t in times[:-1]][-1],
        ),
        (
            plays_along("add_noise", 12, lambda x0, a, eps: x0),
            "loss",
            lambda model, a, x0, t, eps: ((eps - model(x0, t)) ** 2).mean(),
        ),
    ],
    ids=["no walk", "no noise"],
)
def test_a_helper_that_plays_along_does_not_make_another_function_right(solved, helper, part, nothing):
    name = {"sample": "reverse_step", "loss": "add_noise"}[part]
    assert graded(solved | {name: helper, part: nothing}, (name, part)) == {name: 1, part: 0}


def one_step(model, alpha_bar, xT, times, noise):
    """No loop: the network once, for a step that passes everything by but at the end."""
    return model(xT, torch.full((len(xT),), times[-2]))


@pytest.mark.parametrize(
    "nothing",
    [
        {"reverse_step": lambda xt, *rest: xt, "sample": lambda model, alpha_bar, xT, times, noise: xT},
        {"reverse_step": lambda *args: float("nan") * args[0], "sample": lambda *args: float("nan") * args[2]},
        {"add_noise": lambda x0, a, eps: x0 * float("nan"), "loss": lambda *args: float("nan")},
        {"reverse_step": lambda xt, eps, at, a, z: xt if a < 1 else eps, "sample": one_step},
        {"reverse_step": lambda xt, eps, at, a, z: 0.01 * eps if a < 1 else eps, "sample": one_step},
        {"reverse_step": lambda *args: None, "sample": lambda *args: None},
    ],
)
def test_two_functions_that_do_nothing_do_not_make_each_other_right(solved, nothing, capsys):
    assert graded(solved | nothing, nothing) == dict.fromkeys(nothing, 0)


WIDE = 2500  # of (WIDE, 1) and (1, WIDE) arithmetic makes 50 MB


def varying():
    """A function with one shape for the first three questions and another for all others."""
    known = set()

    def answer(*given):
        asked = str([each.tolist() if torch.is_tensor(each) else each for each in given[-3:]])
        known.update([asked] if len(known) < 3 else [])
        return torch.zeros((WIDE, 1) if asked in known else (1, WIDE), dtype=torch.uint8)

    return answer


@pytest.mark.parametrize("part", parts.QUESTIONS)
def test_answers_of_shapes_that_multiply_take_no_memory(solved, part):
    names = solved | {part: varying()}
    tracemalloc.start()
    assert parts.grade(part, names) == 0
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < 8 * WIDE**2 / 4


def test_neither_do_points_of_a_walk_and_levels(solved):
    """What `samples` asks besides."""
    student = local.Student(solved | {"reverse_step": lambda *args: torch.zeros(1, 10**6, dtype=torch.uint8)})
    xT, times, noise, points = results._drawn(local.Student(solved), 10)
    tracemalloc.start()
    for odd in (points[:, None, None, :1].repeat(WIDE, 1), points[:, None], points[:, :1]):
        assert walks.astray(student, (xT, times, noise, odd), lambda odd=odd: (xT, times, noise, odd))
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < 2**26
    assert not walks.astray(student, (xT, times, noise, points), None)


@pytest.mark.parametrize("odd", [[[float("inf"), torch.zeros(512, 2)]], {float("nan"): torch.zeros(512, 2)}, [[1]], 5])
def test_odd_samples_have_no_figures_and_cost_no_grade(odd):
    made = runs.Run(new_notebook(), local.Student({"STUDENT_ID": "ada", "samples": odd}))
    assert made.results(parts) == {"samples": {}, "figures": ""}


def test_samples_of_more_steps_than_asked_for_earn_half(solved, capsys):
    assert parts.grade("samples_10", solved | {"samples": {10: solved["samples"][50]}}) == 0.5
    assert "nearer than 10 steps of your network end" in capsys.readouterr().out


def test_the_teacher_is_told_of_samples_that_their_network_does_not_draw(solved):
    """They are the data, shaken, of one whose own walk ends elsewhere."""
    student = local.Student(solved | {"sample": lambda model, levels, xT, times, noise: xT})
    assert parts.grade("samples_50", {"student": student}) == 0
    assert student.remarks == [
        "samples[50] nearer to the curve than their network draws in as many steps"
    ]


def test_samples_of_the_wrong_number_earn_half_if_the_sampler_draws_right_ones(solved, capsys):
    cloud = solved["samples"][50][:100]
    assert parts.grade("samples_50", solved | {"samples": {50: cloud}}) == 0.5
    assert "shape (100, 2)" in capsys.readouterr().out


# ---- what must not pass --------------------------------------------------------------------------

SPIRAL = variant.of("example")


def near_data():
    """Data with a little noise, as if sampled."""
    return torch.as_tensor(SPIRAL.data(512) + 0.01 * np.random.default_rng(0).standard_normal((512, 2))).float()


TRICKS = {
    "the data": ({"samples": {50: SPIRAL.data()[:512]}, "model": lambda xt, t: 0 * xt}, "copies"),
    "the data, shaken": ({"samples": {50: near_data()}, "model": lambda xt, t: 0 * xt}, "drawn anew"),
    "a model that knows the data by heart": ({"model": IdealDenoiser(SPIRAL.data(512), LEVELS)}, "no weights"),
    "a sampler that draws from the data": (
        {"samples": {50: near_data()}, "sample": lambda *args: near_data(), "model": lambda xt, t: 0.5 * xt},
        "has no weights",
    ),
    "one place": ({"samples": {50: SPIRAL.at(np.full(512, 0.4))}, "model": lambda xt, t: xt}, "✗ samples_50"),
    "NaN": (
        {"samples": {50: np.full((512, 2), np.nan)}, "model": lambda xt, t: xt / 0},
        "512 of the 512 samples are NaN",
    ),
    "words": ({"samples": {50: ["a lot"] * 512}}, "no array of points"),
    "a list for a dict": ({"samples": [near_data()]}, "no dict of clouds"),
    "no such cloud": ({"samples": {10: near_data()}, "model": lambda xt, t: xt}, "no `samples[50]`"),
    "an error": ({"samples": {50: near_data()}, "sample": lambda *args: 1 / 0}, "ZeroDivisionError"),
    "another's": ({"samples": {50: near_data() + 1}, "model": trained(student="bob")}, "too far from your spiral"),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_earns_nothing_and_is_named(solved, trick, capsys):
    changes, named = TRICKS[trick]
    names = solved | changes
    if "samples" not in changes:  # those that this model gives
        local.run([solution()["samples"].replace("(10, 50, T)", "(50,)")], names)
    capsys.readouterr()
    assert parts.grade("samples_50", names) == 0
    assert named in capsys.readouterr().out


def keeps_what_the_grader_walks():
    """A `sample` that answers only where the grader's own walk, with their step, has been before."""
    ways, late = [], []

    def step(xt, *rest):
        x = reverse_step.reference(xt, *rest)
        way = next((way for way in ways if way[1].shape == xt.shape and torch.allclose(way[1], xt, atol=1e-6)), None)
        if way is None:
            ways.append(way := [xt, x])
        way[1] = x
        return x

    def no_walk(model, alpha_bar, xT, times, noise):
        for start, end in ways:
            if start.shape == xT.shape and torch.allclose(start, xT, atol=1e-6):
                return end
        raise NotImplementedError

    def wrong_walk(*given):
        with suppress(NotImplementedError):
            return no_walk(*given)
        return given[2]

    def late_step(xt, eps_hat, alpha_bar_t, alpha_bar_s, z):
        x = step(xt, eps_hat, alpha_bar_t, alpha_bar_s, z)
        if alpha_bar_s == 1 and len(xt) == 20 and not late:
            late.append(True)  # so that the test is run once more
            raise NotImplementedError
        return x

    return {"no answer": (step, no_walk), "a wrong answer": (late_step, wrong_walk)}


@pytest.mark.parametrize("first", ["no answer", "a wrong answer"])
def test_a_test_that_is_run_again_does_not_ask_what_the_grader_has_shown(solved, first, monkeypatch):
    step, walk = keeps_what_the_grader_walks()[first]
    monkeypatch.setattr(runs.Run, "ask", lambda *_: ("", None))  # there is no process, and none ends
    student = local.Student(solved | {"reverse_step": step, "sample": walk})
    test = copy.deepcopy(GRADED["grade-sample"])
    runs.Run(new_notebook(cells=[test]), student).cells()
    assert determine_grade(test)[0] == 0, test.outputs


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (lambda xt, t: xt / 0, "NaN or infinity"),
        (lambda xt, t: 0 * xt, "too far"),
        (lambda xt, t: xt[:, :1], "shape"),
        (trained(student="bob"), "too far"),
        (IdealDenoiser(SPIRAL.data(512), LEVELS), "no weights"),
    ],
)
def test_a_model_that_is_not_trained_on_the_spiral_fails_under_our_sampler(solved, model, named, capsys):
    assert parts.grade("training", solved | {"model": model}) == 0
    assert named in capsys.readouterr().out


def test_a_network_that_was_never_trained_is_not_attempted(solved, capsys):
    names = {name: value for name, value in solved.items() if name != "training_losses"}
    assert parts.grade("training", names | {"model": solved["Denoiser"]()}) == 0
    assert capsys.readouterr().out == "○ training: not attempted.\n"
    assert parts.grade("training", names) == 1


def test_an_id_that_is_not_the_one_handed_in_under_is_told(solved, capsys):
    student = local.Student(solved)
    student.id = "grace"
    assert parts.grade("samples_50", {"student": student}) == 0
    assert "STUDENT_ID is 'example', but it was handed in as 'grace'" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [None, "yes", {"a": 1}, [[1, 2], [3]], float("nan"), torch.ones(3), [], 1j])
@pytest.mark.parametrize("part", (*BY_FUNCTION[:2], "loss", "reverse_step", "time_grid", "sample"))
def test_strange_answers_earn_nothing_and_break_nothing(solved, part, answer, capsys):
    assert parts.grade(part, solved | {part: lambda *args: answer}) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_a_function_without_end_is_stopped(solved, monkeypatch, capsys):
    def endless(*args):
        while True:
            pass

    student = local.Student(solved | {"time_grid": endless})
    monkeypatch.setattr(student, "call", lambda name, *args: channel.Student.call(student, name, *args, seconds=0.2))
    assert parts.grade("time_grid", {"student": student}) == 0
    assert "No answer within" in capsys.readouterr().out


def test_points_are_those_of_the_test_cell(solved, capsys):
    student = local.Student(solved)
    student.points = 5.0
    assert parts.grade("add_noise", {"student": student}) == 5
    student = local.Student(handed_in({"loss": (".mean()", ".sum()")}))
    student.points = 0.5
    assert parts.grade("loss", {"student": student}) == 0.25


def test_a_test_whose_answers_take_too_long_together_says_so(solved, monkeypatch, capsys):
    monkeypatch.setattr(judge, "LIMIT", 0.2)

    def slow(xt, t):
        time.sleep(0.03)
        return 0 * xt

    assert parts.grade("training", solved | {"model": slow}) == 0
    told = capsys.readouterr().out
    assert " s together" in told or "No answer within" in told


@pytest.mark.long
def test_the_solution_earns_everything_in_1000_steps_too():
    names = handed_in(steps=(1000,))
    assert parts.grade("samples_1000", names) == 1


def test_the_cells_that_these_tests_run_are_those_of_the_notebook():
    assert set(FUNCTIONS) | {"dissolve", "train-run", "look"} == set(solution())


def test_a_function_that_returns_nothing_is_not_attempted(solved, capsys):
    for name in parts.QUESTIONS:
        assert parts.grade(name, solved | {name: lambda *args: None}) == 0
        assert capsys.readouterr().out == f"○ {name}: not attempted.\n"


def at(x, t):
    return torch.full((len(x),), t)


def loop(step):
    """A `sample` that goes from time to time by `step(model, alpha_bar, x, t, s, z, xT)`."""

    def sample(model, alpha_bar, xT, times, noise):
        x = xT
        for (t, s), z in zip(pairwise(times), noise, strict=True):
            x = step(model, alpha_bar, x, t, s, z, xT)
        return x

    return sample


right = reverse_step.reference
IDLE = {  # as good as blanks
    "add_noise": [
        lambda x0, a, e: x0,
        lambda x0, a, e: 0.9 * e,
        lambda x0, a, e: x0 + 0.01 * e,
        lambda x0, a, e: 0 * e,
    ],
    "loss": [lambda m, a, x0, t, e: 0 * e.mean(), lambda m, a, x0, t, e: ((e - x0) ** 2).mean()],
    "reverse_step": [lambda x, e, a, s, z: x + 0.1, lambda x, e, a, s, z: x - 0.01 * e, lambda x, e, a, s, z: z],
    "sample": [
        lambda m, a, x, times, noise: x + 0.1,
        lambda m, a, x, times, noise: x + 0.02 * m(x, at(x, times[0])),
        lambda m, a, x, times, noise: x + 0.4 * m(x, at(x, times[0])) + 0.4 * m(x, at(x, times[-2])),
        lambda m, a, x, times, noise: (m(x, at(x, times[0])), x)[1],
        loop(lambda m, a, x, t, s, z, xT: x + 0.001 * m(x, at(x, t))),
    ],
}
ATTEMPTS = {  # wrong, and no blanks
    "add_noise": [lambda x0, a, e: x0 + e, lambda x0, a, e: (a - 1).sqrt() * e, lambda x0, a, e: a**0.5 * (x0 - e)],
    "loss": [lambda m, a, x0, t, e: (e - m(x0 + e, t)).abs().mean() / 1000],
    "reverse_step": [lambda x, e, a, s, z: right(x, -e, a, s, 0 * z), lambda x, e, a, s, z: (x - (1 - a) * e) / a**0.5],
    "sample": [
        loop(lambda m, a, x, t, s, z, xT: x - m(x, at(x, t))),
        loop(lambda m, a, x, t, s, z, xT: right(x, m(xT, at(x, t)), a[t], a[s], 0 * z)),
        loop(lambda m, a, x, t, s, z, xT: (right(x, m(x, at(x, t)), a[t], a[s], z), x)[1]),
        lambda m, a, x, times, noise: right(x, m(x, at(x, times[0])), a[times[0]], a[times[1]], noise[0]),
        lambda m, a, x, times, noise: [x := x - m(x, at(x, t)) * (1 - a[t]) for t in range(times[0], 0, -1)][-1],
    ],
}


@pytest.mark.parametrize(("sign", "functions"), [("○", IDLE), ("✗", ATTEMPTS)], ids=["idle", "attempts"])
def test_a_function_that_does_nothing_is_no_mistake_but_a_blank(solved, sign, functions, capsys):
    """Else `repair` would write it, and give the points of all that it is needed for."""
    for name, several in functions.items():
        for function in several:
            assert parts.grade(name, solved | {name: function}) == 0
            assert (said := capsys.readouterr().out).startswith(f"{sign} {name}: "), said


@pytest.mark.long
@pytest.mark.parametrize("assignment", [parts, solvers], ids=["spiral", "solvers"])
def test_a_mistake_with_a_name_is_never_a_blank(assignment, capsys):
    for name in assignment.QUESTIONS:
        for fault in getattr(check, name).faults:
            assert judge.grade(assignment.PARTS, name, {"STUDENT_ID": "ada", name: fault.mutant}) < 1
            assert capsys.readouterr().out.startswith(f"✗ {name}: "), fault.name


def test_a_walk_of_1000_steps_that_takes_too_long_is_judged_by_a_shorter_one(solved, capsys):
    def slow(*given):
        if len(given[3]) > 100:
            raise answer.TooSlow
        return solved["sample"](*given)

    model = trained()
    student = local.Student(solved | {"model": model, "sample": slow, "samples": {1000: solved["samples"][50]}})
    assert parts.grade("samples_1000", {"student": student}) == 1, capsys.readouterr().out
    assert "a `sample` too slow for 1000 steps: judged by 50" in student.remarks
    student = local.Student(solved | {"model": model, "sample": slow, "samples": {1000: torch.zeros(512, 2)}})
    assert parts.grade("samples_1000", {"student": student}) == 0.5
