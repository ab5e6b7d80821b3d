"""Lessons as a learner meets them: opened, run from top to bottom, every slider moved by keyboard."""

import pathlib
import re

import nbformat
import pytest

NOTEBOOKS = pathlib.Path(__file__).parents[2] / "notebooks"
QUICK = ("01_intuition", "02_forward_process", "03_schedules")  # those that train nothing
# What a panel shows: its painted pictures, or the image (or the error) that Python drew.
SHOWN = """panel => [...panel.querySelectorAll("canvas")].map(canvas => canvas.toDataURL()).join()
  || panel.querySelector(".widget-html").innerHTML"""
FAILED = ".jp-RenderedText[data-mime-type='application/vnd.jupyter.error'], pre[role=alert]"


@pytest.mark.parametrize("name", QUICK)
def test_every_slider_of_a_lesson_moves_its_picture(name, lab, new_page):
    lesson = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    code = "\n".join(cell.source for cell in lesson.cells if cell.cell_type == "code")
    expected = len(re.findall(r"^widgets\.\w+\(", code, flags=re.MULTILINE))
    with new_page() as page:
        page.set_viewport_size({"width": 1280, "height": 12_000})  # JupyterLab draws only what is in sight
        lab.open(page, lesson)
        lab.run(page)
        panels = page.locator(".diffusion-course:has([role=slider])")
        panels.nth(expected - 1).wait_for()
        handles = panels.locator("[role=slider][aria-label]")
        for handle in handles.all():
            panel = handle.locator("xpath=ancestor::*[contains(@class, 'diffusion-course')]")
            before = panel.evaluate(SHOWN)
            handle.focus()
            for key in ("Home", "ArrowRight", "End"):
                handle.press(key)
            page.wait_for_function(
                f"([panel, before]) => ({SHOWN})(panel) != before", arg=[panel.element_handle(), before]
            )
        assert handles.count() >= panels.count() == expected > 0
        assert page.locator(FAILED).count() == 0
