"""Distillation: a student learns to take in one sampling step what its teacher took many for.

The ODE of `samplers` leads each x_t to one x_s, so a trajectory, once followed and kept, is a lesson:

    teacher   x_T → … → x_t → … → x_s → … → x_0
    student   descend  ‖ε − ε̂(x_t, t)‖²  for the ε whose single step of DDIM leads from x_t to x_s

This is the loss of `training` with other pairs (x_0, ε). There many x_0 fit one x_t; the best answer, their average,
is a blur after one long step. Here x_0 and ε follow from x_t, and the best answer is where the trajectory goes.

A student is a denoiser like any other and is sampled with `ddim`, but only at the times that it was taught:

    *path, x0 = ddim(student, student.schedule, xT, STEPS[4])

One network knows three ways. At t = 998 to 1000 all is noise (√ᾱ < 0.004), so the time of the start is free to tell
it which: from 1000 it takes four steps, from 999 two, from 998 one.

Sources: Salimans & Ho 2022 (arXiv:2202.00512) for `pair`, algorithm 2; there each student is the next one's teacher.
Trajectories that are kept go all the way in one round, as in Luhman & Luhman 2021 (arXiv:2101.02388), to one step.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .base.arrays import Array, brief
from .base.refusals import of_one_shape, refuse_empty, schedule_of, whole, wholes
from .forward import eps_from_x0, levels
from .guidance import for_all, guided
from .machine.state import unwrapped
from .models import levels_at
from .predictor import Clip
from .samplers import dpm_solver
from .schedule import Schedule
from .training import Record, train

STEPS = {4: (1000, 700, 400, 150, 0), 2: (999, 300, 0), 1: (998, 0)}  # number of sampling steps: the times they visit


class Trajectories(NamedTuple):
    """n trajectories: `path[t]` (n, …) is where they were at t, for all times t of `STEPS`; `cond`, their condition."""

    path: dict[int, Tensor]
    cond: Any


def student_times(schedule: Schedule, n: int) -> tuple[int, ...]:
    """The times that a student visits in n sampling steps. Raises ValueError unless n is in `STEPS`, and T = 1000."""
    if schedule.T != 1000:
        raise ValueError(f"a student is taught at times of T = 1000: give a schedule of it, not of T = {schedule.T}.")
    if n not in tuple(STEPS):
        raise ValueError(f"a student takes {', '.join(map(str, STEPS))} sampling steps, not {brief(n)}.")
    return STEPS[n]


def trajectories(
    teacher: Any, xT: Tensor, cond: Any = None, steps: int = 40, *, scale: float = 1.0, clip: Clip = None,
    ways: Collection[int] = tuple(STEPS),
) -> Trajectories:  # fmt: skip
    """Follow x_T (n, …) to x_0 in so many steps of DPM-Solver++. They start at 998 as well as at 1000.

    A `scale` other than 1 guides the teacher; its student then needs no guidance, and one evaluation a step. `ways`
    are the numbers of sampling steps that the student is to learn, of those in `STEPS`.

    Raises ValueError if steps so long do not stop at every one of `student_times`, for no `ways`, and for a `scale`
    without `cond`.
    """
    schedule = schedule_of(teacher)
    refuse_empty(ways := wholes(ways, "ways"), "ways")
    visits = [student_times(schedule, way) for way in ways]
    if cond is None and scale != 1:
        raise ValueError(f"scale is {scale!r}, but there is no cond that it could exaggerate: give one.")
    denoiser = teacher if cond is None else guided(teacher, cond, scale)
    cond = None if cond is None else for_all(denoiser.cond, len(xT))
    starts, times = {visit[0] for visit in visits}, {t for visit in visits for t in visit}
    visited = schedule.steps(steps).tolist()
    if missed := sorted(times - starts - set(visited)):
        raise ValueError(f"{steps} steps pass by t = {missed}: give a number of them (20, 40) that stops there.")
    found = zip(visited, dpm_solver(denoiser, schedule, xT, steps, clip=clip), strict=True)
    # x is still x_T at the other starts, too
    return Trajectories(dict.fromkeys(starts, xT) | {t: x for t, x in found if t in times}, cond)


def pair(xt: Array, xs: Array, alpha_bar_t: Any, alpha_bar_s: Any) -> tuple[Any, Any]:
    """The (x_0, ε) of which x_t and x_s are both made: where DDIM's step from x_t must aim to end in x_s.

        x_0 = (x_s − q x_t) / (√ᾱ_s − q √ᾱ_t),     q = √(1−ᾱ_s) / √(1−ᾱ_t)

    With s = 0 this is x_s itself.
    """
    xt, xs = of_one_shape(xt=xt, xs=xs)
    (signal_t, noise_t), (signal_s, noise_s) = levels(alpha_bar_t, xt), levels(alpha_bar_s, xs)
    q = noise_s / noise_t
    x0 = (xs - q * xt) / (signal_s - q * signal_t)
    return x0, eps_from_x0(xt, alpha_bar_t, x0)


def student_steps(path: Collection[int]) -> list[tuple[int, int]]:
    """The steps (t, s) of all ways in `STEPS` that are to be learnt from trajectories known at these times."""
    ways = [times for times in STEPS.values() if set(times) <= set(path)]
    return [pair for times in ways for pair in pairwise(times)]


def distill(student: nn.Module, trajectories: Trajectories, **recipe: Any) -> Iterator[Record]:
    """Train `student` in place to take its long steps as `trajectories` did: the records of `training.train`.

    `recipe` is the rest of what `train` takes: steps, batch, lr, rng, resume. The loss is that of v.
    """
    student_times(schedule_of(unwrapped(student)), max(STEPS))  # refuses another T
    like = next(student.parameters())
    path = {t: x.to(like) for t, x in trajectories.path.items()}
    if not (steps := student_steps(path)):
        raise ValueError(f"no student learns from trajectories that stop at t = {list(path)} only: see `STEPS`.")
    whole(recipe.get("batch", len(steps)), f"batch, of {len(steps)} kinds of steps to learn,", len(steps))
    draw = partial(draw_batch, path=path, student=student)
    return train(student, path[0], trajectories.cond, weight="v", draw=draw, **recipe)


def draw_batch(
    x0: Tensor, cond: Tensor | None, schedule: Any, batch: int, rng: torch.Generator, *, path: dict[int, Tensor],
    student: Any,
) -> tuple:  # fmt: skip
    """A batch (x_0, t, ε, cond) for `train`: random trajectories, dealt out evenly among the `student_steps`."""
    pairs = student_steps(path)
    rows = torch.randint(len(x0), (batch,), generator=rng, device=rng.device)
    dealt = list(zip(pairs, rows.tensor_split(len(pairs)), strict=True))
    t, s = (torch.cat([torch.full_like(part, step[end]) for step, part in dealt]) for end in (0, 1))
    xt, xs = (torch.cat([path[step[end]][part] for step, part in dealt]) for end in (0, 1))
    x0, eps = pair(xt, xs, levels_at(student, t), levels_at(student, s))
    return x0, t, eps, None if cond is None else cond[rows]
