"""Seconds a sample: what a batch, half precision, the memory's layout and compilation give on this machine.

`seconds` times one evaluation of a network; a sample takes as many of them as its sampler asks for. The table of
`benchmarks/speed.py`, which lesson 6 makes anew wherever it runs.
"""

import copy
import time
from typing import Any

import torch
from torch import Tensor

ROUNDS = 3  # the best of them counts: other programs only ever make it slower
AT_LEAST = 0.05  # seconds a round


def seconds(
    model: Any, shape: tuple[int, ...], batch: int, dtype: torch.dtype = torch.float32,
    layout: torch.memory_format = torch.contiguous_format,
) -> float:  # fmt: skip
    """Seconds that one evaluation takes a sample, in batches of `batch` samples of `shape`, on the model's device."""
    device = next(model.parameters()).device
    xt = torch.zeros(batch, *shape, device=device)
    xt = xt.to(memory_format=layout) if xt.ndim == 4 else xt
    model = copy.deepcopy(model).to(memory_format=layout) if layout == torch.channels_last else model
    with torch.inference_mode(), torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
        once = _timed(model, xt, 1)  # the first is slower: it prepares the kernels
        once = min(once, _timed(model, xt, 1))
        calls = max(1, int(AT_LEAST / once))
        return min(_timed(model, xt, calls) for _ in range(ROUNDS)) / calls / batch


def compiled(model: Any) -> tuple[Any, float | str]:
    """(a compiled copy of the network, seconds until its first answer), or (None, why not).

    torch.compile writes C++ for a CPU and Triton for a GPU, so it needs a compiler, which not every machine has.
    """
    shape = (2, model.config["dim"]) if "dim" in model.config else (2, model.config["channels"], 16, 16)
    fast, xt = copy.copy(model), torch.zeros(shape, device=next(model.parameters()).device)
    fast.answer = torch.compile(model.answer)
    try:
        with torch.inference_mode():
            return fast, _timed(fast, xt, 1)
    except Exception as error:  # whatever a compiler that is missing, too old or broken makes of it
        return None, f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"


def _timed(model: Any, xt: Tensor, calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        answer = model(xt, 500)
    answer.sum().item()  # waits for a GPU
    return time.perf_counter() - started
