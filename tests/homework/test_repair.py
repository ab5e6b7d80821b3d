"""One wrong function costs its own part; two that spoil the samples are two mistakes, and a blank stays one."""

import json
import re
from types import SimpleNamespace

import nbformat
import pytest
import toy
from click.testing import CliRunner
from nbformat.v4 import new_notebook, new_output
from nbgrader.utils import determine_grade
from solved import SHORT

from diffusion_course.homework.grading import local, records, repair
from diffusion_course.homework.prepare import make as prepare
from diffusion_course.homework.spiral import parts
from diffusion_course.run import cli


class Run:
    """Stands in for a notebook that has run: each part has points and a line. Asked again, parts have `later`, unless
    one of the functions that `spoil` them is the student's own then. What was right stays in its process."""

    def __init__(self, later=1.0, ends=False, spoil=(), remarks=(), **lines):
        self.later, self.ends, self.asked, self.spoil, self.own = later, ends, [], set(spoil), set(lines)
        self.kept = set()
        self.student = SimpleNamespace(remarks=[*remarks], again=())
        cells = []
        for name, line in lines.items():
            cells.append(toy.cell(f"mine = {name!r}", name.replace("_", "-"), solution=True))
            cells.append(toy.grading(name.replace("_", "-"), ""))
            self._print(cells[-1], line)
        self.notebook = new_notebook(cells=[*cells, toy.new_code_cell("model = train()")])

    def points(self):
        return [determine_grade(cell)[0] for cell in self.notebook.cells if repair.is_test(cell)]

    def mend(self, solution=None):
        repair.repair(self, local.source_cells() if solution is None else solution, parts)

    def ask(self, source):
        self.asked.append(source)
        self.own |= set(re.findall(r"mine = '(\w+)'", source)) - self.kept
        self.own -= set(right := re.findall(r"def (\w+)\(", source))
        self.kept |= {*right}
        return None if self.ends else ("", None)

    def afresh(self):
        self.kept.clear()

    def judge(self, cell):
        later = 0.0 if self.spoil & self.own else self.later
        self._print(cell, "✓ right." if later == 1 else "✗ wrong.", later)

    def _print(self, cell, line, points=None):
        points = float(line.startswith("✓")) if points is None else points
        value = new_output("execute_result", data={"text/plain": str(points)}, execution_count=1)
        cell.outputs = [new_output("stream", name="stdout", text=line + "\n"), value]


def test_results_are_judged_again_with_the_one_wrong_function_mended():
    made = Run(make_alpha_bar="✓ right", add_noise="✗ a root is missing", training="✗ far", samples_10="✗ far")
    made.mend()
    assert made.points() == [1, 0, 1, 1]
    assert "(1 - alpha_bar_t).sqrt()" in made.asked[0] and made.asked[-1] == "model = train()"
    assert "mine = 'make_alpha_bar'" not in made.asked  # what stands before is as it was
    said = [cell.outputs[0].text for cell in made.notebook.cells if repair.is_test(cell)]
    assert ["Judged with a right `add_noise`" in text for text in said] == [False, False, True, True]


@pytest.mark.parametrize(
    "lines",
    [
        dict.fromkeys(["add_noise", "loss", "reverse_step", "time_grid"], "✗ wrong") | {"training": "✗ far"},
        {"add_noise": "○ not attempted", "training": "✗ far"},  # a blank
        {"add_noise": "✗ wrong", "training": "✓ right"},  # nothing else was lost
        {"network": "✗ rows are mixed", "training": "✗ far"},  # that is what is trained
        {"add_noise": "✓ right", "training": "✗ far"},  # the training itself is wrong
    ],
)
def test_otherwise_results_stand_as_they_are(lines):
    made = Run(**lines)
    before = made.points()
    made.mend()
    assert made.points() == before and made.asked == []


@pytest.mark.parametrize(("body", "mended"), [("    return xT", 0), ("    for t in times:\n        return t", 1)])
def test_a_walk_without_a_loop_is_a_blank_and_one_that_ends_too_early_a_mistake(body, mended):
    made = Run(sample="✗ sample: only one step is taken. Does `return` stand inside the loop?", samples_10="✗ far")
    made.notebook.cells[0].source = f"def sample(model, alpha_bar, xT, times, noise):\n{body}"
    made.mend()
    assert made.points() == [0, mended]


TWO = {"add_noise": "✗ wrong", "time_grid": "✗ wrong", "training": "✗ far", "samples_10": "✗ far"}


@pytest.mark.parametrize("spoils", ["add_noise", "time_grid"])
def test_a_second_wrong_function_that_spoils_nothing_does_not_matter(spoils):
    made = Run(spoil=[spoils], **TWO)
    made.mend()
    assert made.points() == [0, 0, 1, 1]
    assert f"a right `{spoils}`" in made.notebook.cells[-2].outputs[0].text


def test_two_that_spoil_the_samples_are_two_mistakes():
    made = Run(spoil=["add_noise", "time_grid"], **TWO)
    made.mend()
    assert made.points() == [0, 0, 0, 0]


def test_a_function_that_a_wrong_one_hides_is_asked_again():
    """A walk by a step that ignores ε̂ looks as if it asked no network."""
    lines = {"reverse_step": "✗ not what the formula gives", "sample": "○ sample: not attempted", "samples_10": "✗ far"}
    made = Run(spoil=["reverse_step"], **lines)
    made.mend()
    assert made.points() == [0, 1, 1]


def test_a_doubt_that_the_mistake_explains_is_not_told_to_the_teacher():
    """Nobody is suspected whose network was trained with a root missing."""
    doubt, other = "no points: “far from the best answers.”", "a network of 900 weights"
    made = Run(remarks=[doubt, other], add_noise="✗ wrong", training="✗ training: far from the best answers.")
    made.mend()
    assert made.student.remarks == [other]


def test_results_that_are_no_better_keep_their_own_words():
    made = Run(later=0.0, add_noise="✗ wrong", training="✗ the loss grows")
    made.mend()
    assert made.points() == [0, 0]
    assert made.notebook.cells[3].outputs[0].text == "✗ the loss grows\n"


def test_a_process_that_ends_while_it_runs_again_costs_nothing():
    made = Run(ends=True, add_noise="✓ right", loss="✗ wrong", training="✗ far")
    made.mend()
    assert made.points() == [1, 0, 0]


def test_without_the_source_nothing_is_mended():
    made = Run(add_noise="✗ wrong", training="✗ far")
    made.mend(solution=[])
    assert made.points() == [0, 0]


CASES = {  # the change of a cell → what it costs
    "a root is missing": ("add-noise", "(1 - alpha_bar_t).sqrt()", "(1 - alpha_bar_t)", "add-noise"),
    "another one": ("reverse-step", "alpha_bar_s.sqrt()", "alpha_bar_s", "reverse-step"),
    "one question in place of a walk": (
        "sample", "range(len(times) - 1):",
        "range(1):\n        return xT + 0.02 * model(xT, torch.full((len(xT),), times[0]))",
        "sample samples-10 samples-50 samples-1000",
    ),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_one_mistake_costs_one_point_of_ten_and_what_does_nothing_costs_all_that_it_is_for(
    case, tmp_path, walled, monkeypatch
):
    """The whole way: the solution with this change is handed in and graded in the sandbox."""
    cell, old, new, lost = CASES[case]
    monkeypatch.setattr(prepare.secrets, "token_hex", lambda _: "c")  # on some spirals a short training just fails
    made = prepare.init(tmp_path / "course")
    prepare.release(made)
    handed_in = nbformat.read(made.released, 4)
    answers = local.work(nbformat.read(prepare.solution(made), 4).cells)
    for each in handed_in.cells:
        each.source = answers.get(each.id, each.source).replace('"example"', '"ada"').replace(*SHORT)
        if each.id == cell:
            assert old in each.source
            each.source = each.source.replace(old, new)
    toy.hand_in(made, "ada", json.loads(nbformat.writes(handed_in)))
    result = CliRunner().invoke(cli.main, ["homework", "grade", str(made.root)])
    assert result.exit_code == 0, result.output
    found = records.load(made, "ada").parts
    less = {name: each.points for name, each in found.items() if each.points != made.parts[name]}
    assert less == dict.fromkeys([*lost.split(), "conclusions"], 0)
