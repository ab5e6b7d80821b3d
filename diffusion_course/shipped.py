"""The files that ship with the course: found, checked against their SHA-256, loaded.

They lie in `data/` in a checkout and inside the package in an installed wheel. Each is checked once
a process; a missing, cut off or altered file is refused by name, with the cure.
"""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np

SHA256 = {
    "opening.npz": "e951c171d5a02c44a2e11b5b474d6add0cdd6dd686a63f1664dda3cd3d2dcae3",
    "faces.npz": "5915ff6a6d6006dd89eae88f882a766d276f6f70f41a8c6743cce8a4e9fea95f",
    "fashion.npz": "04f83cfc3ad59ffd8ee0198d1d918da145c1665fca17a8e923a2f4aa98f7e358",
    "cat.npz": "0d94bd9c42c87405ca4c95d84ad7f6b5bc06f8a47929c64455be4d1f651901ce",
    "emoji.npz": "f6f2f3506a1716be74288d807a9fbb32ca566de9de9b3654282d4f354b5164fc",
    "spiral.safetensors": "701d443d3db4fe4897521f4b6626ac79a656ae74e4729f389a99cde11b4f7672",
    "faces.safetensors": "166b8f39ef86bac7b140b9b6c3991aecc9796f48fbfc97c68e9befa5d5d8b8d0",
    "fashion.safetensors": "292a910dc9aefeb2b5bc2d1b42a80742dc27caa7501672aef42f60e51b820b3f",
    "spiral-student.safetensors": "cf440ee09865ec2ec70430191cd1ba0989036a9f74939bb14c00595ff748e8d8",
    "faces-student.safetensors": "47ea9e133aff267117bdeabf802e35d0e672be7a6a0be56cfa277728f7cedf46",
    "quality_vs_nfe.csv": "8a75520324c75da3a986858dfea014c69863fa3b13acba2af58e490607c4456a",
    "faces-classifier.safetensors": "6d4568f81a01e0420f89ec9c91181e53f335d97c56b778282254426b2a830241",
    "fashion-classifier.safetensors": "42a09e7fb24abda61c57460e75165e9bfeccef92f33256b1156c2f613a28b5d7",
}


def folder():
    """Where the files lie."""
    package = Path(__file__).resolve().parent
    installed = package / "_data"
    return installed if installed.is_dir() else package.parent / "data"


@cache
def _verified(path):
    """`path`, once its content has been found to be what was shipped."""
    cure = (
        f"In a checkout `git checkout -- data/{path.name}` brings it back; "
        "elsewhere install the course again."
    )
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. {cure}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[path.name]:
        raise ValueError(
            f"{path} is not the file that shipped: {len(content):,} bytes with SHA-256 "
            f"{found[:12]}…, expected {SHA256[path.name][:12]}…. {cure}"
        )
    return path


def path(name):
    """The path of the shipped file `name`, whose content has been checked."""
    return _verified(folder() / name)


def load(name):
    """Fresh arrays of the shipped file `name` ("faces.npz", …), as a dict by their own names."""
    with np.load(path(name)) as file:
        return dict(file)
