"""Drawing samples from a network in batches, by name of the sampler and number of network evaluations."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch

from .. import distill
from ..base.refusals import one_of, whole
from ..base.words import codes_for
from ..beyond.low_rank import add_low_rank
from ..guidance import for_all, guided
from ..machine.hardware import choose_machine
from ..training import drop_conditions
from .choices import SAMPLERS

BATCH = 250  # samples drawn together


class Counted:
    """A denoiser that counts its evaluations."""

    def __init__(self, model: Callable) -> None:
        self.model, self.count = model, 0

    def __call__(self, xt: Any, t: Any) -> Any:
        self.count += 1
        return self.model(xt, t)


def pure_noise(n: int, shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    """x_T: n samples of N(0, I), the same for the same seed."""
    return torch.randn(whole(n, "n, the number of samples,"), *shape, generator=torch.Generator().manual_seed(seed))


def paths(
    model: Any, xT: torch.Tensor, sampler: str = "ddim", nfe: int = 50, *, cond: Any = None, guidance: float = 1.0,
    clip: float | None = None, rng: torch.Generator | None = None, batch: int = BATCH,
) -> Iterator[tuple[torch.Tensor, list[torch.Tensor]]]:  # fmt: skip
    """For each batch of x_T (n, …): (x_0, the path that led there). Everything comes back to the CPU, in float32.

    `cond` has one row for all or one a sample, or is (n,) for a single attribute; `guidance` above 1 exaggerates what
    it says; `clip` is the sampler's. Arguments are tested before the first network evaluation.
    """
    like, how = next(iter(model.parameters())), SAMPLERS[one_of(sampler, SAMPLERS, "sampler")]
    times = how.times(model.schedule, nfe)
    if cond is not None:
        cond = for_all(codes_for(model, torch.as_tensor(cond)), len(xT))
    elif guidance != 1:
        raise ValueError(f"guidance is {guidance!r}, but there is no cond that it could exaggerate: give one.")
    for rows in torch.arange(len(xT)).split(whole(batch, "batch")):
        denoiser = model if cond is None else guided(model, cond[rows].to(like.device), guidance)
        there = xT[rows].to(like.device)
        steps = how.run(denoiser, model.schedule, there, times, clip=clip, rng=rng)
        path = [x.float().cpu() for x in choose_machine(there).steps(steps)]  # anew: other work comes and goes
        yield path[-1], path


def starts(entry: Any, n: int, seed: int, rng: torch.Generator) -> tuple[torch.Tensor, Any]:
    """Pure noise x_T for n trajectories that teach a student, and conditions as the training has them."""
    xT, (x0, cond, draw) = torch.randn(n, *entry.shape, generator=rng), entry.load("train", seed)
    if cond is None:
        return xT, None
    x0, cond = torch.as_tensor(x0), torch.as_tensor(cond)
    if draw:
        return xT, draw(x0, cond, entry.schedule(), n, rng)[-1]
    return xT, drop_conditions(cond[torch.randint(len(cond), (n,), generator=rng)], rng)


def trajectories(
    teacher: Any, student: Any, xT: torch.Tensor, cond: Any = None, bar: Callable = iter
) -> distill.Trajectories:
    """What the teacher shows a student (`recipes.Student`) from x_T (n, …), in batches, on the teacher's device."""
    device, parts = next(teacher.parameters()).device, []
    machine = choose_machine(xT.to(device))
    for rows in bar(torch.arange(len(xT)).split(BATCH)):
        said = None if cond is None else cond[rows].to(device)
        with machine.at_work(), machine.precision():
            there = xT[rows].to(device)
            kept = {"scale": student.guidance, "clip": student.clip, "ways": student.ways}
            parts.append(distill.trajectories(teacher, there, said, student.teacher_steps, **kept))
    path = {t: torch.cat([part.path[t] for part in parts]) for t in parts[0].path}
    return distill.Trajectories(path, cond)


def pupil(teacher: Any, student: Any, shipping: str | None, seed: int) -> Any:
    """The network that is to learn, before it has: a copy of its teacher, which it leaves as far as its `rank` allows.

    `shipping` is the name under which the teacher ships, if it does.
    """
    begun = copy.deepcopy(teacher)
    torch.manual_seed(seed)  # of the differences
    return add_low_rank(begun, student.rank, shipping) if student.rank else begun
