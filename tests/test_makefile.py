"""`make lab` and `make test`: installed once, taken up again after an interruption, torch for this machine.

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
echo "$(basename "$0") $*${PYTHONDONTWRITEBYTECODE:+ (compiles everything)}" >> calls
case "$*" in *"$(cat broken)"*) exit 1 ;; esac
test "$2" = venv && mkdir -p .venv/bin && rm -f .venv/*-installed && cp "$0" .venv/bin/python
true
"""
NOTHING = "nothing"


@pytest.fixture
def checkout(tmp_path):
    checkout = tmp_path / "a course"
    shutil.copytree(ROOT / "tools", checkout / "tools")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, checkout)
    (checkout / "bin").mkdir()
    for name, script in {"python3": PYTHON, "uname": "echo Darwin", "nvidia-smi": "exit 1"}.items():
        write(checkout / "bin" / name, script)
    return checkout


def write(path, script):
    path.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def make(checkout, *words, broken=NOTHING, fails=None):
    """Run make; returns what was called with what, without the questions it asks Python first, and what was said."""
    (checkout / "calls").write_text("")
    (checkout / "broken").write_text(broken)
    # An environment of its own: these tests may have been started by `make test ARGS=…` themselves.
    environment = {"PATH": f"{checkout}/bin:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(["make", *words], cwd=checkout, env=environment, capture_output=True, text=True)
    assert (result.returncode != 0) == (broken != NOTHING if fails is None else fails), result.stdout + result.stderr
    calls = [line for line in (checkout / "calls").read_text().splitlines() if " -c " not in line]
    return [line for line in calls if "--version" not in line], result.stdout + result.stderr


VENV = "python3 -m venv --clear .venv"
PIP = "python -m pip install --quiet --progress-bar off --no-compile --constraint constraints.txt --editable "
TEST = "python -m pytest -n auto --dist loadfile --no-loadscope-reorder"
LAB = "python -m jupyterlab --notebook-dir=notebooks"


def test_lab_installs_once(checkout):
    assert make(checkout, "lab")[0] == [VENV, PIP + ".[lab]", LAB]
    assert make(checkout, "lab")[0] == [LAB]


def test_test_installs_what_is_missing(checkout):
    assert make(checkout, "lab")[0] == [VENV, PIP + ".[lab]", LAB]
    assert make(checkout, "test")[0] == [PIP + ".[test,lint]", TEST]
    assert make(checkout, "test")[0] == [TEST]
    assert make(checkout, "lab")[0] == [LAB]


def test_tests_bring_all_that_the_lab_needs(checkout):
    assert make(checkout, "test")[0] == [VENV, PIP + ".[test,lint]", TEST]
    assert make(checkout, "lab")[0] == [LAB]


@pytest.mark.parametrize("step", ["venv", "--editable"])
def test_interrupted_installation_is_taken_up_again(checkout, step):
    assert LAB not in make(checkout, "lab", broken=step)[0]
    assert make(checkout, "lab")[0] == [VENV, PIP + ".[lab]", LAB]


def test_changed_dependencies_are_installed_in_what_is_there(checkout):
    make(checkout, "lab")
    later = (checkout / ".venv/lab-installed").stat().st_mtime + 1  # a file system's clock may tick slowly
    os.utime(checkout / "constraints.txt", (later, later))
    assert make(checkout, "lab")[0] == [PIP + ".[lab]", LAB]


def test_an_environment_without_its_python_is_made_anew(checkout):
    make(checkout, "test")
    (checkout / ".venv/bin/python").unlink()
    assert make(checkout, "test")[0] == [VENV, PIP + ".[test,lint]", TEST]


def test_a_moved_folder_is_installed_again(checkout):
    make(checkout, "lab")
    write(checkout / ".venv/bin/python", PYTHON.replace("true\n", 'test "$1" != -I\n'))  # does not find the package
    assert make(checkout, "lab")[0] == [PIP + ".[lab]", LAB]


TORCH = " --index-url https://an.index/cpu --timeout 10 --retries 0 --no-deps torch"


@pytest.mark.parametrize(
    ("system", "card", "alone", "reason"),
    [("Linux", False, True, "no NVIDIA card"), ("Linux", True, False, "an NVIDIA card"), ("Darwin", False, False, "")],
)
def test_torch_comes_without_cuda_where_there_is_no_card(checkout, system, card, alone, reason):
    write(checkout / "bin/uname", f"echo {system}")
    write(checkout / "bin/nvidia-smi", f"exit {int(not card)}")
    calls, said = make(checkout, "lab", "TORCH_CPU=https://an.index/cpu")
    first = [PIP.removesuffix(" --editable ") + TORCH] * alone
    assert calls == [VENV, *first, PIP + ".[lab]", LAB]
    assert reason in said and ("NVIDIA" in said) == bool(reason)


def test_torch_comes_from_elsewhere_where_its_index_is_out_of_reach(checkout):
    write(checkout / "bin/uname", "echo Linux")
    calls, said = make(checkout, "lab", broken="--index-url", fails=False)
    assert calls[-2:] == [PIP + ".[lab]", LAB]
    assert "does not answer" in said and "CUDA" in said


def test_a_long_installation_tells_how_far_it_is(checkout):
    write(checkout / "bin/sleep", "test ! -e began || { touch told; exit 1; }; touch began")  # eight seconds in no time
    write(checkout / "bin/python3", PYTHON + 'test "$3" != install || until test -e told; do :; done\n')
    assert "MB in .venv" in make(checkout, "lab")[1]


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
    commands = ["lab", "test", "test-all", "test-matrix", "lint", "bench", "book", "address", "clean"]
    assert [line.split()[1] for line in said.splitlines()] == commands
