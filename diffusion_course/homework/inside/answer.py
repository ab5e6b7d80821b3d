"""The student's process: it runs the cells of a notebook and answers for the names they define.

The code that it runs may rewrite it, so nothing here protects the grader: limits are kept politely (a cell that takes
too long sees an exception, too much output is cut), and outside once more, by force.

One request at a time, in the main thread, between cells, as a notebook would: {"do": …, "seconds": its limit} and what
`run` or one of the ANSWERS takes. The reply is what `run` returns, or {"value": …}, or {"no": kind, "text": why}.
"""

import functools
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import contextmanager, nullcontext

import numpy as np

from . import training, wire
from .cells import Shell

MOST_THREADS = 8  # of torch, which keeps two pools of them
MAX_TEXT = 500  # characters of what an exception says


class TooSlow(BaseException):
    """Raised in the student's code when its time is over; a BaseException, so that `except Exception` lets it pass."""


class Missing(Exception):
    """The notebook defines no such name."""


def main(number):
    """Answer requests on the socket of this number until the other side is gone."""
    sock = socket.socket(fileno=number)
    sock.set_inheritable(False)
    shell = Shell.for_cells()
    os.dup2(1, 2)  # what goes past the cells, nobody reads: a pipe would fill, and block
    wire.send(sock, "ready", seconds=None)
    while True:
        try:
            request = wire.receive(sock, most=wire.MAX_REQUEST)
        except EOFError:
            return
        reply = serve(shell, **request)
        try:
            wire.send(sock, reply, seconds=None)
        except wire.BadFrame as error:
            wire.send(sock, {"no": "Refused", "text": f"The answer was {error}."}, seconds=None)


def serve(shell, do, seconds, **request):
    """The reply to a request."""
    if do == "run":
        return run(shell, seconds=seconds, **request)
    try:
        with _limit(seconds):
            return {"value": _plain(ANSWERS[do](shell, **request))}
    except Missing as error:
        return {"no": "NotAttempted", "text": str(error)}
    except NotImplementedError:
        return {"no": "NotAttempted", "text": "It raises NotImplementedError: it is not written yet."}
    except TooSlow:
        return {"no": "TooSlow", "text": f"No answer within {seconds:.3g} s."}
    except BaseException as error:
        return {"no": "Failed", "text": _said(error)}


def run(shell, source, seconds):
    """One cell, as in a notebook: an error is recorded and the next cell runs."""
    if "torch" in source:
        import torch  # noqa: F401, so that a cell which imports it and trains is watched too
    if "torch" in sys.modules:
        _watched()
    shell.shown.clear()
    try:
        with _limit(seconds):
            result = shell.run_cell(source, store_history=True)
            error = result.error_before_exec or result.error_in_exec
    except BaseException as caught:  # whatever gets past IPython
        shell.shown.write(_said(caught))
        error = caught
    return {"shown": shell.shown.getvalue(), "error": None if error is None else type(error).__name__}


@functools.cache
def _watched():
    """Count the training from now on, and start few threads: who asked for one for each of 64 cores would be ended."""
    import torch

    training.watch()
    start = torch.set_num_threads
    torch.set_num_threads = lambda nthreads: start(min(nthreads, MOST_THREADS))


def value(shell, name):
    """The global of this name."""
    if name not in shell.user_ns:
        raise Missing(f"There is no `{name}` in the notebook.")
    return shell.user_ns[name]


def call(shell, name, args, other=None, as_is=False):
    """What the global function `name` returns. `other`: of `model`, with weights `training.changed` by this seed.

    For a walk `model` is put into `eval`, unless it is asked `as_is`: who forgot that pays in that part alone.
    """
    function, given = value(shell, name), [_given(shell, arg) for arg in args]
    torch, model = sys.modules.get("torch"), shell.user_ns.get("model")
    if torch and name in ("model", "sample") and not as_is and isinstance(model, torch.nn.Module):
        model.eval()
    if name != "model":
        return function(*given)
    import torch

    with torch.no_grad(), nullcontext() if other is None else training.changed(function, other):
        return function(*given)


ANSWERS: dict[str, Callable] = {"value": value, "call": call}
ANSWERS["training"] = lambda shell: training.of(value(shell, "model"))


def _given(shell, arg):
    """As the student's code expects it: floats as float32 tensors, whole numbers as int64; a dict stands for the
    student's own global of a name, or for a model by its tables."""
    if isinstance(arg, dict):
        from diffusion_course.check.homework.affine import Affine

        return value(shell, arg["name"]) if "name" in arg else Affine(**arg)
    if isinstance(arg, np.ndarray):
        import torch

        kinds = {"f": torch.float32, "b": torch.bool}
        return torch.tensor(arg).to(kinds.get(arg.dtype.kind, torch.int64))
    return arg


def _plain(answer):
    """Tensors, wherever they stand, as arrays; numbers of NumPy as Python's where a dict needs it."""
    if hasattr(answer, "detach"):
        answer = answer.detach().cpu()
        return answer.numpy() if answer.dtype.itemsize > 2 or not answer.is_floating_point() else answer.float().numpy()
    if isinstance(answer, (list, tuple)):
        return [_plain(item) for item in answer]
    if isinstance(answer, dict):
        return {int(k) if isinstance(k, np.integer) else k: _plain(item) for k, item in answer.items()}
    return answer


def _said(error):
    try:
        text = f"{type(error).__name__}: {error}"
    except BaseException:
        text = "an error that cannot say what it is"
    return text[:MAX_TEXT]


@contextmanager
def _limit(seconds):
    """Raise TooSlow in the code within after these seconds."""

    def stop(*_):
        raise TooSlow("The time for this is over.")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
