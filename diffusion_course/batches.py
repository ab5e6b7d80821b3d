"""Batches: which samples, times and noise a training step sees, from an array in memory or read from a Dataset.

An array is drawn from with replacement. A `torch.utils.data.Dataset` is read in an order that is drawn anew for each
epoch, so that each example comes once in it, whatever the number of processes: each reads only its share of a batch.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from .data import NOT_SAID
from .files import listed, picture, pictures
from .forward import randn_like

READERS = 2 if sys.platform == "linux" else 0  # processes that read ahead; elsewhere starting one costs seconds


def draw_batch(x0: Tensor, cond: Tensor | None, schedule: Any, batch: int, rng: torch.Generator) -> tuple:
    """A batch (x_0, t, ε, cond): random samples, times spread over 1 … T, fresh noise, conditions hidden in part."""
    rows = torch.randint(len(x0), (batch,), generator=rng, device=rng.device)
    return _noised(x0[rows], None if cond is None else cond[rows], schedule, rng)


def draw_streamed(read: Iterator, x0: Any, cond: Any, schedule: Any, batch: int, rng: torch.Generator) -> tuple:
    """The same of the samples that `read`, from `stream`, brings next."""
    clean, cond = next(read)
    return _noised(clean, cond, schedule, rng)


def _noised(clean: Tensor, cond: Tensor | None, schedule: Any, rng: torch.Generator) -> tuple:
    t = spread_times(len(clean), schedule.T, rng)
    return clean, t, randn_like(clean, rng), None if cond is None else hide(cond, rng)


def spread_times(n: int, T: int, rng: torch.Generator) -> Tensor:
    """n times in 1 … T, each uniform, together evenly spread: t_i = 1 + ⌊T · frac(u + i/n)⌋ with one random u.

    A batch of independent times now and then lacks a whole region; an evenly spread one never does.
    """
    u = torch.rand((), generator=rng, device=rng.device)
    places = (u + torch.arange(n, device=rng.device) / n) % 1
    return 1 + (places * T).long().clamp_(max=T - 1)


def hide(cond: Tensor, rng: torch.Generator) -> Tensor:
    """`cond` (B, k) with a random part of each row replaced by −1, "not said".

    The share u² to hide (u uniform) is drawn anew for each row: some rows stay whole, some say little, some nothing.
    """
    share = torch.rand(len(cond), 1, generator=rng, device=rng.device) ** 2
    hidden = torch.rand(cond.shape, generator=rng, device=rng.device) < share
    return cond.masked_fill(hidden.to(cond.device), NOT_SAID)


# ---- read from a Dataset -------------------------------------------------------------------------


class Album(Dataset):
    """Your own folder of pictures as `files.folder` gives them, but each read only when it is asked for."""

    def __init__(self, folder: str | Path, size: int) -> None:
        self.paths, self.size = listed(folder, size), size

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> Tensor:
        return torch.from_numpy(pictures(picture(self.paths[row], self.size)[None])[0])


class Order(Sampler):
    """The rows of every batch from training step `start` on, and of those one process's: numbers rank, rank + ranks, …

    All batches one after the other are the epochs one after the other, each all n rows in an order of its own.
    """

    def __init__(self, n: int, batch: int, start: int, seed: int, rank: int, ranks: int) -> None:
        self.n, self.batch, self.start, self.rank, self.ranks = n, batch, start, rank, ranks
        self.epoch = lru_cache(2)(lambda k: torch.randperm(n, generator=torch.Generator().manual_seed(seed + k)))

    def __iter__(self) -> Iterator[list[int]]:
        for step in itertools.count(self.start):
            places = range(step * self.batch + self.rank, (step + 1) * self.batch, self.ranks)
            yield [int(self.epoch(place // self.n)[place % self.n]) for place in places]


def first_of(dataset: Dataset, cond: Any, draw: Any) -> tuple[Any, Any]:
    """The first sample of a dataset and its codes or None, each as a batch of one; the others are taken to be alike."""
    if cond is not None or draw is not None:
        raise ValueError("a Dataset brings its own conditions and order: give no cond and no draw beside it.")
    if len(dataset) == 0:  # type: ignore[arg-type]
        raise ValueError("the Dataset is empty: it must have at least one sample.")
    item = dataset[0]
    x0, codes = item if isinstance(item, (list, tuple)) else (item, None)
    return torch.as_tensor(x0)[None], None if codes is None else torch.as_tensor(codes)[None]


def stream(dataset: Dataset, order: Order, like: Tensor) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Batches (x_0, cond) on the device of `like`, a sample each; what other processes read is left 0 here.

    An item of the dataset is x_0, or (x_0, codes). Raises ValueError with the reason if one cannot be read.
    """
    loader = DataLoader(dataset, batch_sampler=order, num_workers=READERS, pin_memory=like.device.type == "cuda")

    def whole(own: Tensor) -> Tensor:
        own = own.to(like.device, non_blocking=True)
        batch = own.new_zeros(order.batch, *own.shape[1:])
        batch[order.rank :: order.ranks] = own
        return batch

    try:
        for items in loader:
            clean, cond = items if isinstance(items, (list, tuple)) else (items, None)
            yield whole(clean.to(like.dtype)), None if cond is None else whole(cond.long().reshape(len(cond), -1))
    except ValueError as error:  # of a reader, which sends its whole traceback
        raise ValueError(str(error).strip().splitlines()[-1].removeprefix("ValueError: ")) from error
