"""The repository's address: what needs one is hidden until one command sets it everywhere."""

import doctest
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
spec = importlib.util.spec_from_file_location("address", ROOT / "tools/address.py")
address = importlib.util.module_from_spec(spec)
spec.loader.exec_module(address)

FILES = [
    path for pattern in ("*.md", "*.toml", "notebooks/**/*.ipynb", "notebooks/*/*.md") for path in ROOT.glob(pattern)
]
LINK = re.compile(r"(?:github\.com|/github|/gh)/([\w-]+/[\w-]+)|([\w-]+)\.github\.io/([\w-]+)")
ELSEWHERE = {"containers/bubblewrap"}  # the other repositories that the course links to


def repositories(text):
    return {repo or f"{owner}/{name}" for repo, owner, name in LINK.findall(text)} - ELSEWHERE


@pytest.fixture
def checkout(tmp_path):
    """A git repository with a copy of every text that may hold an address."""
    for path in FILES:
        if ".ipynb_checkpoints" not in path.parts:
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def texts(folder):
    return {path: path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.suffix in (".md", ".ipynb")}


@pytest.mark.skipif(address.address(ROOT) != address.UNSET, reason="the address is set")
def test_without_an_address_nothing_is_shown_that_leads_nowhere(checkout):
    for path, text in texts(checkout).items():
        hidden = r"<!-- no address yet: .*? -->|# no address yet: .*|^git clone .*"
        shown = re.sub(hidden, "", text, flags=re.MULTILINE)
        assert not repositories(shown), f"{path.name}: put what needs an address into <!-- no address yet: … -->"


def test_one_command_sets_the_address_everywhere(checkout):
    for new in ("ann-b/my.course", "carl/another_course"):
        changed = address.set_address(checkout, new)
        assert {"pyproject.toml", "README.md", "notebooks/01_intuition.ipynb"} <= set(changed)
        assert address.address(checkout) == new
        for path, text in texts(checkout).items():
            assert repositories(text.replace("my.course", "my-course")) <= {new.replace(".", "-")}, path.name
            assert "no address yet: [" not in text and "no address yet: source" not in text
    assert "stands for it" not in (checkout / "README.md").read_text(encoding="utf-8")
    for path in (checkout / "notebooks").rglob("*.ipynb"):
        nb = nbformat.read(path, as_version=4)
        if path.parent.name == "homework":  # its solution lies in the repository
            assert not repositories(path.read_text(encoding="utf-8"))
            continue
        setup = next(cell.source for cell in nb.cells if cell.cell_type == "code")
        assert nb.cells[0].source.split("\n")[2].startswith("[![Open in Colab](https://")
        assert "git+https://github.com/carl/another_course" in setup
        compile(setup, path.name, "exec")


@pytest.mark.parametrize("repo", ["", "course", "ann/", "https://example.org/ann/course", "ann/my course"])
def test_what_is_no_repository_is_refused(repo):
    run = subprocess.run([sys.executable, ROOT / "tools/address.py", repo], capture_output=True, text=True)
    assert run.returncode == 1 and "is no repository" in run.stderr


def test_its_example_is_right():
    assert doctest.testmod(address) == (0, 1)
