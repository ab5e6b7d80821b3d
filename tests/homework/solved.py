"""The worked solution as a student's notebook that has run, changed here and there, without minutes of training."""

from contextlib import suppress
from functools import cache

import nbformat
import numpy as np
import torch
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions
from torch import nn

from diffusion_course.check.homework import variant
from diffusion_course.denoisers import IdealDenoiser
from diffusion_course.homework.grading import local
from diffusion_course.homework.prepare import make as prepare
from diffusion_course.homework.spiral import parts
from diffusion_course.schedule import linear

STUDENT = "example"  # as the source says
LEVELS = linear(1000, 1e-4, 0.012)
FUNCTIONS = "imports student-id data make-alpha-bar clock add-noise features network weights loss train".split()
FUNCTIONS += "reverse-step time-grid sample samples".split()
SHORT = ("steps=10_000", "steps=3_000")  # of the training: the solution passes with it, three times nearer than it must
BY_FUNCTION = ("make_alpha_bar", "add_noise", "network", "loss", "reverse_step", "time_grid", "sample")


@cache
def solution():
    """The student's cells of the source, id → source."""
    return local.work(local.source_cells())


def release():
    """The cells that students get, id → source, as nbgrader makes them."""
    notebook = nbformat.read(prepare.shipped(), as_version=4)
    for clear in (ClearSolutions(), ClearHiddenTests()):
        notebook, _ = clear.preprocess(notebook, {})
    return {cell.id: cell.source for cell in notebook.cells}


def trained(seed=0, jitter=0.005, student=STUDENT):
    """What a trained network comes to: the exact denoiser of points near the curve, and an error of its own."""
    spiral = variant.of(student)
    along = (np.arange(768) + 0.5) / 768
    waves = np.sin(np.outer(along, np.random.default_rng(seed).uniform(20, 40, 2)))
    points = spiral.at(along) + 1.4 * jitter * variant.RADIUS * waves
    return stepped(AsIfTrained(IdealDenoiser(points, LEVELS)))


class AsIfTrained(nn.Module):
    """A denoiser with weights, whose answers are off as a network's are: smoothly, by 0.02 or so, and by more and more
    the further the weights are from where `stepped` has moved them."""

    def __init__(self, known):
        super().__init__()
        self.known, self.waves = known, nn.Parameter(torch.randn(2, 16, generator=torch.Generator().manual_seed(0)))
        self.goal = self.waves.detach() - 0.01

    def forward(self, xt, t):
        astray = ((self.waves - self.goal).abs().mean() - 0.002).clamp(min=0)
        blur = 0.03 * torch.sin(2 * xt @ self.waves[:, :2] + t[:, None] / 300)
        return self.known(xt, t) + blur + 300 * astray * xt.flip(1)


def stepped(model, steps=100):
    """The model after training steps that a harness counts and that hardly change it."""
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-4)
    for weights in model.parameters():
        weights.grad = torch.ones_like(weights)
    for _ in range(steps):
        optimiser.step()
    return model


def changed(sources, changes):
    """The sources with pieces of them replaced: cell id → (old, new); each old stands there."""
    for cell, (old, new) in changes.items():
        assert old in sources[cell], f"{old!r} does not stand in {cell}"
        sources = sources | {cell: sources[cell].replace(old, new)}
    return sources


def handed_in(changes=None, model=None, steps=(10, 50)):
    """The globals of the solution with these changes, its training replaced by `model`; samples in few steps."""
    sources = changed(solution(), {"samples": ("(10, 50, T)", str(steps))})
    sources = changed({cell: sources[cell] for cell in FUNCTIONS}, changes or {})
    *functions, samples = sources.values()
    names = run_all(functions)
    names |= {"model": trained() if model is None else model(names), "training_losses": [0.3] * 100}
    return local.run([samples], names)


def run_all(sources):
    """The globals after all these cells; errors are passed over, as by who runs a notebook cell by cell."""
    names = {}
    for source in sources:
        with suppress(Exception):  # a public check, say, has found the change
            local.run([source], names)
    return names


def graded(names, only=None):
    """Part → points."""
    return {part: parts.grade(part, names) for part in (parts.PARTS if only is None else only)}


def full(only):
    return {part: parts.PARTS[part][0] for part in only}
