"""The turning arrow in Chromium: its numbers are those of forward.py, and mouse, keys and sliders turn it."""

import math
import re

import pytest

from diffusion_course.forward import add_noise, v_from_eps
from diffusion_course.lab.arrow import arrow
from diffusion_course.lab.panel import script

TURNED = f"pair => (() => {{ {script('knob', 'arrow')}; return turned(...pair); }})()"


@pytest.fixture
def page(new_page):
    with new_page() as page:
        page.set_content(arrow(0.5, 1.5).html())
        page.get_by_role("slider", name="turn", exact=True).wait_for()
        yield page


@pytest.mark.parametrize("phi", [0.0, 0.3, 1.2])
def test_the_numbers_are_those_of_the_package(page, phi):
    power = math.cos(phi) ** 2
    told = page.evaluate(TURNED, [0.5, 1.5, phi])
    assert told["xt"] == pytest.approx(add_noise(0.5, power, 1.5))
    assert told["v"] == pytest.approx(v_from_eps(told["xt"], power, 1.5))


def written(page):
    text = page.locator(".dc-four").inner_text().replace("−", "-")
    return [float(re.search(rf"{name} = (-?[\d.]+)", text)[1]) for name in ("ᾱ", r"ε", "x₀", r"v²")]


def test_slider_keys_and_mouse_turn_the_arrow(page):
    page.get_by_role("slider", name="turn", exact=True).fill("60")
    assert written(page) == [0.25, 1.55, 0.32, 2.5]  # ᾱ, x_t, v, length²
    tip = page.get_by_role("slider", name="arrow")
    for _ in range(5):
        tip.press("ArrowRight")
    assert tip.get_attribute("aria-valuenow") == "50"
    whole, box = page.locator(".dc-plane").bounding_box(), tip.bounding_box()
    page.mouse.move(box["x"] + 17, box["y"] + 17)
    page.mouse.down()
    page.mouse.move(whole["x"] + whole["width"] * 0.9, whole["y"] + whole["height"] * 0.61)  # beside the x_0 axis
    page.mouse.up()
    assert int(tip.get_attribute("aria-valuenow")) < 5
    point = page.get_by_role("slider", name="the pair")
    point.press("ArrowUp")
    assert point.get_attribute("aria-valuetext") == "x₀ = 0.50, ε = 1.55"


def test_it_plays_and_stops(page):
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelector('.dc-four').innerText.includes('ᾱ = 0.4')")
    page.get_by_role("button", name="Pause").click()
    before = written(page)
    page.wait_for_timeout(200)
    assert written(page) == before


def test_a_pair_outside_the_drawing_is_refused():
    with pytest.raises(ValueError, match=r"eps must lie in −1\.1 … 1\.9, .* not 3"):
        arrow(0, 3)
