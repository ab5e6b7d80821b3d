"""A step recorded once and played back as a CUDA graph: the GPU no longer waits for Python to start each kernel.

A training step of a small network is hundreds of kernels of a few microseconds each. Python takes longer to start one
than the GPU takes to run it. A graph starts them all at once; they do the same work on the same memory as before.

Source: Nguyen et al. 2021, "Accelerating PyTorch with CUDA Graphs" (pytorch.org/blog).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

PLAIN_STEPS = 3  # before a step is recorded: they find the quickest kernels and make the optimiser's state


def on_gpu(device: torch.device) -> bool:
    """Can steps be captured on this device?"""
    return device.type == "cuda"


class Captured:
    """`step()`, recorded on its fourth call and played back from then on. The tensor that comes back is a copy.

    What changes from call to call must lie in tensors on the device, and chance come from `rng`. A step that reads a
    value back, so that the host has to wait for it, is found out on the third call and never recorded. If recording
    fails for another reason, `undo()` takes back what the step did to Python's objects. In both cases a warning of
    one line says why, and the step goes on being run as it is.
    """

    def __init__(
        self, step: Callable[[], Tensor], device: torch.device, rng: torch.Generator | None = None,
        undo: Callable[[], Any] = lambda: None,
    ) -> None:  # fmt: skip
        self.step, self.device, self.rng, self.undo, self.calls = step, device, rng, undo, 0
        self.stream = torch.cuda.Stream(device)
        self.graph: torch.cuda.CUDAGraph | None = torch.cuda.CUDAGraph()

    def __call__(self) -> Tensor:
        self.calls += 1
        with torch.cuda.device(self.device):
            if self.calls < PLAIN_STEPS:
                return self._beside(self.step)
            if self.calls == PLAIN_STEPS:
                return self._beside(self._watched)
            if self.calls == PLAIN_STEPS + 1 and self.graph is not None:
                self._record(self.graph)
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

    def _watched(self) -> Tensor:
        """The step, run as it is. Does it make the host wait?"""
        before = torch.cuda.get_sync_debug_mode()
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                result = self.step()
            finally:
                torch.cuda.set_sync_debug_mode(before)
        if any("synchronizing CUDA operation" in str(warning.message) for warning in seen):
            self._give_up("the step reads a value back from the GPU")
        return result

    def _record(self, graph: torch.cuda.CUDAGraph) -> None:
        stream = torch.cuda.current_stream()
        spare = self.rng and self.rng.clone_state()
        try:
            if self.rng is not None:
                graph.register_generator_state(self.rng)
            with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
                self.result = self.step()
        except RuntimeError as error:
            self._give_up(str(error).strip().splitlines()[0])
            torch.cuda.set_stream(stream)
            if self.rng is not None and spare is not None:
                self.rng.graphsafe_set_state(spare)  # the old state believes that it is still being recorded
            self.undo()

    def _give_up(self, reason: str) -> None:
        self.graph = None
        warnings.warn(f"Steps start kernel by kernel, because they cannot be captured: {reason}.", stacklevel=2)


class CapturedNetwork:
    """The network itself, but each evaluation at an integer t is captured, one recording for each shape of its inputs.

    >>> from diffusion_course.models import SpiralMLP
    >>> from diffusion_course.schedule import cosine
    >>> network = CapturedNetwork(SpiralMLP(cosine()))
    >>> network(torch.zeros(5, 2), 10).shape
    torch.Size([5, 2])

    It goes wherever the network goes: `given(network, cond)`, `guided(network, cond, scale)`, a sampler. Without a GPU,
    and where gradients are kept, it evaluates the network as it is. Weights may change where they lie, as in a
    training, but not move to another place.
    """

    def __init__(self, model: Any) -> None:
        self.model, self.recorded = model, {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def __call__(self, xt: Tensor, t: Any, *cond: Any) -> Tensor:
        """ε̂ for x_t at step t."""
        if not on_gpu(xt.device) or type(t) is not int or torch.is_grad_enabled():
            return self.model(xt, t, *cond)
        given = [xt, *(torch.as_tensor(codes, device=xt.device) for codes in cond)]
        half = torch.is_autocast_enabled(xt.device.type), torch.get_autocast_dtype(xt.device.type)
        key = (*half, *((x.shape, x.dtype) for x in given))
        if key not in self.recorded:
            self.recorded[key] = self._recording(given, *half)
        held, time, evaluate = self.recorded[key]
        for place, x in zip(held, given, strict=True):
            place.copy_(x)
        time.fill_(t)
        return evaluate()

    def _recording(self, given: list[Tensor], half: bool, dtype: torch.dtype) -> tuple[list[Tensor], Tensor, Captured]:
        """(places for the inputs, a place for the time, what evaluates the network on what lies there)."""
        device = given[0].device
        with torch.inference_mode(False):  # so that they can be written to from any mode
            held = [torch.empty_like(x) for x in given]
            time = torch.ones(len(given[0]), dtype=torch.long, device=device)

        def evaluate() -> Tensor:
            # weights cast for an earlier evaluation are not kept: they would not lie where they were recorded
            with torch.no_grad(), torch.autocast(device.type, dtype, enabled=half, cache_enabled=False):
                return self.model(held[0], time, *held[1:])

        return held, time, Captured(evaluate, device)
