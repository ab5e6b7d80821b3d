"""Every relation of NOTATION.md holds; those with the quantities of `diffusers` are in `test_diffusers.py`."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from diffusion_course import guidance
from diffusion_course.base.words import NOT_SAID

TEXT = (Path(__file__).parents[1] / "NOTATION.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and "==" in line]


@pytest.fixture(scope="module")
def names():
    scope = {}
    exec(re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1], scope)
    return scope


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_relation(row, names):
    relation = re.search(r"`([^`]+)` \|$", row)[1]
    comparison = ast.parse(relation, mode="eval").body
    assert isinstance(comparison, ast.Compare) and isinstance(*comparison.ops, ast.Eq), relation
    left, right = (
        eval(compile(ast.Expression(side), relation, "eval"), names)
        for side in (comparison.left, *comparison.comparators)
    )
    assert ast.dump(comparison.left) != ast.dump(comparison.comparators[0])
    # float64; the log-SNR runs over 20, and 1 − ᾱ_1 = 1e-4 loses four digits
    np.testing.assert_allclose(left, right, rtol=1e-10, atol=1e-10)
    assert np.isfinite(left).all()


def test_every_row_of_the_course_is_there():
    assert len(ROWS) >= 24
    for symbol in ("β̃_t", "ᾱ_t", "log-SNR", "σ | EDM", "DDIM", "alphas_cumprod", "x_t / √ᾱ_t"):
        assert symbol in TEXT


def test_w_of_the_paper_is_scale_minus_one():
    free, conditioned, w = 2.0, 5.0, 0.5
    model = guidance.guided(lambda xt, t, cond: np.where(cond == NOT_SAID, free, conditioned), np.ones((1, 1)), w + 1)
    assert model(np.zeros((1, 1)), 5) == (1 + w) * conditioned - w * free
