"""How the steps of a training are computed: chosen by the data's kind and by what the hardware has.

`benchmarks/machine.py` measures whether the choice is right. On two idle cores (AMD Zen 4): the spiral's network takes
1,050 steps a second with one thread and 1,120 with two, but on busy cores two are the slower, by far; the U-Net takes
520 pictures a second in float32, 790 in bfloat16, and channels last wins nothing (700).
"""

from contextlib import contextmanager
from typing import NamedTuple

import torch


class Machine(NamedTuple):
    """How the steps are computed: threads on the CPU, number format, memory layout."""

    device: torch.device
    threads: int
    dtype: torch.dtype
    layout: torch.memory_format

    def __str__(self):
        threads = f", {self.threads} thread{'s' * (self.threads > 1)}" if self.device.type == "cpu" else ""
        return f"{self.device}{threads}, {str(self.dtype).removeprefix('torch.')}"

    @contextmanager
    def at_work(self):
        """Use `threads` threads, and give the caller's number back: also between two steps and after an error."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def precision(self):
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)


def choose_machine(x0):
    """Points: one thread and float32; so small a step is mostly waiting for the other thread.

    Pictures: all threads, bfloat16 where the hardware multiplies it, and channels last on a GPU, whose matrix units
    read pictures in that order.
    """
    if x0.ndim != 4:
        return Machine(x0.device, 1, torch.float32, torch.preserve_format)
    dtype = torch.bfloat16 if _has_bfloat16(x0.device) else torch.float32
    layout = torch.channels_last if x0.device.type == "cuda" else torch.contiguous_format
    return Machine(x0.device, torch.get_num_threads(), dtype, layout)


def _has_bfloat16(device):
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    asks_cpu = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # torch has no public name for it before 2.10
    return device.type == "cpu" and asks_cpu is not None and asks_cpu()
