"""The website that `make book` makes, of one lesson: whole, alive, for every screen and reader, from nowhere else."""

import re
import runpy
import subprocess
import sys
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urldefrag

import pytest

render = pytest.importorskip("myst_nb.core.render", reason="the tests of the book need myst-nb")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the tests of the book need axe")
LESSON = "02_forward_process"
WIDE = """() => [...document.querySelectorAll("article *:not(pre, pre *, .dc-figure)")].filter((node) =>
  node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0 && !node.querySelector("pre, table")
  && ["auto", "scroll"].includes(getComputedStyle(node).overflowX)).map((node) => node.outerHTML.slice(0, 200))"""


class Page(HTMLParser):
    """The ids of a page, and where its links, pictures, scripts and style sheets lead."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.targets = set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs.get("id"), attrs.get("name")}
        self.targets += [attrs[key] for key in ("href", "src") if attrs.get(key)]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    out = tmp_path_factory.mktemp("website") / "book"
    command = [sys.executable, Path(__file__).parents[2] / "tools/book.py", "--out", out, LESSON]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0 and "docstring of" not in made.stderr, made.stderr[-3000:]
    return out


@pytest.fixture(scope="module")
def site(book):
    """The address at which the book is served."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=book)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_no_link_is_broken_and_nothing_is_loaded_from_elsewhere(book):
    pages = {path: Page(path) for path in book.rglob("*.html")}
    assert len(pages) > 20
    for path, page in pages.items():
        for target in page.targets:
            if re.match(r"https://|mailto:|data:|#$|#\w+\.ipynb$", target):
                continue  # the last: lessons that this small book leaves out
            place, mark = urldefrag(re.sub(r"\?v=\w+$", "", target))
            goal = (path.parent / unquote(place)).resolve() if place else path
            assert goal.is_file(), f"{path.name} leads to {target}"
            assert not mark or goal not in pages or unquote(mark) in pages[goal].ids, f"{path.name}: {target}"
        loaded = re.findall(
            r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)', path.read_text(encoding="utf-8")
        )
        assert loaded == []


PAGES = ["index.html", f"{LESSON}.html", "reference/samplers.html", "search.html", "notation.html"]


@pytest.mark.parametrize("name", PAGES)
def test_every_reader_on_every_screen_sees_the_page(site, new_page, name):
    with new_page(reduced_motion="reduce") as page:
        page.goto(f"{site}/{name}")
        page.wait_for_function("() => !window.MathJax || MathJax.startup.promise.then(() => true)")
        pictures = page.locator("img").evaluate_all(
            "all => all.map(img => [img.alt, img.complete && img.naturalWidth])"
        )
        assert all(alt and width for alt, width in pictures)
        for theme, options in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):  # all else is the same
            page.emulate_media(color_scheme=theme)
            # but for the formulas, which are many
            found = axe.Axe().run(page, {"exclude": [["mjx-container"]]}, options).response["violations"]
            found = [v for v in found if v["impact"] in ("serious", "critical")]
            assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == []
        page.set_viewport_size({"width": 390, "height": 800})  # a phone: only code, tables and figures scroll sideways
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        assert page.evaluate(WIDE) == []
        scrolls = axe.Axe().run(page, options={"runOnly": ["scrollable-region-focusable"]}).response["violations"]
        assert [node["html"][:200] for each in scrolls for node in each["nodes"]] == []  # the keyboard reaches them
        sizes = page.locator(".dc-figure img").evaluate_all("all => all.map(img => 22 * img.width / img.naturalWidth)")
        assert all(size >= 7 for size in sizes)  # pixels of the text in figures, which has 22 in the file
        assert bool(sizes) == (name == f"{LESSON}.html")


def test_widgets_and_quiz_are_alive(site, new_page):
    with new_page() as page:
        page.goto(f"{site}/{LESSON}.html")
        widget = page.locator("[data-alive]:has(input[type=range]):has(canvas)").first
        slider, drawing = widget.locator("input[type=range]").first, widget.locator("canvas").first
        before = drawing.evaluate("canvas => canvas.toDataURL()")
        slider.focus()
        slider.press("Home" if slider.input_value() != "0" else "End")
        moved = "([canvas, before]) => canvas.toDataURL() !== before"
        page.wait_for_function(moved, arg=[drawing.element_handle(), before])
        question = page.locator(".dc-quiz").get_by_role("group").first
        question.get_by_role("radio").first.check()
        assert question.get_by_role("status").inner_text().startswith(("✓ Right.", "✗ Not quite."))


def test_widgets_follow_the_books_own_switch(site, new_page):
    with new_page(color_scheme="light") as page:
        page.goto(f"{site}/{LESSON}.html")
        root = page.locator("[data-alive]").first
        seen = {root.get_attribute("data-theme")}
        for _ in range(2):  # auto → light → dark
            page.locator(".theme-toggle-content .theme-toggle, .theme-toggle-header").locator(
                "visible=true"
            ).first.click()
            page.wait_for_timeout(100)
            seen.add(root.get_attribute("data-theme"))
        assert seen == {"light", "dark"}


def test_one_reads_on_and_finds_again(site, new_page):
    with new_page() as page:
        page.goto(f"{site}/index.html")
        page.locator(".next-page").click()
        assert page.url.endswith(f"{LESSON}.html")
        page.locator(".prev-page").click()
        page.get_by_role("searchbox").or_(page.locator("input[name=q]")).first.fill("posterior")
        page.keyboard.press("Enter")
        page.locator("#search-results li a", has_text="Lesson 2").first.wait_for()


def test_a_line_printed_in_parts_is_a_line(monkeypatch):
    monkeypatch.setattr(render, "coalesce_streams", render.coalesce_streams)  # which conf.py replaces
    conf = runpy.run_path(Path(__file__).parents[2] / "book/conf.py")
    printed = [{"output_type": "stream", "name": "stdout", "text": text} for text in ("a ", "b\nc", "\n")]
    assert [output["text"] for output in conf["merge_printed"](printed)] == ["a b\nc\n"]


def test_a_notebook_that_is_not_there_is_named():
    command = [sys.executable, Path(__file__).parents[2] / "tools/book.py", "07_more"]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 2 and "no notebook 07_more" in made.stderr and LESSON in made.stderr
