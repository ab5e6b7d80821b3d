"""The pixel editor in JupyterLab: one tab stop, keys, dragging, and the picture that Python has."""

import nbformat
import pytest

SETUP = """from diffusion_course.lab.pixel_editor import PixelEditor
editor = PixelEditor(["a" * 16] * 16)
editor"""
COUNTS = "from collections import Counter; print(sorted(Counter(editor.grid.codes).items()), 'end')"


@pytest.fixture(scope="module")
def page(lab, new_page):
    cells = [nbformat.v4.new_code_cell(code) for code in (SETUP, COUNTS)]
    with new_page() as page:
        lab.open(page, nbformat.v4.new_notebook(cells=cells))
        lab.run(page)
        page.get_by_role("application").wait_for()
        yield page


def test_keys_move_paint_announce_and_leave(lab, page):
    sheet, words = page.get_by_role("application"), page.locator(".dc-panel [role=status]")
    sheet.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert words.inner_text() == "row 2, column 3: grey background"
    page.keyboard.press("Space")
    assert words.inner_text() == "row 2, column 3: black"
    page.keyboard.press("Escape")
    assert not sheet.evaluate("node => node === document.activeElement")
    sheet.focus()
    page.keyboard.press("Tab")
    assert not sheet.evaluate("node => node === document.activeElement")
    assert lab.prints(page, 1, "[(0, 255), (5, 1)] end")


def test_dragging_paints_a_line_and_undo_takes_it_back(lab, page):
    page.get_by_role("radio", name="red", exact=True).check()
    box = page.get_by_role("application").bounding_box()
    step = box["width"] / 16
    page.mouse.move(box["x"] + step / 2, box["y"] + 9.5 * step)
    page.mouse.down()
    page.mouse.move(box["x"] + 15.5 * step, box["y"] + 9.5 * step)  # at one go: no pixel is left out
    page.mouse.up()
    assert lab.prints(page, 1, "[(0, 239), (5, 1), (8, 16)] end")
    page.get_by_role("button", name="undo").click()
    assert lab.prints(page, 1, "[(0, 255), (5, 1)] end")


def test_a_brush_paints_its_block_and_a_phone_has_room(lab, page):
    page.get_by_role("radio", name="4 × 4").check()
    box = page.get_by_role("application").bounding_box()
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"])
    assert lab.prints(page, 1, "[(0, 239), (5, 1), (8, 16)] end")
    page.set_viewport_size({"width": 390, "height": 900})
    panel = page.locator(".dc-panel")
    page.wait_for_function("() => document.querySelector('[role=application]').clientWidth < 352")
    assert panel.evaluate("node => node.scrollWidth <= node.clientWidth")
