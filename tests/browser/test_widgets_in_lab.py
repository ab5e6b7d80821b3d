"""Widgets in JupyterLab: keys that stay with them, the theme, a kernel that is restarted."""

import nbformat
import pytest

CELLS = [
    "import numpy as np\n"
    "from diffusion_course import schedule\n"
    "from diffusion_course.lab import PixelEditor, dissolve\n"
    "dot = {'dot': np.ones((1, 4, 4))}\n"
    "dissolve(dot, dot, schedule.linear())",
    "PixelEditor(['ab', 'ba'])",
]
KERNEL = "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
ACTIVE = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"


@pytest.fixture(scope="module")
def page(lab, new_page):
    with new_page() as page:
        lab.open(page, nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, CELLS)]))
        lab.run(page)
        page.get_by_role("application").wait_for()
        yield page


def test_keys_pressed_on_a_drawing_stay_with_it(page):
    page.evaluate(f"() => {{ {ACTIVE} = 0; }}")
    slider = page.get_by_role("slider", name="t", exact=True)
    slider.focus()
    # "j" is JupyterLab's own "next cell"; Notebook 7 takes the arrow keys for that too.
    for key, t in [("ArrowUp", "10"), ("ArrowRight", "20"), ("ArrowDown", "10"), ("ArrowLeft", "0"), ("j", "0")]:
        page.keyboard.press(key)
        assert page.evaluate(f"() => {ACTIVE}") == 0 and slider.input_value() == t


def test_the_page_follows_the_theme(page):
    root = page.locator("[data-live]")
    assert root.get_attribute("data-theme") == "light"
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' })")
    page.wait_for_function("() => document.querySelector('[data-live]').dataset.theme === 'dark'")
    assert page.locator(".dc-panel").get_attribute("data-theme") == "dark"


def test_a_restarted_kernel_is_told(page):
    page.evaluate(f"() => {KERNEL}.restart()")
    page.get_by_role("status").get_by_text("The kernel behind this picture is gone").wait_for()
    page.get_by_role("slider", name="t", exact=True).press("End")
    page.get_by_role("img", name="dot at t = 1000 of 1000").wait_for()  # this one needs no kernel
