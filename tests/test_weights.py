"""The networks that ship: small, whole, and good at what they are for."""

import re
from pathlib import Path

import pytest
import torch

from diffusion_course import metrics, samplers, shipped
from diffusion_course.classifier import accuracy
from diffusion_course.run import checkpoints, cli

NAMES = ("faces", "fashion")
STROKES, SAMPLES = 10, 100


@pytest.fixture(scope="module", params=NAMES)
def judged(request):
    """(name, report of some conditional samples): few strokes, so that it takes seconds."""
    name = request.param
    model = checkpoints.pretrained(name)
    codes = cli._pictures(name, "test")[1][:SAMPLES]
    xT = torch.randn(SAMPLES, *cli.SHAPES[name], generator=torch.Generator().manual_seed(0))
    cond = torch.as_tensor(codes)
    *_, x = samplers.ddim(lambda xt, t: model(xt, t, cond), model.schedule, xT, steps=STROKES)
    x0, x0_codes, _ = cli._pictures(name)
    real, held_out = (x0[:3000], x0_codes[:3000]), cli._pictures(name, "test")[:2]
    return metrics.picture_report(x, codes, real, held_out, checkpoints.pretrained(f"{name}-classifier"))


def test_samples_are_what_was_asked_for(judged):
    assert judged["accuracy"].value > 0.9 * judged["accuracy"].floor


def test_samples_look_real_to_the_classifier(judged):
    """Ten strokes and 100 samples: far from the recipe's best, and farther from static."""
    assert judged["frechet"].value < 0.15 * judged["frechet"].noise


def test_samples_are_no_copies(judged):
    """As far from the nearest training picture as fresh real pictures are."""
    assert judged["distance"].value > 0.8 * judged["distance"].floor


@pytest.mark.parametrize("name", NAMES)
def test_weights_stay_within_4_megabytes(name):
    assert (shipped.folder() / f"{name}.safetensors").stat().st_size <= 4_000_000


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_states_the_accuracy_of_the_classifier(name):
    text = (Path(__file__).parents[1] / "data" / "README.md").read_text(encoding="utf-8")
    section = text.split(f"## `{name}-classifier.safetensors`")[1].split("\n## ")[0]
    stated = float(re.search(r"([\d.]+) % of the held-out", section)[1]) / 100
    x, codes, _ = cli._pictures(name, "test")
    assert accuracy(checkpoints.pretrained(f"{name}-classifier"), x, codes) == pytest.approx(stated, abs=0.002)
