"""The second homework: the solution earns all, a blank nothing, and so do numbers that nobody measured."""

from contextlib import suppress

import nbformat
import numpy as np
import pytest
import torch
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions
from solved import stepped
from torch import nn

from diffusion_course.check import homework as check
from diffusion_course.check.engine import Mistake
from diffusion_course.check.homework import measuring, steered, variant
from diffusion_course.denoisers import IdealDenoiser
from diffusion_course.homework.grading import local
from diffusion_course.homework.prepare import make as prepare
from diffusion_course.homework.report import answers
from diffusion_course.homework.solvers import parts, results

CELLS = local.source_cells("solvers")
SOLUTION = local.work(CELLS)
WITHOUT_NETWORK = ("follow", "euler_step", "heun_step", "two_step", "order", "errors", "my_grid", "told_loss")
LATER = ("guided", "mean_and_error")
FULL = {name: points for name, (points, _) in parts.PARTS.items()}
ERRORS = {name: [measuring.right_error(variant.of("example"), name, n) for n in measuring.COUNTS]
          for name in measuring.SOLVERS}  # fmt: skip


def ran(sources, names=None):
    """The globals after all these cells; errors are passed over, as by who runs a notebook cell by cell."""
    names = {} if names is None else names
    for source in sources:
        with suppress(Exception):
            local.run([source], names)
    return names


def graded(names, *only):
    return {part: parts.grade(part, names) for part in only}


@pytest.fixture(scope="module")
def solved():
    """The solution's globals, without a training."""
    return local.run([SOLUTION[cell] for cell in SOLUTION if cell not in
                      ("train-run", "network-solvers", "measured", "show-measured", "orders")])  # fmt: skip


# ---- the notebook --------------------------------------------------------------------------------


def test_the_test_cells_are_the_parts_in_their_order_worth_12_with_the_conclusions():
    cells = [cell for cell in CELLS if cell.metadata.get("nbgrader", {}).get("grade")]
    tests = [cell for cell in cells if cell.cell_type == "code"]
    assert [cell.id.removeprefix("grade-").replace("-", "_") for cell in tests] == list(parts.PARTS)
    for cell, (name, points) in zip(tests, FULL.items(), strict=True):
        assert cell.metadata.nbgrader.points == points and f'parts.grade("{name}", globals())' in cell.source
    assert sum(cell.metadata.nbgrader.points for cell in cells) == 12
    assert set(parts.RESULTS) <= set(parts.PARTS) and set(parts.QUESTIONS) <= set(answers.defined(SOLUTION.values()))


def test_what_needs_no_network_is_right_in_the_solution(solved):
    asked = WITHOUT_NETWORK + LATER
    assert graded(solved, *asked) == {name: FULL[name] for name in asked}


def test_a_blank_earns_nothing_and_is_told_so(capsys):
    blank = nbformat.read(prepare.shipped("solvers"), as_version=4)
    for clear in (ClearSolutions(), ClearHiddenTests()):
        blank, _ = clear.preprocess(blank, {})
    sources = local.work(blank.cells)
    assert not [cell for cell in sources if "SOLUTION" in sources[cell] or "HIDDEN" in sources[cell]]
    names = local.run(list(sources.values()))  # the whole notebook runs
    capsys.readouterr()
    assert set(graded(names, *parts.PARTS).values()) == {0}
    assert capsys.readouterr().out.count(": not attempted.") == len(parts.PARTS)


def test_another_way_to_write_it_is_as_good(solved):
    sources = """
def euler_step(model, xt, t, s, alpha_bar):
    eps = model(xt, t)
    x0_hat = (xt - (1 - alpha_bar[t]) ** 0.5 * eps) / alpha_bar[t] ** 0.5
    return alpha_bar[s] ** 0.5 * x0_hat + (1 - alpha_bar[s]) ** 0.5 * eps

def two_step(model, alpha_bar, xT, times):
    x, old = xT.double(), []
    for i in range(len(times) - 1):
        t, s = times[i : i + 2]
        noise_t, noise_s = (((1 / float(alpha_bar[k])) - 1) ** 0.5 for k in (t, s))
        now = model(x.float(), t).double()
        mean = now
        if old:
            mean = now + (noise_s - noise_t) * (now - old[-1][1]) / (noise_t - old[-1][0]) / 2
        old.append((noise_t, now))
        x = (x / float(alpha_bar[t]) ** 0.5 + (noise_s - noise_t) * mean) * float(alpha_bar[s]) ** 0.5
    return x.float()

def order(counts, errors):
    import numpy as np
    design = np.stack([np.log10(counts), np.ones(len(counts))], axis=1)
    return abs(np.linalg.lstsq(design, np.log10(errors), rcond=None)[0][0])

def guided(model, xt, t, cond, scale):
    both = model(torch.cat([xt, xt]), t, torch.cat([cond, cond * 0 - 1]))
    return scale * both[: len(xt)] + (1 - scale) * both[len(xt) :]

def mean_and_error(values):
    import statistics
    return statistics.mean(values), statistics.stdev(values) / len(values) ** 0.5
"""
    names = local.run([sources], dict(solved))
    asked = ("euler_step", "two_step", "order", "errors", "guided", "mean_and_error")
    assert graded(names, *asked) == {name: FULL[name] for name in asked}


# ---- what was measured ---------------------------------------------------------------------------


SOLVED_ERRORS = {
    "lack their root": {name: np.square(row).tolist() for name, row in ERRORS.items()},
    "those of points": {name: (np.array(row) * 2**0.5).tolist() for name, row in ERRORS.items()},
    "root of a sum": {name: (np.array(row) * 512**0.5).tolist() for name, row in ERRORS.items()},
    "the other way round": {name: row[::-1] for name, row in ERRORS.items()},
    "errors of heun are not": ERRORS | {"heun": ERRORS["euler"]},
    "must be a dict": {"euler": [0.1] * 5},
    "5 finite numbers": ERRORS | {"heun": [float("nan")] * 5},
}


@pytest.mark.parametrize("said", SOLVED_ERRORS)
def test_a_wrong_table_of_errors_is_named(said):
    with pytest.raises(Mistake, match=said):
        check.errors(SOLVED_ERRORS[said], variant.of("example"))


def power(p):
    return lambda T, n: [round(T * (i / n) ** p) for i in range(n, -1, -1)]


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        (power(1), "not good enough"),
        (lambda T, n: measuring.LEVELS.steps(n, "logsnr"), "not where their noise leads"),
        (lambda T, n: [1000, 900, 0], "9 whole numbers"),
        (lambda T, n: [1000.5, *power(1)(T, n)[1:]], "9 whole numbers"),
        (lambda T, n: power(1)(T, n)[::-1], "must fall"),
        (lambda T, n: None, "9 whole numbers"),
    ],
)
def test_a_grid_that_is_not_better_is_told_why(grid, said, solved, capsys):
    check.my_grid(grid, variant.of("example"))
    assert said in capsys.readouterr().out
    assert parts.grade("my_grid", solved | {"my_grid": grid}) == 0


@pytest.mark.long
def test_a_grid_that_is_better_is_there_for_everyone(capsys):
    for student in ("ada", "alan", "grace", "1234567"):
        check.my_grid(power(1.4), variant.of(student))
        assert capsys.readouterr().out.startswith("✓")


def table(rng, obeys=(0.5, 0.85, 0.99, 1.0, 1.0), spread=(1.0, 1.0, 1.0, 0.8, 0.5), seeds=5):
    rows = np.stack([obeys, np.full(5, 0.01), spread], axis=1)[:, None]
    return (rows + rng.normal(0, [0.005, 0.0005, 0.01], (5, seeds, 3))).clip(0, [1, 9, 9])


def test_numbers_of_guidance_are_held_against_another_measurement():
    rng = np.random.default_rng(0)
    ours = table(rng, seeds=3)
    for _ in range(20):
        assert steered.table_mistake(table(rng), ours) is None
    assert "at scale 4 the spread" in steered.table_mistake(table(rng, spread=(1, 1, 1, 0.8, 1)), ours)
    assert "at scale 0 obeying" in steered.table_mistake(table(rng, obeys=(1, 1, 1, 1, 1)), ours)
    wide = table(rng) + np.array([0, 0.03, 0.3]) * np.linspace(-1, 1, 5)[None, :, None]
    assert "a share lies between" in steered.table_mistake(table(rng) * [1, -1, 1], ours)
    assert "your seeds differ" in steered.table_mistake(np.abs(wide), ours)
    assert "every seed gives the same" in steered.table_mistake(np.repeat(table(rng)[:, :1], 5, axis=1), ours)
    for wrong in (0.5, {0.0: 1}, np.zeros((5, 3)), np.full((5, 5, 3), np.nan)):
        assert "`measured` must be" in steered.table_mistake(wrong, ours)


def test_the_figures_that_a_student_measured():
    names = {"errors": ERRORS, "measured": table(np.random.default_rng(0)), "STUDENT_ID": "example"}
    told = results.figures(local.Student(names)).split("; ")
    assert [each.split(":")[0] for each in told] == [*ERRORS, *(f"scale {scale:g}" for scale in steered.SCALES)]
    assert told[0].startswith("euler: order 0.9") and told[-1].startswith("scale 4: obeys ")
    assert results.figures(local.Student({"errors": 1, "measured": [[["x"]]], "samples": 3})) == ""


# ---- attacks -------------------------------------------------------------------------------------

FORMULA = "def error(solver, n):\n    return 0.3 / n**2"
TRICKS = {
    "a slope that is always 2": ("def order(counts, errors):\n    return 2.0", {"order": 0}),
    "errors by a formula": (f"{FORMULA}\nerrors = {{name: [error(0, n) for n in COUNTS] for name in solvers}}",
                            {"errors": 0}),
    "a table that was copied, and a formula": (FORMULA, {"errors": 0.5}),
    "an empty table": ("errors = {}", {"errors": 0.5}),
    "one solver for all": ("heun = two_step = euler", {"errors": 0.5, "two_step": 0}),
    "returned constants": ("def mean_and_error(values):\n    return 0.9, 0.01\nmeasured = torch.full((5, 5, 3), 0.9)",
                           {"mean_and_error": 0, "measured": 0}),
    "the network alone as guidance": ("def guided(model, xt, t, cond, scale):\n    return model(xt, t, cond)",
                                      {"guided": 0}),
    "another model as guidance": ("def guided(model, xt, t, cond, scale):\n    return bell(xt, t)", {"guided": 0}),
    "Euler in Heun's name": ("heun_step = euler_step", {"heun_step": 0}),
    "points that follow nothing": ("def follow(xt, t, s, alpha_bar, mean, std):\n    return xt", {"follow": 0}),
}  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_earns_what_it_deserves(trick, solved):
    source, points = TRICKS[trick]
    names = dict(solved) | {"model": nn.Linear(2, 2)}
    local.run([source], names)
    assert graded(names, *points) == points


def test_the_errors_of_another_students_bell_are_not_mine(solved):
    theirs = {name: [measuring.right_error(variant.of("ada"), name, n) for n in measuring.COUNTS] for name in ERRORS}
    assert parts.grade("errors", solved | {"errors": theirs}) == 0.5  # for `error`, which is right


class Exact(nn.Module):
    """The exact denoiser of points of the spiral, as a network: with weights, and told a half."""

    def __init__(self):
        super().__init__()
        places = np.linspace(0, 1, 4096)
        curve, self.shift = variant.of("example").at(places), nn.Parameter(torch.zeros(2))
        halves = curve[places < 0.5], curve[places >= 0.5], curve
        self.known = [IdealDenoiser(points, measuring.LEVELS) for points in halves]

    def forward(self, xt, t, cond=None):
        cond = torch.full((len(xt),), -1) if cond is None else cond
        answers = torch.stack([known(xt, np.asarray(t)) for known in self.known])
        return answers[cond, torch.arange(len(xt))].float() + 0 * self.shift


class ExactIfTold(Exact):
    """As off as a network where nothing is told; exact, but for a constant, where a half is told."""

    def forward(self, xt, t, cond=None):
        free = super().forward(xt, t) + 0.03 * torch.sin(5 * xt.flip(1) + torch.as_tensor(t).reshape(-1, 1) / 300)
        return free if cond is None else torch.where(cond[:, None] < 0, free, super().forward(xt, t, cond) + 0.01)


MADE = {
    "were not trained in this run": lambda solved: solved["Denoiser"](),
    "answers as the exact": lambda _: stepped(Exact()),
    "answers as the exact denoiser": lambda _: stepped(ExactIfTold()),
}


@pytest.mark.long
@pytest.mark.parametrize("why", MADE)
def test_another_network_in_the_place_of_a_trained_one_earns_nothing(why, solved, capsys):
    assert parts.grade("training", solved | {"model": MADE[why](solved), "training_losses": [0.3]}) == 0
    assert why in capsys.readouterr().out


PACKAGE = {
    "euler_step": "from diffusion_course.samplers import ddim_step as theirs\ntheirs(0, 0, 1, 0, 0)",
    "heun_step": "from diffusion_course.samplers import heun_step as theirs\ntheirs(0, 0, 1, 0, 0)",
    "guided": "from diffusion_course.guidance import guided as theirs\ntheirs(0, 0, 1)",
    "bell": "from diffusion_course.denoisers import GaussianDenoiser as theirs\ntheirs(0, 1, 0)",
    "check": "from diffusion_course.check import homework as check\ncheck.heun_step.reference",
    "measuring": "from diffusion_course.check.homework import measuring",
}


def test_what_the_package_knows_is_not_there_and_is_named(inside):
    for name, source in PACKAGE.items():
        said = inside.run(source)
        assert said.endswith("RuntimeError" if "theirs" in source else ("AttributeError", "ImportError")), (name, said)
    assert answers.read_here(list(PACKAGE.values()), []).uses == [
        "check.….reference", "diffusion_course.denoisers.GaussianDenoiser",
        "diffusion_course.guidance.guided", "diffusion_course.samplers.ddim_step",
        "diffusion_course.samplers.heun_step",
    ]  # fmt: skip


# ---- with a training -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained():
    """The solution's globals after its training."""
    local.run(["from diffusion_course.homework.inside import training\nimport torch\ntraining.watch()"])
    return local.run(SOLUTION.values())


@pytest.mark.long
def test_the_whole_solution_earns_all_points(trained):
    assert graded(trained, *parts.PARTS) == FULL


@pytest.mark.long
def test_a_network_that_ignores_what_it_is_told_earns_half_and_its_forged_table_nothing(trained, capsys):
    class Deaf(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, xt, t, cond=None):
            return self.model(xt, t)

    deaf = trained | {"model": Deaf(trained["model"])}
    assert graded(deaf, "training", "measured") == {"training": 0.5, "measured": 0}
    assert "of its samples lie on the half that it was told" in capsys.readouterr().out


@pytest.mark.long
def test_a_table_of_guidance_that_was_not_measured_earns_nothing(trained):
    right = trained["measured"]
    forged = (right.flip(0), right[[2]].repeat(5, 1, 1) + 0.001 * torch.randn(5, 5, 3), right + 0.2)
    assert [parts.grade("measured", trained | {"measured": each}) for each in forged] == [0, 0, 0]
