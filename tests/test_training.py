"""The training loop against hand-made steps, its refusals, and checkpoints that survive a kill."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import time

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from diffusion_course import data, models, schedule, training, unet
from diffusion_course.denoisers import GaussianDenoiser
from diffusion_course.forward import add_noise, v_from_eps
from diffusion_course.run import checkpoints

COSINE = schedule.cosine(T=100)
PROCESSES = multiprocessing.get_context("forkserver" if hasattr(os, "fork") else "spawn")
PROCESSES.set_forkserver_preload(["diffusion_course.training", "pytest"])  # so that starting one is quick
POINTS = data.spiral(256, rng=np.random.default_rng(0))


class Affine(nn.Module):
    """ε̂ = weight · x_t: the smallest network there is."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.1))

    def forward(self, xt, t):
        return self.weight * xt


def fresh(seed=0, output="v"):
    torch.manual_seed(seed)
    return models.SpiralMLP(COSINE, output)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def run(model=None, x0=POINTS, cond=None, steps=20, **options):
    """Twenty steps of a small network, unless told otherwise."""
    options = {"batch": 32, "rng": generator(), **options}
    model = fresh() if model is None else model
    return training.train(model, getattr(model, "schedule", COSINE), x0, cond, steps=steps, **options)


# ---- the algorithm -------------------------------------------------------------------------------


def test_first_step_by_hand():
    """The first loss is mean (ε − ε̂)² at the drawn x_0, t, ε; Adam's first step is lr · sign of the gradient."""
    rng = generator(3)
    rows = torch.randint(256, (32,), generator=rng)
    t = training.spread_times(32, 100, rng)
    eps = torch.randn(32, 2, generator=rng)
    power = torch.tensor(COSINE.alpha_bar, dtype=torch.float32)[t][:, None]
    xt = power.sqrt() * torch.tensor(POINTS)[rows] + (1 - power).sqrt() * eps
    model = Affine()
    record = next(run(model, rng=generator(3), lr=1e-2))
    assert record.step == 1
    assert record.loss.item() == pytest.approx(((eps - 0.1 * xt) ** 2).mean().item(), rel=1e-5)
    assert not record.loss.requires_grad
    rate = 1e-2 * training.learning_rate(1, 20)
    rise = torch.sign((xt * (eps - 0.1 * xt)).sum()).item()
    assert model.weight.item() == pytest.approx(0.1 + rate * rise, rel=1e-5)
    assert record.ema.weight.item() == model.weight.item()  # the average is updated after the step


def test_average_by_hand():
    model, expected = Affine(), None
    for record in run(model, steps=40, lr=1e-1):
        share = min(1.0, 10 / record.step)
        expected = model.weight.item() if expected is None else expected + share * (model.weight.item() - expected)
        assert record.ema.weight.item() == pytest.approx(expected, rel=1e-5)
    assert record.ema.weight.item() != pytest.approx(model.weight.item(), rel=1e-4)


def test_learns_the_best_affine_denoiser():
    """For N(0, 1) data at one t the best ε̂ is √(1−ᾱ) x_t; over all t the best single factor is the mean of that."""
    x0 = torch.randn(4096, 2, generator=generator(1))
    *_, record = run(Affine(), x0, steps=600, lr=2e-2)
    best = np.sqrt(1 - COSINE.alpha_bar[1:]).mean()
    assert record.ema.weight.item() == pytest.approx(best, abs=0.02)


def test_reaches_the_loss_of_the_exact_denoiser():
    """A thousand steps on Gaussian points come within 2 % of the floor, which no network can pass."""
    x0 = 0.5 * torch.randn(4096, 2, generator=generator(1))
    *_, record = run(x0=x0, steps=1000, batch=128)
    fresh_x0, eps = (torch.randn(10_000, 2, generator=generator(k)) for k in (2, 3))
    t = training.spread_times(10_000, 100, generator(4))
    arguments = (COSINE, 0.5 * fresh_x0, t, eps)
    with torch.no_grad():
        floor = training.losses(GaussianDenoiser(0.0, 0.5, COSINE), *arguments).mean()
        reached = training.losses(record.ema, *arguments).mean()
    assert floor < reached < 1.02 * floor


def test_losses_are_one_number_a_sample():
    x0, eps = torch.zeros(3, 1, 2, 2), torch.ones(3, 1, 2, 2)
    x0[1] = 1.0
    eps = eps * torch.tensor([1.0, 2.0, 3.0])[:, None, None, None]
    zero = training.losses(lambda xt, t: torch.zeros_like(xt), COSINE, x0, 5, eps)
    torch.testing.assert_close(zero, torch.tensor([1.0, 4.0, 9.0]))


def test_times_are_uniform_and_evenly_spread():
    rng = generator()
    draws = torch.stack([training.spread_times(50, 100, rng) for _ in range(2000)])
    assert draws.min() == 1 and draws.max() == 100
    pairs = ((draws - 1) // 2).sort(dim=1).values
    assert (pairs == torch.arange(50)).float().mean() > 0.9  # one time in every fiftieth, but for the rounding
    counts = torch.bincount(draws.flatten(), minlength=101)[1:]
    assert (counts / counts.float().mean() - 1).abs().max() < 0.1  # 1,000 draws of each t expected


def test_hidden_conditions_range_from_nothing_to_all():
    cond = torch.ones(20_000, 3, dtype=torch.long)
    said = (training.hide(cond, generator()) == 1).sum(1)
    # with share u² hidden, P(all three hidden) = ∫ u⁶ du = 1/7, and two thirds are said on average
    assert (said == 0).float().mean().item() == pytest.approx(1 / 7, abs=0.01)
    assert said.float().mean().item() == pytest.approx(2, abs=0.03)
    assert (said == 3).any()


def test_learning_rate_rises_and_falls_to_nothing():
    rates = [training.learning_rate(step, 1000) for step in range(1, 1001)]
    top = int(np.argmax(rates)) + 1
    assert 150 <= top <= 250 and rates[0] < 0.01 and rates[-1] < 1e-5
    assert all(np.diff(rates[:top]) > 0) and all(np.diff(rates[top:]) < 0)


def test_weights_multiply_the_loss_of_their_time():
    """1/ᾱ_t turns the loss of ε into that of v; and no weight at all leaves no gradient."""
    model = fresh()
    plain, of_v = (next(run(fresh(), weight=weight)).loss.item() for weight in (None, 1 / COSINE.alpha_bar))
    rng = generator()
    rows, t = torch.randint(256, (32,), generator=rng), training.spread_times(32, 100, rng)
    eps, x0 = torch.randn(32, 2, generator=rng), torch.tensor(POINTS)[rows]
    power = COSINE.at(t)
    xt = add_noise(x0, power, eps)
    v_hat = model.answer(xt, model.embedding[t])
    assert of_v == pytest.approx(((v_from_eps(xt, power, eps) - v_hat) ** 2).mean().item(), rel=1e-3)
    assert plain != pytest.approx(of_v, rel=0.1)
    still = Affine()
    next(run(still, weight=np.zeros(101)))
    assert still.weight.item() == pytest.approx(0.1)


def test_same_seed_same_run():
    a, b = ([record.loss.item() for record in run()] for _ in range(2))
    assert a == b
    assert a != [record.loss.item() for record in run(rng=generator(1))]


def test_conditions_reach_the_network():
    torch.manual_seed(0)
    model, seen = unet.UNet(COSINE, 1, (10,), widths=(8, 8)), []
    model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[2]))
    next(run(model, torch.zeros(64, 1, 8, 8), torch.full((64,), 7), batch=64))
    assert set(seen[0].flatten().tolist()) == {-1, 7}


# ---- the machine ---------------------------------------------------------------------------------


def test_threads_are_given_back_between_steps_and_after():
    before = torch.get_num_threads()
    inside = []
    model = fresh()
    model.register_forward_hook(lambda *_: inside.append(torch.get_num_threads()))
    records = run(model)
    assert next(records).machine == "cpu, 1 thread, float32"
    assert torch.get_num_threads() == before
    records.close()
    assert torch.get_num_threads() == before and inside == [1]
    with pytest.raises(FloatingPointError):
        list(run(x0=POINTS * 1e30))
    assert torch.get_num_threads() == before


def test_pictures_use_every_thread():
    machine = training.choose_machine(torch.zeros(1, 3, 16, 16))
    assert machine.threads == torch.get_num_threads()
    assert machine.layout == torch.contiguous_format


def train_beside_another(rank, meeting, out):
    """One of two processes with the same network and data, each with its own random numbers."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    *_, record = run(rng=generator(rank), steps=5)
    torch.save(record.ema.state_dict(), out)
    torch.distributed.destroy_process_group()


def test_two_processes_end_with_the_same_weights(tmp_path):
    outs = [tmp_path / "0.pt", tmp_path / "1.pt"]
    processes = [
        PROCESSES.Process(target=train_beside_another, args=(rank, tmp_path / "meeting", out))
        for rank, out in enumerate(outs)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(50)
        assert process.exitcode == 0
    first, second = (torch.load(out) for out in outs)
    *_, alone = run(steps=5)
    for name, weight in first.items():
        assert torch.equal(weight, second[name])
        assert not torch.equal(weight, alone.ema.state_dict()[name])


# ---- what fails, and how -------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_stops_before_the_weights_are_touched(tmp_path):
    model, path = Affine(), tmp_path / "run"
    records = run(model, lr=0.5)
    for _ in range(3):
        record = next(records)
    record.save(path)
    kept, weight = path.read_bytes(), model.weight.item()
    model.register_forward_hook(lambda _module, _inputs, eps_hat: torch.nan * eps_hat)
    with pytest.raises(FloatingPointError, match=r"nan at step 4 \(lr = 0.5\).*Try lr = 0.1"):
        next(records)
    assert model.weight.item() == weight and path.read_bytes() == kept


def test_lack_of_memory_names_a_batch_to_try():
    def forward(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    model = Affine()
    model.register_forward_hook(forward)
    with pytest.raises(torch.OutOfMemoryError, match="does not hold a batch of 32: try batch = 16"):
        next(run(model))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x0": np.zeros((0, 2))}, "n ≥ 1"),
        ({"x0": np.full((8, 2), np.nan)}, "finite"),
        ({"weight": np.ones(100)}, "one number for each t = 0 … 100"),
        ({"cond": torch.zeros(5)}, "5 conditions for 256 samples"),
    ],
)
def test_refuses_data_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        next(run(**arguments))


def test_refuses_a_network_of_another_schedule():
    with pytest.raises(ValueError, match="made for another schedule"):
        next(training.train(fresh(), schedule.sigmoid(T=100), POINTS, steps=1))


# ---- checkpoints ---------------------------------------------------------------------------------


def test_resumed_run_has_the_same_losses(tmp_path):
    path, losses = tmp_path / "run", []
    for record in run():
        losses.append(record.loss.item())
        if record.step == 12:
            record.save(path)
    further = list(run(fresh(seed=9), rng=generator(9), resume=path))
    assert [record.step for record in further] == list(range(13, 21))
    assert [record.loss.item() for record in further] == losses[12:]
    for a, b in zip(record.ema.parameters(), further[-1].ema.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_resumed_unet_has_the_same_losses(tmp_path, monkeypatch, layout):
    """Weights and their moments come back in the layout that they had."""
    how = training.choose_machine(torch.zeros(1, 1, 8, 8))._replace(threads=1, layout=layout)
    monkeypatch.setattr(training, "choose_machine", lambda _: how)
    x0, path, losses = torch.randn(16, 1, 8, 8, generator=generator()), tmp_path / "run", []

    def small(seed):
        torch.manual_seed(seed)
        return unet.UNet(COSINE, 1, widths=(8, 16))

    for record in run(small(0), x0, steps=6, batch=8):
        losses.append(record.loss.item())
        if record.step == 3:
            record.save(path)
    resumed = [record.loss.item() for record in run(small(1), x0, steps=6, batch=8, resume=path)]
    assert resumed == losses[3:]


def keep_training(path, log):
    """Train to step 200, from the checkpoint if there is one; log every loss, save every third step."""
    records = run(steps=200, resume=path if path.exists() else None)
    with open(log, "a") as file:
        for record in records:
            print(record.step, record.loss.item().hex(), file=file, flush=True)
            if record.step % 3 == 0:
                record.save(path)


def test_killed_at_five_random_moments_nothing_is_lost(tmp_path):
    path, log, chance = tmp_path / "run", tmp_path / "log", random.Random(0)

    def lines():
        return log.read_text().split("\n")[:-1] if log.exists() else []

    for _ in range(5):
        process, seen = PROCESSES.Process(target=keep_training, args=(path, log)), len(lines())
        process.start()
        while len(lines()) < seen + chance.randint(1, 25) and process.is_alive():
            time.sleep(0.002)
        time.sleep(chance.random() * 0.02)  # anywhere in a step or in the writing of a file
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, "the run ended before it was killed"
    keep_training(path, log)

    expected = {record.step: record.loss.item().hex() for record in run(steps=200)}
    logged = [line.split() for line in lines()]
    assert {int(step) for step, _ in logged} == set(range(1, 201))
    assert all(expected[int(step)] == loss for step, loss in logged)
    assert len(logged) <= 200 + 5 * 5  # a kill costs the steps since the last file, and one file not yet in place
    assert {"run"} <= set(os.listdir(tmp_path)) <= {"run", "run.part", "log"}


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "run"
    records = run()
    next(records).save(path)
    kept = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        next(records).save(path)
    assert path.read_bytes() == kept and os.listdir(tmp_path) == ["run"]


def test_refused_files_are_named_and_left_untouched(tmp_path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    for record in run(steps=3):
        record.save(good)
    whole = good.read_bytes()
    tensors, about = safetensors.torch.load_file(good), checkpoints._read(good, "run")[1]

    def refused(content, message, model=None, **options):
        bad.write_bytes(content)
        model = fresh() if model is None else model
        before = {name: weight.clone() for name, weight in model.state_dict().items()}
        with pytest.raises(ValueError, match=message) as error:
            next(run(model, **{"steps": 3, **options}, resume=bad))
        assert str(bad) in str(error.value) and bad.read_bytes() == content
        assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())

    def with_metadata(metadata):
        return safetensors.torch.save(tensors, metadata)

    for length in (0, 5, 200, len(whole) // 2, len(whole) - 1):
        refused(whole[:length], "cut off or no safetensors file")
    refused(with_metadata({}), "not one of this course")
    refused(with_metadata({"diffusion_course": json.dumps({**about, "version": 2})}), "newer version")
    refused(with_metadata({"diffusion_course": json.dumps({**about, "kind": "model"})}), "not a run")
    refused(whole, "another architecture", model=Affine())
    refused(whole, "use the same arguments", steps=5)
    refused(whole, "use the same arguments", weight=1 / COSINE.alpha_bar)
    refused(whole, "use the same arguments", x0=np.ones((8, 2)))
    refused(whole, "another schedule", model=models.SpiralMLP(schedule.sigmoid(T=100)))
    refused(whole, "another architecture", model=models.SpiralMLP(COSINE, dim=3), x0=np.zeros((8, 3)))


def test_a_shipped_network_answers_as_the_trained_one(tmp_path):
    path = tmp_path / "weights"
    torch.manual_seed(0)
    model = unet.UNet(COSINE, 1, (10,), output="eps", widths=(8, 16)).eval()
    checkpoints.save_model(path, model)
    loaded = checkpoints.load_model(path)
    x, cond = torch.randn(2, 1, 8, 8), torch.tensor([3, -1])
    assert loaded.schedule.T == 100 and loaded.output == "eps" and not loaded.training
    torch.testing.assert_close(loaded(x, 50, cond), model(x, 50, cond), rtol=5e-3, atol=5e-3)  # half precision
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match="cut off"):
        checkpoints.load_model(path)


def test_a_checkpoint_is_no_network(tmp_path):
    shutil.rmtree(tmp_path / "none", ignore_errors=True)
    next(run()).save(tmp_path / "run")
    with pytest.raises(ValueError, match="holds a run, not a model"):
        checkpoints.load_model(tmp_path / "run")
