"""How steps are computed, of a training or of a sampler: chosen by the data's kind and by what the hardware has.

`benchmarks/machine.py` measures whether the choice is right. On two idle cores (AMD Zen 4): the spiral's network takes
1,050 steps a second with one thread and 1,120 with two, but on busy cores two are the slower, by far; the U-Net takes
520 pictures a second in float32, 790 in bfloat16, and channels last wins nothing (700).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from .threads import adapt, allowed, quickest

PLAIN_STEPS = 3  # before a step is captured: they find the quickest kernels and make the optimiser's state


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


class Captured:
    """`step()` recorded once as a CUDA graph and played back: the same kernels on the same memory, started as one.

    A step of small kernels otherwise waits for Python to start each of them. What changes from call to call must lie
    in tensors on the device, and chance come from `rng`. The first calls run `step` as it is. If recording fails, all
    calls do, and a warning says why. The tensor that comes back is a copy.
    """

    def __init__(self, step: Callable[[], Tensor], device: torch.device, rng: torch.Generator | None = None) -> None:
        self.step, self.device, self.rng, self.calls = step, device, rng, 0
        self.stream = torch.cuda.Stream(device)
        self.graph: torch.cuda.CUDAGraph | None = torch.cuda.CUDAGraph()

    def __call__(self) -> Tensor:
        self.calls += 1
        with torch.cuda.device(self.device):
            if self.calls <= PLAIN_STEPS:
                return self._beside(self.step)
            if self.calls == PLAIN_STEPS + 1:
                self._record()
            if self.graph is None:
                return self.step()
            self.graph.replay()
            return self.result.clone()

    def _beside(self, step: Callable[[], Tensor]) -> Tensor:
        """Run on the stream on which the recording will be made, in turn with the caller's."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            result = step()
        torch.cuda.current_stream().wait_stream(self.stream)
        return result

    def _record(self) -> None:
        assert self.graph is not None
        try:
            if self.rng is not None:
                self.graph.register_generator_state(self.rng)
            with torch.cuda.graph(self.graph, stream=self.stream, capture_error_mode="thread_local"):
                self.result = self.step()
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[0]
            warnings.warn(f"Steps start kernel by kernel, because they cannot be captured: {reason}", stacklevel=2)
            self.graph = None
