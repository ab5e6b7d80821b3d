"""Pictures from words: `paint("blue cat")`, and the same as they appear, a sampling step at a time."""

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import torch

from ..base.arrays import Array
from ..beyond.emoji import vocabulary
from ..distill import STEPS as TAUGHT
from ..guidance import guided
from ..machine.hardware import choose_machine
from ..models import given
from ..samplers import ddim, dpm_solver
from . import checkpoints

SCALE, STEPS = 3.0, 20  # guidance and sampling steps, chosen by benchmarks/emoji.py
QUICK = 4  # sampling steps of the student
SIZE = 32


def paint(prompt: str, n: int = 8, scale: float = SCALE, steps: int = STEPS, seed: int = 0, style: str | None = None,
          model: torch.nn.Module | None = None, quick: bool = False) -> np.ndarray:  # fmt: skip
    """n pictures (n, 3, 32, 32) in [−1, 1] of what the prompt says, such as "blue cat" or "red heart, noto".

    `scale` is the guidance scale: 1 follows the words as the network learned them, more exaggerates them. `style` is
    one of `emoji().styles`. Equal seeds give equal pictures. `quick` lets the student draw: four evaluations, with
    guidance built in, whatever `scale` and `steps` say. Raises ValueError for words that no picture has.
    """
    *_, pictures = painting(prompt, n, scale, steps, seed, style, model, quick)
    return pictures


def painting(prompt: str, n: int = 8, scale: float = SCALE, steps: int = STEPS, seed: int = 0,
             style: str | None = None, model: torch.nn.Module | None = None, quick: bool = False,
             ) -> Iterator[np.ndarray]:  # fmt: skip
    """What `paint` returns, as it appears: after each sampling step the network's guess x̂_0, (n, 3, 32, 32).

    There are `steps` items (4 if `quick`); the last is the finished picture. Errors are raised by the call, not by the
    first item.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n is {n!r}; it is the number of pictures, at least 1.")
    if not np.isfinite(scale):
        raise ValueError(f"scale is {scale}; it must be a finite number: 0 ignores the words, 3 follows them.")
    model = pretrained(quick) if model is None else model
    row = torch.from_numpy(vocabulary().ids(prompt, also=[style] if style else ()))
    noise = torch.randn(n, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))
    return guesses(model, row[None], noise, scale, QUICK if quick else steps, quick)


@cache
def pretrained(quick: bool = False) -> Any:
    """The network that ships, or its student, loaded once."""
    return checkpoints.pretrained("emoji-student" if quick else "emoji")


def guesses(
    model: Any, cond: Array, noise: torch.Tensor, scale: float, steps: int, quick: bool = False
) -> Iterator[np.ndarray]:
    """The guess x̂_0 (n, 3, 32, 32) after each sampling step that leads `noise` to pictures of `cond` (n or 1, L)."""
    device, seen = next(model.parameters()).device, []
    noise, cond = noise.to(device), torch.as_tensor(cond, device=device)
    machine, clip = choose_machine(noise), partial(_remembered, seen, quick)
    if quick:  # its guesses aim where the teacher's path goes, which may lie outside [−1, 1]
        path = ddim(given(model, cond), model.schedule, noise, TAUGHT[steps], clip=clip)
    else:
        path = dpm_solver(guided(model, cond, scale), model.schedule, noise, steps, clip=clip)
    next(path)  # pure noise
    while True:
        with torch.inference_mode(), machine.precision():  # not around the yield: the caller has modes of its own
            if next(path, None) is None:
                return
        yield seen.pop().cpu().numpy()


def _remembered(seen: list, free: bool, x0_hat: torch.Tensor) -> torch.Tensor:
    """x̂_0, unless it is `free` within what a screen shows; `seen` gets what is shown."""
    seen.append(x0_hat.clamp(-1, 1))
    return x0_hat if free else seen[-1]
