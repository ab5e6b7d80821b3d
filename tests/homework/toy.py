"""A small assignment in the form of the real one, a stand-in for what runs a notebook, and students who hand in.

The stand-in grades without running anything, in milliseconds: tests of what stands around the grading need no more.
It does what a line `# toy: …` in a submission says: `points 0.5`, `says …`, `fail`, `sleep`, `clouds`.
"""

import json
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.utils import compute_checksum

from diffusion_course.homework import course
from diffusion_course.homework.prepare import make as prepare

RUN = Path(__file__).with_name("toy_run.py")
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
STUB = "raise NotImplementedError  # replace this line by yours"


def cell(source, grade_id=None, points=None, solution=False, make=new_code_cell):
    """A cell of the source; with an id one that nbgrader knows."""
    made = make(source, id=grade_id or "plain")
    if grade_id:
        about = {"grade_id": grade_id, "grade": points is not None, "solution": solution, "locked": not solution}
        made.metadata["nbgrader"] = about | {"schema_version": 3, "task": False}
        made.metadata["nbgrader"] |= {"points": points} if points is not None else {}
    return made


def grading(part, hidden):
    """A test cell."""
    return cell(f"# {part} (a part)\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS", f"grade-{part}", 1)


def notebook(student_id, double, triple, conclusions, hidden=True):
    """The source, or with `hidden=False` and blanks the student's version."""
    secret = "print('✓ right'); secret = 21; 1.0"
    made = new_notebook(metadata=KERNEL)
    made.cells = [
        cell("# Toy homework", make=new_markdown_cell),
        new_code_cell(f"STUDENT_ID = {student_id!r}  # your own", id="student-id"),
        cell(f"def double(x):\n    {double}", "double", solution=True),
        grading("double", secret),
        cell(f"def triple(x):\n    {triple}", "triple", solution=True),
        grading("triple", secret),
        cell(conclusions, "conclusions", 2, solution=True, make=new_markdown_cell),
    ]
    for made_cell in made.cells if not hidden else ():
        made_cell.source = made_cell.source.split("\n### BEGIN HIDDEN")[0]
    return made


def solved(text):
    return f"### BEGIN SOLUTION\n    {text}\n    ### END SOLUTION"


def source():
    mark_scheme = "=== BEGIN MARK SCHEME ===\none point for this\n=== END MARK SCHEME ==="
    made = notebook("your id", solved("return 2 * x"), solved("return 3 * x"), f"It works.\n{mark_scheme}")
    return made


def released():
    made = notebook("your id", STUB, STUB, "*Write your three sentences here.*", hidden=False)
    made.cells[-1].metadata.nbgrader["checksum"] = compute_checksum(made.cells[-1])  # by which nbgrader knows a blank
    return made


def work(student="ada", says="", conclusions="One. Two. Three."):
    """What a student hands in; `says` goes to the stand-in."""
    return notebook(student, f"return 2 * x  # toy: {says}", "return 3 * x", conclusions, hidden=False)


def make_course(root, monkeypatch, students=("ada", "alan", "grace")):
    """A course of the toy assignment, released, whose notebooks the stand-in runs."""
    monkeypatch.setattr(course.Course, "runner", lambda self, *words: [sys.executable, "-S", str(RUN), *words])
    path = Path(root).parent / "toy.ipynb"
    path.write_text(nbformat.writes(source()))
    made = prepare.init(root, source=path)
    (made.root / "roster.csv").write_text("id,first_name,last_name\n" + "".join(f"{s},The,{s}\n" for s in students))
    prepare.release(made)
    return course.Course(made.root)


def hand_in(made, student, submitted=None):
    """Lay a notebook (or bytes, or any JSON) under submitted/."""
    path = made.root / "submitted" / f"{student}.ipynb"
    submitted = work(student) if submitted is None else submitted
    path.write_bytes(submitted if isinstance(submitted, bytes) else json.dumps(submitted).encode())
    return path
