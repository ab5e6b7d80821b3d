"""How the steps of a training are computed: chosen by the data's kind and by what the hardware has.

Measured on two cores: at the spiral's size one thread takes up to three times as many steps a second as two; for
pictures channels last and bfloat16 together give nearly twice as many as float32.
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
    """Points: one thread, float32, for handing work to a second thread takes longer than the work.

    Pictures: all threads, channels last, and bfloat16 where the hardware multiplies it.
    """
    if x0.ndim != 4:
        return Machine(x0.device, 1, torch.float32, torch.preserve_format)
    dtype = torch.bfloat16 if _has_bfloat16(x0.device) else torch.float32
    return Machine(x0.device, torch.get_num_threads(), dtype, torch.channels_last)


def _has_bfloat16(device):
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    asks_cpu = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # torch has no public name for it before 2.10
    return device.type == "cpu" and asks_cpu is not None and asks_cpu()
