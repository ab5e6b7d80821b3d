"""One finger on a phone, 390 px wide, on every drawing that a lesson has: it answers, fits, and can be hit."""

import json

import numpy as np
import pytest

from diffusion_course import plots
from diffusion_course.lab import Quiz, arrow, designer, dissolve, flip, play_paths, play_pictures, play_points, statue
from diffusion_course.lab.pixel_editor import PixelEditor
from diffusion_course.schedule import linear

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "reduced_motion": "reduce"}
PAGE = "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'><body>"
SHOWN = """() => [...document.querySelectorAll('canvas')].map(canvas => canvas.toDataURL()).join()
  + [...document.querySelectorAll('img:not([hidden])')].map(image => image.alt) + document.body.innerText"""
TARGETS = "button, input[type=range], [role=slider], .dc-choice span, .dc-quiz label"
SMALL = """targets => [...document.querySelectorAll(targets)]
  .filter(node => node.offsetWidth && node.getBoundingClientRect().height < 30).map(node => node.outerHTML)"""
POINTS = np.random.default_rng(0).normal(size=(4, 20, 2))
DOT = {"dot": np.ones((1, 4, 4))}
RANGE = "input[type=range]"
CASES = {  # drawing → what draws it, what the finger is put on, and how far it moves (None: it taps)
    "dissolve": (lambda: dissolve(DOT, DOT, linear()), RANGE, (90, 0)),
    "flip": (lambda: flip(lambda n: plots.lines([0, 1], {"n": [0, n]}, "x", "y"), n=[1, 2, 4]), RANGE, (160, 0)),
    "points": (lambda: play_points(POINTS), RANGE, (60, 0)),
    "pictures": (lambda: play_pictures(np.zeros((4, 6, 3, 8, 8))), "button", None),
    "paths": (lambda: play_paths(POINTS[..., 0]), RANGE, (60, 0)),
    "statue": (lambda: statue(particles=50), RANGE, (60, 0)),
    "the arrow's tip": (arrow, "[role=slider]", (-20, 40)),
    "the arrow's angle": (arrow, RANGE, (60, 0)),
    "designer": (designer, "[role=slider]", (0, 60)),
    "quiz": (lambda: Quiz("01_intuition"), "input[type=radio]", None),
    "pixel editor": (lambda: PixelEditor(["abab"] * 4), "[role=application]", (0, 80)),
}


def put(page, made):
    if isinstance(made, PixelEditor):  # its half of the browser, without a kernel
        told = {name: getattr(made.grid, name) for name in ("codes", "width", "palette", "brushes")}
        esm = made.grid._esm.replace("export default", "const widget =")
        model = f"{{ get: (name) => ({json.dumps(told)})[name], set() {{}}, save_changes() {{}} }}"
        call = f"widget.render({{ model: {model}, el: document.querySelector('#here') }})"
        page.set_content(f"{PAGE}<style>{made.grid._css}</style><div id=here></div><script>{esm}\n{call}</script>")
    else:
        page.set_content(PAGE + (made.still if isinstance(made, designer) else made.html()))


def drag(page, node, way):
    node.scroll_into_view_if_needed()
    box, finger = node.bounding_box(), page.context.new_cdp_session(page)
    x, y = (box["x"] + 16, box["y"] + 16)
    places = [[{"x": x + way[0] * share, "y": y + way[1] * share}] for share in (0, 0.5, 1)]
    for kind, points in zip(("touchStart", "touchMove", "touchMove", "touchEnd"), [*places, []], strict=True):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_a_finger_moves_it_and_finds_it(new_page, name):
    make, where, way = CASES[name]
    with new_page(**PHONE) as page:
        put(page, make())
        node = page.locator(where).first
        node.wait_for()
        page.wait_for_timeout(300)
        before = page.evaluate(SHOWN)
        if way:
            drag(page, node, way)
        else:
            node.tap()
        page.wait_for_function(f"before => ({SHOWN})() !== before", arg=before)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        assert page.evaluate(SMALL, TARGETS) == []
