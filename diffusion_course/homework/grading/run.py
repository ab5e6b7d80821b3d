"""A notebook through both sides: the student's cells run in the sandbox, the tests here, outside.

Cells run in the order of the notebook, so a process that dies takes with it only what comes after: the points of the
tests before are earned. A test that asked for something which was not there is run once more after the last cell; the
student may have moved cells. It asks other questions then: what the grader asked before may have shown the answers.
Last, one mistake is kept from costing its followers (`repair`).

Each submission has a process of its own, which the batch starts and may end:

    python -m diffusion_course.homework.grading.run COURSE STUDENT STAGED RAN [--unsafe]
"""

import ast
import io
import resource
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

import nbformat
from nbformat.v4 import new_output

from .. import tables
from ..assignments import parts_of
from ..course import Course, is_test
from ..sandbox.sandbox import Sandbox
from . import records, repair
from .channel import NoAnswer, Student

MOST = 6 * 2**30  # bytes of this process, which needs a tenth: an answer that makes it grow costs only its own part
MAX_SHOWN = 2**23  # characters that all of the student's cells show
MAX_FIGURES = 1000  # characters
MAX_SOURCE = 2**18  # characters of one cell, so that it fits into a message however it is written there
CUT = "… more output was cut.\n"
TOO_LONG = f"This cell has more than {MAX_SOURCE:,} characters and was not run.\n"


class Run:
    """One notebook on its way. The process of the `student` came to its end in cell number `ended_at`, if it did."""

    def __init__(self, notebook, student, sandbox, cell_seconds=300):
        self.notebook, self.student, self.sandbox, self.cell_seconds = notebook, student, sandbox, cell_seconds
        self.ran, self.errors, self.ended_at, self._room = 0, [], None, MAX_SHOWN

    def cells(self):
        """All code cells; after the last one, the tests that came too early."""
        early = []
        for index, cell in enumerate(self.notebook.cells):
            if cell.cell_type != "code":
                continue
            if not is_test(cell):
                self._run(cell, index)
            elif self.judge(cell, index):
                early.append((cell, index))
        self.student.again = ("again",)
        for cell, index in early if self.ended_at is None else ():
            self.judge(cell, index)

    def ask(self, source, index=None):
        """Run this in the student's process: what it shows, and the name of its error; None if it came to its end."""
        try:
            reply = self.student.channel.ask({"do": "run", "source": source}, self.cell_seconds)
        except NoAnswer:
            self._end(index)
            return None
        shown, error = (reply.get(key) if type(reply) is dict else None for key in ("shown", "error"))
        return shown if type(shown) is str else "", error if type(error) is str else None

    def judge(self, cell, index):
        """Run a test cell; whether it asked for something that was not there."""
        self.student.unanswered, self.student.points = False, float(cell.metadata.nbgrader.points)
        cell.outputs = _judged(cell.source, {"student": self.student}, index)
        if self.ended_at is None:
            self.ask("", index)  # still there?
        return self.student.unanswered

    def told(self):
        """What became of the student's process, for the record."""
        reason = self.sandbox.reason if self.ended_at is not None else ""
        state = {"status": "ended early" if reason else "complete", "reason": reason, "ended_at": self.ended_at}
        used = {"cpu_seconds": round(self.sandbox.cpu, 1), "peak_memory": self.sandbox.peak_memory}
        return state | used | {"cells": self.ran, "errors": self.errors}

    def samples(self):
        """The student's own clouds, to be drawn beside the grade; {} where there are none."""
        try:
            return records.clouds(self.student.value("samples"))
        except Exception:  # what is shown beside the grade must never cost it
            return {}

    def figures(self, parts):
        """What of the student's own results stands beside their sentences; "" where there is nothing."""
        try:
            return tables.visible(parts.FIGURES(self.student))[:MAX_FIGURES]
        except Exception:
            return ""

    def _run(self, cell, index):
        cell.outputs, cell.execution_count = [], None
        if self.ended_at is not None or not cell.source.strip():
            return
        self.ran += 1
        told = self.ask(cell.source, index) if len(cell.source) <= MAX_SOURCE else (TOO_LONG, "TooLong")
        if told is None or told[1]:
            self.errors.append(index)
        if told and self._room >= 0:
            self._room -= len(told[0])
            cell.outputs = [new_output("stream", name="stdout", text=told[0] if self._room >= 0 else CUT)]

    def _end(self, index):
        if self.ended_at is None:
            self.sandbox.lost()
            self.ended_at = index


def run(notebook, id, *, secret="", T=1000, curve="spiral", hidden=None, mend=(), unsafe=False, cell_seconds=300):
    """The notebook with outputs: of the student's cells what they showed, as text, of the tests points and a line.

    `id` is the student's; `secret`, `T` and `curve` are those of the class. The sandbox does not see the folder
    `hidden`. `mend`: what `repair` needs besides, if it is wanted. SandboxError without a sandbox: that is no grade.
    """
    began = time.monotonic()
    with Sandbox(hidden, unsafe=unsafe) as sandbox:
        student = Student(sandbox.sock, id, secret)
        student.T, student.curve = T, curve
        made = Run(notebook, student, sandbox, cell_seconds)
        made.cells()
        clouds, figures = made.samples(), made.figures(mend[1]) if mend else ""
        if mend and made.ended_at is None:
            repair.repair(made, *mend)
    told = made.told() | {"wall_seconds": round(time.monotonic() - began, 1), "samples": clouds}
    told |= {"figures": figures, "remarks": student.remarks}
    notebook.metadata["homework"] = told
    return notebook


def _judged(source, names, index):
    """The outputs of a test: what it prints, and the value of its last line or its error."""
    said, tree = io.StringIO(), ast.parse(source)
    last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    try:
        with redirect_stdout(said):
            exec(compile(tree, "<test>", "exec"), names)
            value = eval(compile(last, "<test>", "eval"), names) if last else None
    except Exception as error:
        made = new_output("error", ename=type(error).__name__, evalue=str(error)[:500], traceback=[])
    else:
        if not isinstance(value, (int, float)):
            raise RuntimeError(f"The test in cell {index} gave no points, and to nbgrader that is all of them.")
        made = new_output("execute_result", data={"text/plain": repr(float(value))}, execution_count=1)
    return [*([new_output("stream", name="stdout", text=said.getvalue())] if said.getvalue() else []), made]


def main():
    root, student, staged, ran, *unsafe = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_DATA, (MOST, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    course, notebook = Course(Path(root)), nbformat.read(staged, 4)
    source = nbformat.read(course.source, 4).cells
    tests = {cell.metadata.nbgrader.grade_id: cell.source for cell in source if is_test(cell)}
    for cell in filter(is_test, notebook.cells):
        cell.source = tests[cell.metadata.nbgrader.grade_id]  # what is hidden in it
    options = {"T": course.settings.task.T, "curve": course.settings.task.curve, "secret": course.secret}
    options |= {"hidden": course.root, "mend": (source, parts_of(course.assignment)), "unsafe": bool(unsafe)}
    tables.replace(Path(ran), nbformat.writes(run(notebook, student, **options)).encode())


if __name__ == "__main__":
    main()
