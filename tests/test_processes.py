"""Training in several processes, in parts of a batch, from a Dataset: the losses of one, each example once an epoch."""

import csv
import multiprocessing
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from small_training import POINTS, forced, fresh, generator, losses, pictures, pictures_network, run
from torch import nn
from torch.utils.data import Dataset

from diffusion_course import data
from diffusion_course.machine import capture, inputs
from diffusion_course.run import checkpoints, cli, shell
from diffusion_course.run.album import Album

pytestmark = pytest.mark.long
STEPS = 50


class Numbered(Dataset):
    """Points with a code, their row number; says whom it was asked for."""

    def __init__(self, n=40):
        self.asked, self.n = [], n

    def __len__(self):
        return self.n

    def __getitem__(self, row):
        self.asked.append(row)
        return torch.from_numpy(POINTS[row]), torch.tensor([row % 3])


# ---- the same losses -----------------------------------------------------------------------------


def streamed(model=None, steps=12, **options):
    model = fresh(attributes=(3,)) if model is None else model
    return run(model, Numbered(), steps=steps, batch=16, **options)


def train_beside_another(rank, meeting, out):
    """One of two processes with the same network, data and random numbers."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    inputs.READERS = 0
    both = nn.parallel.DistributedDataParallel
    *records, last = run(both(fresh(seed=rank)), steps=STEPS)
    parts = run(both(fresh()), steps=10, accumulate=2)
    read = streamed(both(fresh(attributes=(3,))))
    data = {"whole": losses([*records, last]), "parts": losses(parts), "streamed": losses(read)}
    torch.save(data | {"ema": last.ema.state_dict(), "state": last.run.state()}, out)
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What each of two processes found."""
    folder, processes = tmp_path_factory.mktemp("two"), multiprocessing.get_context("spawn")
    started = [
        processes.Process(target=train_beside_another, args=(rank, folder / "meeting", folder / f"{rank}.pt"))
        for rank in range(2)
    ]
    for process in started:
        process.start()
    for process in started:
        process.join(1000)  # a busy machine may take its time
        assert process.exitcode == 0
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(2)]


def test_two_processes_have_the_losses_of_one(two):
    *records, last = run(steps=STEPS)
    for found in two:
        assert found["whole"] == pytest.approx(losses([*records, last]), abs=1e-5)
        assert found["parts"] == pytest.approx(losses(run(steps=10)), abs=1e-5)
        for name, weight in last.ema.state_dict().items():
            assert torch.equal(found["ema"][name], two[0]["ema"][name])
            torch.testing.assert_close(found["ema"][name], weight, rtol=0, atol=1e-4)


def test_two_processes_read_a_dataset_to_the_losses_of_one(two, monkeypatch):
    monkeypatch.setattr(inputs, "READERS", 0)
    assert two[0]["streamed"] == pytest.approx(losses(streamed()), abs=1e-5)


def test_what_two_began_one_goes_on_with(two):
    for name, tensor in two[0]["state"].tensors.items():
        assert torch.equal(tensor, two[1]["state"].tensors[name]), name
    alone = run(steps=STEPS)
    for _ in range(STEPS - 1):
        state = next(alone).run.state()
    assert state.tensors.keys() == two[0]["state"].tensors.keys()
    resumed = losses(run(fresh(seed=7), steps=STEPS, resume=state, accumulate=4))
    assert resumed == pytest.approx(two[0]["whole"][-1:], abs=1e-5)


@pytest.mark.parametrize("case", ["points", "pictures"])
def test_a_batch_in_parts_is_the_batch(case, monkeypatch):
    forced(monkeypatch, dtype=torch.float32)
    model, x0 = {"points": (fresh, POINTS), "pictures": (pictures_network, pictures())}[case]
    whole, parts = (losses(run(model(), x0, steps=20, accumulate=k, weight="v")) for k in (1, 4))
    assert parts == pytest.approx(whole, abs=1e-5) and parts != whole


@pytest.mark.parametrize(
    ("accumulate", "said"), [(3, "cannot be cut into 1"), (0, "at least 1"), (1.5, "whole")]
)
def test_parts_that_do_not_fit_are_refused(accumulate, said):
    with pytest.raises(ValueError, match=said):
        run(accumulate=accumulate)


# ---- a Dataset -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "batch", "ranks"), [(40, 16, 1), (40, 16, 2), (7, 12, 3), (5, 1, 1)])
def test_each_example_comes_once_an_epoch_over_all_processes(n, batch, ranks):
    steps = 6 * n // batch
    read = [iter(inputs.Order(n, batch, 0, seed=3, rank=rank, ranks=ranks)) for rank in range(ranks)]
    shares = [[next(rows) for rows in read] for _ in range(steps)]
    assert all(len(share) == batch // ranks for step in shares for share in step)
    rows = np.array(shares).transpose(0, 2, 1).ravel()  # as one process reads them
    epochs = rows[: len(rows) // n * n].reshape(-1, n)
    assert (np.sort(epochs) == np.arange(n)).all() and (epochs[0] != epochs[1]).any()
    assert next(iter(inputs.Order(n, batch, steps - 1, 3, 0, ranks))) == shares[-1][0]


def test_a_process_reads_its_own_share_only(monkeypatch):
    monkeypatch.setattr(inputs, "READERS", 0)
    dataset, order = Numbered(), inputs.Order(40, 8, 0, 0, 1, 2)
    x0, cond = next(inputs.stream(dataset, order, torch.zeros(()), torch.nn.Identity()))
    assert len(x0) == len(cond) == 8 and len(dataset.asked) == 4
    assert (x0[::2] == 0).all() and torch.equal(x0[1::2], torch.from_numpy(POINTS[dataset.asked]))


def test_a_dataset_is_resumed_where_it_stopped_and_learned_like_an_array():
    whole = list(streamed())
    records = streamed()
    for _ in range(5):
        state = next(records).run.state()
    other = fresh(seed=4, attributes=(3,))
    assert losses(streamed(other, resume=state, rng=generator(9))) == losses(whole[5:])
    with pytest.raises(ValueError, match="same arguments"):
        run(fresh(attributes=(3,)), Numbered(41), steps=12, batch=16, resume=state)


def test_no_step_that_reads_is_captured(monkeypatch):
    kept, read = next(run(steps=1)).run, next(streamed(steps=1)).run
    monkeypatch.setattr(capture, "on_gpu", lambda device: True)
    monkeypatch.setattr(capture, "Captured", lambda *_, **__: "captured")
    assert capture.stepper(len, kept) == "captured" and capture.stepper(len, read) is len


@pytest.mark.parametrize(
    ("dataset", "options", "said"),
    [(Numbered(0), {}, "empty"), (Numbered(), {"cond": [0]}, "no cond"), (Numbered(), {"draw": len}, "no draw")],
)
def test_datasets_that_cannot_be_learned_are_refused(dataset, options, said):
    with pytest.raises(ValueError, match=said):
        run(fresh(attributes=(3,)), dataset, **options)


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    folder = tmp_path_factory.mktemp("album")
    for i in range(20):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (9, 12, 3), np.uint8)).save(folder / f"{i:02}.png")
    return folder


def test_an_album_holds_the_pictures_of_the_folder(album):
    read, whole = Album(album, 8), data.folder(album, 8)
    assert len(read) == 20 and all(np.array_equal(read[row], whole[row]) for row in range(20))


def test_a_picture_that_cannot_be_read_is_named(album, tmp_path):
    for path in album.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "07.png").write_bytes(b"no picture")
    words = f"train folder --folder {tmp_path} --size 8 --stream --steps 3 --out {tmp_path / 'x.safetensors'}"
    result = CliRunner().invoke(cli.main, words.split())
    assert result.exit_code == 1 and "07.png cannot be read as a picture" in result.output.splitlines()[-1]
    assert "Traceback" not in result.output


# ---- from the shell ------------------------------------------------------------------------------

PROGRAM = """
import os, signal
from diffusion_course import training
from diffusion_course.run import cli, logs

def killed(step, steps, rate=training.learning_rate):
    if step == 120 and os.environ.get("KILL") == os.environ.get("RANK", "none"):
        os.kill(os.getpid(), signal.SIGKILL)
    return rate(step, steps)

training.learning_rate, logs.SAVE_EVERY = killed, 0
cli.main()
"""


def launch(folder, *words, **environment):
    """`accelerate launch … train spiral --steps 200`, two processes that save after every 50 steps, in this folder."""
    pytest.importorskip("accelerate")
    (folder / "train.py").write_text(PROGRAM)
    start = "--multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no --dynamo_backend no"
    command = [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        *start.split(),
        "--main_process_port",
        "0",
        "train.py",
    ]
    command += ["train", "spiral", "--steps", "200", "--out", "x.safetensors", *words]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""} | environment  # two processes need two GPUs, or none
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1000)


def test_processes_that_have_no_gpu_of_their_own_are_told_how_many_there_are(monkeypatch):
    for name, value in (("LOCAL_RANK", "1"), ("WORLD_SIZE", "2")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match=r"process 2 has no GPU of its own.* --num_processes 1\."):
        shell.join_others()


def log(folder):
    with open(folder / "x.csv", newline="") as file:
        return [float(loss) for _, loss in list(csv.reader(file))[1:]]


def test_a_process_is_killed_and_two_or_one_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "device", lambda: "cpu")
    one, two, whole = (tmp_path / name for name in ("one", "two", "whole"))
    two.mkdir()
    whole.mkdir()
    ended = launch(two, KILL="1")
    assert ended.returncode != 0 and re.search(
        r"Error: another process .* x\.checkpoint is kept: the same command with --resume", ended.stderr
    )
    assert "InterruptedError" not in ended.stderr
    assert checkpoints.load_run(two / "x.checkpoint").about["step"] == 100 and not (two / "x.safetensors").exists()
    shutil.copytree(two, one)
    ended = launch(two, "--resume")
    assert ended.returncode == 0 and ended.stdout.count("200 training steps") == 1, ended.stderr
    for folder, words in ((one, ["--resume"]), (whole, ["--accumulate", "2"])):
        command = ["train", "spiral", "--steps", "200", "--out", str(folder / "x.safetensors"), *words]
        assert CliRunner().invoke(cli.main, command).exit_code == 0
    assert log(one) == pytest.approx(log(whole), abs=2e-5) and log(two) == pytest.approx(log(whole), abs=2e-5)
    assert sorted(path.name for path in two.iterdir()) == ["train.py", "x.csv", "x.safetensors"]
