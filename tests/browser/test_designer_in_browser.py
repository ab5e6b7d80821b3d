"""The schedule designer: its mathematics agrees with schedule.py, the hand bends it, and Python gets what was drawn."""

import warnings

import nbformat
import numpy as np
import pytest

from diffusion_course import schedule
from diffusion_course.lab.designer import PRESETS, designer
from diffusion_course.lab.panel import script

MATHS = f"""([name, heights]) => (() => {{ {script("curves")}
  const alphaBar = PRESETS[name](), base = logSnrOf(alphaBar);
  const own = knobTimes.map((i) => Math.max(base[i], FLOOR)), drawn = alphaBarOf(bent(base, heights ?? own));
  return {{ alphaBar, drawn, knobTimes, ...verdict(drawn) }};
}})()"""


@pytest.fixture(scope="module")
def page(new_page):
    with new_page() as page:
        page.set_content(designer().still)
        page.get_by_role("slider").first.wait_for()
        yield page


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_those_of_the_package(page, name):
    told = page.evaluate(MATHS, [name, None])
    np.testing.assert_allclose(told["alphaBar"], PRESETS[name]().alpha_bar, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(told["drawn"], told["alphaBar"], rtol=1e-9, atol=1e-8)  # not yet bent


@pytest.mark.parametrize("name", PRESETS)
def test_a_bent_curve_takes_the_heights_and_is_a_schedule(page, name):
    rng = np.random.default_rng(0)
    for _ in range(10):
        heights = 11 - np.cumsum(0.2 + rng.exponential(3, 7))
        heights = np.maximum(heights, -20 + 0.2 * np.arange(7)[::-1])
        told = page.evaluate(MATHS, [name, heights.tolist()])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            drawn = schedule.Schedule(told["drawn"])
        assert told["warns"] == bool(caught)
        assert (drawn.alpha_bar[-1] == 0) == (heights[-1] <= -20)
        within = heights > -20
        np.testing.assert_allclose(drawn.log_snr[1:][told["knobTimes"]][within], heights[within], atol=1e-5)


def test_the_verdict_counts_what_the_package_counts(page):
    told = page.evaluate(MATHS, ["linear", None])["told"]
    half, low = ((schedule.linear().alpha_bar <= level).argmax() for level in (0.5, 0.1))
    assert told == f"Noise outweighs signal from t = {half}; ᾱ < 0.1 from t = {low}."


def test_dragging_and_keys_bend_and_warn(page):
    status, last = page.get_by_role("status"), page.get_by_role("slider").last
    page.get_by_role("radio", name="cosine").check()
    page.wait_for_function("() => document.querySelector('[role=status]').innerText.includes('No warning')")
    before = page.locator(".dc-strip canvas").last.evaluate("canvas => canvas.toDataURL()")
    box = last.bounding_box()
    page.mouse.move(box["x"] + 17, box["y"] + 17)
    page.mouse.down()
    page.mouse.move(box["x"] + 17, box["y"] - 130)
    page.mouse.up()
    page.wait_for_function("() => document.querySelector('[role=status]').innerText.includes('TerminalSNRWarning')")
    assert page.locator(".dc-strip canvas").last.evaluate("canvas => canvas.toDataURL()") != before
    for _ in range(9):
        last.press("PageDown")
    page.wait_for_function("() => document.querySelector('[role=status]').innerText.includes('zero terminal SNR')")
    assert float(last.get_attribute("aria-valuenow")) == -20 and "= 0 exactly" in status.inner_text()


def test_python_reads_what_was_drawn(lab, new_page):
    setup = "from diffusion_course.lab.designer import designer\nmine = designer()\nmine"
    cells = [nbformat.v4.new_code_cell(code) for code in (setup, "print(mine.schedule().T, mine.alpha_bar[-1])")]
    with new_page() as page:
        lab.open(page, nbformat.v4.new_notebook(cells=cells))
        lab.run(page)
        last = page.locator(".dc-panel").get_by_role("slider").last
        last.wait_for()
        assert page.locator(".dc-curve:visible").count() == 1  # the still is alive, too, and gives way
        for _ in range(9):
            last.press("PageDown")
        assert lab.prints(page, 1, "1000 0.0")
