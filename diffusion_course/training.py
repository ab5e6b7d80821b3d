"""Training: add noise to a clean sample, ask the network for the noise, correct it by its error. Nothing else.

    repeat:  x_0 ~ data,  t ~ 1 … T,  ε ~ N(0, I)
             descend  ∇ ‖ε − ε̂(√ᾱ_t x_0 + √(1−ᾱ_t) ε, t)‖²

That is algorithm 1 of DDPM (Ho et al. 2020, arXiv:2006.11239). Around it stand the customs that make it quick:
times spread evenly over the batch (Kingma et al. 2021, arXiv:2107.00630), a learning rate that rises and falls,
clipped gradients, and an average of the weights (EMA) that is what one samples from. One `step` reads nothing back
from the device, so a GPU never waits for Python.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from .base.arrays import may_read
from .base.refusals import one_of, refuse_other_shape
from .base.words import NOT_SAID
from .forward import add_noise, levels, randn_like
from .machine.capture import stepper
from .machine.hardware import advice_on_memory, choose_machine
from .machine.inputs import Order, conditions, first_of, first_weight, samples, stream, weights_of_t
from .machine.state import Run, State, chance, recipe_of, unwrapped
from .machine.threads import Threads
from .models import levels_at

WARM_UP = 200  # steps until the learning rate has risen to its full value; of a short training, a fifth of them
CLIP = 1.0  # longest gradient that is followed as it is
EMA_MEMORY = 0.1  # the average reaches back over about this share of the steps so far
CHECK_EVERY = 50  # steps between two looks at whether all losses were finite, where looking makes the device wait


class Record(NamedTuple):
    """What `train` yields: training step number `step` has been taken, and `ema` already follows it.

    `loss` is a scalar tensor on the device, `ema` the network in eval mode, ready to sample from (it goes on changing
    with the next step), `machine` says in words what runs. `run.state()` is what `train(resume=…)` goes on from.
    """

    step: int
    loss: Tensor
    ema: nn.Module
    machine: str
    run: Run


def train(
    model: nn.Module, x0: Any, cond: Any = None, *, steps: int, batch: int = 128, lr: float = 2e-3, weight: Any = None,
    rng: torch.Generator | None = None, resume: State | None = None, draw: Callable | None = None, accumulate: int = 1,
) -> Iterator[Record]:  # fmt: skip
    """Train `model` in place for `steps` steps on samples x0 (n, …), on its device; yield a `Record` after each.

    model       a `Denoiser`, or any module with a `.schedule`, maybe compiled or in DistributedDataParallel: each
                process then takes its share of a batch, and the losses are those of one process with the same `rng`
    x0          an array, or a `torch.utils.data.Dataset` of x_0, (x_0,) or (x_0, codes), each read once an epoch
    cond        codes (n,) or (n, k) that the network gets, too, a random part of them hidden (−1) in every batch
    lr          the peak of the learning rate, reached after 200 steps, or after a fifth of fewer than 1,000
    weight      T+1 numbers, one for each t, that multiply the loss; or "v": the loss of v, as 1/ᾱ_t would give
    rng         decides all chance; None is fresh chance
    resume      the state of an earlier run, which goes on with the losses that it would have had
    draw        makes a batch; None is `draw_batch`
    accumulate  parts in which a batch is computed, one after the other, where memory does not hold it whole

    Raises ValueError for arguments that do not fit, FloatingPointError when a loss is not finite (the weights are
    then those of the step before it), torch.OutOfMemoryError with a batch size to try.
    """
    bare = unwrapped(model)
    like = first_weight(bare)
    dataset: Any = x0 if isinstance(x0, Dataset) else None
    if dataset is not None:
        x0, cond = first_of(dataset, cond, draw)
    x0 = samples(x0, like, bare)
    cond = None if cond is None else conditions(cond, len(x0), bare, like.device)
    weight = weights_of_t(weight, bare, like)
    recipe = recipe_of(steps, batch, lr, weight, x0, cond) | ({} if dataset is None else {"examples": len(dataset)})
    draw = draw_batch if draw is None else draw
    run = Run(model, choose_machine(x0), recipe, weight, chance(rng, like.device), draw, accumulate)
    if resume is not None:
        run.load_state(resume)
    if dataset is not None:
        order = Order(len(dataset), batch, run.done, run.rng.initial_seed(), run.rank, run.ranks)
        read = stream(dataset, order, like, bare)
        run.draw = lambda x0, cond, schedule, batch, rng: noised(*next(read), schedule, rng)
        run.capturable = False  # each step reads other data
    return _records(run, x0, cond)


def _records(run: Run, x0: Tensor, cond: Tensor | None) -> Iterator[Record]:
    one_step, threads = stepper(partial(step, run, x0, cond), run), Threads(run.machine.most)  # or `step` alone: slower
    steps, batch, lr = (run.recipe[name] for name in ("steps", "batch", "lr"))
    while run.done < steps:
        run.lr.fill_(lr * learning_rate(run.done + 1, steps))
        run.share.fill_(min(1.0, 1 / (EMA_MEMORY * (run.done + 1))))
        if threads.most > 1:
            run.machine = run.machine._replace(threads=threads.now)
        with run.machine.at_work(), advice_on_memory(batch):
            found = threads.timed(one_step)
        run.done += 1
        if may_read(found) or run.done % CHECK_EVERY == 0 or run.done == steps:
            run.refuse_not_finite()
        yield Record(run.done, found, run.ema, str(run.machine), run)


def step(run: Run, x0: Tensor, cond: Tensor | None = None) -> Tensor:
    """One training step: draw a batch, take the loss, follow its gradient, average the weights. Returns the loss.

    After a loss that is not finite `run.alive` is 0, every later loss and gradient NaN, and no weight moves any more.
    """
    drawn = run.draw(x0, cond, run.bare.schedule, run.recipe["batch"], run.rng)
    for tensor in run.weights:
        tensor.grad = None
    found = backward(run, *drawn)
    run.alive.mul_(found.isfinite())
    run.good.add_(run.alive)
    run.scaler.unscale_(run.optimiser)
    length = nn.utils.clip_grad_norm_(run.weights, CLIP)
    run.optimiser.found_inf = 1 - length.isfinite().float()  # type: ignore[attr-defined]  # 1: Adam holds
    run.scaler.step(run.optimiser)
    run.scaler.update()
    average(run.averaged, run.current, run.share * run.alive)
    for kept, count in run.counts:
        kept.copy_(count)
    return found


def draw_batch(x0: Tensor, cond: Tensor | None, schedule: Any, batch: int, rng: torch.Generator) -> tuple:
    """A batch (x_0, t, ε, cond): random samples, times spread over 1 … T, fresh noise, conditions hidden in part."""
    rows = torch.randint(len(x0), (batch,), generator=rng, device=rng.device)
    return noised(x0[rows], None if cond is None else cond[rows], schedule, rng)


def noised(clean: Tensor, cond: Tensor | None, schedule: Any, rng: torch.Generator) -> tuple:
    """(x_0, t, ε, cond) of clean samples x_0 (B, …): what `backward` takes the loss of."""
    t = spread_times(len(clean), schedule.T, rng)
    return clean, t, randn_like(clean, rng), None if cond is None else drop_conditions(cond, rng)


def spread_times(n: int, T: int, rng: torch.Generator) -> Tensor:
    """n times in 1 … T, each uniform, together evenly spread: t_i = 1 + ⌊T · frac(u + i/n)⌋ with one random u.

    A batch of independent times now and then lacks a whole region; an evenly spread one never does.
    """
    u = torch.rand((), generator=rng, device=rng.device)
    places = (u + torch.arange(n, device=rng.device) / n) % 1
    return 1 + (places * T).long().clamp_(max=T - 1)


def drop_conditions(cond: Tensor, rng: torch.Generator) -> Tensor:
    """`cond` (B, k) with a random part of each row replaced by −1, "not said".

    The share u² to hide (u uniform) is drawn anew for each row: some rows stay whole, some say little, some nothing.
    """
    share = torch.rand(len(cond), 1, generator=rng, device=rng.device) ** 2
    hidden = torch.rand(cond.shape, generator=rng, device=rng.device) < share
    return cond.masked_fill(hidden.to(cond.device), NOT_SAID)


def backward(run: Run, *drawn: Tensor) -> Tensor:
    """The loss of a batch, whose gradient is left in the weights.

    This process takes its share, in `run.parts` parts: the mean over a batch is that of the means over equal parts.
    """
    found: Any = 0
    for part, (clean, t, eps, said) in enumerate(run.shares(drawn)):
        with run.gradients_alone(part):
            with run.machine.precision():
                piece = loss(run.model, clean, t, eps, said, run.weight) / (run.alive * run.parts)
            run.scaler.scale(piece).backward()
        found = found + piece.detach()
    return run.over_processes(found)


def loss(model: Any, x0: Tensor, t: Any, eps: Tensor, cond: Any = None, weight: Any = None) -> Tensor:
    """The simple loss, mean of (ε − ε̂)² over the batch and all its numbers, at steps t, an int or (B,).

    `weight` (T+1,) multiplies it, each sample by that of its t. "v" gives the mean of (v − v̂)², which is
    (x_0 − x̂_0)²/(1−ᾱ_t), and so has no 1/ᾱ_t in it.
    """
    known = levels_at(model, t)
    xt, said = add_noise(x0, known, eps), () if cond is None else (cond,)
    if isinstance(weight, str):
        one_of(weight, ("v",), "weight, if it is a word,")
        return ((x0 - model(xt, t, *(said or (None,)), want="x0")) / levels(known, x0).noise).square().mean()
    eps_hat = model(xt, t, *said)
    refuse_other_shape(eps_hat, eps, "model(xt, t) must return ε̂")
    error = (eps - eps_hat).square()
    return error.mean() if weight is None else (weight[t] * error.flatten(1).mean(1)).mean()


def learning_rate(step: int, steps: int) -> float:
    """The factor of `lr` at this step: a straight rise over the warm-up, and half a cosine down to 0."""
    return min(1.0, step / min(WARM_UP, steps / 5)) * (1 + math.cos(math.pi * step / (steps + 1))) / 2


@torch.no_grad()
def average(averaged: list[Tensor], current: list[Tensor], share: Tensor) -> None:
    """EMA: move each averaged weight (and running statistic) towards the current one by share = min(1, 1/(0.1 step)).

    The first steps copy; after that the average forgets ever more slowly and keeps about the last tenth of the run.
    """
    share = share.to(averaged[0].dtype)
    torch._foreach_mul_(averaged, 1 - share)  # three kernels for all weights; a lerp would be one for each
    torch._foreach_add_(averaged, torch._foreach_mul(current, share))
