"""The data of the experiments, ready for `training.train`: a loader each, and what a prompt becomes for its network.

Importing this file loads no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import data
from ..beyond.emoji import emoji as drawings


class Samples(NamedTuple):
    """x0 (n, …), or a torch Dataset of them; where the network is conditional, codes: cond (n, k).

    `draw` makes the batches of a training from them, where that is not `training.draw_batch`.
    """

    x0: Any
    cond: np.ndarray | None = None
    draw: Callable | None = None


def spiral(split: str, seed: int) -> Samples:
    """2,048 points; another seed, other points."""
    # other chance for each: a training has 0 … 999, and what lies above 2³³; the test and the judge what lies between
    start = 1000 if split == "test" else 2**33 if seed >= 1000 else 0
    return Samples(data.spiral(2048, np.random.default_rng(start + seed)))


def faces(split: str, seed: int) -> Samples:
    """The portraits and their seven codes."""
    faces = data.faces(split)
    return Samples(faces.x0, faces.codes)


def fashion(split: str, seed: int) -> Samples:
    """The clothes and their class."""
    fashion = data.fashion(split)
    return Samples(fashion.x0, fashion.labels[:, None])


def emoji(split: str, seed: int, common: bool = False) -> Samples:
    """The drawings and the words that name them, in training drawn with captions; `common` things more often."""
    if split == "test":
        held_out = drawings("names")
        return Samples(held_out.x0, held_out.words)
    from . import captions

    x0, words, order = captions.training_set(common=common)
    return Samples(x0, words, partial(captions.draw_captions, order=order))


def folder(folder: str | Path, size: int, split: str = "train", seed: int = 0, stream: bool = False) -> Samples:
    """The pictures of a folder, cut to squares of `size` pixels; with `stream` as a Dataset that reads them later."""
    if stream:
        from .album import Album

        return Samples(Album(folder, size))
    return Samples(data.folder(folder, size))


def fashion_codes(prompt: str) -> np.ndarray:
    """The class that a prompt names, as a row of codes. Raises ValueError for any other word."""
    names = data.fashion("test").names
    labels = {name.lower(): label for label, name in enumerate(names)}
    if (asked := str(prompt).strip().lower()) not in labels:
        raise ValueError(f"Fashion knows no {prompt!r}; it knows {', '.join(names)}.")
    return np.array([labels[asked]])
