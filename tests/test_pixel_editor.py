"""The pixel editor without a browser: what is read at the start, what the picture is, what is refused."""

import json

import numpy as np
import pytest

from diffusion_course.lab.pixel_editor import LETTERS, PALETTE, PixelEditor


def test_each_letter_is_its_colour_in_its_place():
    editor = PixelEditor(["abc", "fe" + LETTERS[-1]])
    picture = editor.picture
    assert picture.shape == (1, 3, 2, 3) and picture.dtype == np.float32
    for (row, column), name in {(0, 0): "grey background", (1, 0): "black", (1, 1): "white", (1, 2): "green"}.items():
        shade = PALETTE[name]
        expected = [int(shade[i : i + 2], 16) / 127.5 - 1 for i in (1, 3, 5)]
        np.testing.assert_allclose(picture[0, :, row, column], expected, atol=1e-6)
    assert len(LETTERS) == len(PALETTE) == len(set(PALETTE.values()))


def test_an_earlier_picture_does_not_change():
    editor = PixelEditor(["a" * 16] * 16)
    before = editor.picture
    editor.grid.codes = [5, *editor.grid.codes[1:]]
    assert np.argwhere((before != editor.picture).any(1)).tolist() == [[0, 0, 0]]
    assert editor.alt


def test_a_saved_notebook_keeps_the_order_of_the_colours():
    saved = json.loads(json.dumps(PixelEditor(["ab"]).grid.get_state(["palette"]), sort_keys=True))  # as notebooks are
    assert saved["palette"] == [list(item) for item in PALETTE.items()]


@pytest.mark.parametrize(("start", "message"), [(["ab", "a"], "one length"), ([], "one length"), (["az"], "holds z;")])
def test_a_start_that_is_no_picture_is_refused(start, message):
    with pytest.raises(ValueError, match=message):
        PixelEditor(start)
