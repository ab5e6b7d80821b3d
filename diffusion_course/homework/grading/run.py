"""A notebook through both sides: the student's cells run in the sandbox, the tests here, outside.

Cells run in the order of the notebook, so a process that dies takes with it only what comes after: the points of the
tests before are earned. A test that asked for something which was not there is run once more after the last cell; the
student may have moved cells. It asks other questions then: what the grader asked before may have shown the answers.
Last, one mistake is kept from costing its followers (`repair`).

`grade` starts a process for each submission, which writes the staged notebook anew, and may end it:

    python -m diffusion_course.homework.grading.run COURSE STUDENT NOTEBOOK [--unsafe]
"""

import ast
import hashlib
import io
import sys
from contextlib import redirect_stdout, suppress
from pathlib import Path

import nbformat
from nbformat.v4 import new_output

from .. import tables
from ..assignments import parts_of
from ..course import Course, is_test
from ..sandbox.sandbox import Sandbox
from .channel import Channel, NoAnswer, Student
from .records import clouds, is_own
from .repair import repair

MOST = 6 * 2**30  # bytes of this process, which needs a tenth: an answer that makes it grow costs only its own part
MAX_SHOWN = 2**23  # characters that all of the student's cells show
MAX_FIGURES = 1000  # characters
MAX_SOURCE = 2**18  # characters of one cell, so that it fits into a message however it is written there
CUT = "… more output was cut.\n"
TOO_LONG = f"This cell has more than {MAX_SOURCE:,} characters and was not run.\n"


class Run:
    """One notebook on its way, cell by cell."""

    def __init__(self, notebook, student, cell_seconds=300, sandbox=None):
        self.notebook, self.student, self.cell_seconds, self.sandbox = notebook, student, cell_seconds, sandbox
        self.errors, self._room = [], MAX_SHOWN

    @property
    def ended(self):
        """Has the student's process come to its end?"""
        return self.student.channel.dead is not None

    def cells(self):
        """All code cells; after the last one, the tests that came too early."""
        early = []
        for index, cell in enumerate(self.notebook.cells):
            if is_own(cell):
                self._run(cell, index)
            elif is_test(cell) and self.judge(cell):
                early.append(cell)
        self.student.again += ("again",)
        for cell in early if not self.ended else ():
            self.judge(cell)

    def ask(self, source):
        """Run this in the student's process: what it shows, and the name of its error; None if it came to its end."""
        if len(source) > MAX_SOURCE:
            return TOO_LONG, "TooLong"
        try:
            reply = self.student.channel.ask({"do": "run", "source": source}, self.cell_seconds)
        except NoAnswer:
            return None
        match reply:
            case {"shown": str(shown), "error": str() | None as error}:
                return shown, error
        return "", None

    def afresh(self):
        """Go on in a new process, which knows nothing of what the one before was told."""
        self.sandbox.restart()
        self.student.channel = Channel(self.sandbox.sock)

    def judge(self, cell):
        """Run a test cell; whether it asked for something that was not there."""
        self.student.unanswered, self.student.points = False, float(cell.metadata.nbgrader.points)
        cell.outputs = _judged(cell, {"student": self.student})
        return self.student.unanswered

    def results(self, parts):
        """The student's own clouds and figures, which stand beside the grade and must never cost it."""
        found = {"samples": {}, "figures": ""}
        with suppress(Exception):
            found["samples"] = clouds(self.student.value("samples"))
        with suppress(Exception):
            found["figures"] = tables.visible(parts.FIGURES(self.student))[:MAX_FIGURES]
        return found

    def _run(self, cell, index):
        cell.outputs, cell.execution_count = [], None
        if self.ended or not cell.source.strip():
            return
        told = self.ask(cell.source)
        if told is None or told[1]:
            self.errors.append(index)
        if told and self._room >= 0:
            self._room -= len(told[0])
            cell.outputs = [new_output("stream", name="stdout", text=told[0] if self._room >= 0 else CUT)]


def run(notebook, id, course=None, unsafe=False, cell_seconds=300):
    """The notebook with outputs: of the student's cells what they showed, as text, of the tests points and a line.

    `id` is the student's. From the `course`, which the sandbox does not see, come what is hidden in the tests, what
    differs in this class, and what `repair` needs. SandboxError without a sandbox: that is no grade.
    """
    source, parts, ours = [], None, ()
    if course:
        source, parts = nbformat.read(course.source, 4).cells, parts_of(course.assignment)
        ours = course.secret, course.settings.task.T, course.settings.task.curve
    tests = {cell.metadata.nbgrader.grade_id: cell.source for cell in source if is_test(cell)}
    for cell in filter(is_test, notebook.cells):
        cell.source = tests.get(cell.metadata.nbgrader.grade_id, cell.source)
    with Sandbox(course and course.root, unsafe=unsafe) as sandbox:
        made = Run(notebook, Student(Channel(sandbox.sock), id, *ours), cell_seconds, sandbox)
        code = "".join(cell.source for cell in notebook.cells)
        made.student.again = (hashlib.sha256(code.encode()).hexdigest(),)  # no two are asked the same
        made.cells()
        told = made.results(parts) | {"status": "complete"}
        if made.ended:
            sandbox.lost()
            told |= {"status": "ended early", "reason": sandbox.reason}
        elif source:
            repair(made, source, parts)
    told = {"reason": made.student.reason} | told | {"errors": made.errors, "remarks": made.student.remarks}
    told |= {"cpu_seconds": round(sandbox.cpu, 1), "peak_memory": sandbox.peak_memory}
    notebook.metadata["homework"] = told
    return notebook


def _judged(cell, names):
    """The outputs of a test: what it prints, and the value of its last line or its error."""
    said, tree = io.StringIO(), ast.parse(cell.source)
    last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    try:
        with redirect_stdout(said):
            exec(compile(tree, "<test>", "exec"), names)
            value = eval(compile(last, "<test>", "eval"), names) if last else None
    except Exception as error:
        made = new_output("error", ename=type(error).__name__, evalue=str(error)[:500], traceback=[])
    else:
        if not isinstance(value, (int, float)):
            raise RuntimeError(f"The test {cell.metadata.nbgrader.grade_id} gave no points.")
        made = new_output("execute_result", data={"text/plain": repr(float(value))}, execution_count=1)
    return [*([new_output("stream", name="stdout", text=said.getvalue())] if said.getvalue() else []), made]


def main():
    root, student, path, *unsafe = sys.argv[1:]
    import resource  # Windows has none, and imports this file

    resource.setrlimit(resource.RLIMIT_DATA, (MOST, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    made = run(nbformat.read(path, 4), student, Course(Path(root)), bool(unsafe))
    tables.replace(Path(path), nbformat.writes(made).encode())


if __name__ == "__main__":
    main()
