"""Files of pictures: those that ship with the course, checked before they are read, and your own folder of them.

The shipped files lie in `data/` in a clone and inside the package once it is installed. `SHA256SUMS`, beside them,
says what they must hold (`sha256sum -c SHA256SUMS` reads it too).
"""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np

from .refusals import whole

READABLE = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")  # endings that `folder` takes


def shipped(name: str) -> Path:
    """The path of a file that ships with the course ("faces.npz", "spiral.safetensors"), its content checked.

    Raises FileNotFoundError for a missing file and ValueError for an altered one, and says how to get it back.
    """
    return _verified(home() / name)


def ships(name: str) -> bool:
    """Whether a file of this name ships with the course."""
    return checksum(name) is not None


def every() -> list[str]:
    """The names of all files that ship with the course."""
    return list(_checksums(home()))


def checksum(name: str) -> str | None:
    """The SHA-256 of the file of this name that ships with the course; None if none does."""
    return _checksums(home()).get(name)


def home() -> Path:
    """The folder of the shipped files: inside an installed package, beside the package in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_data"
    return installed if installed.is_dir() else package.parent / "data"


@cache
def _checksums(files: Path) -> dict[str, str]:
    """File name → SHA-256, from the list that `sha256sum -c` reads too."""
    lines = (files / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


@cache
def _verified(path: Path) -> Path:
    cure = f"In a clone, `git checkout -- data/{path.name}` brings it back; otherwise install the course again."
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. {cure}")
    expected, found = _checksums(path.parent).get(path.name), hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise ValueError(f"{path} is damaged: its SHA-256 is {found[:12]}…, but {str(expected)[:12]}… shipped. {cure}")
    return path


def load(name: str) -> dict[str, np.ndarray]:
    """Fresh arrays of the shipped file `name` ("faces.npz"), by their names."""
    with np.load(shipped(name)) as file:
        return dict(file)


def pictures(images: np.ndarray) -> np.ndarray:
    """Bytes 0…255 of shape (n, h, w, c) as float32 (n, c, h, w) in [−1, 1]: x = byte / 127.5 − 1."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / 127.5 - 1


def folder(path: str | Path, size: int, at_least: int = 16) -> np.ndarray:
    """Your own pictures: all those in a folder and the folders inside it, as float32 (n, 3, size, size) in [−1, 1].

    Each is cut to its central square and scaled to `size` pixels; what is transparent becomes white. They come in the
    order of their paths. Raises ValueError for a folder without pictures, with fewer than `at_least`, or with one
    that cannot be read, which is named.
    """
    return pictures(np.stack([picture(file, size) for file in listed(path, size, at_least)]))


def listed(path: str | Path, size: int, at_least: int = 16) -> list[Path]:
    """The files that `folder` reads; raises ValueError as it does, but opens none of them."""
    whole(size, "size", 4)
    root = Path(path).expanduser()
    if not root.is_dir():
        raise ValueError(f"{root} is not a folder: give the folder that your pictures lie in.")
    files = sorted(p for p in root.rglob("*") if p.is_file() and not p.name.startswith("."))
    found = [p for p in files if p.suffix.lower() in READABLE]
    if len(found) < max(at_least, 1):
        others = sorted({p.suffix for p in files if p.suffix} - {p.suffix for p in found})
        raise ValueError(
            f"{root} holds {len(found)} pictures ({', '.join(READABLE)}); at least {max(at_least, 1)} are needed."
            + (f" It also holds {', '.join(others)}: pictures among them must be converted to .png." if others else "")
        )
    return found


def picture(file: Path, size: int) -> np.ndarray:
    """One of them, as bytes (size, size, 3). Raises ValueError if it cannot be read."""
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as image:
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except Exception as error:  # a damaged file makes the decoder raise nearly anything
        raise ValueError(f"{file} cannot be read as a picture ({error}): mend or remove it.") from error
    square = ImageOps.fit(upright, (size, size), Image.Resampling.LANCZOS)
    return np.asarray(Image.alpha_composite(Image.new("RGBA", square.size, "white"), square))[:, :, :3]
