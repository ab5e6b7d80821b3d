"""The shell's commands: what they write, what they say, that they go on after an interruption, what they refuse."""

import csv
import io
import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from diffusion_course.run import checkpoints, cli, logs, paint, recipes
from diffusion_course.run.pages import page as pages


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def done(*arguments):
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    out = tmp_path_factory.mktemp("cli") / "spiral.safetensors"
    done("train", "spiral", "--out", out, "--steps", 120)
    return out


def files(folder):
    return sorted(path.name for path in folder.iterdir())


# ---- what they do --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", cli.main.commands)
def test_help(name):
    assert name in done("--help").output
    if name == "homework":
        pytest.importorskip("pydantic")
    assert {"homework": "release"}.get(name, "--seed") in done(name, "--help").output  # it has commands of its own


def test_training_writes_weights_and_log_and_leaves_no_checkpoint(weights):
    with open(weights.with_suffix(".csv"), newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["step", "loss"]
    assert [int(step) for step, _ in rows[1:]] == [50, 100, 120]
    assert files(weights.parent) == ["spiral.csv", "spiral.safetensors"]
    assert checkpoints.load_model(weights).config["dim"] == 2


def test_same_seed_same_weights(weights, tmp_path):
    again, other = tmp_path / "again.safetensors", tmp_path / "other.safetensors"
    done("train", "spiral", "--out", again, "--steps", 120)
    done("train", "spiral", "--out", other, "--steps", 120, "--seed", 1)
    assert again.read_bytes() == weights.read_bytes() != other.read_bytes()


def interrupt(*_):
    raise KeyboardInterrupt


def test_resume_goes_on_to_the_same_weights_and_log(weights, tmp_path, monkeypatch):
    out = tmp_path / "spiral.safetensors"
    monkeypatch.setattr(logs, "SAVE_EVERY", 0)
    monkeypatch.setattr(checkpoints, "save_model", interrupt)  # all steps done, nothing written but the checkpoint
    assert call("train", "spiral", "--out", out, "--steps", 120).exit_code == 1
    assert files(tmp_path) == ["spiral.checkpoint", "spiral.csv"]
    out.with_suffix(".csv").write_text(out.with_suffix(".csv").read_text() + "130,9.9\n")  # written after the save
    monkeypatch.undo()
    refused = call("train", "spiral", "--out", out, "--steps", 120)
    assert refused.exit_code == 1 and "add --resume to go on" in refused.output
    other = call("train", "spiral", "--out", out, "--steps", 130, "--resume")
    assert other.exit_code == 1 and "spiral.checkpoint: " in other.output and "same arguments" in other.output
    done("train", "spiral", "--out", out, "--steps", 120, "--resume")
    assert out.read_bytes() == weights.read_bytes() and files(tmp_path) == ["spiral.csv", "spiral.safetensors"]
    assert out.with_suffix(".csv").read_text() == weights.with_suffix(".csv").read_text()


def distil(teacher, out, *options):
    return call("distill", "spiral", "--weights", teacher, "--out", out, "--trajectories", 300, "--steps", 60, *options)


def test_a_student_is_distilled_interrupted_and_sampled(weights, tmp_path, monkeypatch):
    whole, out = tmp_path / "whole.safetensors", tmp_path / "student.safetensors"
    assert distil(weights, whole).exit_code == 0
    assert checkpoints.load_model(whole).config == checkpoints.load_model(weights).config
    monkeypatch.setattr(logs, "SAVE_EVERY", 0)
    monkeypatch.setattr(checkpoints, "save_model", interrupt)
    assert distil(weights, out).exit_code == 1 and out.with_suffix(".checkpoint").exists()
    monkeypatch.undo()
    assert distil(weights, out, "--resume").exit_code == 0
    assert out.read_bytes() == whole.read_bytes() != weights.read_bytes()
    done("sample", "spiral-student", "--weights", out, "--out", tmp_path / "s.png", "--n", 40, "--steps", 2)
    assert "distance_95" in done("measure", "spiral-student", "--weights", out, "--n", 100, "--steps", 4).stdout


def test_your_own_folder_is_learned_and_sampled(tmp_path):
    album = tmp_path / "my pictures"
    album.mkdir()
    for i in range(16):
        Image.new("RGB", (20, 20), (16 * i, 0, 0)).save(album / f"{i}.png")
    out, picture = tmp_path / "mine.safetensors", tmp_path / "mine.png"
    done("train", "folder", "--folder", album, "--size", 8, "--out", out, "--steps", 2)
    done("sample", "folder", "--weights", out, "--size", 8, "--n", 2, "--steps", 1, "--out", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("sampler", ["ddpm", "heun", "dpm", "dpm-logsnr"])
def test_points_are_drawn_by_every_sampler(weights, tmp_path, sampler):
    out = tmp_path / "spiral.png"
    done("sample", "spiral", "--weights", weights, "--out", out, "--n", 40, "--steps", 3, "--sampler", sampler)
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_prompt_steers_and_a_gif_moves(tmp_path):
    plain, asked = tmp_path / "plain.png", tmp_path / "asked.png"
    options = ("sample", "fashion", "--n", 3, "--steps", 3)
    done(*options, "--out", plain)
    result = done(*options, "--out", asked, "--prompt", "trouser", "--gif")
    assert plain.read_bytes() != asked.read_bytes() and "3 samples in 3 sampling steps" in result.output
    with Image.open(io.BytesIO(asked.with_suffix(".gif").read_bytes())) as gif:
        assert gif.n_frames == 4 and gif.info["loop"] == 0
        first = np.asarray(gif.convert("RGB"))
        gif.seek(3)
        assert not np.array_equal(first, np.asarray(gif.convert("RGB")))


def test_measure_prints_value_floor_and_noise(weights):
    result = done("measure", "spiral", "--weights", weights, "--n", 100, "--steps", 3)
    lines = [line.split() for line in result.stdout.splitlines() if line]
    header = next(k for k, line in enumerate(lines) if line == ["value", "floor", "noise"])
    assert [line[0] for line in lines[header + 1 :]] == ["distance", "distance_95", "coverage", "wasserstein"]


def test_a_terminal_without_greek_letters(tmp_path):
    """A Windows code page: an error with signs that it lacks is still told, without a traceback."""
    environment = os.environ | {"PYTHONIOENCODING": "cp1252"}
    command = [sys.executable, "-m", "diffusion_course", "sample", "faces", "--prompt", "ε̂", "--out", "x.png"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
    assert run.returncode == 1 and b"The faces know no" in run.stderr and b"Traceback" not in run.stderr


# ---- what they refuse ----------------------------------------------------------------------------

@pytest.mark.parametrize("name", paint.NETWORKS)
def test_the_shell_paints_what_python_paints(name, tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr("diffusion_course.run.pages.page", lambda x, title: drawn.update(x=x) or pages(x, title))
    done("sample", name, "--prompt", "red heart", "--n", 2, "--out", tmp_path / "x.png")
    np.testing.assert_allclose(drawn["x"].clip(-1, 1), paint.paint("red heart", 2, network=name), atol=1e-4)


REFUSED = [
    ("train cats --out x.safetensors", "is not one of 'spiral', 'faces'"),
    ("train spiral --out x.checkpoint", "x.checkpoint: the name must end in .safetensors"),
    ("train spiral --out r.csv", "r.csv: the name must end in .safetensors"),
    ("train spiral --out r.safetensors", "r.csv is not a log of a training"),
    ("train spiral --out none/x.safetensors", "there is no folder none"),
    ("train spiral --out dir.safetensors", "is a folder"),
    ("train spiral --out x.safetensors --steps 0", "0 is not in the range"),
    ("train spiral --out x.safetensors --seed -1", "-1 is not in the range"),
    ("train spiral --out x.safetensors --folder .", "spiral has pictures of its own"),
    ("train spiral --out x.safetensors --size 32", "spiral has one size"),
    ("train spiral --out x.safetensors --stream", "it goes with --folder"),
    ("train folder --out x.safetensors", "say where your pictures lie"),
    ("train folder --out x.safetensors --folder .", "holds 0 pictures"),
    ("train folder --out x.safetensors --folder none", "none is not a folder"),
    ("sample spiral --out x.png --n -3", "-3 is not in the range"),
    ("sample spiral --out x.png --n 0", "0 is not in the range"),
    ("sample spiral --out x.png --steps 1001", "1001 is not in the range"),
    ("sample spiral --out x.jpg", "x.jpg: the name must end in .png"),
    ("sample spiral --out .", "the name must end in .png"),
    ("sample spiral --out none/x.png", "there is no folder none"),
    ("sample spiral --out dir.png", "is a folder"),
    ("sample spiral --out x.png --prompt hat", "the network of spiral reads no prompt"),
    ("sample faces --out x.png --prompt cap", "The faces know no 'cap'"),
    ("sample faces --out x.png --guidance 2", "it strengthens a prompt or conditions, and there are none"),
    ("sample faces --out x.png --weights none.safetensors", "none.safetensors"),
    ("sample faces --out x.png --weights r.csv", "r.csv is cut off or no safetensors file"),
    ("sample faces --out x.png --weights {weights}", "holds a SpiralMLP"),
    ("sample folder --out x.png", "no weights ship for folder"),
    ("sample spiral-student --out x.png --steps 3", "4, 2, 1 sampling steps, not 3"),
    ("sample spiral-student --out x.png --sampler ddpm", "a student has its own sampling steps"),
    ("sample emoji-student --out x.png --prompt cat --guidance 2", "this student has guidance 3 built in"),
    ("sample faces --out x.png --size 16", "faces has one size"),
    ("measure spiral --guidance 1", "it strengthens a prompt or conditions, and there are none"),
    ("measure faces --n 3000", "there are 2000 held-out pictures"),
    ("distill spiral --out x.png", "the name must end in .safetensors"),
    ("distill spiral --out x.safetensors --weights none", "none"),
    ("train-classifier faces --out none/x.safetensors", "there is no folder none"),
]


@pytest.mark.parametrize(("line", "said"), REFUSED, ids=[line for line, _ in REFUSED])
def test_what_a_user_can_get_wrong_is_told_in_a_line_and_nothing_is_computed(
    line, said, weights, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.csv").write_text("hello,world\n")
    (tmp_path / "dir.safetensors").mkdir()
    (tmp_path / "dir.png").mkdir()
    before = files(tmp_path)

    def computed(*_, **__):
        raise AssertionError("it began to compute")

    monkeypatch.setattr("torch.nn.Module.__call__", computed)
    result = call(*line.format(weights=weights).split(" "))
    assert result.exit_code in (1, 2) and isinstance(result.exception, SystemExit)
    *_, last = result.output.strip().splitlines()
    assert last.startswith("Error: ") and said in last
    assert files(tmp_path) == before and (tmp_path / "r.csv").read_text() == "hello,world\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_rights_is_told_first(tmp_path):
    tmp_path.chmod(0o500)
    result = call("train", "spiral", "--out", tmp_path / "x.safetensors")
    assert result.exit_code == 1 and "cannot be written" in result.output


def test_a_failing_disk_is_told_before_anything_is_computed(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(logs.tempfile, "TemporaryFile", full)
    result = call("train", "spiral", "--out", tmp_path / "x.safetensors")
    assert result.exit_code == 1 and "cannot be written (No space left on device)" in result.output


def test_a_mistake_of_ours_is_not_hidden(monkeypatch, tmp_path):
    def broken(name):
        raise KeyError("a bug")

    monkeypatch.setattr(recipes, "experiment", broken)
    assert isinstance(call("sample", "spiral", "--out", tmp_path / "x.png").exception, KeyError)
