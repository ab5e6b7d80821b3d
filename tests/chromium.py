"""One headless Chromium for all tests of a process: a second one would not start beside it."""

import contextlib
import re
import shutil

import pytest

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def browser():
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("the browser tests need Chromium (Debian: apt install chromium)")
    sync = pytest.importorskip("playwright.sync_api", reason="the browser tests need the Python package playwright")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def new_page(browser):
    """`with new_page() as page:` is a fresh page; its end fails if the page has logged an error (if `strict`)."""

    @contextlib.contextmanager
    def new_page(strict=True, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(120_000)  # a busy machine may take its time
        # Nothing leaves this machine: badges and the like stay empty.
        context.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.fulfill(status=204))
        page = context.new_page()
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        yield page
        page.wait_for_timeout(50)  # what was logged until now arrives
        told = list(errors)  # and not what JupyterLab logs as it closes, of answers that it no longer gets
        context.close()
        assert not (strict and told), told

    return new_page
