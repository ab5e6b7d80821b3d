"""The checks that students run: right passes, blank is calm, each known mistake is named by its own name."""

import csv
import functools
import re

import numpy as np
import pytest
import torch
from torch import nn

from diffusion_course import denoisers, forward, samplers
from diffusion_course.check import homework as check
from diffusion_course.check.engine import Mistake
from diffusion_course.check.homework import variant
from diffusion_course.check.homework.questions import exact
from diffusion_course.check.homework.walk import walk
from diffusion_course.homework.grading import local
from diffusion_course.homework.prepare import make as prepare
from diffusion_course.schedule import Schedule, from_beta

WALK = from_beta(np.linspace(0.01, 0.5, 20)).alpha_bar
EXERCISES = (check.make_alpha_bar, check.add_noise, check.loss, check.reverse_step, check.time_grid, check.sample)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_solution_passes_and_blank_is_calm(exercise, capsys):
    def blank(*_):
        raise NotImplementedError

    exercise(exercise.reference)
    exercise(blank)
    right, calm = capsys.readouterr().out.splitlines()
    assert right.startswith("✓") and "not attempted" in calm


def as_a_student_would(mutant):
    """The mutant's numbers as the cells below need them: float32 tensors, whole numbers as ints."""

    def attempt(*given):
        answer = mutant(*given)
        if not isinstance(answer, np.ndarray):
            return answer
        whole = answer.size and np.all(answer == np.round(answer)) and abs(answer).max() > 1
        return [int(time) for time in answer] if whole else torch.tensor(answer.copy(), dtype=torch.float32)

    return functools.wraps(mutant)(attempt)


@pytest.mark.parametrize(
    ("exercise", "fault"),
    [
        pytest.param(e, f, id=f"{e.name}: {f.name}")
        for e in EXERCISES
        for f in e.faults
        if f.name != "the times are not whole numbers"  # as floats they are told apart before
    ],
)
def test_every_fault_is_named_by_its_own_name(exercise, fault):
    with pytest.raises(Mistake) as caught:
        exercise(as_a_student_would(fault.mutant))
    assert caught.value.fault == fault.name


def test_affine_holds_the_exact_denoiser_of_a_gaussian_for_arrays_and_tensors():
    levels, rng = Schedule(WALK), np.random.default_rng(0)
    affine, known = exact(WALK, [0.8, -0.5], 0.3), denoisers.GaussianDenoiser([0.8, -0.5], 0.3, levels)
    x, t = rng.standard_normal((7, 2)), rng.integers(1, 21, 7)
    np.testing.assert_allclose(affine(x, t), known(x, t))
    assert torch.allclose(affine(torch.tensor(x), torch.tensor(t)), known(torch.tensor(x), t))
    np.testing.assert_allclose(affine(x, 3), known(x, 3))


def test_walk_is_the_course_sampler_with_the_noise_handed_in():
    model, levels, times = exact(WALK, [0.8, -0.5], 0.3), Schedule(WALK), [20, 11, 4, 0]
    rng, again = np.random.default_rng(1), np.random.default_rng(1)
    *_, x = samplers.ddpm(lambda xt, t: model(xt, t), levels, again.standard_normal((50, 2)), steps=times, rng=again)
    noise = [rng.standard_normal((50, 2)) for _ in range(3)]  # xT first; the last step draws none
    xT, noise = noise[0], [*noise[1:], np.zeros((50, 2))]
    np.testing.assert_allclose(walk(model, WALK, xT, times, noise), x)


def test_add_noise_takes_a_level_for_each_row():
    x0, eps = torch.randn(2, 6, 2)
    power = torch.rand(6, 1)
    expected = torch.stack([forward.add_noise(x0[i], float(power[i]), eps[i]) for i in range(6)])
    assert torch.allclose(check.add_noise.reference(x0, power, eps), expected)


# ---- the network ---------------------------------------------------------------------------------


class Small(nn.Module):
    """Right, but for what a subclass spoils."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 128), nn.SiLU(), nn.Linear(128, 2))

    def forward(self, xt, t):
        return self.layers(torch.cat([xt, t[:, None] / 1000], dim=1))


def spoilt(change):
    """A network whose answer is `change(answer, module, xt, t)`."""

    class Spoilt(Small):
        def forward(self, xt, t):
            return change(super().forward, xt, t)

    return Spoilt


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda f, xt, t: f(xt, t)[:, :1], "another shape"),
        (lambda f, xt, t: f(xt, t) / 0, "not finite"),
        (lambda f, xt, t: f(xt, 0 * t), "t is ignored"),
        (lambda f, xt, t: f(0 * xt, t), "x_t is ignored"),
        (lambda f, xt, t: f(xt, t) - f(xt, t).mean(0), "rows are mixed"),
    ],
)
def test_a_network_that_cannot_work_is_named(change, fault):
    with pytest.raises(Mistake) as caught:
        check.network(spoilt(change))
    assert caught.value.fault == fault


def test_a_network_of_another_size_passes_and_is_told_what_was_asked(capsys):
    check.network(Small)
    assert "770 weights, not the layers asked for, which costs no points" in capsys.readouterr().out


def test_a_blank_network_is_calm(capsys):
    def blank():
        raise NotImplementedError

    check.network(blank)
    assert "not attempted" in capsys.readouterr().out


class AtZero(Small):
    """A right network, started as many are: its last layer answers 0 to everything."""

    def __init__(self):
        super().__init__()
        for weights in self.layers[2].parameters():
            nn.init.zeros_(weights)


def test_a_network_that_starts_at_zero_is_right(capsys):
    check.network(AtZero)
    assert capsys.readouterr().out.startswith("✓ network")


class InAList(Small):
    def __init__(self):
        super().__init__()
        layers = [nn.Linear(3, 128), nn.SiLU(), nn.Linear(128, 2)]
        del self.layers
        self.hidden = [layers]

    def forward(self, xt, t):
        return nn.Sequential(*self.hidden[0])(torch.cat([xt, t[:, None] / 1000], dim=1))


@pytest.mark.parametrize(
    ("make", "fault", "text"),
    [
        (InAList, "no weights", "nn.ModuleList"),
        (spoilt(lambda f, xt, t: f(xt, t).detach()), "no gradient", "no_grad"),
        (spoilt(lambda f, xt, t: print(f)), "nothing returned", "return"),
        (spoilt(lambda f, xt, t: nn.functional.dropout(f(xt, t))), "rows are mixed", "Dropout"),
        (spoilt(lambda f, xt, t: f(xt, t[0].expand(len(xt)))), "rows are mixed", "own t"),
        (spoilt(lambda f, xt, t: f(xt[:, :1], t)), None, "it raised RuntimeError: mat1"),
    ],
)
def test_a_network_that_cannot_be_trained_is_named_before_the_training(make, fault, text):
    with pytest.raises(Mistake, match=text) as caught:
        check.network(make)
    assert caught.value.fault == fault


# ---- right numbers of a kind that the cells below cannot use --------------------------------------

GIVEN_BACK = {
    "make_alpha_bar": [lambda a: a.numpy(), torch.Tensor.tolist, torch.Tensor.double],
    "add_noise": [lambda x: x.numpy(), torch.Tensor.tolist],
    "loss": [torch.Tensor.item, torch.Tensor.detach, lambda error: error.detach().numpy()],
    "reverse_step": [lambda x: x.numpy()],
    "sample": [lambda x: x.detach().numpy()],
    "time_grid": [lambda times: [float(t) for t in times], lambda times: torch.tensor(times).float()],
}


@pytest.mark.parametrize(
    ("name", "change"), [(name, change) for name, several in GIVEN_BACK.items() for change in several]
)
def test_right_numbers_of_another_type_are_told_so(name, change):
    exercise = getattr(check, name)
    with pytest.raises(Mistake) as caught:
        exercise(lambda *given: change(exercise.reference(*given)))
    assert caught.value.fault == "another type"


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor])
def test_whole_times_are_right_in_any_row(kind, capsys):
    check.time_grid(lambda T, n: kind([round(T * i / n) for i in range(n, -1, -1)]))
    assert capsys.readouterr().out.startswith("✓")


def test_a_walk_may_treat_the_model_as_the_network_it_stands_for(capsys):
    @torch.no_grad()
    def sample(model, alpha_bar, xT, times, noise):
        model.eval()
        return walk(model, alpha_bar, xT.to(next(model.parameters()).device), times, noise)

    check.sample(sample)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "hour", [lambda t, n: t, lambda t, n: torch.full((1,), t), lambda t, n: torch.full((n,), t / 1)]
)
def test_a_walk_that_asks_with_times_no_network_takes_is_told_so(hour):
    def sample(model, alpha_bar, xT, times, noise):
        return walk(lambda x, t: model(x, hour(int(t[0]), len(x))), alpha_bar, xT, times, noise)

    with pytest.raises(Mistake, match=r"wants whole numbers of shape \(20,\) for t, and got"):
        check.sample(sample)


# ---- the training --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("losses", "fault"),
    [
        (np.linspace(1.1, 1.0, 1000), "stays"),
        (np.linspace(1, 20, 1000), "rises"),
        (np.append(np.linspace(1, 0.3, 999), np.nan), "not finite"),
    ],
)
def test_a_training_that_failed_is_named(losses, fault):
    with pytest.raises(Mistake) as caught:
        check.losses(losses.tolist())
    assert caught.value.fault == fault


def test_a_training_is_right_where_right_ones_end_and_doubtful_above(capsys):
    with open(prepare.shipped().with_name("calibration.csv"), newline="") as file:
        worst = max(float(row["loss"]) for row in csv.DictReader(file))
    check.losses([1.0] * 100 + [worst] * 900)
    check.losses([1.0] * 100 + [0.6] * 900)
    right, doubtful = capsys.readouterr().out.splitlines()
    assert right.startswith("✓ training") and doubtful.startswith("○ training")


# ---- the rest ------------------------------------------------------------------------------------


def test_samples_are_judged_a_line_for_each_number_of_steps(capsys):
    spiral = variant.of("ada")
    cloud = spiral.data(512) + 0.01 * np.random.default_rng(0).standard_normal((512, 2))
    check.samples({50: torch.as_tensor(cloud)}, spiral)
    marks = [line[:4] for line in capsys.readouterr().out.splitlines()]
    assert marks == ["○ 10", "✓ 50", "○ 10"]


@pytest.mark.parametrize("error", [NotImplementedError(), NameError("no model", name="model")])
def test_what_waits_for_a_blank_says_so_and_lets_the_notebook_run_on(error, capsys):
    with check.unless_blank("training"):
        raise error
    assert capsys.readouterr().out.startswith("○ training: waits for a")


def test_other_errors_are_not_hidden():
    with pytest.raises(ZeroDivisionError), check.unless_blank("training"):
        raise ZeroDivisionError


@pytest.mark.parametrize("slip", ["torhc.ones(2)", "def f():\n    loss = loss(1)\nf()"])
def test_slips_in_a_name_are_not_hidden_either(slip):
    with pytest.raises(NameError), check.unless_blank("training"):
        exec(slip, {})


def test_what_the_notebook_defines_is_what_is_waited_for():
    """Each of the names is bound in some cell of a homework, and stands for work of the student's or what follows."""
    cells = [cell for assignment in local.ASSIGNMENTS for cell in local.source_cells(assignment)]
    source = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    for name in check.DEFINED:
        assert re.search(rf"^ *(def |class )?{name}(,| =|\()|^[\w, ]*\b{name}(, [\w, ]+)? =", source, re.M), name
