"""Sentences are found wherever a student wrote them, and a blank stays a blank."""

import ast
import json

import nbformat
import pytest
import toy
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader.utils import determine_grade

from diffusion_course.homework.collect import sentences, submission

STUB = toy.released().cells[-1]
TEXT = "1. In 10 steps they lie between the arms.\n2. The network."


def blank():
    return toy.work(conclusions=STUB.source)


def replaced(*cells):
    """A notebook whose last cell, that of the sentences, is replaced by these."""
    made = blank()
    made.cells[-1:] = cells
    return made


def named(make, text=TEXT):
    return toy.cell(text, "conclusions", make=make)


def inside(text):
    """The text written into the given text at the top."""
    made = blank()
    made.cells[0].source += "\n" + text
    return made


WAYS = {
    "where they belong": replaced(named(new_markdown_cell)),
    "in a raw cell": replaced(named(new_raw_cell)),
    "in a code cell": replaced(named(new_code_cell)),
    "in a cell without marks": replaced(new_markdown_cell(TEXT)),
    "below the template": replaced(STUB, new_markdown_cell(TEXT)),
    "above the template": replaced(new_markdown_cell(TEXT), STUB),
    "as comments below": replaced(STUB, new_code_cell("# " + TEXT.replace("\n", "\n# "))),
    "as a string below": replaced(STUB, new_code_cell(f'"""{TEXT}"""')),
    "in a copy of the template": replaced(named(new_markdown_cell), STUB),
    "in a copy before": replaced(STUB, named(new_markdown_cell)),
    "around the template": replaced(named(new_markdown_cell, f"{STUB.source}\n\n{TEXT}")),
    "in another text": inside(TEXT),
    "as comments beside code": replaced(STUB, new_code_cell("# " + TEXT.replace("\n", "\n# ") + "\nprint(1)")),
    "one here, one there": replaced(
        new_markdown_cell(TEXT.split("\n")[1]), named(new_markdown_cell, TEXT.split("\n")[0])
    ),
    "at the top": nbformat.from_dict({**blank(), "cells": [new_markdown_cell(TEXT), *blank().cells]}),
}


def found(notebook):
    """The text to be marked, and nbgrader's points for it: None if the teacher is to mark it."""
    given = json.loads(nbformat.writes(notebook))
    staged = submission.stage(submission.parse(json.dumps(given).encode()), toy.released())
    nbformat.validate(staged)
    (cell,) = [c for c in staged.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "conclusions"]
    assert cell.cell_type == "markdown"
    return cell.source, determine_grade(cell)[0]


@pytest.mark.parametrize("way", WAYS)
def test_sentences_are_found(way):
    text, points = found(WAYS[way])
    assert points is None and STUB.source not in text
    for sentence in ("In 10 steps they lie between the arms.", "The network."):
        assert text.count(sentence) == 1


@pytest.mark.parametrize(
    "notebook",
    [
        blank(),
        replaced(),
        replaced(new_markdown_cell("")),
        replaced(STUB, STUB),
        replaced(named(new_markdown_cell, " ")),
    ],
)
def test_a_blank_stays_a_blank(notebook):
    assert found(notebook) == (STUB.source, 0)


def test_notes_elsewhere_follow_the_sentences_that_stand_where_they_belong():
    notebook = inside("I wonder.")
    notebook.cells[-1:] = [named(new_markdown_cell), new_markdown_cell("P.S.: 3. The distance.")]
    assert found(notebook)[0] == f"{TEXT}\n\n{sentences.ELSEWHERE}\nI wonder.\n\nP.S.: 3. The distance."


@pytest.mark.parametrize("source", ["def f(", "x = 1", "\0", "(" * 10_000, "x = 1  # one\n# y = 2 and so on and on"])
def test_code_is_no_prose(source):
    notebook = blank()
    notebook.cells.append(new_code_cell(source))
    assert found(notebook)[1] == 0


def test_what_is_too_long_to_be_sentences_is_not_parsed(monkeypatch):
    """Of twenty megabytes of short lines the parser would make eighteen gigabytes, in the process that grades all."""
    parsed = []
    monkeypatch.setattr(sentences.ast, "parse", lambda source: parsed.append(source) or ast.Module([], []))
    assert sentences._is_prose("# short") and not sentences._is_prose("a\n" * 20_000)
    assert parsed == ["# short"]
