"""Every notebook keeps the rules of form, and every rule is seen to catch the notebook that breaks it.

That the notebooks run is tested by nbval, which executes each of their cells.
"""

from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from notebook_rules import FORM, LESSON

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(path for path in FOLDER.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
LESSONS = [path for path in NOTEBOOKS if path.parent == FOLDER]


def read(path):
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def name(path):
    return path.stem


def test_there_are_lessons():
    assert LESSONS and all(path.stem[:3] in ("01_", "02_", "03_", "04_", "05_", "06_") for path in LESSONS)


@pytest.mark.parametrize("rule", FORM, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_notebook(path, rule):
    assert list(rule(read(path), path.stem)) == []


@pytest.mark.parametrize("rule", LESSON, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_lesson(path, rule):
    assert list(rule(read(path), path.stem)) == []


def test_every_lesson_has_the_same_set_up_cell():
    cells = {cell.source for path in LESSONS for cell in read(path).cells if cell.get("id") == "setup"}
    assert len(cells) == 1


# The rules themselves

TITLE = """# Lesson 1 · A title
[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/diffusion-course/blob/main/notebooks/01_intuition.ipynb)
**You will** do. **You will learn** this. **You need** that.
**Time**: 50 minutes of reading; 20 s on two CPU cores; no GPU."""
SETUP = 'import sys\nif "google.colab" in sys.modules:\n    %pip install -q diffusion-course'
BLANK = 'def f{0}(x):\n    """Twice x."""\n    raise NotImplementedError\n\n\ncheck.f{0}(f{0})'
CLOSE = """## To carry forward
1. One.
2. Two.
3. Three.
## Notation used
## Where it goes next
## Further reading"""


def sound():
    """A small lesson that keeps every rule."""
    pairs = [(TITLE, SETUP), ("The package.", "show(f)")]
    pairs += [("**Predict**: more, or less?", "print(1)")] * 2
    pairs += [("**Slider**: where is it?", "widgets.explore(draw, t=(0, 9))"), ("Still:", "plots.images({})")]
    pairs += [(f"### Exercise {i}\nBy hand: f(1) = 2.", BLANK.format(i)) for i in (1, 2, 3)]
    pairs += [("And so on.", "print(2)")] * 6 + [("Quiz.", 'Quiz("01_intuition")')]
    nb = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    for i, (text, code) in enumerate(pairs):
        nb.cells += [new_markdown_cell(text, id=f"text-{i}"), new_code_cell(code, id=f"code-{i}")]
    nb.cells += [new_markdown_cell(CLOSE, id="close")]
    nb.cells[1].id = "setup"
    return nb


def edit(old, new):
    """A change of one piece of text wherever it stands."""

    def change(nb):
        assert any(old in cell.source for cell in nb.cells)
        for cell in nb.cells:
            cell.source = cell.source.replace(old, new)

    return change


def put(**values):
    """A change of some field of the first code cell."""
    return lambda nb: nb.cells[1].update(values)


def long(lines, cells):
    def change(nb):
        for cell in [cell for cell in nb.cells if cell.cell_type == "code"][:cells]:
            cell.source += "\n1" * lines

    return change


def drop(*places):
    def change(nb):
        for place in sorted(places, reverse=True):
            del nb.cells[place]

    return change


PLANTED = [
    ("is_valid", lambda nb: nb.cells[1].pop("outputs"), "not a valid notebook"),
    ("is_valid", lambda nb: nb.update(nbformat_minor=4), "format 4.4"),
    ("has_readable_ids", put(id="text-1"), "2 cells have the id 'text-1'"),
    ("has_readable_ids", put(id="8ca21f93"), "does not say"),
    ("has_readable_ids", put(id="c0ffee-12ab-34cd"), "does not say"),
    ("has_no_outputs", put(execution_count=3), "saved with its output"),
    ("has_no_outputs", put(outputs=[{"output_type": "stream", "name": "stdout", "text": ""}]), "saved with"),
    ("runs_on_any_python3", lambda nb: nb.metadata.kernelspec.update(name="mine"), "not python3"),
    ("holds_no_widget_state", lambda nb: nb.metadata.update(widgets={}), "metadata.widgets"),
    ("runs_on_any_machine", edit("print(1)", 'x.to("cuda:0")'), "names one GPU"),
    ("runs_on_any_machine", edit("print(1)", 'open("/' + 'x/y")'), "absolute path"),
    ("runs_on_any_machine", edit("print(1)", r"open('C:\x')"), "absolute path"),
    ("runs_on_any_machine", edit("-q diff", "numpy==1.2 diff"), "pins a package"),
    ("runs_on_any_machine", edit("-q diff", "'numpy<2' diff"), "pins a package"),
    ("is_of_one_sitting", drop(*range(20, 28)), "cells, not 30 to 60"),
    ("is_of_one_sitting", lambda nb: nb.cells.extend([nb.cells[0]] * 60), "cells, not 30 to 60"),
    ("has_short_code", long(20, 1), "more than 20"),
    ("has_short_code", long(9, 12), "half of the code cells"),
    ("alternates_with_text", drop(2), "no text between 'setup' and 'code-1'"),
    ("has_little_metadata", put(metadata={"collapsed": True}), "collapsed"),
    ("has_little_metadata", lambda nb: nb.metadata.update(colab={}), "colab"),
    ("opens_with_the_facts", edit("# Lesson 1", "# Lesson 2"), "number and title"),
    ("opens_with_the_facts", edit("**You will** do.", ""), "what you will do"),
    ("opens_with_the_facts", edit("**You will learn** this.", ""), "what you will learn"),
    ("opens_with_the_facts", edit("**You need** that.", ""), "what you need"),
    ("opens_with_the_facts", edit("50 minutes of", "some"), "minutes of reading"),
    ("opens_with_the_facts", edit("20 s on", "quick on"), "time on a CPU"),
    ("opens_with_the_facts", edit("no GPU", "none"), "a word on GPUs"),
    ("opens_with_the_facts", edit("01_intuition.ipynb", "02.ipynb"), "Colab badge"),
    ("opens_with_the_facts", drop(0), "number and title"),
    ("sets_itself_up", drop(0, 1), "not the set-up cell"),
    ("sets_itself_up", edit("google.colab", "colab"), "not the set-up cell"),
    ("sets_itself_up", edit("-q diff", "torch diff"), "installs torch or numpy"),
    ("asks_for_predictions", drop(4, 5), "1 questions to"),
    ("asks_for_predictions", drop(5), "not answered by the next cell"),
    ("has_exercises", drop(12, 13), "2 exercises"),
    ("has_exercises", edit('"""Twice x."""', "x = 1"), "does not begin with a function"),
    ("has_exercises", edit("check.f1(f1)", "check.f1(f2)"), "one line that checks it"),
    ("has_exercises", edit("check.f1(f1)", ""), "one line that checks it"),
    ("has_exercises", edit("### Exercise 2", "### More"), "no text headed Exercise"),
    ("has_exercises", edit("By hand: f(1) = 2.", ""), "neither a case"),
    ("explains_its_sliders", edit("**Slider**: where is it?", "Look."), "no **Slider** or"),
    ("explains_its_sliders", edit("plots.images({})", "print(3)"), "no still figure"),
    ("shows_the_package", edit("show(f)", "f"), "show(function)"),
    ("has_a_quiz", edit("Quiz(", "print("), "no cell with Quiz"),
    ("closes_with_the_four_sections", drop(-1), "exactly the sections"),
    ("closes_with_the_four_sections", edit("## Notation used\n", ""), "exactly the sections"),
    ("closes_with_the_four_sections", edit("3. Three.\n", ""), "three numbered"),
]
RULES = {rule.__name__: rule for rule in FORM + LESSON}


@pytest.mark.parametrize("rule", RULES)
def test_sound_lesson_breaks_no_rule_and_each_rule_has_a_planted_breach(rule):
    assert list(RULES[rule](sound(), "01_intuition")) == []
    assert rule in {planted for planted, _, _ in PLANTED}


@pytest.mark.parametrize(("rule", "breach", "found"), PLANTED)
def test_planted_breach_is_found_by_its_rule(rule, breach, found):
    nb = sound()
    breach(nb)
    assert any(found in problem for problem in RULES[rule](nb, "01_intuition"))


@pytest.mark.parametrize("count", [3, 7])
def test_quiz_of_too_few_or_too_many_questions_is_found(count, monkeypatch):
    quiz = SimpleNamespace(questions=[None] * count)
    monkeypatch.setattr("notebook_rules.Quiz", lambda lesson: quiz)
    assert list(RULES["has_a_quiz"](sound(), "01_intuition")) == [
        f"{count} questions in the quiz, not 4 to 6"
    ]
