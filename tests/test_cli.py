"""The shell's commands: what they write, what they say, and that they go on after an interruption."""

import csv

import pytest
from click.testing import CliRunner

from diffusion_course.run import checkpoints, cli, follow


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
        assert result.exit_code == 0
        assert name == "homework" or "--seed" in result.output  # homework has commands of its own
        assert name in ("homework", "measure") or "--out" in result.output


def test_training_writes_weights_and_log_and_leaves_no_checkpoint(weights):
    with open(weights.with_suffix(".csv"), newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["step", "loss"]
    assert [int(step) for step, _ in rows[1:]] == [50, 100, 120]
    assert sorted(path.name for path in weights.parent.iterdir()) == ["spiral.csv", "spiral.safetensors"]
    assert checkpoints.load_model(weights).config == {"output": "v", "dim": 2}


def test_same_seed_same_weights(weights, tmp_path):
    again, other = tmp_path / "again.safetensors", tmp_path / "other.safetensors"
    call("train", "spiral", "--out", again, "--steps", 120)
    call("train", "spiral", "--out", other, "--steps", 120, "--seed", 1)
    assert again.read_bytes() == weights.read_bytes() != other.read_bytes()


def test_resume_goes_on_to_the_same_weights_and_log(weights, tmp_path, monkeypatch):
    out = tmp_path / "spiral.safetensors"
    monkeypatch.setattr(follow, "SAVE_EVERY", 0)
    monkeypatch.setattr(checkpoints, "save_model", interrupt)  # all steps done, nothing written but the checkpoint
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


@pytest.fixture(scope="module")
def student(weights, tmp_path_factory):
    out = tmp_path_factory.mktemp("distil") / "student.safetensors"
    result = distil(weights, out)
    assert result.exit_code == 0, result.output
    return out


def distil(teacher, out, *options):
    return call("distill", "spiral", "--weights", teacher, "--out", out, "--walks", 300, "--steps", 60, *options)


def test_a_student_is_a_network_with_its_log(student, weights):
    assert sorted(path.name for path in student.parent.iterdir()) == ["student.csv", "student.safetensors"]
    assert checkpoints.load_model(student).config == checkpoints.load_model(weights).config
    assert student.read_bytes() != weights.read_bytes()


def test_distilling_goes_on_after_an_interruption_to_the_same_student(student, weights, tmp_path, monkeypatch):
    out = tmp_path / "student.safetensors"
    monkeypatch.setattr(follow, "SAVE_EVERY", 0)
    monkeypatch.setattr(checkpoints, "save_model", interrupt)
    assert isinstance(distil(weights, out).exception, OSError) and out.with_suffix(".checkpoint").exists()
    monkeypatch.undo()
    assert distil(weights, out, "--resume").exit_code == 0
    assert out.read_bytes() == student.read_bytes()


def test_a_student_is_sampled_and_measured_in_the_strokes_it_was_taught(student, tmp_path):
    out = tmp_path / "student.png"
    assert call("sample", "spiral-student", "--weights", student, "--out", out, "--n", 40, "--steps", 2).exit_code == 0
    assert out.read_bytes().startswith(b"\x89PNG")
    result = call("measure", "spiral-student", "--weights", student, "--n", 100, "--steps", 4)
    assert result.exit_code == 0 and "distance_95" in result.stdout
    refused = call("measure", "spiral-student", "--weights", student, "--n", 100, "--steps", 3)
    assert refused.exit_code == 2 and "4, 2, 1 strokes, not 3" in refused.output


def test_unknown_names_are_refused():
    result = call("train", "cats", "--out", "x")
    assert result.exit_code == 2 and "'faces', 'fashion', 'spiral'" in result.output
