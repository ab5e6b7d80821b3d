"""The shell's commands: what they write, what they say, and that they go on after an interruption."""

import csv

import pytest
from click.testing import CliRunner

from diffusion_course import checkpoint, cli


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    out = tmp_path_factory.mktemp("cli") / "spiral.safetensors"
    result = call("train", "spiral", "--out", out, "--steps", 120)
    assert result.exit_code == 0, result.output
    return out


def test_help_of_every_command():
    assert "train" in call("--help").output
    for name in cli.main.commands:
        result = call(name, "--help")
        assert (result.exit_code == 0 and "--seed" in result.output and "--out" in result.output) or name == "measure"


def test_training_writes_weights_and_log_and_leaves_no_checkpoint(weights):
    with open(weights.with_suffix(".csv"), newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["step", "loss"]
    assert [int(step) for step, _ in rows[1:]] == [50, 100, 120]
    assert sorted(path.name for path in weights.parent.iterdir()) == ["spiral.csv", "spiral.safetensors"]
    assert checkpoint.load_model(weights).config == {"output": "v", "dim": 2}


def test_same_seed_same_weights(weights, tmp_path):
    again, other = tmp_path / "again.safetensors", tmp_path / "other.safetensors"
    call("train", "spiral", "--out", again, "--steps", 120)
    call("train", "spiral", "--out", other, "--steps", 120, "--seed", 1)
    assert again.read_bytes() == weights.read_bytes() != other.read_bytes()


def test_resume_goes_on_to_the_same_weights_and_log(weights, tmp_path, monkeypatch):
    out = tmp_path / "spiral.safetensors"
    monkeypatch.setattr(cli, "SAVE_EVERY", 0)
    monkeypatch.setattr(checkpoint, "save_model", interrupt)  # all steps done, nothing written but the checkpoint
    result = call("train", "spiral", "--out", out, "--steps", 120)
    assert isinstance(result.exception, OSError) and out.with_suffix(".checkpoint").exists()
    out.with_suffix(".csv").write_text(out.with_suffix(".csv").read_text() + "130,9.9\n")  # written after the save
    monkeypatch.undo()
    result = call("train", "spiral", "--out", out, "--steps", 120, "--resume")
    assert result.exit_code == 0, result.output
    assert out.read_bytes() == weights.read_bytes()
    assert out.with_suffix(".csv").read_text() == weights.with_suffix(".csv").read_text()


def interrupt(*_):
    raise OSError("interrupted")


def test_sample_writes_a_picture(weights, tmp_path):
    out = tmp_path / "spiral.png"
    result = call("sample", "spiral", "--weights", weights, "--out", out, "--n", 40, "--steps", 3)
    assert result.exit_code == 0, result.output
    assert out.read_bytes().startswith(b"\x89PNG")


def test_measure_prints_value_floor_and_noise(weights):
    result = call("measure", "spiral", "--weights", weights, "--n", 100, "--steps", 3)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines() if line]
    header = next(k for k, line in enumerate(lines) if line == ["value", "floor", "noise"])
    assert [line[0] for line in lines[header + 1 :]] == ["distance", "distance_95", "coverage", "wasserstein"]


def test_unknown_names_are_refused():
    result = call("train", "cats", "--out", "x")
    assert result.exit_code == 2 and "'faces', 'fashion', 'spiral'" in result.output
