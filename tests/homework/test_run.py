"""Notebooks through both processes: what runs where, what is kept, what a test earns whatever the student does."""

import resource

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.utils import determine_grade

from diffusion_course.homework.grading import run as runs
from diffusion_course.homework.sandbox.walls import Limits, SandboxError


def test_cell(source):
    about = {"grade": True, "solution": False, "locked": True, "grade_id": "test", "points": 1, "schema_version": 3}
    return new_code_cell(source, metadata={"nbgrader": about})


test_cell.__test__ = False  # a cell for the notebooks below, no test of ours


def asks(question, right):
    """A test cell: 1 point if `question` is `right`, the name of the exception if there is no answer."""
    return test_cell(f"""
try:
    found = {question}
    print(found)
except Exception as error:
    found = type(error).__name__
    print(found, error)
float(found == {right})
""")


def graded(*cells, **options):
    """(points of the test cells, notebook) after it has run."""
    cells = [cell if not isinstance(cell, str) else new_code_cell(cell) for cell in cells]
    notebook = runs.run(new_notebook(cells=cells), "ada", **options)
    tests = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    return [determine_grade(cell)[0] for cell in tests], notebook


def shown(cell):
    return "".join(output.get("text", output.get("evalue", "")) for output in cell.outputs)


def test_students_cells_and_tests_run_in_processes_of_their_own(walled):
    points, notebook = graded(
        new_markdown_cell("# Title"),
        "import os\nprint(os.getcwd())\nsecret = 1",
        "def double(x): return 2 * x",
        asks("student.call('double', 21)", 42),
        test_cell("'secret' in globals() or 'double' in globals() or 1.0"),
        test_cell("import sys\nprint('a warning', file=sys.stderr)\nprint(student.id)\n0.5"),
        "1 / 0",
        "print('after the error')",
    )
    assert points == [1, 1, 0.5]
    assert shown(notebook.cells[1]) == "/tmp\n"
    assert shown(notebook.cells[5]) == "ada\n"
    assert "ZeroDivisionError" in shown(notebook.cells[6])
    assert shown(notebook.cells[7]) == "after the error\n"
    record = notebook.metadata["homework"]
    assert (record["status"], record["reason"], record["errors"]) == ("complete", "", [6])
    assert record["peak_memory"] > 2**20


@pytest.mark.long
def test_points_earned_before_the_end_are_kept(walled):
    points, notebook = graded(
        "def double(x): return 2 * x",
        asks("student.call('double', 21)", 42),
        "import os\nos._exit(0)",
        "print('never')",
        asks("student.call('double', 21)", 42),
    )
    assert points == [1, 0]
    assert "ended" in shown(notebook.cells[4])
    assert notebook.cells[3].outputs == []
    record = notebook.metadata["homework"]
    assert (record["status"], record["reason"]) == ("ended early", "It ended by itself.")


DEAF = """
def spin():
    while True: pass
def hang():
    while True:
        try: spin()
        except BaseException: pass
"""


@pytest.mark.long
def test_a_call_that_never_ends_costs_its_own_points_and_those_after(walled):
    points, notebook = graded(
        "def double(x): return 2 * x",
        DEAF,
        asks("student.call('double', 21)", 42),
        asks("student.call('hang', seconds=1)", 0),
        asks("student.call('double', 21)", 42),
    )
    assert points == [1, 0, 0]
    assert shown(notebook.cells[3]).startswith("TooSlow")
    assert shown(notebook.cells[4]).startswith("Dead")
    assert notebook.metadata["homework"]["reason"] == "It stopped answering."


@pytest.mark.long
def test_a_test_that_came_too_early_is_asked_again(walled):
    points, _ = graded(asks("student.call('double', 21)", 42), "def double(x): return 2 * x")
    assert points == [1]


@pytest.mark.long
def test_a_cell_that_sleeps_for_ever_ends_alone(walled):
    points, notebook = graded("import time\ntime.sleep(600)", "y = 1", asks("student.value('y')", 1), cell_seconds=1)
    assert points == [1]
    assert "TooSlow" in shown(notebook.cells[0])
    assert notebook.metadata["homework"]["status"] == "complete"


GARBAGE = """
import gc, socket
for sock in [thing for thing in gc.get_objects() if isinstance(thing, socket.socket)]:
    try: sock.sendall(b"\\xff" * 2**24)
    except OSError: pass
"""
FORGED = """
from diffusion_course.homework.inside import answer
answer.serve = lambda *_, do, **__: {"shown": 5, "error": {}} if do == "run" else {"value": 42, "points": 1.0}
"""


@pytest.mark.long
@pytest.mark.parametrize("attack", [GARBAGE, FORGED], ids=["garbage", "forged"])
def test_writing_into_the_socket_earns_nothing(walled, attack):
    points, _ = graded(
        "def double(x): return 2 * x",
        asks("student.call('double', 21)", 42),
        attack,
        "print('never read')",
        asks("student.call('double', 4)", 8),
    )
    assert points == [1, 0]


SCRIPTS = """
import matplotlib.pyplot as plt
from IPython.display import HTML, SVG, Javascript, display
plt.plot([1, 2])
plt.show()
display(HTML("<script>steal()</script>"), Javascript("steal()"))
display({"text/html": "<script>", "image/svg+xml": "<svg onload=steal()>", "image/png": "' onerror=steal()"}, raw=True)
HTML("<script>steal()</script>")
"""


@pytest.mark.long
def test_nothing_but_text_is_kept(walled):
    _, notebook = graded(SCRIPTS)
    assert {output.output_type for output in notebook.cells[0].outputs} == {"stream"}
    assert "steal" not in str(notebook.cells[0].outputs)


FLOODS = [
    "while True: print('x' * 1000)",
    "for _ in range(10**7): display('x' * 10**4)",
    "raise ValueError('x' * 10**7)",
    "'x' * 10**7",
]


@pytest.mark.long
def test_floods_are_cut(walled):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, notebook = graded(*FLOODS, "print('and on')", cell_seconds=2)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 2**10  # KiB, of the grader
    for cell in notebook.cells[:-1]:
        assert len(str(cell.outputs)) < 3 * 2**20
        assert "more output was cut" in shown(cell)
    assert shown(notebook.cells[-1]) == "and on\n"


@pytest.mark.long
def test_a_test_cannot_be_skipped_and_one_without_points_is_an_error(walled):
    skipped = test_cell("0.25")
    skipped.metadata["tags"] = ["skip-execution"]
    skipped.outputs = [new_output("execute_result", data={"text/plain": "1.0"})]
    assert graded(skipped)[0] == [0.25]
    with pytest.raises(RuntimeError, match="no points"):
        graded(test_cell("pass"))


@pytest.mark.long
def test_unsafe_grades_the_same(walled):
    points, notebook = graded("def double(x): return 2 * x", asks("student.call('double', 21)", 42), unsafe=True)
    assert points == [1]
    assert notebook.metadata["homework"]["status"] == "complete"


def test_no_sandbox_is_an_error_and_no_grade(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="bubblewrap"):
        graded(test_cell("1.0"))


def test_a_cell_of_megabytes_is_not_run_and_harms_no_other(walled):
    long = new_code_cell("x = 1  # " + "é" * runs.MAX_SOURCE)
    (points,), notebook = graded("x = 42", long, "y = x", asks("student.value('y')", 42))
    assert points == 1 and "was not run" in shown(notebook.cells[1])
    assert notebook.metadata["homework"]["errors"] == [1]
    assert runs.Run(notebook, None).ask(long.source) == (runs.TOO_LONG, "TooLong")  # whoever asks, such as `repair`
    widest = "x = 1  # " + "\N{GRINNING FACE}" * (runs.MAX_SOURCE - 9)  # 12 bytes a character on the way
    assert graded(widest, asks("student.value('x')", 1))[0] == [1]


def test_a_process_begun_afresh_knows_nothing_and_the_time_goes_on(walled):
    with runs.Sandbox() as sandbox:
        made = runs.Run(None, runs.Student(runs.Channel(sandbox.sock), "ada"), sandbox=sandbox)
        made.ask("import time\nx = open('kept', 'w')\nwhile time.process_time() < 3: pass\ntime.sleep(0.5)")
        made.afresh()
        assert made.ask("import os\nprint('x' in globals(), 'kept' in os.listdir())")[0] == "False False\n"
        sandbox.limits = Limits(cpu=2)
        made.afresh()
        assert made.ask("while True: pass") is None and "CPU time" in sandbox.reason


def test_no_two_hand_ins_are_asked_the_same(walled):
    """Whoever has seen the questions of one learns nothing for the next."""
    ask = test_cell("print(student.draw('x').random()); 1.0")
    seen = [shown(graded(source, ask)[1].cells[1]) for source in ("x = 1", "x = 1", "x = 2")]
    assert seen[0] == seen[1] != seen[2]


def test_a_question_that_cannot_be_sent_is_our_mistake_and_ends_nothing(walled):
    points, _ = graded(
        "def double(x): return 2 * x",
        asks("student.call('double', object())", 0),
        asks("student.call('double', __import__('torch').ones(2)).tolist()", [2, 2]),
    )
    assert points == [0, 1]
