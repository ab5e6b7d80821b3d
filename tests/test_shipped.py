"""The shipped files: their size, their checksums, and that damage is refused by name."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from diffusion_course import data, shipped

DATA = Path(__file__).parents[1] / "data"
LOADERS = {"faces.npz": data.faces, "fashion.npz": data.fashion, "cat.npz": data.cat}


def test_the_data_sets_stay_small():
    sizes = [path.stat().st_size for path in DATA.glob("*.npz")]
    assert max(sizes) <= 8_000_000 and sum(sizes) <= 14_000_000


def test_the_readme_tells_the_checksum_of_each_file():
    text = (DATA / "README.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"## `([\w-]+\.\w+)`.*?\*\*SHA-256\*\*: `(\w{64})`", text, re.DOTALL))
    for name, checksum in shipped.SHA256.items():
        assert told[name] == checksum
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == checksum


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the shipped data that a test may damage."""
    folder = shutil.copytree(DATA, tmp_path / "data", ignore=shutil.ignore_patterns("build"))
    monkeypatch.setattr(shipped, "folder", lambda: folder)
    return folder


@pytest.mark.parametrize("name", LOADERS)
def test_a_missing_file_is_named_with_the_cure(copy, name):
    (copy / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name} is missing.*git checkout.*install"):
        LOADERS[name]()


@pytest.mark.parametrize("name", LOADERS)
def test_a_truncated_file_is_named_with_the_cure(copy, name):
    whole = (copy / name).read_bytes()
    (copy / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=rf"{name} is not the file that shipped.*git checkout"):
        LOADERS[name]()
    (copy / name).write_bytes(whole)
    LOADERS[name]()  # once mended, it loads: the refusal is not remembered


@pytest.mark.parametrize("name", LOADERS)
def test_one_altered_byte_is_refused(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ValueError, match=name):
        LOADERS[name]()
