"""Formulas fit Notebook 7 on a phone, 390 px wide, where nothing makes them smaller before a lesson has run."""

import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = [*sorted(NOTEBOOKS.glob("0*.ipynb")), *sorted(NOTEBOOKS.glob("*/*.ipynb"))]
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)
COLUMN = 19.0  # em: the column is 350 px wide there, a formula has margins of 5, and MathJax's em is 18.1
WIDTHS = """formulas => formulas.map(([text, display]) => {
  const svg = MathJax.tex2svg(text, { display, em: 16, ex: 8, containerWidth: 10000 }).querySelector("svg");
  return parseFloat(svg.getAttribute("viewBox").split(" ")[2]) / 1000;
})"""


@pytest.fixture(scope="module")
def widths(new_page):
    """`widths(formulas)`: the width of each pair of TeX and "is it a display", in em."""
    found = importlib.util.find_spec("mathjax") or pytest.skip("the formulas need the package django-static-mathjax")
    with new_page() as page:
        page.set_content("<script>window.MathJax = { startup: { typeset: false } }</script>")
        page.add_script_tag(path=Path(found.origin).parent / "static/mathjax/es5/tex-svg.js")
        page.wait_for_function("() => window.MathJax?.tex2svg")
        yield lambda formulas: page.evaluate(WIDTHS, formulas)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_formula_fits_a_phone(widths, path):
    texts = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    found = [match for text in texts for match in FORMULA.finditer(CODE.sub("", text))]
    formulas = [(match[1] or match[2], match[1] is not None) for match in found]
    measured = zip(formulas, widths(formulas), strict=True)
    assert {text: width for (text, _), width in measured if width > COLUMN} == {} and formulas
