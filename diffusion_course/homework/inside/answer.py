"""The student's process: it runs the cells of a notebook and answers for the names they define.

With `cells` and `wire` the only part of the grader that the sandbox shows. The code that it runs may rewrite it, so
nothing here protects the grader: limits are kept politely (a cell that takes too long sees an exception, too much
output is cut), and outside once more, by force.

One request at a time, in the main thread, between cells, as a notebook would:

    {"do": "run", "source": …, "seconds": …}                   → {"shown": text, "error": its name or None}
    {"do": "value", "name": …, "seconds": …}                   → {"value": …} or {"no": kind, "text": …}
    {"do": "call", "name": …, "args": […], "kwargs": {…}, …}   → the same
    {"do": "denoise", "xt": …, "t": …, "other": None or int, …} → the same
    {"do": "training", …}                                      → the same: what `training.of` tells of `model`
"""

import signal
import socket
from collections.abc import Callable
from contextlib import contextmanager, nullcontext

import numpy as np

from . import training, wire
from .cells import Shell

MAX_TEXT = 500  # characters of what an exception says


class TooSlow(BaseException):
    """Raised in the student's code when its time is over; a BaseException, so that `except Exception` lets it pass."""


def main(number):
    """Answer requests on the socket of this number until the other side is gone."""
    sock = socket.socket(fileno=number)
    sock.set_inheritable(False)
    signal.signal(signal.SIGALRM, _stop)
    shell = Shell.for_cells()
    wire.send(sock, "ready", seconds=None)
    while True:
        try:
            request = wire.receive(sock, kinds={"named": Named, "affine": _affine}, most=wire.MAX_REQUEST)
        except EOFError:
            return
        shell.shown.clear()
        reply = ACTIONS[request.pop("do")](shell, **request)
        try:
            wire.send(sock, reply, seconds=None)
        except wire.BadFrame as error:
            wire.send(sock, {"no": "Refused", "text": f"The answer was {error}."}, seconds=None)


def run(shell, source, seconds):
    """One cell, as in a notebook: an error is recorded and the next cell runs."""
    if "torch" in source:
        import torch  # noqa: F401, so that a cell which imports it and trains is watched too
    training.watch()
    try:
        with _limit(seconds):
            result = shell.run_cell(source, store_history=True)
            error = result.error_before_exec or result.error_in_exec
    except BaseException as caught:  # whatever gets past IPython
        shell.shown.write(_said(caught))
        error = caught
    return {"shown": shell.shown.collected(), "error": None if error is None else type(error).__name__}


def value(shell, name, seconds):
    """The global `name`."""
    return _answer(seconds, lambda: _look_up(shell, name))


def call(shell, name, args, kwargs, seconds):
    """What the global function `name` returns: arrays arrive as tensors, a `Named` as the student's own global."""

    def act():
        function = _look_up(shell, name)
        given = [_given(shell, arg) for arg in args]
        return function(*given, **{key: _given(shell, arg) for key, arg in kwargs.items()})

    return _answer(seconds, act)


def denoise(shell, xt, t, seconds, other=None):
    """ε̂ of the student's `model` for x_t (n, 2) at t (n,); `other`: with weights `training.changed` by this seed."""

    def act():
        import torch

        model = _look_up(shell, "model")
        with torch.no_grad(), nullcontext() if other is None else training.changed(model, other):
            return model(_given(shell, xt), _given(shell, t))

    return _answer(seconds, act)


def trained(shell, seconds):
    """What is known of the training of the student's `model`."""
    return _answer(seconds, lambda: training.of(_look_up(shell, "model")))


ACTIONS: dict[str, Callable] = {"run": run, "value": value, "call": call, "denoise": denoise, "training": trained}


class Missing(Exception):
    """The notebook defines no such name."""


class Named(str):
    """Stands for the student's own global of that name."""


def _affine(fields):
    from diffusion_course.check.homework.affine import Affine

    return Affine(*fields)


def _look_up(shell, name):
    if name not in shell.user_ns:
        raise Missing(f"There is no `{name}` in the notebook.")
    return shell.user_ns[name]


def _answer(seconds, act):
    try:
        with _limit(seconds):
            return {"value": _plain(act())}
    except Missing as error:
        return {"no": "NotAttempted", "text": str(error)}
    except NotImplementedError:
        return {"no": "NotAttempted", "text": "It raises NotImplementedError: it is not written yet."}
    except TooSlow:
        return {"no": "TooSlow", "text": f"No answer within {seconds:.3g} s."}
    except wire.BadFrame as error:
        return {"no": "Refused", "text": f"The answer was {error}."}
    except BaseException as error:
        return {"no": "Failed", "text": _said(error)}


def _given(shell, value):
    """As the student's code expects it: floats as float32 tensors, whole numbers as int64."""
    if isinstance(value, Named):
        return _look_up(shell, value)
    if isinstance(value, np.ndarray):
        import torch

        kinds = {"f": torch.float32, "b": torch.bool}
        return torch.tensor(value).to(kinds.get(value.dtype.kind, torch.int64))
    return value


def _plain(value):
    """Tensors, wherever they stand, as arrays; numbers of NumPy as Python's where a dict needs it."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        return value.numpy() if value.dtype.itemsize > 2 or not value.is_floating_point() else value.float().numpy()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {int(k) if isinstance(k, np.integer) else k: _plain(item) for k, item in value.items()}
    return value


def _said(error):
    try:
        text = f"{type(error).__name__}: {error}"
    except BaseException:
        text = "an error that cannot say what it is"
    return text[:MAX_TEXT]


@contextmanager
def _limit(seconds):
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _stop(*_):
    raise TooSlow("The time for this is over.")
