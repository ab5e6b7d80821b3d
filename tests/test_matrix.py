"""`make test-matrix`: a table in any case; what fails is a test, or an environment that cannot be made."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("matrix", Path(__file__).parents[1] / "tools/matrix.py")
matrix = importlib.util.module_from_spec(spec)
sys.modules["matrix"] = matrix
spec.loader.exec_module(matrix)

FOUND = {name: "1.0" for name in matrix.SHOWN}


@pytest.fixture
def machine(monkeypatch):
    """A machine with Python 3.10 and 3.11; what comes back says how the tests end on each."""
    ends = {"3.10": "7 passed, 1 skipped in 3 s", "3.11": "8 passed in 3 s"}

    def uv(*words):
        if words[:2] in (("python", "find"), ("python", "install")) and words[2] not in ends:
            raise subprocess.CalledProcessError(2, "uv")

    monkeypatch.setattr(matrix, "uv", uv)
    monkeypatch.setattr(matrix, "environment", lambda name: matrix.COLUMNS[name][0])
    monkeypatch.setattr(matrix, "versions", lambda python: FOUND)
    monkeypatch.setattr(matrix, "tested", lambda python: ends[python])
    return ends


def test_a_python_that_is_not_here_is_named_in_the_table_and_the_others_count(machine, capsys):
    assert matrix.main([]) == 0
    *_, head, last = [line for line in capsys.readouterr().out.splitlines() if "| lowest" in line or "result" in line]
    told = dict(zip(head.split("|"), last.split("|"), strict=True))
    told = {name.strip(): result.strip() for name, result in told.items()}
    gone = "Python 3.13 is not here"
    assert told == {"": "result", "lowest": machine["3.10"], "pinned": machine["3.11"], "newest": gone, "colab": gone}


@pytest.mark.parametrize("end", ["1 failed, 7 passed in 3 s", "7 passed, 1 error in 3 s", "no tests ran in 1 s"])
def test_a_column_that_fails_fails_the_command(machine, end):
    machine["3.11"] = end
    assert matrix.main(["lowest", "pinned"]) == 1


def test_an_environment_that_cannot_be_made_fails_the_command(machine, monkeypatch, capsys):
    def environment(name):
        raise subprocess.CalledProcessError(1, "uv")

    monkeypatch.setattr(matrix, "environment", environment)
    assert matrix.main(["lowest"]) == 1 and "no environment" in capsys.readouterr().out


def test_all_that_pytest_says_is_shown_and_its_last_line_is_the_result(tmp_path, capsys):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho FAILED first\nseq 2000\necho '== 1 failed, 7 passed in 3 s =='\n")
    python.chmod(0o755)
    assert matrix.tested(python) == "1 failed, 7 passed in 3 s"
    assert "FAILED first\n1\n" in capsys.readouterr().out


def test_a_python_that_says_nothing_has_run_no_tests(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    assert matrix.tested(python) == "no tests"
