"""The shell's way to the same functions: `python -m diffusion_course train …`, `sample …`, `measure …`."""

import copy
import os
from functools import partial
from pathlib import Path

import click
import numpy as np

RECIPES = {
    "spiral": {"steps": 10_000, "batch": 128, "lr": 4e-3},
    "faces": {"steps": 36_000, "batch": 32, "lr": 2e-3},
    "fashion": {"steps": 8_000, "batch": 32, "lr": 2e-3},
}
STUDENTS = {
    "spiral": {"walks": 20_000, "strokes": 40, "steps": 15_000, "batch": 256, "lr": 2e-3},
    "faces": {"walks": 12_000, "strokes": 20, "steps": 9_000, "batch": 32, "lr": 1e-3},
}
WIDTHS = {"faces": (80, 160), "fashion": (64, 128)}  # of the U-Net
SHAPES = {"spiral": (2,), "faces": (3, 16, 16), "fashion": (1, 28, 28)}
SAMPLED = click.Choice([*sorted(RECIPES), *(f"{name}-student" for name in sorted(STUDENTS))])
PICTURES = click.Choice(sorted(WIDTHS))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(package_name="diffusion-course")
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

    from .. import training
    from ..run.follow import follow

    rank, device = _place()
    torch.manual_seed(seed)  # of the initial weights
    model, x0, cond = _setting(name, seed)
    recipe = RECIPES[name] | ({"steps": steps} if steps else {})
    rng = torch.Generator().manual_seed(seed + rank)
    weight = None if name == "spiral" else 1 / model.schedule.alpha_bar  # the loss of v: more for the composition
    model.to(device)
    start = partial(training.train, model, model.schedule, x0, cond, **recipe, weight=weight, rng=rng)
    follow(start, out, recipe["steps"], resume, rank)


@main.command()
@click.argument("name", type=click.Choice(sorted(STUDENTS)))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Weights to write (.safetensors).")
@click.option("--weights", type=click.Path(exists=True), help="The teacher.  [default: the weights that ship]")
@click.option("--walks", type=click.IntRange(1), help="Walks of the teacher.  [default: the recipe's]")
@click.option("--steps", type=click.IntRange(1), help="Optimiser steps.  [default: the recipe's]")
@click.option("--seed", default=0, help="Source of all chance.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint beside --out, if there is one.")
def distill(name, out, weights, walks, steps, seed, resume):
    """Teach a student to go in 4, 2 or 1 strokes where its teacher takes many.

    The teacher walks first (also with --resume: the same seed gives the same walks), then the student learns.
    Log, checkpoint and weights as in `train`.
    """
    import torch

    from .. import distill
    from ..run.follow import follow

    rank, device = _place()
    recipe = STUDENTS[name] | {key: value for key, value in {"walks": walks, "steps": steps}.items() if value}
    rng = torch.Generator().manual_seed(seed + rank)
    teacher = _network(name, weights).to(device)
    walked = _walks(name, teacher, recipe.pop("walks"), recipe.pop("strokes"), rng)
    start = partial(distill.distill, copy.deepcopy(teacher), walked, **recipe, rng=rng)
    follow(start, out, recipe["steps"], resume, rank)


@main.command()
@click.argument("name", type=SAMPLED)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Picture to write (.png).")
@click.option("--weights", type=click.Path(exists=True), help="Weights to use.  [default: those that ship]")
@click.option("--n", default=64, help="Samples to draw.")
@click.option("--steps", type=click.IntRange(1), default=50, help="Strokes: of DDIM; a student takes 1, 2 or 4.")
@click.option("--seed", default=0, help="Source of all chance.")
def sample(name, out, weights, n, steps, seed):
    """Draw samples with DDIM and write them as one picture."""
    from .. import plots

    x = _samples(name, weights, n, steps, seed)
    figure = plots.clouds({name: x}) if x.ndim == 2 else plots.sheet(x, name)
    out.write_bytes(figure.png())
    click.echo(f"{out}: {n} samples in {steps} strokes.")


@main.command()
@click.argument("name", type=SAMPLED)
@click.option("--weights", type=click.Path(exists=True), help="Weights to use.  [default: those that ship]")
@click.option("--n", default=2000, help="Samples to draw.")
@click.option("--steps", type=click.IntRange(1), default=50, help="Strokes: of DDIM; a student takes 1, 2 or 4.")
@click.option("--guidance", default=1.0, help="Strength of what is asked for; 1 is the plain conditional network.")
@click.option("--seed", default=0, help="Source of all chance.")
def measure(name, weights, n, steps, guidance, seed):
    """Measure samples: each number beside that of fresh real data (floor) and of static (noise)."""
    from .. import metrics
    from ..run import checkpoints

    of = _data_of(name)
    if of == "spiral":
        report = metrics.spiral_report(_samples(name, weights, n, steps, seed), rng=np.random.default_rng(seed))
    else:
        train_x, train_codes, _ = _pictures(of)
        test_x, test_codes, _ = _pictures(of, "test")
        asked = test_codes[:n]
        x = _samples(name, weights, n, steps, seed, asked, guidance)
        real, held_out = (train_x, train_codes), (test_x, test_codes)
        report = metrics.picture_report(x, asked, real, held_out, checkpoints.pretrained(f"{of}-classifier"))
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

    from .. import classifier
    from ..run import checkpoints

    torch.manual_seed(seed)
    x0, codes, attributes = _pictures(name)
    model = classifier.Classifier(channels=x0.shape[1], attributes=attributes)
    rng = torch.Generator().manual_seed(seed)
    for loss in classifier.train_classifier(model, x0, codes, rng=rng):
        click.echo(f"mean loss {loss:.4f}")
    checkpoints.save_model(out, model)
    test_x, test_codes, _ = _pictures(name, "test")
    right = classifier.accuracy(model, test_x, test_codes)
    click.echo(f"{out}: {right:.2%} of the held-out attributes are right.")


@main.command("homework", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def homework(arguments):
    """Set the spiral homework, grade it, give it back (for teachers)."""
    try:
        from ..homework import cli
    except ModuleNotFoundError as missing:
        raise click.ClickException(f'{missing}. Try: pip install "diffusion-course[homework]"') from missing
    cli.homework.main(arguments, prog_name="diffusion-course homework")


def _walks(name, teacher, n, strokes, rng):
    """n walks of the teacher in so many strokes, in batches, with a bar; asked for as in training, a part left open."""
    import torch
    from tqdm import tqdm

    from .. import distill, machine, training

    xT = torch.randn(n, *SHAPES[name], generator=rng).to(next(teacher.parameters()).device)
    how, cond = machine.choose_machine(xT), None
    if name in WIDTHS:
        codes = torch.as_tensor(_pictures(name)[1]).long()
        cond = training.hide(codes[torch.randint(len(codes), (n,), generator=rng)], rng)
    parts = []
    for rows in tqdm(torch.arange(n).split(250), unit="batch of walks"):
        with how.at_work(), how.precision():
            parts.append(distill.walk(teacher, xT[rows], None if cond is None else cond[rows], strokes))
    return distill.Walks({t: torch.cat([part.path[t] for part in parts]) for t in parts[0].path}, cond)


def _samples(name, weights, n, steps, seed, cond=None, guidance=1.0):
    """n samples in batches of 250, with a bar; `cond` (n, k) says what is asked for, `guidance` how strongly."""
    import torch
    from tqdm import tqdm

    from .. import machine, samplers

    model, times = _network(name, weights), _times(name, steps)
    xT = torch.randn(n, *SHAPES[_data_of(name)], generator=torch.Generator().manual_seed(seed))
    how = machine.choose_machine(xT)
    parts = []
    for rows in tqdm(torch.arange(n).split(250), unit="batch"):
        denoiser = model if cond is None else _asked(model, torch.as_tensor(cond)[rows], guidance)
        with how.at_work(), how.precision():
            *_, x = samplers.ddim(denoiser, model.schedule, xT[rows], times)
        parts.append(x)
    return torch.cat(parts).numpy()


def _times(name, steps):
    """What `ddim` takes as `steps`: their number, or the times that a student was taught."""
    from .. import distill

    if name == _data_of(name):
        return steps
    if steps not in distill.STROKES:
        raise click.BadParameter(f"a student takes {', '.join(map(str, distill.STROKES))} strokes, not {steps}.")
    return distill.STROKES[steps]


def _network(name, weights):
    """The network in the file `weights`, or the one that ships."""
    from ..run import checkpoints

    return checkpoints.load_model(weights) if weights else checkpoints.pretrained(name)


def _data_of(name):
    """A student is of the same data as its teacher."""
    return name.removesuffix("-student")


def _asked(model, cond, scale):
    """The network given `cond`; without guidance one evaluation a stroke is enough."""
    from .. import guidance

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
    from .. import data, models, schedule, unet

    if name == "spiral":
        x0 = data.spiral(rng=np.random.default_rng(seed))
        return models.SpiralMLP(schedule.cosine()), x0, None
    x0, cond, attributes = _pictures(name)
    model = unet.UNet(schedule.cosine(), x0.shape[1], attributes, widths=WIDTHS[name])
    return model, x0, cond


def _pictures(name, split="train"):
    """(pictures, conditions (n, k), how many values each condition has)."""
    from .. import data

    if name == "faces":
        faces = data.faces(split)
        return faces.x0, faces.codes, tuple(len(values) for values in data.FACE_VALUES.values())
    fashion = data.fashion(split)
    return fashion.x0, fashion.labels[:, None], (len(fashion.names),)
