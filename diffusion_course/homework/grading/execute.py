"""nbgrader's Execute with a wall through it: the student's cells run in the sandbox, the tests in a kernel outside.

Cells run in the order of the notebook, so a process that dies takes with it only what comes after: the points of the
tests before are earned. A test that asked for something which was not there is run once more after the last cell; the
student may have moved cells. Then one mistake is kept from costing its followers (`repair`).

The notebook's metadata keep, under `homework`, what became of the student's process (`Execute._record`).
"""

import base64
import os
import re
import tempfile
import time

from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
from nbformat.v4 import new_output
from nbgrader import preprocessors
from traitlets import Bool, Integer, Unicode

from ..course import is_test
from ..sandbox.sandbox import Sandbox
from ..sandbox.walls import ONE_THREAD
from . import records, repair
from .channel import NoAnswer, Student

MAX_OUTPUT = 2**23  # characters of the outputs of all the student's cells
MAX_SOURCE = 2**18  # characters of one cell, so that it fits into a message however it is written there
MAX_PIXELS = 2000 * 2000  # of a picture: a small file can hold one that no browser can open
BASE64 = re.compile(r"[A-Za-z0-9+/\s]+=*\s*")
CUT = "… more output was cut.\n"
TOO_LONG = f"This cell has more than {MAX_SOURCE:,} characters and was not run.\n"


class Execute(preprocessors.Execute):
    """Fills in the outputs of a notebook: of the student's cells as text and pictures, of the tests as points."""

    unsafe = Bool(False, help="Run the students' code without the sandbox, as the user who grades.").tag(config=True)
    secret = Unicode("", help="Of the class: the hidden questions are drawn from it.").tag(config=True)
    steps = Integer(1000, help="T, the noise steps.").tag(config=True)
    curve = Unicode("spiral", help="Of the class: one of variant.CURVES.").tag(config=True)
    cell_seconds = Integer(300, help="What one cell of the student's may take.").tag(config=True)
    shutdown_kernel = "immediate"  # of the tests' kernel: it has nothing to save
    timeout = Integer(300, help="What one test cell may take.").tag(config=True)

    def preprocess(self, nb, resources):
        """Run all code cells of `nb`. SandboxError if there is no sandbox: then there is no grade."""
        began = time.monotonic()
        self._room, self._early = MAX_OUTPUT, []
        self._cells, self._errors, self._ended_at, self._clouds = 0, [], None, {}
        secret = resources.get("metadata", {}).get("path")  # the folder with the hidden tests
        with (
            Sandbox(secret, unsafe=self.unsafe) as self._sandbox,
            tempfile.TemporaryDirectory(prefix="tests-", dir=_short()) as self._place,
        ):
            self._student = Student(self._sandbox.sock, resources["nbgrader"]["student"])
            nb, resources = super().preprocess(nb, resources)
        nb.metadata["homework"] = self._record(time.monotonic() - began) | {"samples": self._clouds}
        return nb, resources

    def preprocess_cell(self, cell, resources, index):
        """One cell, where it belongs; after the last one, the tests that came too early."""
        if cell.cell_type == "code" and is_test(cell):
            if self._grade(cell, index):
                self._early.append((cell, index))
        elif cell.cell_type == "code":
            self._run(cell, index)
        if index == len(self.nb.cells) - 1 and self._ended_at is None:
            for early in self._early:
                self._grade(*early)
            self._clouds = self._samples()
            repair.repair(self)
        return cell, resources

    # the student's cells

    def _run(self, cell, index):
        cell.outputs, cell.execution_count = [], None
        if self._ended_at is not None or not cell.source.strip():
            return
        if len(cell.source) > MAX_SOURCE:
            cell.outputs = [new_output("stream", name="stderr", text=TOO_LONG)]
            self._errors.append(index)
            return
        reply = self._ask({"do": "run", "source": cell.source}, index)
        self._cells += 1
        cell.outputs = [output for item in _items(reply, "outputs") if (output := self._output(item))]
        if type(reply) is not dict or reply.get("error"):
            self._errors.append(index)

    def _ask(self, request, index):
        """The reply of the student's process, or None when it has come to its end."""
        try:
            return self._student.channel.ask(request, self.cell_seconds)
        except NoAnswer:
            self._sandbox.lost()
            self._ended_at = index

    def _output(self, item):
        """An output as the student's process tells it, made anew from the few parts that may be shown; else None."""
        if self._room < 0 or type(item) is not dict:
            return None
        kind, name = item.get("output_type"), item.get("name")
        if kind == "stream" and name in ("stdout", "stderr"):
            made = {"name": name, "text": _text(item, "text")}
        elif kind == "error":
            lines = [line for line in _items(item, "traceback") if type(line) is str]
            made = {"ename": _text(item, "ename"), "evalue": _text(item, "evalue"), "traceback": lines}
        elif kind in ("display_data", "execute_result"):
            data, kind = item.get("data"), "display_data"
            made = {"data": {"text/plain": _text(data, "text/plain")}}
            if _is_picture(picture := _text(data, "image/png")):
                made["data"]["image/png"] = picture
        else:
            return None
        self._room -= len(str(made)) + 500  # so that there are not too many either
        return new_output(kind, **made) if self._room >= 0 else new_output("stream", name="stderr", text=CUT)

    # the tests

    def _grade(self, cell, index):
        """Run a test cell in the trusted kernel; whether it asked for something that was not there."""
        cell.metadata.pop("tags", None)  # one of them would skip the cell
        self._trusted(f"student.points = {float(cell.metadata.nbgrader.points)!r}")
        self.execute_cell(cell, index)
        said = [output for output in cell.outputs if output.get("name") == "stderr"]
        for output in said:
            self.log.warning("A test wrote to stderr, which costs no points: %s", output.text)
            cell.outputs.remove(output)
        if not {"execute_result", "error"} & {output.output_type for output in cell.outputs}:
            raise RuntimeError(f"The test in cell {index} gave no points, and to nbgrader that is all of them.")
        if self._ended_at is None:
            self._ask({"do": "run", "source": ""}, index)  # still there?
        reply = self._trusted("early, student.unanswered = student.unanswered, False", early="early")
        return "True" in reply["user_expressions"]["early"]["data"]["text/plain"]

    def _trusted(self, code, **expressions):
        reply = self.wait_for_reply(self.kc.execute(code, silent=True, user_expressions=expressions))["content"]
        if reply["status"] != "ok":
            raise RuntimeError(f"The kernel of the tests fails: {reply.get('ename')}: {reply.get('evalue')}")
        return reply

    # the trusted kernel: Python of this environment, unix sockets in a directory that the sandbox does not have

    def create_kernel_manager(self):
        self.kernel_name = NATIVE_KERNEL_NAME
        manager = super().create_kernel_manager()
        manager.kernel_spec_manager.kernel_dirs = []  # no other Python that somebody has put under this name
        manager.transport, manager.ip = "ipc", f"{self._place}/kernel"
        manager.connection_file = f"{self._place}/connection.json"
        return manager

    def start_new_kernel(self, **kwargs):
        number = self._sandbox.sock.fileno()
        super().start_new_kernel(cwd=self._place, pass_fds=[number], env=os.environ | ONE_THREAD, **kwargs)

    def start_new_kernel_client(self):
        client = super().start_new_kernel_client()
        where = f"({self._sandbox.sock.fileno()}, {self._student.id!r}, {self.secret!r})"
        self._trusted(f"from diffusion_course.homework.grading.channel import attach; student = attach{where}")
        self._trusted(f"student.T, student.curve = {self.steps}, {self.curve!r}")
        return client

    def _samples(self):
        """The student's own clouds, to be drawn beside the grade; {} where there are none."""
        try:
            return records.clouds(self._student.value("samples"))
        except NoAnswer:
            return {}

    def _record(self, wall):
        reason = self._sandbox.reason if self._ended_at is not None else ""
        return {
            "status": "ended early" if reason else "complete",
            "reason": reason,
            "ended_at": self._ended_at,
            "cells": self._cells,
            "errors": self._errors,
            "wall_seconds": round(wall, 1),
            "cpu_seconds": round(self._sandbox.cpu, 1),
            "peak_memory": self._sandbox.peak_memory,
        }


def _short():
    """Where the path of a unix socket stays under its 107 bytes: None, the usual place, or /tmp."""
    return "/tmp" if len(tempfile.gettempdir()) > 60 else None


def _text(item, key):
    """The string under `key`, or an empty one: whatever else stands there was not meant to be read."""
    text = item.get(key) if type(item) is dict else None
    return text if type(text) is str else ""


def _is_picture(text):
    """Whether `text` is the base64 of a PNG of sensible size; width and height stand at byte 16."""
    if not BASE64.fullmatch(text):
        return False
    head = base64.b64decode("".join(text.split())[:32] + "==")
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    return head.startswith(b"\x89PNG\r\n\x1a\n") and 0 < width * height <= MAX_PIXELS


def _items(item, key):
    items = item.get(key) if type(item) is dict else None
    return items if type(items) is list else []
