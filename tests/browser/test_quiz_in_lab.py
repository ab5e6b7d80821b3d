"""The quiz in JupyterLab and Chromium: keyboard, explanation, long answers."""

import nbformat
import pytest

SETUP = 'from diffusion_course.lab.quiz import Quiz\nquiz = Quiz("01_intuition")'
LONG = "A very long answer, " * 20
CELLS = [
    f"{SETUP}\nquestions = [dict(question) for question in quiz.questions]\nquestions[1] = "
    f'{{**questions[1], "answers": [{{**questions[1]["answers"][0], "text": {LONG!r}}}]}}\n'
    "quiz.questions = questions\nquiz",
    "quiz",
]


@pytest.fixture(scope="module")
def page(lab, new_page):
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, CELLS)])
    with new_page() as page:
        lab.open(page, notebook)
        lab.run(page)
        page.get_by_role("radio").first.wait_for()
        page.wait_for_function("() => document.querySelectorAll('.diffusion-course-quiz').length == 2")
        yield page


def question(page, number, view=0):
    return page.locator(".diffusion-course-quiz").nth(view).get_by_role("group").nth(number - 1)


def test_keyboard_chooses_and_explains(page):
    group = question(page, 1)
    buttons, status = group.get_by_role("radio"), group.get_by_role("status")
    assert buttons.evaluate_all("all => all.every(one => !one.checked)") and status.inner_text() == ""
    active = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
    buttons.first.focus()
    for key, place, verdict in [
        ("Space", 0, "✗ Not quite. That is a photocopier"),
        ("ArrowDown", 1, "✓ Right. New, yet of the same kind"),
        ("ArrowDown", 2, "✗ Not quite. The average portrait"),
        ("ArrowUp", 1, "✓ Right. New"),
    ]:
        page.keyboard.press(key)
        assert buttons.nth(place).is_checked()
        assert status.inner_text().startswith(verdict)
        assert page.evaluate(active) == 0  # the keys belong to the quiz, not to the notebook


def test_questions_and_views_do_not_disturb_each_other(page):
    question(page, 1).get_by_role("radio").first.check()
    question(page, 3).get_by_role("radio").first.check()
    question(page, 1, view=1).get_by_role("radio").nth(1).check()
    assert question(page, 1).get_by_role("radio").first.is_checked()
    assert question(page, 3).get_by_role("status").inner_text().startswith("✓ Right.")


def test_question_names_its_group(page):
    assert page.get_by_role("group", name="1. What does a generative model make?").count() == 2


@pytest.mark.parametrize("width", [1280, 480])
def test_long_answers_are_wrapped_not_cut(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    answer = question(page, 2).locator("label span").first
    assert answer.inner_text().strip() == LONG.strip()
    box, quiz = answer.bounding_box(), page.locator(".diffusion-course-quiz").first.bounding_box()
    assert box["x"] + box["width"] <= quiz["x"] + quiz["width"] + 1 <= width + 1
    assert box["height"] > 30  # more than one line
    assert answer.evaluate("node => node.scrollWidth <= node.clientWidth || node.clientWidth == 0")
