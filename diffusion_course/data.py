"""x0: the clean data that a diffusion model learns, as float32 arrays whose first axis counts the examples.

Pictures have shape (n, channels, height, width) and values in [−1, 1]; points have shape (n, d). Points are drawn by
formula. Faces, clothes and the cat are files that ship with the course: `data/README.md` tells where they come from,
`data/SHA256SUMS` what they must hold. Every call returns fresh arrays, so you may change them as you like.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .base.files import folder as folder
from .base.files import load, picture, shipped
from .base.files import pictures as pictures
from .base.refusals import one_of, refuse_rng, whole
from .base.words import FACE_VALUES

FACES_TRAIN = 10_000  # of 12,000; the rest is held out


@dataclass(frozen=True, eq=False)
class Faces:
    """Portraits `x0` (n, 3, 16, 16) and what can be seen on each, by name.

    `attributes[name]` has shape (n,): bool for "hat", "glasses", "beard", "long_hair" and "happy", words for
    "hair_colour" and "background" (`FACE_VALUES` lists them). Skin tone is no attribute.
    """

    x0: np.ndarray
    attributes: dict[str, np.ndarray]

    @property
    def codes(self) -> np.ndarray:
        """The attributes as whole numbers (n, 7), as a network takes them: positions in `FACE_VALUES`."""
        found = {name: self.attributes[name][:, None] == np.array(values) for name, values in FACE_VALUES.items()}
        return np.stack([column.argmax(axis=1) for column in found.values()], axis=1)


def faces(split: str = "train") -> Faces:
    """Pixel-art portraits, 16 × 16, all different: 10,000 to train on, 2,000 held out (`split="test"`).

    They are composed from drawn parts (DiceBear's "pixel-art", CC0), not photographs. Every attribute is drawn
    independently of the others and can be seen in the picture.

    >>> f = faces("test")
    >>> f.x0[f.attributes["hat"] & (f.attributes["hair_colour"] == "blue")].shape[1:]
    (3, 16, 16)
    """
    one_of(split, ("train", "test"), "split")
    part = slice(FACES_TRAIN) if split == "train" else slice(FACES_TRAIN, None)
    file = load("faces.npz")
    return Faces(pictures(file["images"][part]), {name: file[name][part] for name in FACE_VALUES})


@dataclass(frozen=True, eq=False)
class Fashion:
    """Clothes `x0` (n, 1, 28, 28), their class `labels` (n,) int64, and `names[label]` in words."""

    x0: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]


def fashion(split: str = "train") -> Fashion:
    """Part of Fashion-MNIST, 28 × 28: 1,000 pictures of each of ten classes, or 200 of each held out ("test").

    Xiao, Rasul, Vollgraf 2017, https://arxiv.org/abs/1708.07747 (MIT licence).

    >>> fashion("test").x0.shape
    (2000, 1, 28, 28)
    """
    one_of(split, ("train", "test"), "split")
    file = load("fashion.npz")
    labels = file[f"{split}_labels"].astype(np.int64)
    return Fashion(pictures(file[f"{split}_images"]), labels, tuple(file["names"].tolist()))


def cat(size: int = 256) -> np.ndarray:
    """Chelsea the cat, a photograph (1, 3, size, size); smaller sizes average blocks of pixels.

    >>> cat(64).shape
    (1, 3, 64, 64)
    """
    if whole(size, "size") > 256 or 256 % size:
        raise ValueError(f"size is {size}; it must divide 256: 256, 128, 64, 32, …")
    x0 = pictures(picture(shipped("cat.webp"), 256)[None])
    return x0.reshape(1, 3, size, 256 // size, size, 256 // size).mean(axis=(3, 5))


def smiley(size: int = 28) -> np.ndarray:
    """A smiling face drawn by formula, (1, 1, size, size): a light disc (+1) on a dark ground (−1).

    >>> smiley().shape
    (1, 1, 28, 28)
    """
    whole(size, "size", 8)
    y, x = (np.indices((size, size)) + 0.5) * 2 / size - 1  # pixel centres, −1…1, y downwards

    def ink(distance):
        """Coverage 0…1 of a shape whose edge is at distance 0 (inside: negative); the edge is one pixel wide."""
        return np.clip(0.5 - distance * size / 2, 0, 1)

    disc = ink(np.hypot(x, y) - 0.92)
    eyes = ink(np.hypot(np.abs(x) - 0.34, 0.8 * (y + 0.28)) - 0.13)
    mouth = ink(np.maximum(np.abs(np.hypot(x, y - 0.08) - 0.5) - 0.08, 0.22 - y))
    light = disc * (1 - np.maximum(eyes, mouth))
    return (2 * light - 1).astype(np.float32)[None, None]


# ---- points --------------------------------------------------------------------------------------


def scalars(n: int = 2048, rng: np.random.Generator | None = None) -> np.ndarray:
    """n numbers (n, 1) from two bumps of equal weight, N(−1, 0.2²) and N(1, 0.2²)."""
    rng = _generator(n, rng)
    centres = 2.0 * rng.integers(2, size=(n, 1)) - 1
    return (centres + 0.2 * rng.standard_normal((n, 1))).astype(np.float32)


def blob(n: int = 2048, rng: np.random.Generator | None = None) -> np.ndarray:
    """n points (n, 2) of one round Gaussian, mean (2, −1) and standard deviation 0.3: off centre on purpose."""
    return ((2.0, -1.0) + 0.3 * _generator(n, rng).standard_normal((n, 2))).astype(np.float32)


class SpiralShape(NamedTuple):
    """The curve r = θ, finely spaced: its angles, the arc length up to each, and what centres and scales it."""

    angles: np.ndarray
    lengths: np.ndarray
    centre: np.ndarray
    scale: float

    def at(self, length: np.ndarray) -> np.ndarray:
        """The points (n, 2) of the centred and scaled curve after so much of its length, from the middle out."""
        theta = np.interp(length, self.lengths, self.angles)
        raw = theta[:, None] * np.stack([np.cos(theta), np.sin(theta)], axis=1)
        return (raw - self.centre) / self.scale


@cache
def spiral_shape() -> SpiralShape:
    """The `SpiralShape` of two turns. Arc length of r = θ: ∫ √(1 + θ²) dθ = ½ (θ √(1 + θ²) + asinh θ)."""
    theta = np.linspace(0, 4 * np.pi, 8193)
    length = (theta * np.sqrt(1 + theta**2) + np.arcsinh(theta)) / 2
    raw = theta[:, None] * np.stack([np.cos(theta), np.sin(theta)], axis=1)
    weight = np.gradient(length)[:, None]  # equal weight to equal lengths of curve
    weight[[0, -1]] /= 2
    weight /= weight.sum()
    centre = (weight * raw).sum(axis=0)
    return SpiralShape(theta, length, centre, float(np.sqrt((weight * (raw - centre) ** 2).sum() / 2)))


def spiral(n: int = 2048, rng: np.random.Generator | None = None) -> np.ndarray:
    """n points (n, 2) of an Archimedean spiral, r ∝ θ, of two turns, drawn without noise, uniformly along its length.

    The curve, not the sample, is centred and scaled: mean 0 and, averaged over both axes, variance 1, the units in
    which x_T is a standard normal. The arms lie 1.0 apart.

    >>> spiral(5, np.random.default_rng(0)).shape
    (5, 2)
    """
    rng, shape = _generator(n, rng), spiral_shape()
    return shape.at(rng.uniform(0, shape.lengths[-1], n)).astype(np.float32)


def spiral_curve(n: int = 1024) -> np.ndarray:
    """The spiral's curve itself: the middles (n, 2) of n equal pieces of its length, from the middle out."""
    shape = spiral_shape()
    return shape.at((np.arange(whole(n, "n")) + 0.5) / n * shape.lengths[-1])


def _generator(n: Any, rng: Any) -> np.random.Generator:
    """`rng`, or a fresh one; refuses a number of points below 1."""
    whole(n, "n")
    refuse_rng(rng, n)
    return np.random.default_rng() if rng is None else rng
