"""The grader's end of the channel: what a test may ask of a student's notebook, and what it may get for an answer.

Whatever comes is a value of exact, known types (`wire`), within seconds that the grader measures, so no method of the
student's ever runs here: an object that equals everything cannot exist on this side. Every way not to answer is an
exception with a sentence that may be shown to the student.
"""

import math
import re
import socket
import time
from contextlib import suppress

import numpy as np

from ...check.homework import variant
from ...check.homework.affine import Affine
from ..inside import wire
from ..prepare import drawn
from ..sandbox.walls import stretched

SECONDS = 10  # for one answer
GRACE = 5  # seconds between the polite end of a call, inside, and the end of the process
TOLD = {"moved": float, "steps": int, "still": int, "strayed": float, "weights": int}
SHORT = 300  # characters of a student's text that may stand in a message
# Numbers that an error may quote from the hidden inputs; sizes, such as (5x2 and 3x128), stay and help.
INPUTS = re.compile(r"\[[-+.\deE\s,\[\]]*\]|[-+]?(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?")


class NoAnswer(Exception):
    """There is no value to judge; the message says why, to the student."""


class NotAttempted(NoAnswer):
    """The name is missing, or its function raised NotImplementedError."""


class Failed(NoAnswer):
    """The student's code raised an exception."""


class TooSlow(NoAnswer):
    """No answer in time."""


class Refused(NoAnswer):
    """An answer of a kind or size that may not cross."""


class Dead(NoAnswer):
    """The student's process is gone."""


KINDS = {kind.__name__: kind for kind in (NotAttempted, Failed, TooSlow, Refused)}


class Named(str):
    """An argument that stands for the student's own global: `student.call("sample", Named("model"), …)`."""


class Channel:
    """Requests and answers on a socket, one after the other. `dead` says why one that lost step is closed for good."""

    def __init__(self, sock):
        self._sock, self.dead = sock, None

    def ask(self, request, seconds):
        """The answer to `request`, whose own limit is `seconds`, `stretched`; GRACE more, and the channel is closed."""
        if self.dead:
            raise Dead(self.dead)
        seconds, grace = stretched(seconds), stretched(GRACE)
        text = wire.pack(request | {"seconds": seconds}, wire.MAX_REQUEST)  # what fails here is a mistake of ours
        self.dead = "A question was interrupted."
        try:
            wire.write(self._sock, text, grace)
            answer = wire.receive(self._sock, seconds + grace)
            self.dead = None
            return answer
        except TimeoutError:
            self.dead = "It stopped answering."
            raise TooSlow(f"There was no answer within {seconds:.3g} s.") from None
        except (EOFError, OSError):
            self.dead = "The process that runs the notebook has ended."
            raise Dead(self.dead) from None
        except wire.BadFrame as error:
            self.dead = "It sent what is no answer."
            raise Refused(f"The answer was {str(error)[:SHORT]}.") from None
        finally:
            if self.dead:  # for all who hold the socket: a late answer must not meet a new question
                with suppress(OSError):
                    self._sock.shutdown(socket.SHUT_RDWR)


class Student:
    """A student's notebook after its cells have run, as the tests see it. `id` is that of the submission; `secret`, `T`
    and `curve` are those of the class."""

    def __init__(self, channel, id, secret="", T=1000, curve="spiral"):
        self.channel, self.id, self.secret, self.T, self.curve = channel, id, secret, T, curve
        self.salt = drawn.salt(secret)
        self.again: tuple[str, ...] = ()  # added to the secret: other questions for each hand-in, and when asked anew
        self.right: set[str] = set()  # functions that have full points
        self.unanswered = False  # whether anything asked for was not there (yet)
        self.remarks: list[str] = []  # for the teacher
        self.reason = ""  # why there is no plain grade, for both
        self.points: float | None = None  # of the test cell that asks; None in the source notebook itself
        self._ends, self._limit = math.inf, math.inf

    @property
    def spiral(self):
        """The spiral of this student in this class."""
        return variant.of(self.id, self.salt, self.curve)

    def draw(self, *what) -> np.random.Generator:
        """The random numbers for this purpose."""
        return drawn.generator(self.secret, *what, *self.again)

    def remark(self, text: str) -> None:
        """Something that a teacher may look at, once."""
        self.remarks += [text] if text not in self.remarks else []

    def begin_test(self, seconds):
        """From now on all answers together may take so long."""
        self._limit = stretched(seconds)
        self._ends = time.monotonic() + self._limit

    def value(self, name):
        """The global `name`: a number, text, list, dict or array (tensors come as arrays)."""
        return self._ask({"do": "value", "name": name})

    def call(self, name, *args, seconds=SECONDS, other=None, as_is=False):
        """What the global function `name` returns, as `answer.call` calls it: arrays arrive there as tensors, a `Named`
        argument as the student's own global, an `Affine` model as one of the same tables. `other`: of `model`, 0 with
        its weights as they were before their first step, else with weights mixed up by this seed. `as_is`: not put
        into `eval`."""
        args = [_sent(arg) for arg in args]
        return self._ask({"do": "call", "name": name, "args": args, "other": other, "as_is": as_is}, seconds)

    def denoise(self, xt, t, other=None, as_is=False):
        """ε̂ of the student's `model` for x_t (n, 2) at t, an int or (n,) ints, as float64: a model for our samplers."""
        xt, t = np.asarray(xt), np.broadcast_to(np.asarray(t), len(xt))
        answer = self.call("model", xt, t, other=other, as_is=as_is)
        if not isinstance(answer, np.ndarray) or answer.shape != xt.shape:
            what = getattr(answer, "shape", f"a {type(answer).__name__}")
            raise Refused(f"`model` must return the shape of x_t, {xt.shape}, not {what}.")
        return answer.astype(np.float64)

    def training(self):
        """What `training.of` tells of their `model`: {"weights": …, "steps": …, …}, numbers."""
        told = self._ask({"do": "training"})
        if not isinstance(told, dict) or {key: type(value) for key, value in told.items()} != TOLD:
            raise Refused("What was told of the training is not what the grader counts.")
        return told

    def _ask(self, request, seconds=SECONDS):
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TooSlow(f"All that this test asked took more than {self._limit:.3g} s together.")
        match self.channel.ask(request, min(seconds, left)):
            case {"value": value, **more} if not more:
                return value
            case {"no": str(no), "text": str(text), **more} if not more:
                kind = KINDS.get(no, Refused)
                self.unanswered |= kind is NotAttempted
                raise kind(INPUTS.sub("…", text[:SHORT]) if kind is Failed else text[:SHORT])
        raise Refused("The answer was neither a value nor a reason.")


def _sent(arg):
    """An argument as it crosses."""
    if isinstance(arg, Named):
        return {"name": str(arg)}
    if isinstance(arg, Affine):
        return {"gain": arg.gain, "centre": arg.centre}
    return arg.numpy() if hasattr(arg, "numpy") else arg
