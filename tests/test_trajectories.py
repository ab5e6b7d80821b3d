"""Paths and fields: what was given is what is drawn, and it is told in words."""

import numpy as np
import pytest
import torch
from refusals import refused

from diffusion_course.lab.trajectories import field


def panel(steps=3, n=5):
    rng = np.random.default_rng(0)
    return rng.standard_normal((steps + 1, n, 2)), rng.standard_normal((9, 2)), np.full((9, 2), [0.3, 0.4])


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_points_paths_and_arrows_are_those_given(kind):
    path, places, arrows = panel()
    figure = field({"one": tuple(map(kind, (path, places, arrows))), "two": panel(0)}, reference=places)
    ax = figure.axes[0]
    reference, quiver, dots = ax.collections
    np.testing.assert_allclose(reference.get_offsets(), places)
    np.testing.assert_allclose(quiver.get_offsets(), places)
    np.testing.assert_allclose(np.stack([quiver.U, quiver.V], 1), arrows)
    np.testing.assert_allclose(dots.get_offsets(), path[-1])
    for walker, line in enumerate(ax.lines):
        np.testing.assert_allclose(np.stack(line.get_data(), 1), path[:, walker])
    assert len(ax.lines) == 5 and len(figure.axes) == 2


def test_each_panel_may_have_crosses_of_its_own():
    crosses = {"a": np.array([[0.5, 0.5]]), "b": np.array([[-1.0, 2.0], [0.0, 0.0]])}
    figure = field({"a": panel(), "b": panel()}, crosses, radii={"a": 0.5, "b": 0.2})
    for ax, points in zip(figure.axes, crosses.values(), strict=True):
        np.testing.assert_allclose(ax.collections[0].get_offsets(), points)
        np.testing.assert_allclose([circle.center for circle in ax.patches], points)
        assert len({*map(str, (line.get_color() for line in ax.lines))}) == 5
    assert [ax.patches[0].radius for ax in figure.axes] == [0.5, 0.2]


def test_the_text_tells_points_steps_and_arrows():
    alt = field({"t = 500": panel()}).alt
    assert "t = 500 (5 points after 3 steps, mean arrow 0.50)" in alt
    assert "(5 lines, mean arrow 0.50)" in field({"a": panel()}, above=True).alt


def test_no_panels_are_refused():
    with refused("panels is empty"):
        field({})
