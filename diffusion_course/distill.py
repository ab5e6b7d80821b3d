"""Distillation: a student learns to go in one stroke where its teacher went in many.

The ODE of `samplers` leads each x_t to one x_s, so a walk, once walked and kept, is a lesson:

    teacher   x_T → … → x_t → … → x_s → … → x_0
    student   descend  ‖ε − ε̂(x_t, t)‖²  for the ε whose single stroke of DDIM leads from x_t to x_s

This is the loss of `training` with other pairs (x_0, ε). There ε is drawn, many x_0 fit one x_t, and the best answer is
their average: taken in one long stroke, a blur. Here both follow from x_t, and the best answer is where the walk goes.

A student is a denoiser like any other and walks with `ddim`, but only at the times that it was taught:

    *path, x0 = ddim(student, student.schedule, xT, STROKES[4])

One network knows three walks. At t = 998 to 1000 all is static (√ᾱ < 0.004), so the time of the start is free to tell
it which: from 1000 it takes four strokes, from 999 two, from 998 one.

Sources: Salimans & Ho 2022 (arXiv:2202.00512) for `pair`, algorithm 2. They halve the number of strokes
again and again, a student becoming the next one's teacher; from walks that are kept, one round goes all the way, as in
Luhman & Luhman 2021 (arXiv:2101.02388), whose student takes one stroke.
"""

from functools import partial
from itertools import pairwise
from typing import NamedTuple

import torch

from .forward import eps_from_x0, levels
from .samplers import dpm_solver
from .training import train

STROKES = {4: (1000, 700, 400, 150, 0), 2: (999, 300, 0), 1: (998, 0)}  # number of strokes: the times they visit
LEARNT = [pair for times in STROKES.values() for pair in pairwise(times)]  # (t, s): seven strokes in all


class Walks(NamedTuple):
    """n walks: `path[t]` (n, …) is where they were at t, for all times t of `STROKES`; `cond`, what was asked."""

    path: dict[int, torch.Tensor]
    cond: torch.Tensor | None


def walk(teacher, xT, cond=None, steps=40):
    """Lead x_T (n, …) to x_0 in so many strokes of DPM-Solver++: the `Walks`. They start at 998 as well as at 1000.

    Raises ValueError if strokes so long do not stop at every time of `STROKES`.
    """
    schedule = teacher.schedule
    asked = teacher if cond is None else partial(teacher, cond=cond)
    visited = dict(zip(schedule.steps(steps).tolist(), dpm_solver(asked, schedule, xT, steps), strict=True))
    starts = {times[0]: xT for times in STROKES.values()}
    times = {t for pair in LEARNT for t in pair}
    if missed := sorted(times - set(visited | starts)):
        raise ValueError(f"{steps} strokes pass by t = {missed}: give a number of them (20, 40) that stops there.")
    return Walks({t: (visited | starts)[t] for t in times}, cond)


def pair(xt, xs, alpha_bar_t, alpha_bar_s):
    """The (x_0, ε) of which x_t and x_s are both made: where DDIM's stroke from x_t must aim to end in x_s.

        x_0 = (x_s − q x_t) / (√ᾱ_s − q √ᾱ_t),     q = √(1−ᾱ_s) / √(1−ᾱ_t)

    With s = 0 this is x_s itself.
    """
    (signal_t, noise_t), (signal_s, noise_s) = levels(alpha_bar_t, xt), levels(alpha_bar_s, xs)
    q = noise_s / noise_t
    x0 = (xs - q * xt) / (signal_s - q * signal_t)
    return x0, eps_from_x0(xt, alpha_bar_t, x0)


def distill(student, walks, **recipe):
    """Train `student` in place to take the strokes of `LEARNT` as `walks` did: the records of `training.train`.

    `recipe` is the rest of what `train` takes: steps, batch, lr, rng, resume. The loss is that of v.
    """
    schedule, draw = student.schedule, partial(lessons, path=walks.path)
    return train(student, schedule, walks.path[0], walks.cond, weight=1 / schedule.alpha_bar, draw=draw, **recipe)


def lessons(x0, cond, schedule, batch, rng, *, path):
    """A batch (x_0, t, ε, cond) for `train`: random walks, dealt out evenly among the strokes of `LEARNT`."""
    rows = torch.randint(len(x0), (batch,), generator=rng)
    dealt = list(zip(LEARNT, rows.tensor_split(len(LEARNT)), strict=True))
    t, s = (torch.cat([torch.full_like(part, stroke[end]) for stroke, part in dealt]) for end in (0, 1))
    xt, xs = (torch.cat([path[stroke[end]][part] for stroke, part in dealt]).to(x0) for end in (0, 1))
    x0, eps = pair(xt, xs, schedule.at(t), schedule.at(s))
    return x0, t, eps, None if cond is None else cond[rows]
