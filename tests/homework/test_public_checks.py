"""The checks that students run: right passes, blank is calm, each known mistake is named by its own name."""

import numpy as np
import pytest
import torch
from torch import nn

from diffusion_course import denoisers, forward, samplers, variant
from diffusion_course.check import homework as check
from diffusion_course.check.homework.walk import WALK, exact, walk
from diffusion_course.exercise import Mistake
from diffusion_course.schedule import Schedule

EXERCISES = (check.make_alpha_bar, check.add_noise, check.loss, check.reverse_step, check.sample)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_solution_passes_and_blank_is_calm(exercise, capsys):
    def blank(*_):
        raise NotImplementedError

    exercise(exercise.reference)
    exercise(blank)
    right, calm = capsys.readouterr().out.splitlines()
    assert right.startswith("✓") and "not attempted" in calm


@pytest.mark.parametrize(
    ("exercise", "fault"), [pytest.param(e, f, id=f"{e.name}: {f.name}") for e in EXERCISES for f in e.faults]
)
def test_every_fault_is_named_by_its_own_name(exercise, fault):
    with pytest.raises(Mistake) as caught:
        exercise(fault.mutant)
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
    *_, x = samplers.ddpm(model, levels, again.standard_normal((50, 2)), steps=times, rng=again)
    noise = [rng.standard_normal((50, 2)) for _ in range(3)]  # xT first; the last stroke draws none
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
    assert "layers of [128, 2], asked 3 × 128 and 2" in capsys.readouterr().out


def test_a_blank_network_is_calm(capsys):
    def blank():
        raise NotImplementedError

    check.network(blank)
    assert "not attempted" in capsys.readouterr().out


# ---- the rest ------------------------------------------------------------------------------------


def test_samples_are_judged_a_line_for_each_number_of_strokes(capsys):
    spiral = variant.of("ada")
    cloud = spiral.data(512) + 0.01 * np.random.default_rng(0).standard_normal((512, 2))
    check.samples({50: torch.as_tensor(cloud)}, spiral)
    marks = [line[:4] for line in capsys.readouterr().out.splitlines()]
    assert marks == ["✗ 10", "✓ 50", "✗ 10"]


@pytest.mark.parametrize("error", [NotImplementedError(), NameError("name 'model' is not defined")])
def test_what_waits_for_a_blank_says_so_and_lets_the_notebook_run_on(error, capsys):
    with check.unless_blank("training"):
        raise error
    assert capsys.readouterr().out.startswith("○ training: waits for a")


def test_other_errors_are_not_hidden():
    with pytest.raises(ZeroDivisionError), check.unless_blank("training"):
        raise ZeroDivisionError
