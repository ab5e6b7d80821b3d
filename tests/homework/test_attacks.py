"""Attacks: none earns more than its honest part, none harms another submission, each is told by name.

First hostile cells (`attacks`), each in a notebook of real parts that goes through both processes. Then hostile files,
handed in beside an honest one and graded in one batch.
"""

import copy
import html
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import zipfile
from functools import partial
from types import SimpleNamespace

import nbformat
import pytest
from attacks import CHEATS, HARMS, HONEST, LOOKS, MORE
from click.testing import CliRunner
from nbformat.v4 import new_code_cell
from solved import solution
from test_run import graded, shown

from diffusion_course.homework import course as courses
from diffusion_course.homework.grading import local, records
from diffusion_course.homework.grading import run as runs
from diffusion_course.homework.prepare import make as prepare
from diffusion_course.homework.sandbox.walls import Limits
from diffusion_course.run import cli

pytestmark = pytest.mark.long
LIMITS = Limits(memory=3 * 2**29, files=2**26, cpu=120, wall=600)
SETUP = "import torch\nfrom diffusion_course.check import homework as check"


def result(*sources, **options):
    """What the grader finds in the notebook of a student who can do two of three parts, with hostile cells in it:
    points of the tests, what they print, the hostile cells, the record."""
    cells = {cell.id: cell for cell in local.source_cells()}
    add_noise, levels, grid = (
        new_code_cell(cells[name].source) for name in ("add-noise", "make-alpha-bar", "time-grid")
    )
    levels.source = levels.source.replace("cumprod(1 - beta", "cumprod(beta")
    early, *late = (copy.deepcopy(cells[f"grade-{name}"]) for name in ("add-noise", "make-alpha-bar", "time-grid"))
    hostile = [new_code_cell(source.strip()) for source in sources]
    points, made = graded(new_code_cell(SETUP), add_noise, early, levels, grid, *hostile, *late, **options)
    found = "".join(shown(cell) for cell in made.cells if "nbgrader" in cell.metadata)
    return SimpleNamespace(points=points, found=found, hostile=made.cells[5:-2], **made.metadata["homework"])


@pytest.fixture(scope="module")
def place(walled, tmp_path_factory):
    """A course directory with what an attacker looks for, and a server, to which only those come who got out."""
    course = tmp_path_factory.mktemp("course")
    for name, content in {"source/spiral/spiral.ipynb": "### BEGIN SOLUTION", "submitted/ada.ipynb": "{}"}.items():
        (course / name).parent.mkdir(parents=True)
        (course / name).write_text(content)
    with sqlite3.connect(course / "gradebook.db") as book:
        book.execute("create table grade (auto_score)")
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        patch.setattr(runs, "Sandbox", partial(runs.Sandbox, limits=LIMITS))
        patch.setenv("TOKEN", "SECRET")
        program = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)  # it knows the token, too
        yield SimpleNamespace(course=course, server=server, port=str(server.getsockname()[1]))
        program.communicate(b"\n")


def attacked(place, *attacks, **options):
    """The `result` of these attacks, within limits that a test can wait for."""
    sources = [each.source.replace("PORT", place.port).replace("COURSE", str(place.course)) for each in attacks]
    return result(*sources, **{"cell_seconds": 60} | options)


@pytest.fixture(scope="module")
def looked(place):
    """All that only look for a way out, in one submission; name → cell."""
    gradebook = (place.course / "gradebook.db").read_bytes()
    found = attacked(place, *LOOKS.values())
    assert (place.course / "gradebook.db").read_bytes() == gradebook
    with pytest.raises(BlockingIOError):
        place.server.accept()
    assert (found.points, found.status) == (HONEST, "complete")
    return dict(zip(LOOKS, found.hostile, strict=True))


@pytest.mark.parametrize("name", LOOKS)
def test_there_is_no_way_out(name, looked):
    assert LOOKS[name].said in shown(looked[name]) and "GOT IN" not in str(looked[name].outputs)


def test_without_the_sandbox_the_same_cells_get_in(place):
    """So the test above can fail."""
    able = {name: attack for name, attack in LOOKS.items() if attack.without_walls}
    found = attacked(place, *able.values(), unsafe=True)
    assert {name: "GOT IN" in shown(cell) for name, cell in zip(able, found.hostile, strict=True)} == dict.fromkeys(
        able, True
    )


@pytest.mark.parametrize("name", CHEATS | HARMS | MORE)
def test_an_attack_earns_what_its_honest_part_earns_and_is_told(name, place):
    attack = (CHEATS | HARMS | MORE)[name]
    found = attacked(place, attack, **({"cell_seconds": 10} if "sleeps" in name else {}))
    assert found.points == attack.points
    assert attack.said in shown(found.hostile[0]) and attack.found in found.found
    assert found.status == ("ended early" if attack.reason else "complete")
    assert re.fullmatch(str(attack.reason), str(found.reason))
    outputs = found.hostile[0].outputs
    assert "GOT IN" not in str(outputs)
    assert {output.output_type for output in outputs} <= {"stream"}


# ---- a batch -------------------------------------------------------------------------------------


def plain(released, student):
    """What an honest student hands in who could do two of three parts."""
    made = copy.deepcopy(released)
    for cell in made.cells:
        if cell.id in ("add-noise", "make-alpha-bar", "time-grid"):
            cell.source = solution()[cell.id].replace("cumprod(1 - beta", "cumprod(beta")
        elif cell.id == "student-id":
            cell.source = f'STUDENT_ID = "{student}"'
    return made


FORGED = "from diffusion_course.check import homework\nprint('✓ make_alpha_bar: right.')\n99.0"


def graded_cells(made):
    return [cell for cell in made.cells if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code"]


def overwrites(made):
    for cell in graded_cells(made):
        cell.source = FORGED
        cell.metadata.nbgrader["points"] = 99
        cell.metadata.nbgrader["locked"] = False


def duplicates(made):
    for cell in graded_cells(made):
        made.cells += [nbformat.from_dict(cell | {"source": FORGED}) for _ in range(2)]
    made.cells.append(nbformat.from_dict(made.cells[-1] | {"id": "again"}))


def retypes(made):
    for cell in graded_cells(made):
        cell.cell_type = "markdown"
    for cell in made.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.metadata.nbgrader |= {"grade": True, "points": 99}
            cell.cell_type = "code"
    made.cells[-2].source = "print('three sentences')\n99.0"


def deletes(made):
    made.cells = [cell for cell in made.cells if cell not in graded_cells(made)]
    made.metadata = {}


def invents(made):
    about = {"grade": True, "solution": False, "locked": True, "points": 99, "schema_version": 3, "cell_type": "code"}
    for name in ("grade-bonus", "grade-make-alpha-bar-2", "conclusions"):
        made.cells.append(new_code_cell(FORGED, metadata={"nbgrader": about | {"grade_id": name}}))
    made.metadata["homework"] = {"status": "complete", "samples": {"10": [[0, 0]]}, "reason": "<script>"}


def scripts(made):
    script = "<script>alert('GOT IN')</script><img src=x onerror=alert('GOT IN')>"
    made.cells[1].outputs = [nbformat.v4.new_output("display_data", {"text/html": script})]
    shown_ = f"from IPython.display import HTML\nHTML({script!r})"
    raising = f"def reverse_step(*args):\n    raise ValueError({script!r})"
    made.cells += [new_code_cell(shown_), new_code_cell(raising), new_code_cell(f"STUDENT_ID = {script!r}")]
    next(cell for cell in made.cells if cell.id == "conclusions").source = script


def breaks_in(made):
    """Goes to the real places, which it knows."""
    looks = "\n".join(attack.source for name, attack in LOOKS.items() if "COURSE" in attack.source)
    made.cells.insert(4, new_code_cell(looks))


TAMPERED = {made.__name__: made for made in (overwrites, duplicates, retypes, deletes, invents, scripts, breaks_in)}


def zipped(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("spiral.ipynb", bytes(10**8))


def tiny_objects(path):
    """Twenty million bytes of JSON; read as they stand they take three gigabytes."""
    path.write_bytes(b'{"nbformat": 4, "cells": [' + b"{}," * 6_000_000 + b"{}]}")


def sparse(path):
    with open(path, "wb") as file:
        file.truncate(2**30)


FILES = {
    "zip": (zipped, "not a notebook", "The file is no notebook, or it was damaged"),
    "tiny": (tiny_objects, "not a notebook", "not a notebook of format"),
    "sparse": (sparse, "too large", "1,024 MB"),
    "pdf": (lambda path: path.write_bytes(b"%PDF-1.7"), "not a notebook", "The file is no notebook, or it was damaged"),
    "link": (lambda path: path.symlink_to(path.parents[1] / "gradebook.db"), "unreadable", "cannot be opened"),
    "pipe": (os.mkfifo, "unreadable", "not a plain file"),
}


@pytest.fixture(scope="module")
def batch(walled, tmp_path_factory):
    """All of them handed in beside Ada's honest notebook, and graded; what the teacher was told."""
    made = prepare.init(tmp_path_factory.mktemp("batch") / "course")
    students = ["ada", *TAMPERED, *FILES]
    (made.root / "roster.csv").write_text("id,first_name,last_name\n" + "".join(f"{name},,\n" for name in students))
    made = courses.Course(made.root)
    prepare.release(made)
    released = nbformat.read(made.released, 4)
    for student in ("ada", *TAMPERED):
        work = plain(released, student)
        TAMPERED.get(student, lambda work: None)(work)
        text = json.dumps(work).replace("COURSE", str(made.root))
        (made.root / "submitted" / f"{student}.ipynb").write_text(text)
    for student, (write, *_) in FILES.items():
        write(made.root / "submitted" / f"{student}.ipynb")
    told = [run("grade", made.root, "--jobs", "2"), run("feedback", made.root), run("export", made.root)]
    yield SimpleNamespace(course=made, told=told[0])
    for student in FILES:
        (made.root / "submitted" / f"{student}.ipynb").unlink()


def run(*words):
    done = CliRunner().invoke(cli.main, ["homework", *map(str, words)])
    assert done.exit_code == 0, done.output
    return done.output


HONEST_PARTS = {"add-noise": 1, "time-grid": 0.5}


def points(course, student):
    record = records.load(course, student)
    assert (record.status, record.reason) == ("graded", "")
    return {name: part.points for name, part in record.parts.items()}


@pytest.mark.parametrize("student", ["ada", *TAMPERED])
def test_a_tampered_notebook_earns_what_its_honest_part_earns(student, batch):
    found = points(batch.course, student)
    conclusions = found.pop("conclusions")
    assert found == {name: HONEST_PARTS.get(name, 0) for name in batch.course.parts if name != "conclusions"}
    assert conclusions == (None if student in ("retypes", "scripts", "invents") else 0)  # None: read by the teacher
    assert "β is multiplied, where α" in records.load(batch.course, student).parts["make-alpha-bar"].message


@pytest.mark.parametrize("student", FILES)
def test_a_file_that_is_no_notebook_is_told_by_name_and_the_batch_goes_on(student, batch):
    _, status, reason = FILES[student]
    record = records.load(batch.course, student)
    assert record.status == status and reason in record.reason and record.parts == {}
    assert f"{student}: {status}." in batch.told
    assert status.capitalize() in (batch.course.root / "feedback" / f"{student}.html").read_text()


def test_everybody_has_a_row_and_no_page_runs_a_script(batch):
    table = (batch.course.root / "export/grades.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(table) == 1 + 1 + len(TAMPERED) + len(FILES)
    pages = [*(batch.course.root / "feedback").glob("*.html"), batch.course.root / "export/report.html"]
    assert len(pages) == len(table)  # the table has a head, the pages a report
    for page in pages:
        text = page.read_text().lower()
        assert "<script" not in text and "<img src=x" not in text and "default-src 'none'" in html.unescape(text)
    assert "&lt;script&gt;" in (batch.course.root / "feedback/scripts.html").read_text()


def test_who_breaks_in_finds_nothing(batch):
    text = (batch.course.root / "grading/ran/breaks_in.ipynb").read_text()
    assert "GOT IN" not in text.replace('print(\\"GOT IN', "") and "unable to open database file" in text
