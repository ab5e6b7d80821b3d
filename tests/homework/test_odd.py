"""Honest but odd submissions earn what the plain one earns: all points of the parts that need no training."""

import json
from functools import cache

import nbformat
import pytest
import toy
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from solved import BY_FUNCTION, full, release, solution
from test_run import graded

from diffusion_course.homework.collect import submission
from diffusion_course.homework.grading import local

pytestmark = pytest.mark.long
DONE = "make-alpha-bar add-noise network loss reverse-step time-grid sample".split()
FULL = {f"grade-{cell}": full([cell.replace("-", "_")])[cell.replace("-", "_")] for cell in DONE}
PICTURES = ("data", "dissolve", "look")  # left out for speed; nobody needs to have kept them


def released():
    """What students get, without the tests that need a training."""
    given = release()
    made = nbformat.v4.new_notebook(cells=[cell for cell in local.source_cells() if cell.id not in PICTURES])
    for cell in made.cells:
        cell.source = given[cell.id]
    about = [cell.metadata.get("nbgrader", {}) for cell in made.cells]
    kept = [not each.get("grade") or each.get("solution") or each["grade_id"] in FULL for each in about]
    made.cells = [cell for cell, keep in zip(made.cells, kept, strict=True) if keep]
    return made


def plain():
    """A student's notebook with seven parts done, not yet trained."""
    made = released()
    for cell in made.cells:
        cell.source = solution()[cell.id] if cell.id in DONE else cell.source
    return made


def judged(content):
    """Test → points of a file that was handed in, as the batch would grade it."""
    hidden = {cell.id: cell.source for cell in local.source_cells()}
    staged = submission.stage(submission.parse(content), released())
    for cell in staged.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in FULL:
            cell.source = hidden[name]
        else:
            cell.metadata.pop("nbgrader", None)
    for number, cell in enumerate(staged.cells):
        cell.id = str(number)
    return earned(nbformat.writes(staged))


@cache
def earned(staged):
    """Test → points of a staged notebook, as text: one that came out of several files is run once."""
    points, made = graded(*nbformat.reads(staged, 4).cells)
    names = [cell.metadata.nbgrader.grade_id for cell in made.cells if "nbgrader" in cell.metadata]
    assert made.metadata["homework"]["status"] == "complete"
    return dict(zip(names, points, strict=True))


def saved(made):
    return json.dumps(made, ensure_ascii=False).encode()


def change(made, name, source):
    """Another source for a cell; the public check at its end is kept."""
    cell = next(cell for cell in made.cells if cell.id == name)
    cell.source = source.strip() + "\n\n" + cell.source.strip().splitlines()[-1]
    return made


# ---- oddities: each takes the plain notebook and gives the file ----------------------------------


def as_it_is(made):
    return saved(made)


def reordered(made):
    """What calls stands before what is called, and the tests where they were; functions may be defined in any order."""
    cells = {cell.id: cell for cell in made.cells}
    late = [cells.pop(name) for name in ("reverse-step", "add-noise", "make-alpha-bar", "clock", "weights")]
    for cell in late[:2]:
        cells |= {cell.id: cell}
    first = [cells.pop(name) for name in ("setup", "imports", "student-id")]
    made.cells = [*first, *late[2:4], *cells.values(), late[4]]
    return saved(made)


def with_extra_cells(made):
    for place, source in ((3, "%matplotlib inline\n!echo hello"), (6, "1 / 0"), (9, ""), (12, "input('Ready?')")):
        made.cells.insert(place, new_code_cell(source))
    made.cells += [new_markdown_cell("# My notes"), new_code_cell("!pip install seaborn"), new_code_cell("exit()")]
    return saved(made)


def with_outputs(made):
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.execution_count = 7
            cell.outputs = [
                new_output("stream", text="x" * 10_000),
                new_output("display_data", {"image/png": "iVBORw0KGgo=" * 1000, "text/html": "<table>"}),
                new_output("error", ename="ValueError", evalue="from an earlier run", traceback=["…"]),
            ]
    return saved(made)


def from_colab(made):
    """Ids and everything else as Colab keeps them: in the metadata."""
    raw = json.loads(saved(made))
    for cell in raw["cells"]:
        cell["metadata"] = {"id": cell.pop("id"), "outputId": "0a1b", "colab": {"base_uri": "https://localhost:8080/"}}
        cell["source"] = cell["source"].splitlines(keepends=True)
    raw["metadata"] = {"colab": {"provenance": [], "gpuType": "T4"}, "accelerator": "GPU"}
    raw["nbformat_minor"] = 0
    return saved(raw)


def format_3(made):
    sheet = []
    for cell in made.cells:
        name = "input" if cell.cell_type == "code" else "source"
        metadata = {"nbgrader": dict(cell.metadata["nbgrader"])} if "nbgrader" in cell.metadata else {}
        sheet.append({"cell_type": cell.cell_type, name: cell.source, "metadata": metadata})
    return saved({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": sheet}]})


def format_4_without_ids(made):
    raw = json.loads(saved(made))
    for cell in raw["cells"]:
        del cell["id"]
    return saved(raw | {"nbformat_minor": 2})


def from_windows(made):
    for cell in made.cells:
        cell.source = cell.source.replace("\n", "\r\n")
    return b"\xef\xbb\xbf" + json.dumps(made, indent=1).replace("\n", "\r\n").encode()


def in_utf_16(made):
    return json.dumps(made, ensure_ascii=False).encode("utf-16")


def on_a_gpu_if_there_is_one(made):
    made.cells.insert(4, new_code_cell('device = "cuda" if torch.cuda.is_available() else "cpu"'))
    weights = next(cell for cell in made.cells if cell.id == "weights")
    weights.source = (
        "model = Denoiser().to(device)\nif torch.cuda.is_available():\n    torch.cuda.manual_seed_all(0)\n    1 / 0"
    )
    noised = "return (alpha_bar_t.sqrt() * x0 + (1 - alpha_bar_t).sqrt() * eps).to(device)"
    return saved(change(made, "add-noise", f"def add_noise(x0, alpha_bar_t, eps):\n    {noised}"))


ANOTHER = '''
class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, h):
        return h + self.inner(h)

class Denoiser(nn.Module):
    """Wider, with residual blocks, and its own code of the time."""

    def __init__(self, width=160):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, width), Residual(width), Residual(width), nn.Linear(width, 2))

    def forward(self, xt, t):
        return self.body(torch.cat([xt, t[:, None] / 1000], dim=1))
'''


def another_architecture(made):
    return saved(change(made, "network", ANOTHER))


def all_in_one_cell_of_their_own(made):
    """The template's cells are gone, all functions stand in one new cell."""
    work = "\n\n".join(solution()[name].rpartition("check.")[0] for name in DONE)
    place = next(i for i, cell in enumerate(made.cells) if cell.id == DONE[0])
    made.cells = [cell for cell in made.cells if cell.id not in DONE]
    made.cells.insert(place, new_code_cell(work))
    return saved(made)


def split_over_cells(made):
    """Helpers in cells of their own, and the public checks deleted."""
    made.cells.insert(4, new_code_cell("def mix(a, b, level):\n    return level**0.5 * a + (1 - level) ** 0.5 * b"))
    change(made, "add-noise", "def add_noise(x0, alpha_bar_t, eps):\n    return mix(x0, eps, alpha_bar_t)")
    for cell in made.cells:
        cell.source = "\n".join(line for line in cell.source.splitlines() if not line.startswith("check."))
    return saved(made)


NUMPY = """
import numpy as np

def add_noise(clean: torch.Tensor, level: torch.Tensor, noise: torch.Tensor, dtype=np.float64) -> np.ndarray:
    x, a, e = (each.numpy().astype(dtype) for each in (clean, level, noise))
    return np.sqrt(a) * x + np.sqrt(1 - a) * e
"""


def with_numpy(made):
    change(made, "add-noise", NUMPY)
    change(made, "time-grid", "import numpy as np\n\ndef time_grid(T, n):\n    return np.linspace(T, 0, n + 1).round()")
    levels = "torch.cat([torch.ones(1), torch.cumprod(1 - torch.linspace(0.1 / T, 12 / T, T), 0)])"
    return saved(change(made, "make-alpha-bar", f"def make_alpha_bar(T):\n    return {levels}.double()"))


def with_noise_of_an_editor(made):
    """Unknown cell types and metadata of every kind."""
    raw = json.loads(saved(made))
    for cell in raw["cells"]:
        cell["metadata"] |= {"jupyter": {"source_hidden": True}, "tags": ["skip-execution"], "vscode": {"id": 5}}
        cell["attachments"] = {"image.png": {"image/png": "iVBORw0KGgo="}}
    raw["cells"].insert(0, {"cell_type": "raw", "source": "---", "metadata": {}, "id": "add-noise"})
    raw["metadata"] = {"kernelspec": {"name": "diffusion", "language": "python", "display_name": "My env"}}
    return saved(raw | {"nbformat_minor": 99})


ODD = (
    as_it_is, reordered, with_extra_cells, with_outputs, from_colab, format_3, format_4_without_ids, from_windows,
    in_utf_16, on_a_gpu_if_there_is_one, another_architecture, all_in_one_cell_of_their_own, split_over_cells,
    with_numpy, with_noise_of_an_editor,
)  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__)
def test_an_odd_submission_earns_what_the_plain_one_earns(odd, walled):
    assert judged(odd(plain())) == FULL


def test_the_parts_judged_here_are_those_that_need_no_training():
    assert {name.replace("-", "_") for name in DONE} == set(BY_FUNCTION)


def test_a_renamed_file_is_graded_where_it_can_only_be_one_students_and_told_where_not(tmp_path, monkeypatch):
    made = toy.make_course(tmp_path / "course", monkeypatch)
    (made.root / "submitted/ada/spiral").mkdir(parents=True)
    toy.hand_in(made, "ada/spiral/Kopie von spiral (final) (2)")
    toy.hand_in(made, "alann")
    found = {each.id: each for each in submission.survey(made)}
    assert found["ada"].problem is None and found["ada"].path.name == "Kopie von spiral (final) (2).ipynb"
    assert found["alann"].problem.status == "unknown student" and "did you mean alan?" in str(found["alann"].problem)
