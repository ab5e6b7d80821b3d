"""The widgets in JupyterLab and Chromium: what the learner sees and touches.

One page for all: it is opened once, and every test puts the slider where it needs it.
"""

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

PICTURES = """
import numpy as np
from diffusion_course import plots, schedule
from diffusion_course.lab.widgets import dissolve, explore

rng = np.random.default_rng(0)
x0 = {"ring": rng.uniform(-1, 1, (1, 1, 28, 28)), "sky": rng.uniform(-1, 1, (3, 64, 48))}
eps = {name: rng.standard_normal(x.shape) for name, x in x0.items()}
linear = schedule.linear()
"""
CELLS = [
    PICTURES + "panel = dissolve(x0, eps, linear)\npanel",
    "explore(lambda n: plots.lines([0, 1], {'1/n': [0, 1 / n]}, 'x', f'n is {n}'), n=(0, 3))",
    "1 + 1",
]
KERNEL = "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
READ = """canvas => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]"""
# Paints are counted by the calls that put a picture on the canvas.
COUNT = """() => {
  const paint = CanvasRenderingContext2D.prototype.putImageData;
  window.paints = 0;
  CanvasRenderingContext2D.prototype.putImageData = function (...image) {
    window.paints += this.canvas.width === 28;
    return paint.apply(this, image);
  };
}"""


@pytest.fixture(scope="module")
def page(lab, new_page):
    with new_page() as page:
        lab.open(page, notebook(*CELLS))
        lab.run(page)
        page.evaluate(COUNT)
        page.get_by_role("slider", name="n").wait_for()
        yield page


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)])


def slider(page, name="t"):
    handle = page.get_by_role("slider", name=name, exact=True).first
    handle.focus()
    return handle


def run_cell(page, index, code):
    """Replace the code of a cell and start it; does not wait for its end."""
    page.evaluate(
        """([index, code]) => {
          const { content, context } = window.jupyterapp.shell.currentWidget;
          content.widgets[index].model.sharedModel.setSource(code);
          content.activeCellIndex = index;
          window.jupyterapp.commands.execute("notebook:run-cell");
        }""",
        [index, code],
    )


def blended(name, t):
    """The formula in Python, as the grey levels (h, w, 3) that the canvas should hold."""
    scope = {}
    exec(PICTURES, scope)
    power = scope["linear"].alpha_bar[t]
    xt = power**0.5 * scope["x0"][name] + (1 - power) ** 0.5 * scope["eps"][name]
    xt = xt.reshape(xt.shape[-3:]).transpose(1, 2, 0)
    return np.broadcast_to(np.clip(127.5 * (xt + 1), 0, 255), (*xt.shape[:2], 3))


def shown(page, name):
    canvas = page.locator(f"canvas[aria-label^='{name}']").first
    height, width = canvas.evaluate("canvas => [canvas.height, canvas.width]")
    return np.array(canvas.evaluate(READ)).reshape(height, width, 4)[..., :3]


@pytest.mark.parametrize(("keys", "t"), [("Home", 0), ("End", 1000), ("Home PageUp", 50)])
@pytest.mark.parametrize("name", ["ring", "sky"])
def test_the_canvas_shows_the_formula(page, keys, t, name):
    for key in keys.split():
        slider(page).press(key)
    assert slider(page).get_attribute("aria-valuenow") == f"{t}.0"
    # 1: x0 is sent in 256 grey levels (½ a level) and the canvas rounds (½ a level)
    assert np.abs(shown(page, name) - blended(name, t)).max() <= 1


def test_controls_and_pictures_have_names(page):
    slider(page).press("Home")
    slider(page).press("ArrowRight")
    text = slider(page).get_attribute("aria-valuetext")
    assert text == "t = 10 of 1000, signal 1.00, noise 0.04"
    page.get_by_role("img", name=f"ring at {text}").wait_for()
    page.get_by_role("img", name=f"Curves of signal and noise over t; {text}").wait_for()
    for role, name in [("button", "Play"), ("button", "Back to the start"), ("checkbox", "backwards")]:
        assert page.get_by_role(role, name=name, exact=True).count() == 1
    assert page.get_by_role("slider", name="n").count() == 1
    assert page.get_by_role("textbox", name="t, type a number").count() == 1


def test_keys_pressed_on_the_slider_stay_with_it(page):
    active = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
    slider(page).press("Home")
    # "j" is JupyterLab's own "next cell"; Notebook 7 takes the arrow keys for that too.
    for key, t in [("ArrowUp", 10), ("ArrowRight", 20), ("ArrowDown", 10), ("ArrowLeft", 0), ("j", 0)]:
        slider(page).press(key)
        assert page.evaluate(active) == 0  # asked first: to focus the slider would activate its cell
        assert slider(page).get_attribute("aria-valuenow") == f"{t}.0"


def test_play_pauses_and_runs_backwards(page):
    slider(page).press("Home")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("() => document.querySelector('.noUi-handle').ariaValueNow >= 30")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Play", exact=True).wait_for()
    t = float(slider(page).get_attribute("aria-valuenow"))
    page.get_by_role("checkbox", name="backwards").check()
    assert float(slider(page).get_attribute("aria-valuenow")) == t  # turning does not jump
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("() => document.querySelector('.noUi-handle').ariaValueNow == 0")
    page.get_by_role("button", name="Play", exact=True).wait_for()  # stopped at the end by itself
    page.get_by_role("checkbox", name="backwards").uncheck()
    assert np.abs(shown(page, "ring") - blended("ring", 0)).max() <= 1


def test_every_move_is_painted_while_the_kernel_is_busy(page):
    slider(page).press("Home")
    busy = "import time\ntry:\n    time.sleep(600)\nexcept KeyboardInterrupt:\n    print('rested')"
    run_cell(page, 2, busy)
    page.get_by_text("[*]:").wait_for()
    slider(page)
    page.evaluate("() => { window.paints = 0; }")
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    assert page.get_by_text("[*]:").count() == 1  # the kernel was busy all the time
    assert page.evaluate("() => window.paints") == 60
    assert np.abs(shown(page, "ring") - blended("ring", 600)).max() <= 1
    page.evaluate(f"() => {KERNEL}.interrupt()")
    page.locator(".jp-OutputArea").get_by_text("rested").wait_for()
    run_cell(page, 2, "print('python sees', panel.controls['t'].value)")
    page.get_by_text("python sees 600").wait_for()


def test_explore_redraws_and_shows_errors(page):
    image = page.locator(".jp-OutputArea img[alt^='n is']")
    slider(page, "n").press("End")
    page.wait_for_function("() => document.querySelector('img[alt^=\"n is 3\"]')")
    slider(page, "n").press("Home")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text().strip() == "ZeroDivisionError: division by zero"
    slider(page, "n").press("ArrowRight")
    image.wait_for()
    assert image.get_attribute("alt").startswith("n is 1")


def test_two_views_of_one_panel_move_together(page):
    run_cell(page, 2, "panel")
    page.locator("canvas[aria-label^='ring']").nth(1).wait_for()
    page.wait_for_function("() => document.querySelectorAll('.noUi-handle[aria-label=t]').length == 2")
    slider(page).press("End")
    views = page.locator("canvas[aria-label^='ring']")
    assert views.nth(0).evaluate(READ) == views.nth(1).evaluate(READ)
    run_cell(page, 2, "1 + 1")  # the second view goes, the first stays alive
    page.wait_for_function("() => document.querySelectorAll('.dissolve').length == 1")
    slider(page).press("Home")
    assert np.abs(shown(page, "ring") - blended("ring", 0)).max() <= 1


def test_restarted_kernel_and_second_run(page):
    page.evaluate(f"() => {KERNEL}.restart()")
    for t in (70, 40):  # a new panel each time, joined to its own slider only
        run_cell(page, 0, CELLS[0] + f".controls['t'].value = {t}\npanel")
        page.wait_for_selector(f".noUi-handle[aria-label=t][aria-valuenow='{t}.0']")
        assert np.abs(shown(page, "ring") - blended("ring", t)).max() <= 1
        slider(page).press("End")
        assert np.abs(shown(page, "ring") - blended("ring", 1000)).max() <= 1


@pytest.fixture(scope="module")
def saved():
    """The notebook after a run elsewhere: its outputs and the widgets' state, no kernel that knows them."""
    saved = notebook(CELLS[0])
    NotebookClient(saved, kernel_name="python3").execute()
    return saved


def test_where_widgets_are_not_allowed_a_described_picture_stands_in(lab, new_page, saved):
    with new_page() as page:
        lab.open(page, saved, trusted=False)
        image = page.get_by_role("img", name="Pictures, left to right: ring, t = 0; ring, t = 200;")
        image.wait_for()
        assert image.evaluate("image => image.complete && image.naturalWidth") > 400


def test_saved_widgets_move_without_their_kernel(lab, new_page, saved):
    with new_page() as page:
        lab.open(page, saved)  # signed from here on
        page.get_by_role("slider", name="t", exact=True).wait_for()
        slider(page).press("End")
        assert np.abs(shown(page, "ring") - blended("ring", 1000)).max() <= 1
        page.get_by_role("checkbox", name="backwards").check()
        page.get_by_role("button", name="Play", exact=True).click()
        page.wait_for_function("() => document.querySelector('.noUi-handle').ariaValueNow <= 950")
