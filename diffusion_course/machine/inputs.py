"""What a training is given: checked and brought to the device, or read from a `torch.utils.data.Dataset` meanwhile.

A Dataset is read in an order that is drawn anew for each epoch, so that each example comes once in it, whatever the
number of processes: each reads only its share of a batch.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from ..base.arrays import brief
from ..base.refusals import refuse_other_samples, schedule_of, tensor_of, whole_numbers

LARGEST = 20.0  # |x_0| above this is a mistake: pictures lie in [−1, 1], other data have standard deviation 1
SCALED = "give pictures as floats in [−1, 1] (0 … 255: x / 127.5 − 1), other data with standard deviation 1"
READERS = 2 if sys.platform == "linux" else 0  # processes that read ahead; elsewhere starting one costs seconds


def first_weight(bare: nn.Module) -> Tensor:
    """A weight of the network. Raises ValueError for what cannot be trained."""
    schedule_of(bare)
    if not isinstance(bare, nn.Module):
        raise ValueError(f"a {type(bare).__name__} has no weights to train: give a torch.nn.Module.")
    like = next((weight for weight in bare.parameters() if weight.requires_grad), None)
    if like is None:
        raise ValueError(f"this {type(bare).__name__} has no weights to train: give it a layer, or unfreeze one.")
    if like.dtype.itemsize < 4:
        raise ValueError(f"weights of {like.dtype} are too coarse for small steps: give model.float().")
    return like


def samples(x0: Any, like: Tensor, bare: nn.Module) -> Tensor:
    """x0 as the weights are: on their device, in their number format. Refused where it is no data for a network."""
    x0 = tensor_of(x0, "x0")
    if x0.ndim < 2 or len(x0) == 0 or not x0.isfinite().all():
        raise ValueError(f"x0 must be finite numbers of shape (n, …) with n ≥ 1, not of shape {tuple(x0.shape)}.")
    if not x0.is_floating_point() or x0.abs().max() > LARGEST:
        raise ValueError(f"x0 holds {x0.dtype} from {x0.min().item():g} to {x0.max().item():g}: {SCALED}.")
    refuse_other_samples(x0, getattr(bare, "shape", None), "x0")
    return x0.to(like.dtype).to(like.device)


def conditions(cond: Any, n: int, bare: Any, device: torch.device) -> Tensor:
    """`cond` as codes (n, k) on the device."""
    cond = tensor_of(cond, "cond")
    if cond.ndim == 0 or len(cond) != n:
        raise ValueError(f"{len(cond) if cond.ndim else 'no'} conditions for {n} samples: give one a sample.")
    if hasattr(bare, "check_cond"):
        return bare.check_cond(cond, n)
    if not whole_numbers(cond):
        raise ValueError(f"cond must hold whole numbers, one code an attribute, not {cond.dtype}.")
    return cond.to(device).long().reshape(n, -1)


def weights_of_t(weight: Any, bare: nn.Module, like: Tensor) -> Any:
    """None, "v", or one number for each t on the device."""
    T: int = bare.schedule.T  # type: ignore[assignment]
    if weight is None or (isinstance(weight, str) and weight == "v" and hasattr(bare, "x0_hat")):
        return weight
    if isinstance(weight, str):
        raise ValueError(f'weight must be None, T+1 numbers or, for a Denoiser, "v"; not {weight!r}.')
    weight = tensor_of(weight, "weight").float()
    if weight.shape != (T + 1,) or not weight.isfinite().all() or (weight < 0).any():
        span = f" and goes from {weight.min().item():g} to {weight.max().item():g}" if weight.numel() else ""
        raise ValueError(
            f"weight must have one finite number, at least 0, for each t = 0 … {T}; it has shape {tuple(weight.shape)}"
            f'{span}. (For 1/ᾱ_t say weight="v", which is good at ᾱ_t = 0 too.)'
        )
    return weight.to(like.device)


# ---- read from a Dataset -------------------------------------------------------------------------


class Order(Sampler):
    """The rows of every batch from training step `start` on, and of those one process's: numbers rank, rank + ranks, …

    All batches one after the other are the epochs one after the other, each all n rows in an order of its own.
    """

    def __init__(self, n: int, batch: int, start: int, seed: int, rank: int, ranks: int) -> None:
        self.n, self.batch, self.start, self.rank, self.ranks = n, batch, start, rank, ranks

        @lru_cache(2)
        def epoch(k: int) -> Tensor:
            mixed = np.random.SeedSequence([seed % 2**64, k]).generate_state(1, np.uint64)  # near seeds share no epoch
            return torch.randperm(n, generator=torch.Generator().manual_seed(int(mixed[0] >> 1)))

        self.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        for step in itertools.count(self.start):
            places = range(step * self.batch + self.rank, (step + 1) * self.batch, self.ranks)
            yield [int(self.epoch(place // self.n)[place % self.n]) for place in places]


def first_of(dataset: Dataset, cond: Any, draw: Any) -> tuple[Any, Any]:
    """The first sample of a dataset and its codes or None, each as a batch of one; the others `stream` tests."""
    if cond is not None or draw is not None:
        raise ValueError("a Dataset brings its own conditions and order: give no cond and no draw beside it.")
    if not getattr(dataset, "__len__", lambda: 0)():
        raise ValueError("the Dataset is empty, or knows no length: it must have samples, each with a number.")
    x0, codes = parts(dataset[0])
    first = tensor_of(x0, "an item of the Dataset")[None]
    return first, None if codes is None else tensor_of(codes, "codes of the Dataset")[None]


def parts(item: Any) -> tuple[Any, Any]:
    """(x_0, codes or None) of an item of a Dataset, or of a batch of them: x_0, (x_0,) or (x_0, codes)."""
    found = tuple(item) if isinstance(item, (list, tuple)) else (item,)
    if not 1 <= len(found) <= 2 or any(part is None for part in found):
        raise ValueError(f"an item of the Dataset must be x_0, (x_0,) or (x_0, codes), not {brief(item)}.")
    return found if len(found) == 2 else (*found, None)


def stream(dataset: Dataset, order: Order, like: Tensor, bare: nn.Module) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Batches (x_0, cond) on the device of `like`, a sample each; what other processes read is left 0 here.

    Raises ValueError with the reason if an item (see `parts`) cannot be read, or does not fit the network: that is
    looked at here, before a batch is sent to the device.
    """
    loader = DataLoader(dataset, batch_sampler=order, num_workers=READERS, pin_memory=like.device.type == "cuda")

    def whole(own: Tensor) -> Tensor:
        own = own.to(like.device, non_blocking=True)
        batch = own.new_zeros(order.batch, *own.shape[1:])
        batch[order.rank :: order.ranks] = own
        return batch

    try:
        for number, items in enumerate(loader):
            clean, cond = parts(items)
            if not (fit := clean.flatten(1).abs().amax(1) <= LARGEST).all():  # NaN is not
                row = next(itertools.islice(order, number, None))[int(fit.int().argmin())]
                raise ValueError(f"sample {row} of the Dataset holds NaN or numbers above {LARGEST:g}: {SCALED}.")
            cond = None if cond is None else whole(conditions(cond, len(clean), bare, cond.device))
            yield whole(clean.to(like.dtype)), cond
    except (ValueError, RuntimeError) as error:  # of a reader, which sends its whole traceback
        if isinstance(error, RuntimeError) and "equal size" not in str(error):  # samples of several shapes
            raise
        raise ValueError(str(error).strip().splitlines()[-1].removeprefix("ValueError: ")) from error
