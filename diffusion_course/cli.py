"""The shell's way to the same functions: `python -m diffusion_course train …`, `sample …`, `measure …`."""

import csv
import os
import time
from pathlib import Path

import click
import numpy as np

RECIPES = {
    "spiral": {"steps": 10_000, "batch": 128, "lr": 4e-3},
    "faces": {"steps": 12_000, "batch": 32, "lr": 2e-3},
    "fashion": {"steps": 8_000, "batch": 32, "lr": 2e-3},
}
WIDTHS = {"faces": (80, 160), "fashion": (64, 128)}  # of the U-Net
SHAPES = {"spiral": (2,), "faces": (3, 16, 16), "fashion": (1, 28, 28)}
PICTURES = click.Choice(sorted(WIDTHS))
LOG_EVERY = 50  # steps over which the loss is averaged for the log
SAVE_EVERY = 60  # seconds between checkpoints


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
def main():
    """The diffusion course: train the networks that ship with it, sample from them, measure them."""


@main.command()
@click.argument("name", type=click.Choice(sorted(RECIPES)))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Weights to write (.safetensors).")
@click.option("--steps", type=click.IntRange(1), help="Optimiser steps.  [default: the recipe's]")
@click.option("--seed", default=0, help="Source of all chance.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint beside --out, if there is one.")
def train(name, out, steps, seed, resume):
    """Train a network and write its averaged weights in half precision.

    Beside them: a log of the loss (.csv) and, while it runs, a checkpoint (.checkpoint). Killed at any moment, the
    same command with --resume goes on. Uses the GPU if there is one; several under `torchrun -m diffusion_course`.
    """
    import torch
    from tqdm import tqdm

    from . import checkpoint, training

    rank, device = _place()
    torch.manual_seed(seed)  # of the initial weights
    model, x0, cond = _setting(name, seed)
    recipe = RECIPES[name] | ({"steps": steps} if steps else {})
    saved, log = out.with_suffix(".checkpoint"), out.with_suffix(".csv")
    going_on = saved if resume and saved.exists() else None
    rng = torch.Generator().manual_seed(seed + rank)
    weight = None if name == "spiral" else 1 / model.schedule.alpha_bar  # the loss of v: more for the composition
    records = training.train(
        model.to(device), model.schedule, x0, cond, **recipe, weight=weight, rng=rng, resume=going_on
    )
    rows, window, last_saved = _read_log(log) if going_on else [], [], time.monotonic()
    with tqdm(total=recipe["steps"], unit="step", disable=rank > 0) as bar:
        for record in records:
            bar.update(record.step - bar.n)
            window.append(record.loss.item())
            if rank > 0 or (record.step % LOG_EVERY and record.step < recipe["steps"]):
                continue
            rows = [row for row in rows if int(row[0]) < record.step]
            rows.append((record.step, f"{np.mean(window):.5f}"))
            bar.set_postfix_str(f"loss {np.mean(window):.4f}, {record.machine}")
            window.clear()
            if record.step < recipe["steps"] and time.monotonic() - last_saved > SAVE_EVERY:
                _write_log(log, rows)
                record.save(saved)
                last_saved = time.monotonic()
    if rank == 0:
        _write_log(log, rows)
        checkpoint.save_model(out, record.ema)
        saved.unlink(missing_ok=True)
        click.echo(f"{out}: {out.stat().st_size:,} bytes after {record.step} steps on {record.machine}.")


@main.command()
@click.argument("name", type=click.Choice(sorted(RECIPES)))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Picture to write (.png).")
@click.option("--weights", type=click.Path(exists=True), help="Weights to use.  [default: those that ship]")
@click.option("--n", default=64, help="Samples to draw.")
@click.option("--steps", type=click.IntRange(1), default=50, help="Strokes of DDIM.")
@click.option("--seed", default=0, help="Source of all chance.")
def sample(name, out, weights, n, steps, seed):
    """Draw samples with DDIM and write them as one picture."""
    from . import plots

    x = _samples(name, weights, n, steps, seed)
    figure = plots.clouds({name: x}) if name == "spiral" else plots.sheet(x, name)
    out.write_bytes(figure.png())
    click.echo(f"{out}: {n} samples in {steps} strokes.")


@main.command()
@click.argument("name", type=click.Choice(sorted(RECIPES)))
@click.option("--weights", type=click.Path(exists=True), help="Weights to use.  [default: those that ship]")
@click.option("--n", default=2000, help="Samples to draw.")
@click.option("--steps", type=click.IntRange(1), default=50, help="Strokes of DDIM.")
@click.option("--guidance", default=1.0, help="Strength of what is asked for; 1 is the plain conditional network.")
@click.option("--seed", default=0, help="Source of all chance.")
def measure(name, weights, n, steps, guidance, seed):
    """Measure samples: each number beside that of fresh real data (floor) and of static (noise)."""
    from . import checkpoint, metrics

    if name == "spiral":
        report = metrics.spiral_report(_samples(name, weights, n, steps, seed), rng=np.random.default_rng(seed))
    else:
        train_x, train_codes, _ = _pictures(name)
        test_x, test_codes, _ = _pictures(name, "test")
        asked = test_codes[:n]
        x = _samples(name, weights, n, steps, seed, asked, guidance)
        real, held_out = (train_x, train_codes), (test_x, test_codes)
        report = metrics.picture_report(x, asked, real, held_out, checkpoint.pretrained(f"{name}-classifier"))
    click.echo(f"{'':14}{'value':>10}{'floor':>10}{'noise':>10}")
    for row, numbers in report.items():
        click.echo(f"{row:14}" + "".join(f"{number:10.4f}" for number in numbers))


@main.command("train-classifier")
@click.argument("name", type=PICTURES)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Weights to write (.safetensors).")
@click.option("--seed", default=0, help="Source of all chance.")
def train_classifier(name, out, seed):
    """Train the small classifier whose features judge the samples, and state its accuracy."""
    import torch

    from . import checkpoint, classifier

    torch.manual_seed(seed)
    x0, codes, attributes = _pictures(name)
    model = classifier.Classifier(channels=x0.shape[1], attributes=attributes)
    rng = torch.Generator().manual_seed(seed)
    for loss in classifier.train_classifier(model, x0, codes, rng=rng):
        click.echo(f"mean loss {loss:.4f}")
    checkpoint.save_model(out, model)
    test_x, test_codes, _ = _pictures(name, "test")
    right = classifier.accuracy(model, test_x, test_codes)
    click.echo(f"{out}: {right:.2%} of the held-out attributes are right.")


def _samples(name, weights, n, steps, seed, cond=None, guidance=1.0):
    """n samples in batches of 250, with a bar; `cond` (n, k) says what is asked for, `guidance` how strongly."""
    import torch
    from tqdm import tqdm

    from . import checkpoint, machine, samplers

    model = checkpoint.load_model(weights) if weights else checkpoint.pretrained(name)
    xT = torch.randn(n, *SHAPES[name], generator=torch.Generator().manual_seed(seed))
    how = machine.choose_machine(xT)
    parts = []
    for rows in tqdm(torch.arange(n).split(250), unit="batch"):
        denoiser = model if cond is None else _asked(model, torch.as_tensor(cond)[rows], guidance)
        with how.at_work(), how.precision():
            *_, x = samplers.ddim(denoiser, model.schedule, xT[rows], steps)
        parts.append(x)
    return torch.cat(parts).numpy()


def _asked(model, cond, scale):
    """The network given `cond`; without guidance one evaluation a stroke is enough."""
    from . import guidance

    return (lambda xt, t: model(xt, t, cond)) if scale == 1 else guidance.guided(model, cond, scale)


def _place():
    """(rank, device): of this process under torchrun, else rank 0 and the GPU if there is one."""
    import torch

    gpu = torch.cuda.is_available()
    if "WORLD_SIZE" not in os.environ:
        return 0, "cuda" if gpu else "cpu"
    torch.distributed.init_process_group("nccl" if gpu else "gloo")
    return torch.distributed.get_rank(), f"cuda:{os.environ['LOCAL_RANK']}" if gpu else "cpu"


def _setting(name, seed):
    """The untrained network of `name`, its training data and their conditions."""
    from . import data, models, schedule, unet

    if name == "spiral":
        x0 = data.spiral(rng=np.random.default_rng(seed))
        return models.SpiralMLP(schedule.cosine()), x0, None
    x0, cond, attributes = _pictures(name)
    model = unet.UNet(schedule.cosine(), x0.shape[1], attributes, widths=WIDTHS[name])
    return model, x0, cond


def _pictures(name, split="train"):
    """(pictures, conditions (n, k), how many values each condition has)."""
    from . import data

    if name == "faces":
        faces = data.faces(split)
        return faces.x0, faces.codes, tuple(len(values) for values in data.FACE_VALUES.values())
    fashion = data.fashion(split)
    return fashion.x0, fashion.labels[:, None], (len(fashion.names),)


def _read_log(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))[1:]


def _write_log(path, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("step", "loss"), *rows])
