"""Every rule about the form of notebooks finds the breach that is planted for it, and nothing in a sound notebook."""

import builtins
import re
from pathlib import Path

import nbformat
import pytest
from lint_notebooks import FOLDER, FORM, LESSON, code, names, problems
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from diffusion_course import check

TITLE = "# Lesson 1 · A title\n[![x](colab-badge.svg)](https://colab/notebooks/01_intuition.ipynb)\n50 minutes."
TITLE += " All code cells together take about 5 seconds on two CPU cores."
TITLE += "\n\nRun the next two cells."
RESTART = "After a restart of the kernel "
SETUP = '''import sys

if "google.colab" in sys.modules:
    run([sys.executable, "-m", "pip", "install", "-q", "diffusion-course"])'''


def sound():
    nb = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    pairs = [("title", TITLE, "setup", SETUP), ("look", "## 1 · See", "seen", "print(1)")]
    pairs += [("ask", "Seen?\n\n## 2 · Quiz", "quiz", "Quiz('{}')")]
    for about, text, cell, source in pairs:
        nb.cells += [new_markdown_cell(text, id=about), new_code_cell(source.format("01_intuition"), id=cell)]
    return nb


def put(place, **values):
    return lambda nb: nb.cells[place].update(values)


def edit(place, old, new):
    def change(nb):
        assert old in nb.cells[place].source
        nb.cells[place].source = nb.cells[place].source.replace(old, new)

    return change


PLANTED = [
    ("is_valid", lambda nb: nb.cells[1].pop("outputs"), "not a valid notebook"),
    ("is_valid", lambda nb: nb.update(nbformat_minor=4), "format 4.4"),
    ("has_readable_ids", put(3, id="look"), "2 cells have the id 'look'"),
    ("has_readable_ids", put(3, id="8ca21f93"), "does not say"),
    ("has_readable_ids", put(3, id="c0ffee-12ab-34cd"), "does not say"),
    ("has_no_outputs", put(1, execution_count=3), "saved with its output"),
    ("runs_on_any_machine", lambda nb: nb.metadata.kernelspec.update(name="mine"), "not python3"),
    ("runs_on_any_machine", lambda nb: nb.metadata.update(widgets={}), "metadata.widgets"),
    ("runs_on_any_machine", edit(3, "1", '"cuda:0"'), "names one GPU"),
    ("runs_on_any_machine", edit(3, "1", "'/" + "x/y'"), "absolute path"),
    ("runs_on_any_machine", edit(1, '"diff', '"numpy<2", "diff'), "pins a package"),
    ("has_short_code", edit(3, "1", "1" + "\n" * 15 + "1"), "has 16 lines"),
    ("shows_every_figure", edit(3, "print(1)", "plots.lines()\nprint(1)"), "draws on line 1"),
    ("alternates_with_text", lambda nb: nb.cells.pop(2), "no text between 'setup' and 'seen'"),
    ("has_little_metadata", put(1, metadata={"collapsed": True}), "collapsed"),
    ("has_little_metadata", lambda nb: nb.metadata.update(colab={}), "colab"),
    ("folds_under_plain_words", edit(2, "See", "See\n\n<details><summary>Why $x$?</summary>"), "dollars in <summary>"),
    ("opens_with_the_facts", edit(0, "Lesson 1", "Lesson 2"), "number and title"),
    ("opens_with_the_facts", edit(0, "50 minutes", ""), "its minutes"),
    ("opens_with_the_facts", edit(0, "two CPU cores", "a GPU"), "how long its cells take"),
    ("opens_with_the_facts", edit(0, "01_intuition", "02"), "Colab badge"),
    ("says_what_to_run_first", edit(0, "\n\nRun", " Run"), "what to run"),
    ("sets_itself_up", lambda nb: nb.cells.pop(1), "not the set-up cell"),
    ("sets_itself_up", edit(1, '"diff', '"torch", "diff'), "installs torch or numpy"),
    ("sets_itself_up", edit(1, "run(", "cuda\n    run("), "whether there is a GPU"),
    ("sets_itself_up", edit(3, "1", 'device == "cpu"'), "whether there is a GPU"),
    ("counts_its_sections", edit(4, "2 ·", "3 ·"), "the numbers [1, 3]"),
    ("counts_its_sections", edit(2, "## 1 ·", ""), "the numbers [2]"),
    ("counts_its_sections", edit(4, "2 ·", "1 ·"), "the numbers [1, 1]"),
    ("keeps_its_word_on_sections", edit(0, "Run", f"{RESTART}go on from section 1 or 2.\n\nRun"), "needs Quiz"),
    ("keeps_its_word_on_sections", edit(0, "Run", f"{RESTART}jump to section 2.\n\nRun"), "after a restart: neither"),
    ("keeps_its_word_on_sections", edit(4, "2 · Quiz", "2 · Quiz\n\n(This section uses section 1.)"), "needs Quiz"),
    ("has_a_quiz", edit(5, "Quiz", "print"), "no cell with Quiz"),
]


@pytest.mark.parametrize(("rule", "breach", "found"), PLANTED)
def test_planted_breach_is_found(rule, breach, found):
    nb = sound()
    assert list(problems(nb, Path("01_intuition.ipynb"))) == []
    breach(nb)
    assert any(found in problem for problem in problems(nb, Path("01_intuition.ipynb")))
    assert {rule for rule, _, _ in PLANTED} == {rule.__name__ for rule in FORM + LESSON}


def test_a_section_may_use_what_it_says_and_the_opening():
    for made in (1, 3):  # in the opening, in section 1
        nb = sound()
        edit(4, "2 · Quiz", "2 · Quiz\n\n(This section uses section 1.)")(nb)
        nb.cells[made].source += "\nfrom lab import Quiz"
        assert list(problems(nb, Path("01_intuition.ipynb"))) == []
    nb.cells[4].source = nb.cells[4].source.replace("section 1", "nothing but the opening")
    assert any("needs Quiz" in problem for problem in problems(nb, Path("01_intuition.ipynb")))


def test_what_stands_beyond_the_six_has_their_form_and_a_title_of_its_own():
    place, nb = Path("beyond/score.ipynb"), sound()
    nb.cells[5].source = "Quiz('score')"
    assert len(list(problems(nb, place))) == 2
    edit(0, "Lesson 1", "Beyond")(nb)
    edit(0, "01_intuition", "beyond/score")(nb)
    assert list(problems(nb, place)) == []
    put(3, source="print(1)\n" * 16)(nb)
    assert any("has 16 lines" in problem for problem in problems(nb, place))


def test_a_solution_shown_in_another_form_is_right():
    cells, made = code(nbformat.read(FOLDER / "02_forward_process.ipynb", as_version=4)), {}
    exec(next(cell.source for cell in cells if cell.id == "clues").partition("\n\n\n")[0], made)
    exec(check.posterior.shown(), made)
    assert check.posterior(made["posterior"]) is made["posterior"]


@pytest.mark.parametrize("path", [*FOLDER.glob("0*.ipynb"), *FOLDER.glob("beyond/*.ipynb")], ids=lambda path: path.stem)
def test_a_solution_needs_only_names_that_its_notebook_has(path):
    cells = code(nbformat.read(path, as_version=4))
    made = {*dir(builtins)}.union(*(names(cell)[0] for cell in cells))
    for name in re.findall(r"^(\w+) = check\.\1\(\1\)", "\n".join(cell.source for cell in cells), re.MULTILINE):
        if callable(getattr(getattr(check, name), "reference", None)):
            assert names(new_code_cell(getattr(check, name).shown(), id=name))[1] <= made, name
