"""A student in this very process: for the source notebook, which grades itself, for calibration and for tests.

Everything is asked and answered by the code that serves a submission (`channel`, `wire`, `answer`), but nothing shuts
the student in: never use it for a submission.
"""

import io
import signal
from types import SimpleNamespace

import nbformat

from ..assignments import ASSIGNMENTS
from ..inside import answer, wire
from ..prepare import make as prepare
from . import channel


class Student(channel.Student):
    """The student whose notebook's globals are `namespace`; the id is what the notebook says."""

    def __init__(self, namespace: dict):
        super().__init__(None, str(namespace.get("STUDENT_ID", "")))
        self.channel = _Here(namespace)
        self.T, self.curve = int(namespace.get("T", self.T)), getattr(namespace.get("spiral"), "curve", self.curve)


class _Here(channel.Channel):
    """A channel without another end: each request is packed, unpacked, served, and its answer likewise."""

    def __init__(self, namespace):
        super().__init__(None)
        self._shell = SimpleNamespace(user_ns=namespace)

    def ask(self, request, seconds):
        kinds = {"named": answer.Named, "affine": answer._affine}
        before = signal.signal(signal.SIGALRM, answer._stop)
        try:
            request = _carried(request | {"seconds": seconds}, kinds)
            reply = answer.ACTIONS[request.pop("do")](self._shell, **request)
            return _carried(reply)
        except wire.BadFrame as error:
            raise channel.Refused(f"The answer was {error}.") from None
        finally:
            signal.signal(signal.SIGALRM, before)


def _carried(value, kinds=None):
    """What arrives of a value that is sent."""
    most = wire.MAX_REQUEST if kinds else wire.MAX_ANSWER
    return wire.unpack(io.BytesIO(wire.pack(value, most)).read, kinds, most)


def work(cells, without=("setup",)) -> dict[str, str]:
    """The student's own code cells of a notebook, id → source: no test cells, and not the set-up for Colab."""
    return {
        cell.id: cell.source
        for cell in cells
        if cell.cell_type == "code" and cell.id not in without and not cell.metadata.get("nbgrader", {}).get("grade")
    }


def run(sources, namespace=None) -> dict:
    """The globals after these cells have run, one after the other, as a script would."""
    namespace = {} if namespace is None else namespace
    for source in sources:
        exec(compile(source, "<homework>", "exec"), namespace)
    return namespace


def source_cells(assignment=ASSIGNMENTS[0]):
    """The cells of the source notebook."""
    return nbformat.read(prepare.shipped(assignment), as_version=4).cells
