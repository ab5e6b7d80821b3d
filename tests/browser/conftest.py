"""A real JupyterLab for the tests beside this file; it ends with the session."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import psutil
import pytest
from nbformat.sign import NotebookNotary

pytest.importorskip("playwright.sync_api", reason="the browser tests need the Python package playwright")

START = 120  # seconds that JupyterLab may take to answer


class Lab:
    """A running JupyterLab: `open` shows a notebook, `run` runs its cells."""

    def __init__(self, url, folder, token, data):
        self.url, self.folder, self.token = url, folder, token
        self.notary = NotebookNotary(data_dir=str(data))

    def open(self, page, notebook, trusted=True):
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        (self.notary.sign if trusted else self.notary.unsign)(notebook)
        name = f"{secrets.token_hex(4)}.ipynb"
        nbformat.write(notebook, self.folder / name)
        page.goto(f"{self.url}/doc/tree/{name}?token={self.token}")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        return name

    def run(self, page):
        page.evaluate(
            """async () => {
              await window.jupyterapp.shell.currentWidget.context.sessionContext.ready;
              await window.jupyterapp.commands.execute("notebook:run-all-cells");
            }"""
        )

    def prints(self, page, index, expected):
        """Whether cell `index` prints `expected`: it runs again while the kernel may not have all that was done."""
        deadline = time.monotonic() + 30
        while True:
            page.evaluate(
                """async index => {
                  window.jupyterapp.shell.currentWidget.content.activeCellIndex = index;
                  await window.jupyterapp.commands.execute("notebook:run-cell");
                }""",
                index,
            )
            output = page.locator(".jp-Cell").nth(index).locator(".jp-OutputArea-output pre")
            printed = "".join(output.all_inner_texts()).strip()
            if printed == expected or time.monotonic() > deadline:
                return printed == expected
            page.wait_for_timeout(100)


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("notebooks")
    news = home / "config/lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    env = dict(os.environ, OMP_NUM_THREADS="1", IPYTHONDIR=str(home / "ipython"))
    for kind in ("CONFIG", "DATA", "RUNTIME"):
        env[f"JUPYTER_{kind}_DIR"] = str(home / kind.lower())
    env["JUPYTERLAB_SETTINGS_DIR"] = str(home / "config/lab/user-settings")
    env["JUPYTERLAB_WORKSPACES_DIR"] = str(home / "config/lab/workspaces")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    command += [f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"]
    with open(home / "log", "w") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/api?token={token}", server, home / "log")
        yield Lab(url, folder, token, home / "data")
    finally:
        ours = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        server.terminate()  # takes its kernels with it, unless it waits for one that is gone
        for left in psutil.wait_procs(ours, timeout=20)[1]:
            left.kill()


def _wait_for(url, server, log):
    deadline = time.monotonic() + START
    while server.poll() is None and time.monotonic() < deadline:
        try:
            return urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
