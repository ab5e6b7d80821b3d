"""How steps are computed, of a training or of a sampler: chosen by the data's kind and by what the hardware has.

`benchmarks/machine.py` measures whether the choice is right. On two idle cores (AMD Zen 4): the spiral's network takes
1,050 steps a second with one thread and 1,120 with two, but on busy cores two are the slower, by far; the U-Net takes
520 pictures a second in float32, 790 in bfloat16, and channels last wins nothing (700).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from .threads import adapt, allowed, quickest


class Machine(NamedTuple):
    """How steps are computed: threads on the CPU, number format, memory layout; up to `most` threads may be tried."""

    device: torch.device
    threads: int
    dtype: torch.dtype
    layout: torch.memory_format
    most: int = 1

    def __str__(self) -> str:
        threads = f", {self.threads} thread{'s' * (self.threads > 1)}" if self.device.type == "cpu" else ""
        return f"{self.device}{threads}, {str(self.dtype).removeprefix('torch.')}"

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Use `threads` threads, and give the caller's number back: also between two steps and after an error."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def precision(self) -> AbstractContextManager:
        """Where a network runs: its products in half precision, if that is `dtype`, its weights as they are."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype.itemsize == 2)

    def steps(self, path: Iterator) -> Iterator:
        """What a sampler yields, computed in this way and without gradients; between two items nothing is changed."""
        while True:
            with self.at_work(), self.precision(), torch.no_grad():  # not around the yield: the caller has own modes
                if (x := next(path, None)) is None:
                    return
            yield x

    def scaler(self) -> torch.amp.GradScaler:
        """Makes the gradients of float16 large enough not to vanish; does nothing in the other formats."""
        return torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)


def choose_device() -> str:
    """Where networks run here: "cuda" if there is a GPU, else "cpu". The CPU's threads adapt (`threads.adapt`)."""
    adapt()
    return "cuda" if torch.cuda.is_available() else "cpu"


def choose_machine(x0: Tensor) -> Machine:
    """Points: one thread and float32; so small a step is mostly waiting for the other thread.

    Pictures: as many threads as are quickest now, bfloat16 where the hardware multiplies it, float16 on GPUs that
    multiply only that, and channels last on a GPU, whose matrix units read pictures in that order. Float64 stays
    float64.
    """
    dtype = torch.float64 if x0.dtype == torch.float64 else torch.float32
    if x0.ndim != 4:
        return Machine(x0.device, 1, dtype, torch.preserve_format)
    if dtype == torch.float32:
        dtype = _quick_format(x0.device)
    if x0.device.type == "cuda":
        return Machine(x0.device, 1, dtype, torch.channels_last)
    return Machine(x0.device, quickest(), dtype, torch.contiguous_format, allowed())


def _quick_format(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.bfloat16
        return torch.float16 if torch.cuda.get_device_capability(device) >= (7, 0) else torch.float32
    asks_cpu = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # torch has no public name for it before 2.10
    return torch.bfloat16 if device.type == "cpu" and asks_cpu is not None and asks_cpu() else torch.float32


@contextmanager
def advice_on_memory(batch: int) -> Iterator[None]:
    """Around a training step: where memory does not hold its batch, the error says which batch to try."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise torch.OutOfMemoryError(
            f"the GPU's memory does not hold a batch of {batch}: try batch = {max(1, batch // 2)}."
        ) from error
