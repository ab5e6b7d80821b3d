"""A student in this very process: for the source notebook, which grades itself, for calibration and for tests.

Everything is asked and answered by the code that serves a submission (`channel`, `wire`, `answer`), but nothing shuts
the student in: never use it for a submission.
"""

from types import SimpleNamespace

import nbformat

from ..assignments import ASSIGNMENTS
from ..inside import answer, wire
from ..prepare import make as prepare
from . import channel
from .records import is_own


class Student(channel.Student):
    """The student whose notebook's globals are `namespace`; the id is what the notebook says."""

    def __init__(self, namespace: dict):
        T, curve = int(namespace.get("T", 1000)), getattr(namespace.get("spiral"), "curve", "spiral")
        super().__init__(_Here(namespace), str(namespace.get("STUDENT_ID", "")), T=T, curve=curve)


class _Here(channel.Channel):
    """A channel without another end: each request is packed, unpacked, served, and its answer likewise."""

    def __init__(self, namespace):
        super().__init__(None)
        self._shell = SimpleNamespace(user_ns=namespace)

    def ask(self, request, seconds):
        request = wire.unpack(wire.pack(request | {"seconds": seconds}, wire.MAX_REQUEST))
        try:
            return wire.unpack(wire.pack(answer.serve(self._shell, **request)))
        except wire.BadFrame as error:
            raise channel.Refused(f"The answer was {error}.") from None


def work(cells, without=("setup",)) -> dict[str, str]:
    """The student's own code cells of a notebook, id → source: no test cells, and not the set-up for Colab."""
    return {cell.id: cell.source for cell in filter(is_own, cells) if cell.id not in without}


def run(sources, namespace=None) -> dict:
    """The globals after these cells have run, one after the other, as a script would."""
    namespace = {} if namespace is None else namespace
    for source in sources:
        exec(compile(source, "<homework>", "exec"), namespace)
    return namespace


def source_cells(assignment=ASSIGNMENTS[0]):
    """The cells of the source notebook."""
    return nbformat.read(prepare.shipped(assignment), as_version=4).cells
