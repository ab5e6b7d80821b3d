"""What stands for a CUDA graph on a CPU: operations on tensors, written down and played back on the same memory.

As on a GPU, what is written down is not done: weights, moments and chance are afterwards what they were. A value that
Python decides anew in every step is played back as it was. Reading a value is refused while the graph is recorded, and
only warned of when `torch.cuda.set_sync_debug_mode("warn")` is on.
"""

import warnings
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from diffusion_course import forward, predictor, training
from diffusion_course.base import refusals, words
from diffusion_course.beyond import text
from diffusion_course.machine import capture

READS = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)


class Graph(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.played, self.before, self.chances, self.replays, self.recording = [], {}, [], 0, False

    def register_generator_state(self, rng):
        self.chances.append((rng, rng.get_state()))

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        if operation in READS:
            raise RuntimeError("operation not permitted when stream is capturing\nand more lines")
        kwargs = kwargs or {}
        for tensor in written(operation, args, kwargs):
            self.before.setdefault(tensor.data_ptr(), (tensor, tensor.clone()))
        found = operation(*args, **kwargs)
        self.played.append((operation, args, kwargs, found))
        return found

    @torch.no_grad()
    def undo(self):
        for tensor, before in self.before.values():
            tensor.copy_(before)
        for rng, state in self.chances:
            rng.set_state(state)

    @torch.no_grad()
    def replay(self):
        self.replays += 1
        for operation, args, kwargs, found in self.played:
            again = operation(*args, **kwargs)
            pairs = zip(found, again, strict=True) if isinstance(found, (list, tuple)) else [(found, again)]
            for kept, new in pairs:
                if isinstance(kept, torch.Tensor) and kept.data_ptr() != new.data_ptr():
                    kept.copy_(new)


def written(operation, args, kwargs):
    """The tensors that an operation changes in place."""
    for i, argument in enumerate(operation._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = args[i] if i < len(args) else kwargs.get(argument.name)
            yield from (value if isinstance(value, (list, tuple)) else [] if value is None else [value])


class Chance(torch.Generator):
    """A CPU's generator that is put back as a GPU's is."""

    __module__ = torch.Generator.__module__  # by which `randn_like` knows it

    def graphsafe_set_state(self, other):
        self.set_state(other.get_state())


class Watch(TorchDispatchMode):
    """Warns of reading as torch does on a GPU."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        if operation in READS:
            warnings.warn("called a synchronizing CUDA operation", stacklevel=2)
        return operation(*args, **(kwargs or {}))


def as_on_a_gpu(monkeypatch):
    """Captured steps run on this CPU; returns the list to which every graph is added when it is made."""
    if torch.cuda.is_available():
        pytest.skip("a GPU is here: the tests on it show the same of real graphs")
    made, watch, stream = [], Watch(), SimpleNamespace(wait_stream=lambda other: None)

    def graph():
        made.append(Graph())
        return made[-1]

    @contextmanager
    def recording(graph, stream, capture_error_mode):
        graph.recording = True
        try:
            with graph:
                yield
        finally:
            graph.recording = False
            graph.undo()

    def sync_debug_mode(mode):
        if mode == "warn":
            watch.__enter__()
        elif mode == 0:
            watch.__exit__(None, None, None)

    doubles = {
        "CUDAGraph": graph, "graph": recording, "Stream": lambda device: stream, "device": nullcontext,
        "stream": nullcontext, "current_stream": lambda: stream, "set_stream": lambda stream: None,
        "get_sync_debug_mode": lambda: 0, "set_sync_debug_mode": sync_debug_mode,
        "is_current_stream_capturing": lambda: any(graph.recording for graph in made),
    }  # fmt: skip
    for name, double in doubles.items():
        monkeypatch.setattr(torch.cuda, name, double)
    for module in (forward, predictor, refusals, text, training, words):
        monkeypatch.setattr(module, "may_read", lambda _: False)
    monkeypatch.setattr(capture, "on_gpu", lambda device: True)
    return made
