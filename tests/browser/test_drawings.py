"""Drawings that live in the browser alone, in a plain page: what they show, and every way to touch them."""

import numpy as np
import pytest

from diffusion_course import plots
from diffusion_course.lab.panel import Live
from diffusion_course.lab.widgets import dissolve, flip, play_paths, play_pictures, play_points, statue
from diffusion_course.schedule import linear

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "device_scale_factor": 2}
PAGE = "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'><body style='{}'>{}"
READ = """canvas => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]"""
STATUE = "canvas[aria-label*='{}']"
COLOURED = """canvas => {
  const { width, height } = canvas, { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  let near = 0, all = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) < 60) continue;
    const x = (i / 4 % width) / width, y = Math.floor(i / 4 / width) / height;
    all++;
    near += Math.abs(y - 0.75) < 0.025 && x > 0.23 && x < 0.77;
  }
  return [near, all];
}"""
RNG = np.random.default_rng(0)
X0, EPS = {"dots": RNG.uniform(-1, 1, (3, 6, 4))}, {"dots": RNG.standard_normal((3, 6, 4))}
POINTS = RNG.normal(size=(4, 20, 2))


def show(page, *drawings, style=""):
    page.set_content(PAGE.format(style, "".join(drawing.html() for drawing in drawings)))
    page.wait_for_function(f"() => document.querySelectorAll('.dc-stage').length === {len(drawings)}")


# ---- dissolve ----------------------------------------------------------------------------------------------------


def test_dissolve_shows_the_formula(new_page):
    schedule = linear()
    with new_page() as page:
        show(page, dissolve(X0, EPS, schedule))
        slider = page.get_by_role("slider", name="t", exact=True)
        for keys, t in [("Home", 0), ("End", 1000), ("Home ArrowRight PageUp Shift+ArrowLeft", 59)]:
            for key in keys.split():
                slider.press(key)
            page.get_by_role("img", name=f"dots at t = {t} of 1000").wait_for()
            xt = schedule.at(t) ** 0.5 * X0["dots"] + (1 - schedule.at(t)) ** 0.5 * EPS["dots"]
            shown = np.array(page.locator("canvas").evaluate(READ)).reshape(6, 4, 4)[..., :3]
            # 1: x0 is sent in 256 grey levels (½ a level) and the canvas rounds (½ a level)
            assert np.abs(shown - np.clip(127.5 * (xt.transpose(1, 2, 0) + 1), 0, 255)).max() <= 1
        page.get_by_role("spinbutton", name="t, type a number").fill("333")
        assert slider.input_value() == "333"


def test_dissolve_plays_pauses_and_runs_backwards(new_page):
    with new_page() as page:
        show(page, dissolve(X0, EPS, linear()))
        slider, play = page.get_by_role("slider"), page.get_by_role("button", name="Play")
        play.click()
        page.wait_for_function("() => document.querySelector('input[type=range]').value > 20")
        page.get_by_role("button", name="Pause").click()
        slider.press("Home")
        slider.press("PageUp")
        page.get_by_role("checkbox", name="backwards").check()
        play.click()
        page.wait_for_function("() => document.querySelector('input[type=range]').value === '0'")
        play.wait_for()  # stopped at the end by itself


# ---- draw your own statue --------------------------------------------------------------------------------------


def at_end(page):
    page.get_by_role("slider", name="time").press("End")


def test_the_statue_flows_by_itself_and_by_keyboard(new_page):
    with new_page() as page:
        show(page, statue())
        page.wait_for_function("() => document.querySelector('input[type=range]').value > 2")
        page.get_by_role("radio", name="heart").press("ArrowRight")
        assert page.get_by_role("radio", name="spiral").is_checked()
        page.get_by_role("textbox", name="a word to draw").fill("hi")
        at_end(page)
        page.locator(STATUE.format("the word hi: step 100 of 100, t = 0")).wait_for()
        page.get_by_role("radio", name="20", exact=True).check()
        at_end(page)
        page.locator(STATUE.format("step 20 of 20, t = 0")).wait_for()


def test_a_drawn_line_collects_the_particles(new_page):
    with new_page() as page:
        show(page, statue(particles=200), style="margin: 0")
        canvas = page.locator("canvas")
        box = canvas.bounding_box()
        x, y, w = box["x"], box["y"], box["width"]
        page.mouse.move(x + 0.25 * w, y + 0.75 * w)
        page.mouse.down()
        page.mouse.move(x + 0.75 * w, y + 0.75 * w, steps=5)
        page.mouse.up()
        assert page.get_by_role("radio", name="draw your own").is_checked()
        at_end(page)
        page.locator(STATUE.format("your drawing: step 100 of 100")).wait_for()
        near, coloured = canvas.evaluate(COLOURED)  # the particles and their short tails
        assert near > 0.8 * coloured > 500


def test_a_finger_scrolls_until_it_wants_to_draw(new_page):
    with new_page(**PHONE) as page:
        show(page, statue(particles=100))
        canvas = page.locator("canvas")
        assert canvas.evaluate("node => getComputedStyle(node).touchAction") == "pan-y"
        page.get_by_role("radio", name="draw your own").check()
        assert canvas.evaluate("node => getComputedStyle(node).touchAction") == "none"
        canvas.tap()
        at_end(page)
        page.locator(STATUE.format("your drawing: step 100")).wait_for()


def test_less_motion_means_steps_on_click(new_page):
    with new_page(reduced_motion="reduce") as page:
        show(page, statue(particles=50), play_points(POINTS), play_paths(POINTS[..., 0]))
        time = page.get_by_role("slider", name="time")
        page.wait_for_timeout(300)
        assert [one.input_value() for one in time.all()] == ["0", "0", "3"]  # paths are there at once
        page.get_by_role("button", name="the next steps").click()
        for button in page.get_by_role("button", name="go on").all():
            button.click()
        assert [one.input_value() for one in time.all()] == ["10", "1", "0"]


# ---- players ---------------------------------------------------------------------------------------------------


def test_players_play_and_show_the_frame_asked_for(new_page):
    frames = np.stack([np.full((6, 1, 8, 8), level) for level in (-1.0, 0.0, 1.0)])
    with new_page() as page:
        names = ["one", "two", "three", "four"]
        show(page, play_points(POINTS, names, trails=2, groups="start", behind=POINTS[0]),
             play_pictures(frames, names[:3], columns=3, rows=["above", "below"]),
             play_paths(POINTS[..., 0], names))  # fmt: skip
        page.wait_for_function("() => document.querySelectorAll('input[type=range]')[0].value > 0")
        sliders = page.get_by_role("slider", name="time")
        for i, (keys, caption) in enumerate([("End", "four"), ("Home ArrowRight", "two"), ("Home", "one")]):
            sliders.nth(i).scroll_into_view_if_needed()
            for key in keys.split():
                sliders.nth(i).press(key)
            assert sliders.nth(i).get_attribute("aria-valuetext") == caption
            page.locator(f".dc-stage >> nth={i} >> canvas[aria-label$=' {caption}']").wait_for()
        assert page.get_by_role("button", name="Pause").count() == 0  # even "Home" stops a player that stood there
        middle = "canvas => [...canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height - 20, 1, 1).data]"
        assert page.locator("canvas").nth(1).evaluate(middle) == [128, 128, 128, 255]


def test_under_the_bell_the_bars_are_as_long_as_their_shares(new_page):
    painted = """canvas => [1, -1].map(x => {
      const scale = canvas.width / canvas.clientWidth, y = 7 + (canvas.clientHeight - 31) * (1 - x / 4) / 2;
      return canvas.getContext("2d").getImageData(0.95 * canvas.width, y * scale, 1, 1).data[3] > 0;
    })"""
    with new_page() as page:
        show(page, play_paths(None, groups={"many": np.ones((2, 30)), "few": -np.ones((2, 10))}))
        assert page.locator("canvas").evaluate(painted) == [True, False]


def test_flip_turns_to_the_page_asked_for(new_page):
    with new_page() as page:
        show(page, flip(lambda n: plots.lines([0, 1], {"n": [0, n]}, "x", f"n is {n}"), n=[1, 2, 4]))
        for key, n in [("Home", 1), ("ArrowRight", 2), ("End", 4)]:
            page.get_by_role("slider", name="n").press(key)
            seen = page.locator("img").filter(visible=True)
            assert seen.count() == 1 and seen.get_attribute("alt").startswith(f"n is {n} over x")


# ---- all of them --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("style", "theme"), [("", "light"), ("background: #111; color: #eee", "dark")])
def test_on_a_phone_by_day_and_night(new_page, style, theme):
    drawings = [dissolve(X0, EPS, linear()), statue(particles=50), play_points({"a": POINTS, "b": POINTS}),
                play_pictures(np.zeros((2, 6, 3, 8, 8))), play_paths(POINTS[..., 0])]  # fmt: skip
    with new_page(**PHONE) as page:
        show(page, *drawings, style=style)
        assert page.evaluate("() => document.documentElement.scrollWidth") == 390  # nothing scrolls sideways
        assert page.evaluate("() => [...document.querySelectorAll('.diffusion-course')].map(n => n.dataset.theme)") == [
            theme
        ] * len(drawings)
        small = """() => [...document.querySelectorAll(
          '.dc-stage button, .dc-choice label, .dc-stage input[type=range], .dc-check')]
          .filter(node => node.getBoundingClientRect().height < 32).length"""
        assert page.evaluate(small) == 0  # large enough for a finger


def test_the_still_stays_where_the_script_fails(new_page):
    with new_page(strict=False) as page:
        broken = Live("dissolve", {}, "<b>the still</b>", "a still")
        page.set_content(PAGE.format("", broken.html()))
        assert page.get_by_text("the still").is_visible() and page.locator(".dc-stage").count() == 0
