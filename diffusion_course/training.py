"""Training: bury a clean sample, ask the network for the noise, correct it by its error. Nothing else.

    repeat:  x_0 ~ data,  t ~ 1 … T,  ε ~ N(0, I)
             descend  ∇ ‖ε − ε̂(√ᾱ_t x_0 + √(1−ᾱ_t) ε, t)‖²

That is algorithm 1 of DDPM (Ho et al. 2020, arXiv:2006.11239). Around it stand the customs that make it quick:
times spread evenly over the batch (Kingma et al. 2021, arXiv:2107.00630), a learning rate that rises and falls,
clipped gradients, and an average of the weights (EMA) that is what one samples from.
"""

import copy
import math
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import nn

from .data import NOT_SAID
from .forward import add_noise, randn_like
from .machine import choose_machine
from .run import checkpoints

WARM_UP = 200  # steps until the learning rate has risen to its full value
CLIP = 1.0  # longest gradient that is followed as it is
EMA_MEMORY = 0.1  # the average reaches back over about this share of the steps so far


@dataclass(frozen=True)
class Record:
    """What `train` yields: optimiser step number `step` has been taken, `ema` is already updated by it.

    `loss` is a detached scalar tensor, `ema` a network in eval mode, ready to sample from (it goes on changing with
    the next step), `machine` says in words what runs. `save(path)` writes a checkpoint that `train(resume=path)`
    goes on from.
    """

    step: int
    loss: torch.Tensor
    ema: nn.Module
    machine: str
    save: Callable = field(repr=False)


def train(model, schedule, x0, cond=None, *, steps, batch=128, lr=2e-3, weight=None, rng=None, resume=None, draw=None):
    """Train `model` in place for `steps` steps on samples x0 (n, …); yield a `Record` after each.

    `cond` (n,) or (n, k): whole numbers that the network gets beside x_t, a random part of them hidden (−1) in every
    batch, so that it also learns to do with less. `weight`, one number for each t = 0 … T, multiplies the simple loss:
    None is 1 (the loss of ε), 1/ᾱ_t gives the loss of v. `lr` is the peak of the learning rate. `rng`, a CPU torch
    Generator, is the only source of chance. `resume`, the path of a saved `Record`, goes on where that one stopped,
    with the same further losses. `draw` makes a batch; None is `bury`, as above.

    The model decides the device. Under `torchrun` (a torch.distributed group) each process draws its own batches
    and the gradients are averaged. Raises ValueError for data, conditions or a checkpoint that do not fit,
    FloatingPointError when the loss is no longer finite, torch.OutOfMemoryError with a batch size to try.
    """
    if not np.array_equal(getattr(model, "schedule", schedule).alpha_bar, schedule.alpha_bar):
        raise ValueError("the network was made for another schedule: give train(…) model.schedule.")
    device = next(model.parameters()).device
    x0 = _samples(x0, device)
    cond = None if cond is None else _conditions(cond, len(x0), device)
    weight = _weights(weight, schedule, device)
    rng = torch.Generator() if rng is None else rng
    draw = bury if draw is None else draw
    machine = choose_machine(x0)
    model.to(memory_format=machine.layout).train()
    ema = copy.deepcopy(model).eval().requires_grad_(False)
    optimiser = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.99), fused=True)
    data = {"shape of x0": list(x0.shape), "mean of x0": round(x0.double().mean().item(), 9)}
    recipe = {"steps": steps, "batch": batch, "lr": lr, "sum of weights": float(weight.sum()), **data}
    run = checkpoints.Run(model, ema, optimiser, rng, schedule, recipe)
    done = 0 if resume is None else checkpoints.load_run(resume, run)

    for step in range(done + 1, steps + 1):
        with machine.at_work(), _advice_on_memory(batch):
            clean, t, eps, said = draw(x0, cond, schedule, batch, rng)
            with machine.precision():
                loss = (weight[t] * losses(model, schedule, clean, t, eps, said)).mean()
            optimiser.zero_grad()
            loss.backward()
            _refuse_not_finite(loss, step, lr)
            _average_over_processes(model)
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            for group in optimiser.param_groups:
                group["lr"] = lr * learning_rate(step, steps)
            optimiser.step()
            average(ema, model, step)
        yield Record(step, loss.detach(), ema, str(machine), partial(checkpoints.save_run, run=run, step=step))


def bury(x0, cond, schedule, batch, rng):
    """A batch (x_0, t, ε, cond): random samples, times spread over 1 … T, fresh noise, conditions hidden in part."""
    rows = torch.randint(len(x0), (batch,), generator=rng)
    t = spread_times(batch, schedule.T, rng)
    eps = randn_like(x0[rows], rng)
    return x0[rows], t, eps, None if cond is None else hide(cond[rows], rng)


def losses(model, schedule, x0, t, eps, cond=None):
    """The simple loss of each sample, shape (B,): mean over its numbers of (ε − ε̂)², at steps t, an int or (B,)."""
    xt = add_noise(x0, schedule.at(t), eps)
    eps_hat = model(xt, t) if cond is None else model(xt, t, cond)
    return ((eps - eps_hat) ** 2).flatten(1).mean(dim=1)


def spread_times(n, T, rng):
    """n times in 1 … T, each uniform, together evenly spread: t_i = 1 + ⌊T · frac(u + i/n)⌋ with one random u.

    A batch of independent times now and then lacks a whole region; an evenly spread one never does.
    """
    u = torch.rand((), generator=rng, dtype=torch.float64)
    places = (u + torch.arange(n, dtype=torch.float64) / n) % 1
    return 1 + (places * T).long().clamp(max=T - 1)


def hide(cond, rng):
    """`cond` (B, k) with a random part of each row replaced by −1, "not said".

    The share u² to hide (u uniform) is drawn anew for each row: some rows stay whole, some say little, some nothing.
    """
    share = torch.rand(len(cond), 1, generator=rng) ** 2
    said = torch.rand(cond.shape, generator=rng) >= share
    return torch.where(said.to(cond.device), cond, NOT_SAID)


def learning_rate(step, steps):
    """The factor of `lr` at this step: a straight rise over the warm-up, and half a cosine down to 0."""
    return min(1.0, step / WARM_UP) * (1 + math.cos(math.pi * step / (steps + 1))) / 2


@torch.no_grad()
def average(ema, model, step):
    """EMA: move each averaged weight towards the current one by a share w = min(1, 1 / (0.1 step)).

    The first steps copy; after that the average forgets ever more slowly and keeps about the last tenth of the run.
    """
    w = min(1.0, 1 / (EMA_MEMORY * step))
    torch._foreach_lerp_(list(ema.parameters()), list(model.parameters()), w)


def _average_over_processes(model):
    """Data parallel: every process has the gradient of its own batch; each goes on with the mean of all."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        for weight in model.parameters():
            if weight.grad is not None:
                torch.distributed.all_reduce(weight.grad)
                weight.grad /= torch.distributed.get_world_size()


def _samples(x0, device):
    x0 = torch.as_tensor(x0, device=device, dtype=torch.float32)
    if x0.ndim < 2 or len(x0) == 0 or not x0.isfinite().all():
        raise ValueError(f"x0 must be finite numbers of shape (n, …) with n ≥ 1, not of shape {tuple(x0.shape)}.")
    return x0


def _weights(weight, schedule, device):
    weight = torch.ones(schedule.T + 1) if weight is None else torch.as_tensor(weight).float()
    if weight.shape != (schedule.T + 1,):
        raise ValueError(f"weight must have one number for each t = 0 … {schedule.T}, not shape {tuple(weight.shape)}.")
    return weight.to(device)


def _conditions(cond, n, device):
    cond = torch.as_tensor(cond, device=device).long()
    if len(cond) != n:
        raise ValueError(f"{len(cond)} conditions for {n} samples: give one a sample.")
    return cond.reshape(n, -1)


def _refuse_not_finite(loss, step, lr):
    if not torch.isfinite(loss):
        raise FloatingPointError(
            f"the loss became {loss.item()} at step {step} (lr = {lr:g}). The weights are still those of step "
            f"{step - 1}. Try lr = {lr / 4:.1g}, and look whether the data lie in [−1, 1] or have standard deviation 1."
        )


@contextmanager
def _advice_on_memory(batch):
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise torch.OutOfMemoryError(
            f"the GPU's memory does not hold a batch of {batch}: try batch = {max(1, batch // 2)}."
        ) from error
