"""The networks that ship: small, whole, and good at what they are for."""

import re
from pathlib import Path

import pytest
import torch

from diffusion_course.base.files import shipped
from diffusion_course.metrics import accuracy
from diffusion_course.run import checkpoints, judges, quality, recipes, sampling
from diffusion_course.run.classifiers import Classifier

NAMES = [name for name, entry in recipes.EXPERIMENTS.items() if entry.codes and entry.judge]
STEPS, SAMPLES = 10, 100


@pytest.fixture(scope="module", params=NAMES)
def judged(request):
    """The report of some conditional samples: few sampling steps, so that it takes seconds."""
    name = request.param
    entry, judge = recipes.experiment(name), quality.judge_of(name)
    cond = judge.held_out(SAMPLES).cond
    model = checkpoints.pretrained(name)
    parts = sampling.paths(model, sampling.pure_noise(SAMPLES, entry.shape), "ddim", STEPS, cond=cond)
    return judges.report(judge, torch.cat([x for x, _ in parts]), cond)


def test_samples_are_what_was_asked_for(judged):
    assert judged["accuracy"].value > 0.9 * judged["accuracy"].floor


def test_samples_look_real_to_the_classifier(judged):
    """Ten steps and 100 samples: far from the recipe's best, and farther from noise."""
    assert judged["frechet"].value < 0.15 * judged["frechet"].noise


def test_samples_are_no_copies(judged):
    """As far from the nearest training picture as fresh real pictures are."""
    assert judged["distance"].value > 0.8 * judged["distance"].floor


def test_the_points_lie_on_the_spiral_and_cover_it():
    ((x, _),) = sampling.paths(checkpoints.pretrained("spiral"), sampling.pure_noise(512, (2,)), "ddim", 50, batch=512)
    numbers = quality.judge_of("spiral").numbers(x)
    assert numbers["distance_95"] < 0.02 and numbers["coverage"] > 0.97


@pytest.mark.parametrize("name", recipes.shipping())
def test_weights_stay_within_14_megabytes(name):
    assert shipped(f"{name}.safetensors").stat().st_size <= (14e6 if name.startswith("emoji") else 4e6)


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_states_the_accuracy_of_the_classifier(name):
    text = (Path(__file__).parents[1] / "data" / "README.md").read_text(encoding="utf-8")
    section = text.split(f"## `{name}-classifier.safetensors`")[1].split("\n## ")[0]
    stated = float(re.search(r"([\d.]+) % of the held-out", section)[1]) / 100
    test = recipes.experiment(name).load("test", 0)
    classifier = checkpoints.pretrained(f"{name}-classifier")
    assert isinstance(classifier, Classifier)
    assert accuracy(classifier, test.x0, test.cond) == pytest.approx(stated, abs=0.002)
