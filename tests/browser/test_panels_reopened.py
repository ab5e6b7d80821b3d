"""Designer, prompt box and pixel editor, run, saved and opened again without a kernel: alive or a still, no error."""

import nbformat
from playwright.sync_api import expect

CELLS = [
    "from diffusion_course.lab.designer import designer\ndesigner()",
    "import numpy as np\nfrom diffusion_course.lab.prompt_box import PromptBox\n"
    "PromptBox(lambda prompt, n=2, **_: iter([np.ones((n, 3, 4, 4))]), 'white')",
    "from diffusion_course.lab.pixel_editor import PixelEditor\nPixelEditor(['ab', 'ba'])",
]
CONTEXT = "window.jupyterapp.shell.currentWidget.context"


def test_reopened_without_a_kernel_each_has_one_picture(lab, new_page):
    with new_page(strict=False) as page:
        page.set_viewport_size({"width": 1280, "height": 3000})
        name = lab.open(page, nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, CELLS)]))
        lab.run(page)
        page.get_by_role("application").wait_for()
        expect(page.locator(".dc-still img").filter(visible=True)).to_have_count(0)
        page.evaluate(f"async () => {{ await {CONTEXT}.save(); await {CONTEXT}.sessionContext.shutdown(); }}")
        page.get_by_role("button", name="draw", exact=True).click()
        page.locator(".dc-panel").nth(1).get_by_text("The kernel behind this picture is gone").wait_for()
        last = page.get_by_role("slider").nth(6)  # the designer asks no kernel
        last.press("PageUp")
        assert page.locator(".dc-panel").nth(0).get_by_text("is gone").count() == 0
    with new_page(strict=False) as page:
        page.set_viewport_size({"width": 1280, "height": 3000})
        lab.open(page, nbformat.read(lab.folder / name, as_version=4))
        last = page.get_by_role("slider").nth(6)
        last.press("PageDown")
        page.get_by_text("No warning").wait_for()
        stills = page.locator(".dc-still img").filter(visible=True)
        expect(stills).to_have_count(2, timeout=30_000)  # once the widget manager has given up on its models
        starts = [still.get_attribute("alt").split(":")[0] for still in stills.all()]
        assert starts == ["white (scale 3)", "Pictures, left to right"]
        assert page.locator("text=/Error displaying widget|model not found/i").filter(visible=True).count() == 0
