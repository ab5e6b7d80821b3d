"""The drawing of a network: block sizes follow the shapes, and the text alternative says them all."""

from itertools import pairwise

import pytest
from matplotlib.patches import Rectangle

from diffusion_course.lab.diagrams import network

STAGES = [("x_t", (3, 16, 16)), ("stem", (80, 8, 8)), ("down", (160, 4, 4)), ("up", (80, 8, 8))]


def blocks(figure):
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]


def test_blocks_are_as_high_as_their_grids_and_do_not_overlap():
    drawn = blocks(network(STAGES))
    assert [block.get_height() for block in drawn] == [16, 8, 4, 8]
    assert [block.get_width() ** 2 for block in drawn] == pytest.approx([3 / 160, 0.5, 1, 0.5])
    for left, right in pairwise(drawn):
        assert left.get_x() + left.get_width() < right.get_x()


def test_every_shape_is_in_the_text_alternative():
    figure = network(STAGES, skip=("stem", "up"))
    for words in ("x_t 3 × 16 × 16", "down 160 × 4 × 4", "skip leads from stem to up"):
        assert words in figure.alt
    assert figure.png().startswith(b"\x89PNG")


def test_skip_between_unknown_stages_is_refused():
    with pytest.raises(ValueError, match="nowhere"):
        network(STAGES, skip=("stem", "nowhere"))
