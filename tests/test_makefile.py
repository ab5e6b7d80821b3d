"""`make lab` and `make test`: installed once, taken up again after an interruption, never repeated.

Everything they start is a script that only writes down what it was asked; nothing is installed here.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

# A Python that makes an environment of scripts like itself, and fails at what the file `broken` names.
PYTHON = """#!/bin/sh
echo "$(basename "$0") $*" >> calls
test "$2" = venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$0" .venv/bin/jupyter
case "$*" in *"$(cat broken)"*) exit 1 ;; esac
"""
NOTHING = "nothing"


@pytest.fixture
def checkout(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "python3").write_text(PYTHON)
    (tmp_path / "python3").chmod(0o755)
    return tmp_path


def make(checkout, *words, broken=NOTHING):
    """Run make; returns what was called with what, without the questions it asks Python first."""
    (checkout / "calls").write_text("")
    (checkout / "broken").write_text(broken)
    # An environment of its own: these tests may have been started by `make test ARGS=…` themselves.
    environment = {"PATH": os.environ["PATH"], "PYTHON": f"{checkout}/python3"}
    result = subprocess.run(["make", *words], cwd=checkout, env=environment, capture_output=True, text=True)
    assert (result.returncode == 0) == (broken == NOTHING), result.stdout + result.stderr
    calls = [line for line in (checkout / "calls").read_text().splitlines() if " -c " not in line]
    return calls, result.stdout


VENV = "python3 -m venv .venv"
PIP = "python -m pip install --constraint constraints.txt --editable "
TEST = "python -m pytest -n auto --dist loadfile"
LAB = "jupyter lab --notebook-dir=notebooks"


def test_lab_installs_once(checkout):
    assert make(checkout, "lab")[0] == [VENV, PIP + ".[lab]", LAB]
    assert make(checkout, "lab")[0] == [LAB]


def test_test_installs_what_is_missing(checkout):
    installed = [VENV, PIP + ".[lab]", PIP + ".[test,lint]"]
    assert make(checkout, "test")[0] == [*installed, TEST]
    assert make(checkout, "test")[0] == [TEST]
    assert make(checkout, "lab")[0] == [LAB]


@pytest.mark.parametrize("step", ["venv", "pip"])
def test_interrupted_installation_is_taken_up_again(checkout, step):
    assert LAB not in make(checkout, "lab", broken=step)[0]
    assert make(checkout, "lab")[0] == [VENV, PIP + ".[lab]", LAB]


def test_changed_dependencies_are_installed(checkout):
    make(checkout, "lab")
    later = (checkout / ".venv/lab-installed").stat().st_mtime + 1  # a file system's clock may tick slowly
    os.utime(checkout / "constraints.txt", (later, later))
    assert PIP + ".[lab]" in make(checkout, "lab")[0]


def test_options_reach_jupyterlab_and_pytest(checkout):
    assert make(checkout, "lab", "ARGS=--no-browser")[0][-1] == LAB + " --no-browser"
    assert make(checkout, "test", "ARGS=-k schedule")[0][-1] == TEST + " -k schedule"


def test_python_that_is_too_old_or_without_venv_is_named_before_anything_is_made(checkout):
    calls, said = make(checkout, "lab", broken="version_info")
    assert calls == [] and "needs Python 3.10 or newer" in said and "PYTHON=" in said
    calls, said = make(checkout, "lab", broken="ensurepip")
    assert calls == [] and "python3-venv" in said


def test_make_alone_lists_the_commands_and_does_nothing(checkout):
    calls, said = make(checkout)
    assert calls == []
    assert [line.split()[1] for line in said.splitlines()] == ["lab", "test", "test-homework", "lint", "clean"]
