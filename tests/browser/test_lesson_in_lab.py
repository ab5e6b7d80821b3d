"""Lesson 1 as a learner meets it: opened, run from top to bottom, every slider moved by keyboard."""

import pathlib
import re

import nbformat

LESSON = pathlib.Path(__file__).parents[2] / "notebooks" / "01_intuition.ipynb"
# What a panel shows: its painted pictures, or the image (or the error) that Python drew.
SHOWN = """panel => [...panel.querySelectorAll("canvas")].map(canvas => canvas.toDataURL()).join()
  || panel.querySelector(".widget-html").innerHTML"""
FAILED = ".jp-RenderedText[data-mime-type='application/vnd.jupyter.error'], pre[role=alert]"


def test_every_slider_of_lesson_1_moves_its_picture(lab, new_page):
    lesson = nbformat.read(LESSON, as_version=4)
    code = "\n".join(cell.source for cell in lesson.cells if cell.cell_type == "code")
    expected = len(re.findall(r"^widgets\.\w+\(", code, flags=re.MULTILINE))
    with new_page() as page:
        page.set_viewport_size({"width": 1280, "height": 12_000})  # JupyterLab draws only what is in sight
        lab.open(page, lesson)
        lab.run(page)
        handles = page.locator(".diffusion-course [role=slider][aria-label]")
        handles.nth(expected - 1).wait_for()
        for handle in handles.all():
            panel = handle.locator("xpath=ancestor::*[contains(@class, 'diffusion-course')]")
            before = panel.evaluate(SHOWN)
            handle.focus()
            for key in ("Home", "ArrowRight", "End"):
                handle.press(key)
            page.wait_for_function(
                f"([panel, before]) => ({SHOWN})(panel) != before", arg=[panel.element_handle(), before]
            )
        assert handles.count() == expected > 0
        assert page.locator(FAILED).count() == 0
