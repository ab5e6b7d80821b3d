"""One wrong function costs its own part; two are two mistakes, and a blank stays one."""

import json
from types import SimpleNamespace

import nbformat
import pytest
import toy
from click.testing import CliRunner
from nbformat.v4 import new_notebook, new_output
from nbgrader.utils import determine_grade

from diffusion_course.homework.grading import channel, local, records, repair
from diffusion_course.homework.prepare import make as prepare
from diffusion_course.run import cli


class Execute:
    """Stands in for a notebook that has run: each part has points and a line; asked again, results have `later`."""

    def __init__(self, later=1.0, asked=None, **lines):
        self.later, self.cell_seconds, self.ran = later, 1, []
        cells = []
        for name, line in lines.items():
            cells.append(toy.cell(f"mine = {name!r}", name.replace("_", "-"), solution=True))
            cells.append(toy.grading(name.replace("_", "-"), ""))
            self._print(cells[-1], line)
        self.nb = new_notebook(cells=[*cells, toy.new_code_cell("model = train()")])
        self._student = SimpleNamespace(channel=SimpleNamespace(ask=asked or self._ask))

    def points(self):
        return [determine_grade(cell)[0] for cell in self.nb.cells if repair.is_test(cell)]

    def _ask(self, request, seconds):
        self.ran.append(request["source"])

    def _grade(self, cell, index):
        self._print(cell, "✓ right." if self.later == 1 else "✗ wrong.", self.later)
        self.nb.cells[index] = cell  # as nbclient does

    def _print(self, cell, line, points=None):
        points = float(line.startswith("✓")) if points is None else points
        value = new_output("execute_result", data={"text/plain": str(points)}, execution_count=1)
        cell.outputs = [new_output("stream", name="stdout", text=line + "\n"), value]


@pytest.fixture(autouse=True)
def source(tmp_path, monkeypatch):
    """A course directory to stand in, with the source that ships."""
    path = tmp_path / repair.SOURCE / "spiral/spiral.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(prepare.shipped().read_bytes())
    monkeypatch.chdir(tmp_path)


def test_results_are_judged_again_with_the_one_wrong_function_mended():
    made = Execute(make_alpha_bar="✓ right", add_noise="✗ a root is missing", training="✗ far", samples_10="✗ far")
    repair.repair(made)
    assert made.points() == [1, 0, 1, 1]
    assert "(1 - alpha_bar_t).sqrt()" in made.ran[0] and made.ran[-1] == "model = train()"
    assert "mine = 'make_alpha_bar'" not in made.ran  # what stands before is as it was
    said = [
        output.text for cell in made.nb.cells if repair.is_test(cell) for output in cell.outputs if "text" in output
    ]
    assert ["Judged with a right `add_noise`" in text for text in said] == [False, False, True, True]


@pytest.mark.parametrize(
    "lines",
    [
        {"add_noise": "✗ wrong", "reverse_step": "✗ wrong", "training": "✗ far"},  # two mistakes
        {"add_noise": "○ not attempted", "training": "✗ far"},  # a blank
        {"add_noise": "✗ wrong", "training": "✓ right"},  # nothing else was lost
        {"network": "✗ rows are mixed", "training": "✗ far"},  # that is what is trained
        {"add_noise": "✓ right", "training": "✗ far"},  # the training itself is wrong
    ],
)
def test_otherwise_results_stand_as_they_are(lines):
    made = Execute(**lines)
    before = made.points()
    repair.repair(made)
    assert made.points() == before and made.ran == []


def test_results_that_are_no_better_keep_their_own_words():
    made = Execute(later=0.0, add_noise="✗ wrong", training="✗ the loss grows")
    repair.repair(made)
    assert made.points() == [0, 0]
    assert made.nb.cells[3].outputs[0].text == "✗ the loss grows\n"


def test_a_process_that_ends_while_it_runs_again_costs_nothing():
    def gone(request, seconds):
        raise channel.Dead("The process has ended.")

    made = Execute(asked=gone, add_noise="✓ right", loss="✗ wrong", training="✗ far")
    repair.repair(made)
    assert made.points() == [1, 0, 0]


def test_without_the_source_nothing_is_mended(tmp_path):
    (tmp_path / repair.SOURCE / "spiral/spiral.ipynb").unlink()
    made = Execute(add_noise="✗ wrong", training="✗ far")
    repair.repair(made)
    assert made.points() == [0, 0]


@pytest.mark.homework
@pytest.mark.parametrize(
    ("cell", "old", "new", "part"),
    [
        ("add-noise", "(1 - alpha_bar_t).sqrt()", "(1 - alpha_bar_t)", "add-noise"),
        ("reverse-step", "alpha_bar_s.sqrt()", "alpha_bar_s", "reverse-step"),
    ],
)
def test_a_missing_root_costs_one_point_of_ten(tmp_path, walled, cell, old, new, part):
    """The whole way: the solution with one root less is handed in and graded in the sandbox."""
    made = prepare.init(tmp_path / "course")
    prepare.release(made)
    handed_in = nbformat.read(made.released, 4)
    answers = local.work(nbformat.read(prepare.solution(made), 4).cells)
    for each in handed_in.cells:
        each.source = answers.get(each.id, each.source).replace('"example"', '"ada"')
        if each.id == cell:
            assert old in each.source
            each.source = each.source.replace(old, new)
    toy.hand_in(made, "ada", json.loads(nbformat.writes(handed_in)))
    result = CliRunner().invoke(cli.main, ["homework", "grade", str(made.root)])
    assert result.exit_code == 0, result.output
    found = records.load(made, "ada").parts
    assert {name: each.points for name, each in found.items() if each.points != made.parts[name]} == {
        part: 0,
        "conclusions": 0,
    }
