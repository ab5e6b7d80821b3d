"""What was run and saved comes back alive or as its still, never as an error text.

JupyterLab's own default is not to save the state of widgets: the hard case, so it is the one tried here.
"""

import contextlib

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import TimeoutError, expect

SETUP = """
import numpy as np
from diffusion_course import schedule
from diffusion_course.lab import PromptBox, dissolve

rng = np.random.default_rng(0)
x0 = {"ring": rng.uniform(-1, 1, (1, 1, 28, 28)), "sky": rng.uniform(-1, 1, (3, 64, 48))}
eps = {name: rng.standard_normal(x.shape) for name, x in x0.items()}
linear = schedule.linear()
"""
CELLS = [
    SETUP + "dissolve(x0, eps, linear)",
    "PromptBox(lambda prompt, n=8, **_: iter([np.ones((n, 3, 4, 4))]), 'white')",
]
CONTEXT = "window.jupyterapp.shell.currentWidget.context"
STILL = "img[alt^='white (scale 3):']"
ERROR = "text=/Error displaying widget|model not found/i"


def notebook():
    return nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, CELLS)])


@pytest.fixture(scope="module")
def saved(lab, new_page):
    """Run and saved by a learner in JupyterLab, then its kernel shut down."""
    with new_page(strict=False) as page:  # ipywidgets itself complains of a message that nobody receives
        name = lab.open(page, notebook())
        lab.run(page)
        page.get_by_role("textbox", name="prompt").wait_for()
        page.get_by_role("slider", name="t", exact=True).wait_for()
        expect(page.locator(STILL).filter(visible=True)).to_have_count(0)
        page.evaluate(f"async () => {{ await {CONTEXT}.save(); await {CONTEXT}.sessionContext.shutdown(); }}")
        page.get_by_role("button", name="draw", exact=True).click()
        page.get_by_role("status").get_by_text("The kernel behind this picture is gone").wait_for(timeout=5000)
    return nbformat.read(lab.folder / name, as_version=4)


def test_ctrl_s_saves_while_a_slider_has_the_focus(lab, new_page):
    with new_page() as page:
        lab.open(page, notebook())
        lab.run(page)
        slider = page.get_by_role("slider", name="t", exact=True)
        slider.wait_for()
        assert page.evaluate(f"{CONTEXT}.model.dirty")
        slider.press("End")
        slider.press("Control+s")
        page.wait_for_function(f"() => !{CONTEXT}.model.dirty")
        cell = page.locator(".jp-mod-active").first.inner_text()
        slider.press("ArrowLeft")  # again the slider's own key, not JupyterLab's
        assert page.locator(".jp-mod-active").first.inner_text() == cell


def test_reopened_without_a_kernel(lab, new_page, saved):
    with new_page(strict=False) as page:  # the widget manager logs the models that it does not find
        lab.open(page, saved)
        page.get_by_role("slider", name="t", exact=True).press("End")
        page.get_by_role("img", name="ring at t = 1000 of 1000").wait_for()
        with contextlib.suppress(TimeoutError):  # the widget manager may give up on its models, and nobody sees it
            page.locator(ERROR).first.wait_for(state="attached", timeout=10_000)
        # Where the state of widgets was saved, too, the box itself has come back; else its still stands there.
        shown = page.locator(f"{STILL}, .dc-panel .dc-sheet").filter(visible=True)
        expect(shown).to_have_count(1, timeout=30_000)
        assert page.locator(ERROR).filter(visible=True).count() == 0


def test_reopened_untrusted_there_are_stills(lab, new_page, saved):
    with new_page() as page:
        lab.open(page, saved, trusted=False)
        for start in ("Pictures, left to right: ring, t = 0", "white (scale 3):"):
            image = page.locator(f"img[alt^='{start}']").filter(visible=True)
            image.wait_for()
            assert image.count() == 1 and image.evaluate("image => image.complete && image.naturalWidth") > 400
        assert page.locator(ERROR).filter(visible=True).count() == 0
        assert "--dc-ink" not in page.locator(".jp-Notebook").inner_text()  # no style sheet turned into text


@pytest.mark.parametrize("state", [False, True], ids=["without the widgets' state", "with it, offline"])
def test_exported_page(new_page, saved, tmp_path, state):
    if state:
        saved = notebook()
        NotebookClient(saved, kernel_name="python3").execute()
    html, _ = HTMLExporter(template_name="lab").from_notebook_node(saved)
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    with new_page(strict=False) as page:
        page.goto(f"file://{tmp_path}/page.html")
        page.get_by_role("slider", name="t", exact=True).press("End")
        page.get_by_role("img", name="ring at t = 1000 of 1000").wait_for()
        expect(page.locator(STILL).filter(visible=True)).to_have_count(1, timeout=30_000)
        assert page.locator(ERROR).filter(visible=True).count() == 0
