"""A lesson as a learner meets it: opened, run from top to bottom, every slider moved by keyboard."""

import pathlib
import re

import nbformat

NOTEBOOKS = pathlib.Path(__file__).parents[2] / "notebooks"
# What a drawing shows: its canvases, or the one of its pages that is turned up.
SHOWN = """root => [...root.querySelectorAll("canvas")].map(canvas => canvas.toDataURL()).join()
  || root.querySelector("img:not([hidden])").outerHTML"""
FAILED = ".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']"
ROOT = "xpath=ancestor::*[contains(@class, 'diffusion-course')]"


def test_every_slider_of_the_first_lesson_moves_its_picture(lab, new_page):
    lesson = nbformat.read(NOTEBOOKS / "01_intuition.ipynb", as_version=4)
    code = "\n".join(cell.source for cell in lesson.cells if cell.cell_type == "code")
    expected = len(re.findall(r"^lab\.(?:dissolve|flip|statue|play_\w+)\(", code, flags=re.MULTILINE))
    # JupyterLab draws only what is in sight: a high window, whose pixels are few.
    with new_page(viewport={"width": 1280, "height": 20_000}, device_scale_factor=0.2) as page:
        lab.open(page, lesson)
        lab.run(page)
        roots = page.locator("[data-alive]")
        roots.nth(expected - 1).wait_for(timeout=180_000)
        sliders = page.locator("[data-alive] input[type=range]")
        for slider in sliders.all():
            root = slider.locator(ROOT)
            pictures = {root.evaluate(SHOWN)}
            slider.focus()
            for key in ("Home", "ArrowRight", "End"):
                slider.press(key)
                for _ in range(40 * (len(pictures) == 1)):  # a busy machine may take its time
                    page.wait_for_timeout(250)
                    pictures.add(root.evaluate(SHOWN))
                    if len(pictures) > 1:
                        break
            assert len(pictures) > 1, slider.get_attribute("aria-label")
        assert sliders.count() >= expected > 0 and roots.count() > expected  # the quiz is alive without a slider
        assert page.locator(FAILED).count() == 0
