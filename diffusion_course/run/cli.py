"""The shell's way to the same functions: `python -m diffusion_course train …`, `sample …`, `measure …`.

Whatever a user can cause ends in one line that says what to do, and is found out before anything is computed.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from . import recipes
from .shell import (
    ACCUMULATE,
    CLASSIFIED,
    DISTILLED,
    FOLDER,
    MEASURED,
    NFE,
    OUT,
    PROMPTS,
    SAMPLED,
    SAMPLER,
    SEEDED,
    SIZE,
    STREAM,
    TRAINED,
    WEIGHTS,
    OneLine,
    device,
    entry_of,
    join_others,
    network_of,
    path_of,
    shared,
    sized,
)


@click.group(cls=OneLine, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(package_name="diffusion-course")
def main() -> None:
    """The diffusion course: train the networks that ship with it, sample from them, measure them."""


@main.command()
@click.argument("name", type=TRAINED)
@OUT(help="Weights to write (.safetensors).")
@click.option("--steps", type=click.IntRange(1), help="Training steps.  [default: the recipe's]")
@SEEDED
@click.option("--resume", is_flag=True, help="Go on from the checkpoint beside --out, if there is one.")
@FOLDER
@SIZE
@STREAM
@ACCUMULATE
def train(
    name: str, out: Path, steps: int | None, seed: int, resume: bool, folder: Path | None, size: int | None,
    stream: bool, accumulate: int,
) -> None:  # fmt: skip
    """Train a network and write its averaged weights in half precision.

    Beside them: a log of the loss (.csv) and, while it runs, a checkpoint (.checkpoint). Killed at any moment, the
    same command with --resume goes on. Uses the GPU if there is one. `accelerate launch -m diffusion_course train …`
    trains on several GPUs, or in several processes, to the same losses.
    """
    from . import logs

    entry = entry_of(name, folder, size, stream)
    logs.places(out, resume)
    x0, cond, draw = entry.load("train", seed)

    import torch

    from ..training import train

    rank, where = join_others(), device()
    torch.manual_seed(seed)  # of the initial weights
    model = entry.network(entry.schedule()).to(where)
    recipe = entry.recipe(where) | ({"steps": steps} if steps else {})
    rng = torch.Generator().manual_seed(seed)
    start = partial(train, shared(model), x0, cond, **recipe, draw=draw, rng=rng, accumulate=accumulate)
    told = logs.follow(start, out, recipe["steps"], resume, rank)
    click.echo(told, nl=bool(told))


@main.command()
@click.argument("name", type=DISTILLED)
@OUT(help="Weights to write (.safetensors).")
@click.option("--weights", type=click.Path(path_type=Path), help="The teacher.  [default: the weights that ship]")
@click.option("--trajectories", type=click.IntRange(1), help="Trajectories of the teacher.  [default: the recipe's]")
@click.option("--steps", type=click.IntRange(1), help="Training steps.  [default: the recipe's]")
@SEEDED
@click.option("--resume", is_flag=True, help="Go on from the checkpoint beside --out, if there is one.")
def distill(
    name: str, out: Path, weights: Path | None, trajectories: int | None, steps: int | None, seed: int, resume: bool
) -> None:
    """Teach a student to sample in 4, 2 or 1 steps where its teacher takes many.

    The teacher samples first (also with --resume: the same seed gives the same trajectories), then the student
    learns. Log, checkpoint and weights as in `train`.
    """
    from . import logs

    entry = recipes.experiment(name)
    student = entry.student
    assert student is not None  # DISTILLED
    logs.places(out, resume)
    rank = join_others()

    import torch
    from tqdm import tqdm

    from ..distill import distill
    from . import sampling

    teacher, rng = network_of(name, entry, weights).to(device()), torch.Generator().manual_seed(seed)
    xT, cond = sampling.starts(entry, trajectories or student.trajectories, seed, rng)
    shown = sampling.trajectories(teacher, student, xT, cond, partial(tqdm, unit="batch of trajectories"))
    recipe = {**student.training, **({"steps": steps} if steps else {})}
    beginner = shared(sampling.pupil(teacher, student, None if weights else name, seed))
    start = partial(distill, beginner, shown, **recipe, rng=rng)
    told = logs.follow(start, out, recipe["steps"], resume, rank)
    click.echo(told, nl=bool(told))


@main.command()
@click.argument("name", type=SAMPLED)
@OUT(help="Picture to write (.png).")
@WEIGHTS
@click.option("--prompt", help=f"What to draw, such as {PROMPTS}.")
@click.option("--n", type=click.IntRange(1, 10_000), default=64, help="Samples to draw.")
@NFE
@SAMPLER
@click.option("--guidance", type=click.FloatRange(0, 100), help="Strength of the prompt.  [default: the recipe's]")
@SEEDED
@click.option("--gif", is_flag=True, help="Write how the samples appear, too, as a moving .gif beside the picture.")
@SIZE
def sample(
    name: str, out: Path, weights: Path | None, prompt: str | None, n: int, steps: int | None, sampler: str | None,
    guidance: float | None, seed: int, gif: bool, size: int | None,
) -> None:  # fmt: skip
    """Draw samples and write them as one picture."""
    from . import logs

    entry = sized(name, size)
    moving = logs.writable(out, ".png").with_suffix(".gif")
    if gif:
        logs.writable(moving, ".gif")
    if prompt is not None and entry.codes is None:
        raise click.BadParameter(f"the network of {name} reads no prompt.", param_hint="--prompt")
    cond = None if prompt is None or entry.codes is None else entry.codes(prompt)[None]
    path = path_of(name, entry, weights, n, steps, sampler, seed, cond, guidance, entry.guidance)

    from . import pages

    title = f"{name}: {prompt}" if prompt else name
    out.write_bytes(pages.page(path[-1], title).png())
    click.echo(f"{out}: {n} samples in {len(path) - 1} sampling steps.")
    if gif:
        moving.write_bytes(pages.gif(path, title))
        click.echo(f"{moving}: how they appear.")


@main.command()
@click.argument("name", type=MEASURED)
@WEIGHTS
@click.option("--n", type=click.IntRange(2, 10_000), default=2000, help="Samples to draw.")
@NFE
@SAMPLER
@click.option("--guidance", type=click.FloatRange(0, 100), help="Strength of the conditions.  [default: 1]")
@SEEDED
def measure(
    name: str, weights: Path | None, n: int, steps: int | None, sampler: str | None, guidance: float | None, seed: int
) -> None:
    """Measure samples: each number beside that of fresh real data (floor) and of pure noise."""
    from . import judges, quality

    judge = quality.judge_of(name.removesuffix(recipes.STUDENT))
    cond = judge.held_out(n, seed).cond
    path = path_of(name, recipes.experiment(name), weights, n, steps, sampler, seed, cond, guidance)
    click.echo(f"{'':14}{'value':>10}{'floor':>10}{'noise':>10}")
    for row, numbers in judges.report(judge, path[-1], cond, seed).items():
        click.echo(f"{row:14}" + "".join(f"{number:10.4f}" for number in numbers))


@main.command("train-classifier")
@click.argument("name", type=CLASSIFIED)
@OUT(help="Weights to write (.safetensors).")
@SEEDED
def train_classifier(name: str, out: Path, seed: int) -> None:
    """Train the small classifier whose features judge the samples, and state its accuracy."""
    from . import logs

    logs.writable(out, ".safetensors")

    import torch

    from .. import metrics
    from . import checkpoints, classifiers

    entry = recipes.experiment(name)
    torch.manual_seed(seed)
    train, test = entry.load("train", seed), entry.load("test", seed)
    values = entry.network(entry.schedule()).config["attributes"]
    model = classifiers.Classifier(channels=entry.shape[0], attributes=values)
    for loss in classifiers.train_classifier(model, train.x0, train.cond, rng=torch.Generator().manual_seed(seed)):
        click.echo(f"mean loss {loss:.4f}")
    checkpoints.save_model(out, model)
    click.echo(f"{out}: {metrics.accuracy(model, test.x0, test.cond):.2%} of the held-out attributes are right.")


@main.command("homework", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def homework(arguments: tuple[str, ...]) -> None:
    """Set the spiral homework, grade it, give it back (for teachers)."""
    try:
        from ..homework import cli
    except ModuleNotFoundError as missing:
        raise click.ClickException(f'{missing}. Try: pip install "diffusion-course[homework]"') from missing
    cli.homework.main(arguments, prog_name="diffusion-course homework")
