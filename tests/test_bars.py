"""The bar of a notebook is one line of text, right at its end, and no widget."""

import nbformat
from nbclient import NotebookClient

CELLS = [
    "from diffusion_course.lab.bars import tqdm\nprint(sum(tqdm(range(40), desc='adding')))",
    "for _ in tqdm(range(3), leave=False):\n    pass",
    "for _ in tqdm(range(3)):\n    next(iter(tqdm('ab', desc='inside')))\n    break",
    "list(tqdm(range(3), disable=True))",
]


def test_a_bar_is_one_line_that_stays_or_goes():
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, CELLS)])
    NotebookClient(notebook, kernel_name="python3").execute()
    (stays, printed), (goes,), (broken, inside), (nothing,) = (cell.outputs for cell in notebook.cells)
    assert list(stays.data) == ["text/plain"] and printed.text == "780\n"
    line = stays.data["text/plain"]
    assert line.startswith("adding: 100%|") and " 40/40 [" in line and len(line) <= 90
    assert goes.data["text/plain"] == ""
    assert broken.data["text/plain"].startswith("  0%|") and inside.data["text/plain"].startswith("inside:   0%|")
    assert nothing.data["text/plain"] == "[0, 1, 2]"
    assert "widgets" not in notebook.metadata
