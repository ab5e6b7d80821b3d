"""Files of weights: whole or not there, read back as they were written, refused by name if they do not fit."""

import copy
import os
import signal
import subprocess
import sys
import time

import pytest
import safetensors.torch
import torch

from diffusion_course import data, schedule
from diffusion_course.models import SpiralMLP
from diffusion_course.run import checkpoints
from diffusion_course.training import train
from diffusion_course.unet import UNet

POINTS = torch.as_tensor(data.spiral(256))
PICTURES = torch.rand(16, 1, 8, 8) * 2 - 1


def points(seed=0):
    torch.manual_seed(seed)
    return SpiralMLP(schedule.cosine())


def unused():
    """A conditional network that is trained without conditions, one of its layers frozen: both have no moments."""
    torch.manual_seed(0)
    model = UNet(schedule.cosine(), 1, (10,), widths=(16, 16))
    model.stem.requires_grad_(False)
    return model


def losses(model, x0, steps=8, stop=None, resume=None):
    """(losses of the steps taken, last record)"""
    rng, found = torch.Generator().manual_seed(1), []
    for record in train(model, x0, steps=steps, batch=8, rng=rng, resume=resume):
        found.append(record.loss.item())
        if record.step == stop:
            break
    return found, record


@pytest.mark.parametrize(("make", "x0"), [(points, POINTS), (unused, PICTURES)], ids=["points", "unused weights"])
def test_a_run_goes_on_from_its_file_with_the_same_losses(make, x0, tmp_path):
    whole, last = losses(make(), x0)
    first, record = losses(make(), x0, stop=3)
    checkpoints.save_run(tmp_path / "run", record.run.state())
    rest, end = losses(make(), x0, resume=checkpoints.load_run(tmp_path / "run"))
    assert first + rest == whole
    for a, b in zip(last.ema.state_dict().values(), end.ema.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_a_run_that_does_not_fit_changes_nothing(tmp_path):
    _, record = losses(points(), POINTS, stop=3)
    checkpoints.save_run(tmp_path / "run", record.run.state())
    model = points(1)
    before = [weight.clone() for weight in model.parameters()]
    with pytest.raises(ValueError):
        train(model, POINTS, steps=9, batch=8, resume=checkpoints.load_run(tmp_path / "run"))
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


WRAPPED = {
    "plain": lambda model: model,
    "compiled": lambda model: torch.compile(model, backend="eager"),
    "data parallel": torch.nn.DataParallel,
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_a_network_is_read_back_as_it_is_inside(wrap, tmp_path):
    model = points()
    checkpoints.save_model(tmp_path / "net", wrap(copy.deepcopy(model)))  # which may go to a GPU
    again = checkpoints.load_model(tmp_path / "net")
    assert type(again) is SpiralMLP and not again.training
    assert (again.schedule.alpha_bar == model.schedule.alpha_bar).all()
    torch.testing.assert_close(again(POINTS, 10), model(POINTS, 10), atol=2e-2, rtol=0)


def test_every_argument_of_a_network_comes_back(tmp_path):
    model = UNet(schedule.cosine(50), 1, (10, 3), output="x0", widths=(16, 32))
    checkpoints.save_model(tmp_path / "net", model)
    again = checkpoints.load_model(tmp_path / "net")
    assert again.config == model.config and again.schedule.T == 50


class Mine(SpiralMLP):
    """A learner's own network."""


@pytest.mark.parametrize("spoil", ["unknown", "nan", "too large"])
def test_what_could_not_be_read_back_is_not_written(spoil, tmp_path):
    model = Mine(schedule.cosine()) if spoil == "unknown" else points()
    if spoil != "unknown":
        next(model.parameters()).data.view(-1)[0] = {"nan": torch.nan, "too large": 1e6}[spoil]
    (tmp_path / "net").write_text("before")
    with pytest.raises(ValueError, match="Mine is not one of" if spoil == "unknown" else "nothing was written"):
        checkpoints.save_model(tmp_path / "net", model)
    assert (tmp_path / "net").read_text() == "before"


def test_a_failing_write_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    checkpoints.save_model(tmp_path / "net", points())
    before = (tmp_path / "net").read_bytes()

    def full(_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        checkpoints.save_model(tmp_path / "net", points(1))
    assert (tmp_path / "net").read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def foreign(path):
    safetensors.torch.save_file({"a": torch.zeros(1)}, path)


def newer(path):
    safetensors.torch.save_file({"a": torch.zeros(1)}, path, {"diffusion_course": '{"version": 99, "kind": "model"}'})


def broken_words(path):
    safetensors.torch.save_file({"a": torch.zeros(1)}, path, {"diffusion_course": "{"})


def unknown(path):
    about = '{"version": 1, "kind": "model", "network": "Other", "config": {}}'
    safetensors.torch.save_file({"a": torch.zeros(1)}, path, {"diffusion_course": about})


def other_shape(path):
    checkpoints.save_model(path, points())
    content = path.read_bytes()
    path.write_bytes(content.replace(b'\\"output\\": \\"v\\", \\"dim\\": 2', b'\\"output\\": \\"v\\", \\"dim\\": 3'))
    assert path.read_bytes() != content


def a_run(path):
    _, record = losses(points(), POINTS, stop=1)
    checkpoints.save_run(path, record.run.state())


REFUSED = [
    (lambda path: path.write_bytes(b"half"), "cut off or no safetensors file"),
    (foreign, "not one of this course"),
    (broken_words, "not one of this course"),
    (newer, "format 99, but this version reads up to 1: update"),
    (unknown, "holds a Other; this version knows"),
    (other_shape, "holds another SpiralMLP than this version makes"),
    (a_run, "holds a run, not a model"),
]


@pytest.mark.parametrize(("make", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_file_that_is_no_network_is_refused_and_left_alone(make, said, tmp_path):
    path = tmp_path / "file"
    make(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"file {said}" if said.startswith("holds") else said):
        checkpoints.load_model(path)
    assert path.read_bytes() == before


def test_a_name_or_a_folder_without_weights_is_refused(tmp_path):
    for name in ("cats", None):
        with pytest.raises(ValueError, match=f"network must be .*'spiral'.*, not {name!r}"):
            checkpoints.pretrained(name)
    with pytest.raises(ValueError, match="is a folder"):
        checkpoints.load_model(tmp_path)


def test_a_network_is_no_run(tmp_path):
    checkpoints.save_model(tmp_path / "net", points())
    with pytest.raises(ValueError, match="holds a model, not a run"):
        checkpoints.load_run(tmp_path / "net")


KILLED = """
import sys, torch
from diffusion_course.run import checkpoints
from diffusion_course.machine.state import State
print("ready", flush=True)
for step in range(10**6):
    checkpoints.save_run(sys.argv[1], State({"a": torch.full((300_000,), float(step))}, {"step": step}))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_while_writing_leaves_a_whole_file(tmp_path):
    path = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    while not path.exists():
        time.sleep(0.01)
    time.sleep(0.237)
    process.kill()
    process.wait()
    state = checkpoints.load_run(path)
    assert (state.tensors["a"] == state.about["step"]).all()
