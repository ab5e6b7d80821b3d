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
from torch import Tensor, nn

PLAIN_STEPS = 3  # before a step is recorded: they find the quickest kernels and make the optimiser's state
KEPT = 8  # recordings of one network; each holds the memory of an evaluation


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


def stepper(step: Callable[[], Tensor], run: Any) -> Callable[[], Tensor]:
    """The step of a `state.Run` as it is, or captured: on CUDA, if the run is `capturable`."""
    if not on_gpu(run.machine.device) or not run.capturable:
        return step
    return Captured(step, run.machine.device, run.rng, undo=run.renew_scaler)


class Recordings:
    """The evaluations of one network, captured: one recording for each kind of input, and the latest `KEPT` are kept.

    `Denoiser` asks here for each answer, so that all sampling is captured: by any sampler, with conditions, guidance or
    known pixels. What may not be played back is computed as it is: where there is no GPU, where gradients are kept,
    inside of another recording, and with hooks, which expect to be called. Weights may change where they lie, as in
    a training; if they have moved, a new recording is made.
    """

    def __init__(self) -> None:
        self.kept: dict[tuple, tuple[list[Tensor], Captured]] = {}

    def __reduce__(self) -> tuple:
        """A copy of the network makes recordings of its own."""
        return Recordings, ()

    def __call__(self, network: nn.Module, *inputs: Tensor) -> Tensor:
        """`network.answer(*inputs)`, which depends on the inputs and the weights alone."""
        answer: Callable = network.answer  # type: ignore[assignment]
        device = inputs[0].device
        if torch.compiler.is_compiling() or not on_gpu(device) or torch.is_grad_enabled():
            return answer(*inputs)
        if torch.cuda.is_current_stream_capturing() or (weights := _places(network)) is None:
            return answer(*inputs)
        half = torch.is_autocast_enabled(device.type), torch.get_autocast_dtype(device.type)
        key = (answer, network.training, *half, *((x.shape, x.dtype, x.device) for x in inputs), weights)
        if key not in self.kept:
            self.kept[key] = _recording(answer, inputs, *half)
        held, evaluate = self.kept[key] = self.kept.pop(key)
        if len(self.kept) > KEPT:
            del self.kept[next(iter(self.kept))]  # the one that was not asked for the longest time
        for place, x in zip(held, inputs, strict=True):
            place.copy_(x)
        return evaluate()


def _places(network: nn.Module) -> tuple[int, ...] | None:
    """Where each weight and buffer lies; None if a part of the network has hooks."""
    parts, tensors = [network], []
    for part in parts:  # which grows; `network.modules()` takes twice as long, in every sampling step
        parts += [child for child in part._modules.values() if child is not None]
        tensors += [*part._parameters.values(), *part._buffers.values()]
    if any(part._forward_hooks or part._forward_pre_hooks for part in parts[1:]):
        return None
    return tuple([x.data_ptr() for x in tensors if x is not None])


def _recording(
    answer: Callable, inputs: tuple[Tensor, ...], half: bool, dtype: torch.dtype
) -> tuple[list[Tensor], Captured]:
    """(places for the inputs, what evaluates the network on what lies there)."""
    device = inputs[0].device
    with torch.inference_mode(False):  # so that they can be written to from any mode
        held = [torch.empty_like(x) for x in inputs]

    def evaluate() -> Tensor:
        # weights cast for an earlier evaluation are not kept: they would not lie where they were recorded
        with torch.no_grad(), torch.autocast(device.type, dtype, enabled=half, cache_enabled=False):
            return answer(*held)

    return held, Captured(evaluate, device)
