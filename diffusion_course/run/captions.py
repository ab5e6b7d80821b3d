"""How batches of emoji are drawn for training: copies in other colours, and never all the words.

A prompt is short, and a picture has up to sixteen words. So of each picture's words only a random share is said, from
none to all; and "blue" is learnt from blue copies of anything, except of what is held out.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..beyond.emoji import emoji, recoloured_copies
from ..data import NOT_SAID, pictures
from ..forward import randn_like
from ..training import spread_times

COPIES = 2  # of each picture that has a main colour
SHARE = 0.3  # of a batch are such copies


def training_set(split: str = "train") -> tuple[np.ndarray, np.ndarray, int]:
    """Pictures (n, 3, 32, 32), their word ids (n, 16), and how many of them are originals; these stand first."""
    data = emoji(split)
    copies, words, _ = recoloured_copies(data, COPIES)
    return pictures(np.concatenate([data.images, copies])), np.concatenate([data.words, words]), len(data.images)


def draw_captions(
    x0: Tensor, cond: Tensor, schedule: Any, batch: int, rng: torch.Generator, *, originals: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A batch (x_0, t, ε, cond) for `training.train`: `draw=partial(draw_captions, originals=n)`.

    Of each row of `cond` a random share of words is hidden (−1), but never a copy's first word, which is its colour.
    """
    place = rng.device
    copy = torch.rand(batch, generator=rng, device=place) < SHARE
    rows = torch.where(
        copy,
        torch.randint(originals, len(x0), (batch,), generator=rng, device=place),
        torch.randint(originals, (batch,), generator=rng, device=place),
    )
    clean, words = x0[rows], cond[rows]
    said = torch.rand(words.shape, generator=rng, device=place) >= torch.rand(batch, 1, generator=rng, device=place)
    said[:, 0] |= copy
    t = spread_times(batch, schedule.T, rng)
    return clean, t, randn_like(clean, rng), torch.where(said, words, NOT_SAID)
