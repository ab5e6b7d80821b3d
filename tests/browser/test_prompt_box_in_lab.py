"""The prompt box in JupyterLab: typed, drawn, refused with a way out, drawn again."""

import nbformat
import pytest

SETUP = """import time
import numpy as np
from diffusion_course.lab.prompt_box import PromptBox

def painting(prompt, n, scale, steps, seed, style):
    if prompt not in ("white", "black"):
        raise ValueError(f"no {prompt!r} here.")
    for step in range(1, steps + 1):
        time.sleep(0.05)
        yield np.full((n, 3, 4, 4), (1 if prompt == "white" else -1) * step / steps)

painting.words = ("white", "black")
box = PromptBox(painting, "white", n=4, steps=3, styles=["plain"], examples=["black"], caption="all four alike")
box"""
PIXEL = "() => [...document.querySelector('.dc-sheet canvas').getContext('2d').getImageData(0, 0, 1, 1).data]"


@pytest.fixture(scope="module")
def page(lab, new_page):
    with new_page() as page:
        lab.open(page, nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SETUP)]))
        lab.run(page)
        page.get_by_role("textbox", name="prompt").wait_for()
        yield page


def drawn(page, prompt, n):
    page.wait_for_function(
        f"() => document.querySelector('[role=status]').innerText.startsWith('{prompt}: {n} pictures')"
    )
    return page.evaluate(PIXEL)[0], page.locator(".dc-sheet canvas").count()


def test_the_first_pictures_are_there_and_typing_draws_others(page):
    assert drawn(page, "white", 4) == (255, 4)
    assert page.locator(".dc-note").filter(has_text="all four alike").is_visible()
    page.get_by_role("textbox", name="prompt").fill("black")
    page.get_by_role("radio", name="8", exact=True).check()
    page.get_by_role("textbox", name="prompt").press("Enter")
    page.wait_for_function("() => /step [12] of 3/.test(document.querySelector('[role=status]').innerText)")
    assert drawn(page, "black", 8) == (0, 8)


def test_an_unknown_word_is_answered_with_a_near_one_to_click(page):
    page.get_by_role("textbox", name="prompt").fill("whit")
    page.get_by_role("button", name="draw", exact=True).click()
    alert = page.get_by_role("alert").filter(has_text="no 'whit' here.")
    alert.wait_for()
    assert "dc-old" in page.locator(".dc-sheet").get_attribute("class")  # what was drawn before is not of this prompt
    alert.get_by_role("button", name="use white for whit").click()
    assert drawn(page, "white", 8) == (255, 8)
    assert page.get_by_role("textbox", name="prompt").input_value() == "white"
    assert "dc-old" not in page.locator(".dc-sheet").get_attribute("class")


def test_other_pictures_take_the_next_seed_and_a_phone_has_room(page):
    page.get_by_role("button", name="the next seed").click()
    assert page.get_by_role("spinbutton", name="seed").input_value() == "1"
    drawn(page, "white", 8)
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("() => document.querySelector('.dc-panel').clientWidth < 380")
    assert page.locator(".dc-panel").evaluate("node => node.scrollWidth <= node.clientWidth")
