"""The pixel editor: presses paint, brushes cover what they say, and the picture is what the models take."""

import numpy as np
import pytest

from diffusion_course.lab.pixel_editor import BRUSHES, COLOURS, PALETTE, PixelEditor


@pytest.fixture
def editor():
    return PixelEditor(["a" * 16] * 16)


def painted(editor, colour):
    rgb = np.array([int(PALETTE[colour][i : i + 2], 16) for i in (1, 3, 5)]) / 127.5 - 1
    return np.isclose(editor.picture[0], rgb[:, None, None]).all(0)


def test_the_picture_is_one_of_the_models(editor):
    assert editor.picture.shape == (1, 3, 16, 16) and editor.picture.dtype == np.float32
    assert np.abs(editor.picture).max() <= 1


def test_the_start_is_read_row_by_row():
    editor = PixelEditor(["ab", "fe"])
    for name, place in (("grey background", (0, 0)), ("blue background", (0, 1)), ("black", (1, 0)), ("white", (1, 1))):
        assert np.argwhere(painted(editor, name)).tolist() == [list(place)]


@pytest.mark.parametrize("brush", BRUSHES)
def test_a_press_paints_the_block_that_holds_the_pixel(editor, brush):
    editor.controls["colour"].value, editor.controls["brush"].value = "red", brush
    editor.pixels[6 * 16 + 9].click()
    size = min(BRUSHES[brush], 16)
    expected = np.zeros((16, 16), bool)
    expected[6 // size * size :][:size, 9 // size * size :][:, :size] = True
    np.testing.assert_array_equal(painted(editor, "red"), expected)
    colours = [pixel.style.button_color for pixel in editor.pixels]
    np.testing.assert_array_equal(np.array(colours).reshape(16, 16) == PALETTE["red"], expected)


def test_a_later_colour_covers_an_earlier_one(editor):
    for colour in ("red", "blue"):
        editor.controls["colour"].value = colour
        editor.pixels[0].click()
    assert painted(editor, "blue").sum() == 1 and not painted(editor, "red").any()


def test_an_earlier_picture_does_not_change(editor):
    before = editor.picture
    editor.pixels[3].click()
    assert not np.array_equal(before, editor.picture)
    assert painted(editor, "black").sum() == 1


def test_every_pixel_says_where_it_is_and_the_still_has_a_text(editor):
    assert [editor.pixels[i].tooltip for i in (0, 17, 255)] == [
        "row 1, column 1",
        "row 2, column 2",
        "row 16, column 16",
    ]
    assert editor.still.alt


def test_colours_are_distinct():
    assert len(set(COLOURS)) == len(PALETTE)
