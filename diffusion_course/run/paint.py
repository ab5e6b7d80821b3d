"""Pictures from words: `paint("blue cat")`, and the same as they appear, a sampling step at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import torch

from ..base.arrays import Array
from ..base.files import shipped
from ..base.refusals import number, one_of, whole
from ..beyond.emoji import vocabulary
from ..distill import STEPS as TAUGHT
from ..guidance import guided
from ..machine.hardware import choose_machine
from ..models import given
from ..samplers import ddim, dpm_solver
from . import checkpoints
from .recipes import EMOJI, STUDENT

SCALE, STEPS = EMOJI.guidance, EMOJI.steps
STUDENT_STEPS = 4
NETWORKS = ("emoji", "emoji" + STUDENT)

pretrained = cache(checkpoints.pretrained)  # a network by its name, loaded once


def paint(prompt: str, n: int = 8, scale: float = SCALE, steps: int = STEPS, seed: int = 0, style: str | None = None,
          network: str | torch.nn.Module = "emoji") -> np.ndarray:  # fmt: skip
    """n pictures (n, 3, 32, 32) in [−1, 1] of what the prompt says, such as "blue cat" or "red heart, noto".

    `scale` is the guidance scale: 1 follows the words as the network learned them, more exaggerates them. `style` is
    one of `emoji().styles`. Equal seeds give equal pictures. `network` is one of your own, or the name of one that
    ships: "emoji-student" takes four evaluations, with guidance built in, whatever `scale` and `steps` say. Raises
    ValueError for words that no picture has.
    """
    *_, pictures = painting(prompt, n, scale, steps, seed, style, network)
    return pictures


def painting(prompt: str, n: int = 8, scale: float = SCALE, steps: int = STEPS, seed: int = 0,
             style: str | None = None, network: str | torch.nn.Module = "emoji") -> Iterator[np.ndarray]:  # fmt: skip
    """What `paint` returns, as it appears: after each sampling step the network's guess x̂_0, (n, 3, 32, 32).

    There are `steps` items (4 from the student); the last is the finished picture. Errors are raised by the call, not
    by the first item.
    """
    if not isinstance(prompt, str):
        raise ValueError(f'prompt is {prompt!r}; it must be text, such as "blue cat"; "" asks for nothing.')
    n, seed = whole(n, "n, the number of pictures,"), whole(seed, "seed", 0, 2**63 - 1)
    number(scale, "scale (0 ignores the words, 3 follows them)", 0)
    if style is not None:
        one_of(style, styles(), "style")
    if hasattr(network, "parameters"):
        model: Any = network
    else:
        model = pretrained(one_of(network, NETWORKS, "network, if it is none of your own,"))
    row = torch.from_numpy(vocabulary().ids(prompt, also=[style] if style else ()))
    noise = torch.randn(n, *EMOJI.shape, generator=torch.Generator().manual_seed(seed))
    how = (None, STUDENT_STEPS) if network == "emoji" + STUDENT else (scale, steps)
    return guesses(model, row[None], noise, *how)


@cache
def styles() -> list[str]:
    """The names of the sets that drew the pictures."""
    with np.load(shipped("emoji.npz")) as file:  # `files.load` would read the pictures, too
        return file["styles"].tolist()


def guesses(model: Any, cond: Array, noise: torch.Tensor, scale: float | None, steps: int) -> Iterator[np.ndarray]:
    """The guess x̂_0 (n, 3, 32, 32) after each sampling step that leads `noise` to pictures of `cond` (n or 1, L).

    A student has its guidance built in and takes the steps that it was taught: `scale` is None.
    """
    device, seen = next(model.parameters()).device, []
    noise, cond = noise.to(device), torch.as_tensor(cond, device=device)
    clip = partial(_remembered, seen, scale is None)
    if scale is None:  # its guesses aim where the teacher's path goes, which may lie outside [−1, 1]
        path = ddim(given(model, cond), model.schedule, noise, TAUGHT[steps], clip=clip)
    else:
        path = dpm_solver(guided(model, cond, scale), model.schedule, noise, steps, clip=clip)
    next(path)  # pure noise
    return (seen.pop().cpu().numpy() for _ in choose_machine(noise).steps(path))


def _remembered(seen: list, free: bool, x0_hat: torch.Tensor) -> torch.Tensor:
    """x̂_0, unless it is `free` within what a screen shows; `seen` gets what is shown."""
    seen.append(x0_hat.clamp(-1, 1))
    return x0_hat if free else seen[-1]
