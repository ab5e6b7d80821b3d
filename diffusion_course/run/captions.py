"""How batches of emoji are drawn for training: copies in other colours, and never all the words.

A prompt is short, and a picture has up to sixteen words. So of each picture's words only a random share is said, from
none to all; and "blue" is learnt from blue copies of anything, except of what is held out.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..base.files import pictures
from ..base.words import NOT_SAID
from ..beyond.emoji import emoji, recoloured_copies
from ..forward import randn_like
from ..training import spread_times

COPIES = 2  # of each picture that has a main colour
SHARE = 0.3  # of a batch are such copies
OFTEN = 0.75  # of a batch is of common things alone, where these come first


class Order(NamedTuple):
    """How the pictures stand: `originals` of them, then their copies. Of both, those of common things come first."""

    originals: int
    common: int = 0  # of the originals; 0: all things are drawn alike
    common_copies: int = 0


def training_set(split: str = "train", common: bool = False) -> tuple[np.ndarray, np.ndarray, Order]:
    """Pictures (n, 3, 32, 32), their word ids (n, 16), and their order; `common`: to be drawn more often."""
    data = emoji(split)
    copies, words, rows = recoloured_copies(data, COPIES)
    often, often_copies = data.common & common, data.common[rows] & common
    old, new = (np.argsort(~some, kind="stable") for some in (often, often_copies))
    x0 = pictures(np.concatenate([data.images[old], copies[new]]))
    order = Order(len(data.images), int(often.sum()), int(often_copies.sum()))
    return x0, np.concatenate([data.words[old], words[new]]), order


def draw_captions(
    x0: Tensor, cond: Tensor, schedule: Any, batch: int, rng: torch.Generator, *, order: Order
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A batch (x_0, t, ε, cond) for `training.train`: `draw=partial(draw_captions, order=…)`.

    Of each row of `cond` a random share of words is hidden (−1), but never a copy's first word, which is its colour.
    """
    place = rng.device
    copy = torch.rand(batch, generator=rng, device=place) < SHARE
    old = _places(order.originals, order.common, batch, rng)
    new = order.originals + _places(len(x0) - order.originals, order.common_copies, batch, rng)
    rows = torch.where(copy, new, old)
    clean, words = x0[rows], cond[rows]
    said = torch.rand(words.shape, generator=rng, device=place) >= torch.rand(batch, 1, generator=rng, device=place)
    said[:, 0] |= copy
    t = spread_times(batch, schedule.T, rng)
    return clean, t, randn_like(clean, rng), torch.where(said, words, NOT_SAID)


def _places(n: int, common: int, batch: int, rng: torch.Generator) -> Tensor:
    """Random places below n, (batch,); if there are `common` ones, three of four are among these."""
    places = torch.randint(n, (batch,), generator=rng, device=rng.device)
    if not common:
        return places
    first = torch.randint(common, (batch,), generator=rng, device=rng.device)
    return torch.where(torch.rand(batch, generator=rng, device=rng.device) < OFTEN, first, places)
