"""The whole Fashion-MNIST set, 60,000 + 10,000 pictures, where a learner has it or fetches it.

The lessons need only the part that ships (`data.fashion`). The four original files are read as their
authors publish them, gzipped IDX arrays. What is checked is the unpacked content, because the same
arrays are handed out in different gzip wrappings (Debian packs them anew).
Xiao, Rasul, Vollgraf 2017, https://arxiv.org/abs/1708.07747 (MIT licence).
"""

import gzip
import hashlib
import urllib.request
import zlib
from http.client import HTTPException
from pathlib import Path

import numpy as np

from .data import Fashion, check_split, fashion, pictures

URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
SHA256 = {  # of the unpacked content
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


def _unpack(name, packed, origin):
    """The content of the file `name`, once it is found to be the original; `origin` is for errors."""
    try:
        content = gzip.decompress(packed)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{origin} is cut off or altered ({error}): fetch it again") from None
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise ValueError(f"{origin} does not hold the original {name}: fetch it again")
    return content


def read(folder, split="train"):
    """Bytes of one half: images (n, 28, 28) and labels (n,), uint8; n is 60,000 or 10,000.

    IDX: the fourth byte counts the axes, then come their sizes, big-endian, then the values.
    """
    check_split(split)
    arrays = []
    for name in FILES[split]:
        path = Path(folder).expanduser() / name
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: `fashion.download({str(folder)!r})` fetches it")
        content = _unpack(name, path.read_bytes(), path)
        axes = content[3]
        shape = np.frombuffer(content, ">u4", count=axes, offset=4)
        arrays.append(np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape))
    return arrays


def load(folder, split="train"):
    """All of Fashion-MNIST from `folder`, in the form of `data.fashion`: x0 (60000, 1, 28, 28).

    `folder` holds the four files `train-images-idx3-ubyte.gz` and so on. A missing file raises
    FileNotFoundError, a damaged one ValueError, both by name.
    """
    images, labels = read(folder, split)
    return Fashion(pictures(images[..., None]), labels.astype(np.int64), fashion("test").names)


def download(folder):
    """Fetch the four files (31 MB) from their authors into `folder`; keep those already there.

    A file appears only when it is whole and checked. Where the site cannot be reached or breaks
    off, ConnectionError says so; call again to fetch what is still missing.
    """
    folder = Path(folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    for name in SHA256:
        path = folder / name
        if path.is_file():
            _unpack(name, path.read_bytes(), path)
            print(f"{name}: already there")
            continue
        packed = _receive(name)
        _unpack(name, packed, f"What came from {URL}/{name}")
        part = path.with_suffix(".part")
        part.write_bytes(packed)
        part.replace(path)  # in one step: nobody ever sees half a file


def _receive(name):
    """The bytes of one file from the authors' site, with a line of progress."""
    packed = bytearray()
    try:
        with urllib.request.urlopen(f"{URL}/{name}", timeout=30) as reply:
            total = int(reply.headers.get("Content-Length", 0))
            while chunk := reply.read(1 << 20):
                packed += chunk
                print(f"\r{name}: {len(packed) / 1e6:.1f} of {total / 1e6:.1f} MB", end="")
        print()
    except (OSError, HTTPException) as error:
        raise ConnectionError(
            f"{URL}/{name} could not be fetched ({error}). Are you online? Without it the course "
            "runs on the part that ships: data.fashion()."
        ) from error
    return bytes(packed)
