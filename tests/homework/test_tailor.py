"""Another T, another curve, other words: one file says it, and the notebook, the grader and the page follow."""

import json
import re

import nbformat
import numpy as np
import pytest
import toy
from click.testing import CliRunner
from refusals import refused

from diffusion_course.check.homework import variant
from diffusion_course.homework import course
from diffusion_course.homework.collect import submission
from diffusion_course.homework.grading import local, records
from diffusion_course.homework.grading.records import Part, Record
from diffusion_course.homework.prepare import make as prepare
from diffusion_course.homework.prepare import settings, tailor
from diffusion_course.homework.report import feedback, standing
from diffusion_course.run import cli


@pytest.fixture
def source():
    return nbformat.read(prepare.shipped(), 4)


def made(source, **sections):
    """Whether the source had to be changed for these settings, and its cells."""
    changed = tailor.tailored(source, settings.Settings(**sections))
    return changed, {cell.id: cell.source for cell in source.cells}


def test_as_it_ships_nothing_has_to_be_changed(source):
    assert made(source)[0] is False


def test_another_T_stands_in_its_cell_and_in_all_texts_but_the_examples_by_hand(source):
    before = {cell.id: cell.source for cell in source.cells}
    changed, cells = made(source, task=settings.Task(T=400))
    assert changed and "T, SEED = 400, 0" in cells["imports"]
    other = {name for name in cells if cells[name] != before[name]}
    assert "time_grid(1000, 4)" in cells["time-grid-text"] and "time-grid-text" not in other
    for name in ("title", "how-to-work", "samples-text", "conclusions-text", "grade-samples-1000"):
        assert name in other and not re.search(r"(?<!samples_)\b1000\b", cells[name])
    assert "10,000 steps" in cells["title"] and "0.001 s" in cells["how-to-work"]
    assert made(source, task=settings.Task(T=400))[0] is False
    assert made(source)[1] == before  # and back again


def test_another_curve_stands_in_its_cell_and_is_a_curve_in_the_texts(source):
    _, cells = made(source, task=settings.Task(curve="flower"))
    assert 'SALT, CURVE = "spiral", "flower"' in cells["data"]
    assert "# Homework · Your curve" in cells["title"]
    assert made(source, task=settings.Task(curve="flower"))[0] is False


def test_texts_of_cells_are_replaced_and_unknown_cells_refused(source):
    _, cells = made(source, task=settings.Task(T=300), texts={"title": "# Übung 7\n1000 Grüße"})
    assert cells["title"] == "# Übung 7\n1000 Grüße"
    with refused("no cell has the id 'titel'", "title"):
        made(source, texts={"titel": ""})


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[task]\nT = 50", ["T in [task] cannot be 50", "greater than or equal to 100"]),
        ("[task]\ncurve = 'heart'", ["curve in [task] cannot be 'heart'", "'spiral' or 'flower'"]),
        ("[texts]\ntitle = 3", ["title in [texts] cannot be 3", "string"]),
        ("[task]\nT = true", ["T in [task] cannot be True", "integer"]),
    ],
)
def test_a_task_that_cannot_be_set_is_refused(tmp_path, text, parts):
    (tmp_path / settings.FILE).write_text(text)
    with refused("homework.toml", *parts):
        settings.read(tmp_path / settings.FILE)


def test_a_source_of_ones_own_without_the_lines_is_told_so():
    with refused("asks for 300", "T, SEED = 1000, 0"):
        made(toy.source(), task=settings.Task(T=300))
    assert tailor.tailored(toy.source(), settings.Settings()) is False


def test_a_setting_that_is_not_released_yet_stops_the_grading(tmp_path, monkeypatch):
    place = toy.make_course(tmp_path / "course", monkeypatch)
    (place.root / settings.FILE).write_text('[texts]\nplain = "# New words"')
    with refused("homework.toml was changed after the release"):
        course.Course(place.root).require_release()
    place = course.Course(place.root)
    prepare.release(place)
    place.require_release()
    assert "# New words" in place.source.read_text()


def test_flowers_are_curves_of_their_own_with_distances_and_coverage():
    own = variant.of("ada", curve="flower")
    x = own.at(np.linspace(0, 1, 512)) + 0.001
    assert own.distance(x).max() < 0.01 and own.coverage(x) == 1
    assert variant.judge(own, x, 300)[0] and not variant.judge(variant.of("ada"), x, 300)[0]
    assert variant.reproduced(x, ["alan", "ada"], variant.SALT, "flower") == ["ada"]
    with refused("no curve 'heart'"):
        variant.of("ada", curve="heart")


def test_the_page_speaks_the_phrases_and_markup_in_them_stays_text(tmp_path, monkeypatch):
    place = toy.make_course(tmp_path / "course", monkeypatch)
    phrases = {"What was found": "Was <b>gefunden</b> wurde", "a root is missing": "eine Wurzel fehlt", "p": "q"}
    told = "".join(f"{english!r} = {other!r}\n" for english, other in phrases.items())
    (place.root / settings.FILE).write_text(f"[phrases]\n{told}")
    place = course.Course(place.root)
    digest = submission.digest(toy.hand_in(place, "ada"))[0]
    parts = {"double": Part(0, "✗ double: a root is missing."), "triple": Part(1, "✓"), "conclusions": Part(1, "")}
    Record("ada", digest, place.fingerprint, "graded", parts=parts).save(place)
    (page,) = feedback.feedback(place, feedback.addressed(place, standing.standings(place)))
    html = page.read_text()
    assert "Was &lt;b&gt;gefunden&lt;/b&gt; wurde" in html and "double: eine Wurzel fehlt." in html
    assert html.count("<p") and "default-src" in html  # tags and the head are not words


@pytest.mark.long
def test_a_right_solution_of_another_task_earns_everything(tmp_path, walled):
    place = prepare.init(tmp_path / "course")
    (place.root / settings.FILE).write_text('[task]\nT = 300\ncurve = "flower"\n')
    place = course.Course(place.root)
    prepare.release(place)
    handed_in = nbformat.read(place.released, 4)
    answers = local.work(nbformat.read(prepare.solution(place), 4).cells)
    for each in handed_in.cells:
        each.source = answers.get(each.id, each.source).replace('"example"', '"ada"')
    toy.hand_in(place, "ada", json.loads(nbformat.writes(handed_in)))
    result = CliRunner().invoke(cli.main, ["homework", "grade", str(place.root)])
    assert result.exit_code == 0, result.output
    found = records.load(place, "ada")
    assert {name: part.message for name, part in found.parts.items() if part.points != place.parts[name]} == {
        "conclusions": "○ not attempted"
    }
    assert set(found.samples) == {"10", "50", "300"}


def test_the_second_homework_is_for_1000_steps_only():
    source = nbformat.read(prepare.shipped("solvers"), 4)
    with refused("homework.toml asks for 300, but this homework is for 1000 only"):
        made(source, task=settings.Task(T=300))
    assert made(source, task=settings.Task(curve="flower"))[0]
