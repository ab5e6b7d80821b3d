"""Files that ship are checked before they are read; your own pictures come in as the networks want them."""

import hashlib
import inspect
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffusion_course import data
from diffusion_course.base import files
from diffusion_course.base.refusals import refuse_bytes
from diffusion_course.beyond import emoji

DATA = Path(__file__).parents[1] / "data"
LOADERS = {"emoji.npz": emoji.emoji}
for load in filter(inspect.isfunction, vars(data).values()):  # each that reads a file of ours
    LOADERS |= dict.fromkeys(re.findall(r'(?:load|shipped)\("([^"]*)"\)', inspect.getsource(load)), load)


# ---- files that ship -----------------------------------------------------------------------------


def test_every_file_has_its_checksum_and_every_checksum_its_file():
    lines = [line.split("  ") for line in (DATA / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    assert {name for _, name in lines} == {
        path.name
        for path in DATA.iterdir()
        if path.suffix in (".npz", ".safetensors", ".webp") or "quality" in path.name
    }
    for digest, name in lines:
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == digest
        assert files.ships(name)
    assert not files.ships("mine.npz")


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
def test_sha256sum_reads_the_list():
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=DATA, check=True)


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the shipped data that a test may damage."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name in [*LOADERS, "SHA256SUMS"]:
        shutil.copy(DATA / name, folder)
    monkeypatch.setattr(files, "home", lambda: folder)
    return folder


@pytest.mark.parametrize("name", LOADERS)
def test_a_missing_file_is_named_with_the_cure(copy, name):
    (copy / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name} is missing.*git checkout.*install"):
        LOADERS[name]()


@pytest.mark.parametrize("damage", ["cut", "altered"])
@pytest.mark.parametrize("name", LOADERS)
def test_a_damaged_file_is_named_with_the_cure(copy, name, damage):
    whole = bytearray((copy / name).read_bytes())
    spoilt = whole[: len(whole) // 2] if damage == "cut" else bytearray(whole)
    spoilt[len(whole) // 3] ^= 1
    (copy / name).write_bytes(spoilt)
    with pytest.raises(ValueError, match=rf"{name} is damaged.*git checkout"):
        LOADERS[name]()
    (copy / name).write_bytes(whole)
    LOADERS[name]()  # once mended, it loads: the refusal is not remembered


# ---- your own pictures ---------------------------------------------------------------------------


@pytest.fixture
def album(tmp_path):
    """Twenty pictures of many kinds: sizes, modes, formats, folders, and files that are no pictures."""
    (tmp_path / "sub").mkdir()
    for i in range(16):
        Image.new("RGB", (20 + i, 30), (i, 128, 255)).save(tmp_path / f"{i:02}.png")
    Image.new("L", (8, 8), 0).save(tmp_path / "sub" / "a grey ü.JPG", format="JPEG")
    Image.new("RGBA", (40, 9), (255, 0, 0, 0)).save(tmp_path / "sub" / "b.webp")
    Image.new("P", (9, 9)).save(tmp_path / "sub" / "c.gif")
    Image.new("I;16", (9, 9), 0).save(tmp_path / "sub" / "d.png")
    (tmp_path / ".DS_Store").write_text("x")
    (tmp_path / "._00.png").write_text("x")
    (tmp_path / "notes.txt").write_text("x")
    return tmp_path


@pytest.mark.parametrize("size", [4, 17, 64])
def test_a_folder_becomes_pictures_in_minus_one_to_one(album, size):
    x0 = data.folder(album, size)
    assert x0.shape == (20, 3, size, size) and x0.dtype == np.float32
    assert x0.min() == -1 and x0.max() == 1
    assert np.allclose(x0[5].mean(axis=(1, 2)), [5 / 127.5 - 1, 128 / 127.5 - 1, 1], atol=1e-6)
    assert (x0[17] == 1).all()  # what is transparent is white
    assert np.array_equal(x0, data.folder(str(album), size))


def test_the_middle_is_kept_and_the_right_way_up(tmp_path):
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255  # the middle third is white
    wide[:5, 10:20, 1] = 0  # and magenta in its upper half
    picture = Image.fromarray(wide)
    picture.save(tmp_path / "0.png")
    exif = Image.Exif()
    exif[0x0112] = 3  # a camera held upside down
    picture.rotate(180).save(tmp_path / "1.png", exif=exif)
    x0 = data.folder(tmp_path, 10, at_least=2)
    assert (x0[:, 0] == 1).all() and (x0[:, 1, :4] == -1).all() and (x0[:, 1, 6:] == 1).all()


def test_a_picture_that_cannot_be_read_is_named(album):
    whole = (album / "03.png").read_bytes()
    (album / "03.png").write_bytes(whole[:40])
    with pytest.raises(ValueError, match=r"03\.png cannot be read as a picture"):
        data.folder(album, 8)


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda path: path / "none", "is not a folder"),
        (lambda path: path / "00.png", "is not a folder"),
        (lambda path: path / "sub", "holds 4 pictures.*at least 16"),
    ],
)
def test_a_folder_without_enough_pictures_is_refused(album, make, said):
    with pytest.raises(ValueError, match=said):
        data.folder(make(album), 8)


def test_what_else_lies_there_is_told(tmp_path):
    (tmp_path / "a.heic").write_text("x")
    with pytest.raises(ValueError, match=r"holds 0 pictures.*\.heic"):
        data.folder(tmp_path, 8)


@pytest.mark.parametrize("size", [3, 0, -1, 8.0, True, "8"])
def test_an_impossible_size_is_refused(album, size):
    with pytest.raises(ValueError, match="size is"):
        data.folder(album, size)


@pytest.mark.parametrize("scale, refused", [(127.5, True), (1.0, False), (0.5, False)])
def test_bytes_are_told_from_numbers(scale, refused):
    x = scale * (data.smiley() + 1)
    if refused:
        with pytest.raises(ValueError, match=r"0 to 255, like pictures of 0…255.*127\.5 - 1"):
            refuse_bytes(x)
    else:
        refuse_bytes(x)
