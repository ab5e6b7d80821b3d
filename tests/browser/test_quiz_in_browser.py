"""The quiz in Chromium: keyboard, explanation, formulas, long answers; and that Jupyter leaves its keys alone."""

import nbformat
import pytest

from diffusion_course.lab.quiz import Quiz

CELL = 'from diffusion_course.lab.quiz import Quiz\nQuiz("02_forward_process")'


@pytest.fixture(scope="module")
def page(new_page):
    with new_page() as page:
        page.set_content(Quiz("02_forward_process").html() + Quiz("01_intuition").html())
        page.get_by_role("radio").first.wait_for()
        yield page


def question(page, number, view=0):
    return page.locator(".dc-quiz").nth(view).get_by_role("group").nth(number - 1)


def test_keyboard_chooses_and_explains(page):
    group = question(page, 1)
    buttons, status = group.get_by_role("radio"), group.get_by_role("status")
    assert buttons.evaluate_all("all => all.every(one => !one.checked)") and status.inner_text() == ""
    buttons.first.focus()
    for key, place, verdict in [
        ("Space", 0, "✗ Not quite. "),
        ("ArrowDown", 1, "✓ Right. "),
        ("ArrowDown", 2, "✗ Not quite. "),
    ]:
        page.keyboard.press(key)
        assert buttons.nth(place).is_checked() and status.inner_text().startswith(verdict)
    question(page, 1, view=1).get_by_role("radio").first.check()
    assert buttons.nth(2).is_checked()  # another quiz on the page is another quiz


def test_formulas_are_set_and_radios_are_large(page):
    legend = question(page, 1).locator("legend")
    assert legend.locator("sub").first.inner_text() == "t" and "$" not in legend.inner_text()
    assert question(page, 1).get_by_role("radio").first.bounding_box()["width"] >= 18


def test_nothing_is_cut_on_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_in_jupyter_the_arrow_keys_belong_to_the_quiz(lab, new_page):
    with new_page() as page:
        lab.open(
            page, nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL), nbformat.v4.new_code_cell("1")])
        )
        lab.run(page)
        first = page.get_by_role("radio").first
        first.check()
        page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
        first.focus()
        page.keyboard.press("ArrowDown")
        assert page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex") == 0
        assert page.get_by_role("radio").nth(1).is_checked()
