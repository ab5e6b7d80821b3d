"""x0: the clean data of the course, as float32 arrays whose first axis counts the examples.

Pictures have shape (n, c, h, w) and values in [−1, 1]; points have shape (n, d), d = 1 or 2. Points
are drawn by formula from the generator that is handed in. Faces, fashion and cat ship with the
course (`shipped.py` checks the files, `data/README.md` tells their origin); every call returns fresh
arrays, so nothing that is done to them can spoil the next call.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from .shipped import load

FACE_VALUES = {
    "hat": (False, True),
    "glasses": (False, True),
    "beard": (False, True),
    "long_hair": (False, True),
    "happy": (False, True),
    "hair_colour": ("black", "brown", "blond", "red", "blue", "green"),
    "background": ("blue", "green", "purple", "grey"),
}
NOT_SAID = -1  # the code of an attribute that a condition or a wish leaves open
FACES_TRAIN = 10_000  # of 12,000; the rest is held out


def pictures(images):
    """Bytes 0…255 (n, h, w, c) to float32 (n, c, h, w) in [−1, 1]: x = byte / 127.5 − 1."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / 127.5 - 1


def check_split(split):
    """Raise a ValueError unless `split` is "train" or "test"."""
    if split not in ("train", "test"):
        raise ValueError(f'split is {split!r}; it must be "train" or "test" (held out)')


@dataclass(frozen=True, eq=False)
class Faces:
    """Portraits `x0` (n, 3, 16, 16) and what is seen on each, by name.

    `attributes[name]` has shape (n,): bool for "hat", "glasses", "beard", "long_hair" and "happy",
    words for "hair_colour" and "background" (`FACE_VALUES` lists them). Skin tone is no attribute.
    """

    x0: np.ndarray
    attributes: dict[str, np.ndarray]

    @property
    def codes(self):
        """The attributes as integers (n, 7), as a network takes them: places in `FACE_VALUES`."""
        columns = [
            (self.attributes[name][:, None] == np.array(values)).argmax(axis=1) for name, values in FACE_VALUES.items()
        ]
        return np.stack(columns, axis=1)


def faces(split="train"):
    """Pixel faces, 16 × 16: 10,000 to train on, 2,000 held out (`split="test"`), all distinct.

    They are composed from drawn parts (DiceBear's "pixel-art", CC0), not photographs; every
    attribute is drawn independently of the others and can be seen in the picture.

    >>> f = faces("test")
    >>> f.x0[f.attributes["hat"] & (f.attributes["hair_colour"] == "blue")].shape[1:]
    (3, 16, 16)
    """
    check_split(split)
    part = slice(FACES_TRAIN) if split == "train" else slice(FACES_TRAIN, None)
    file = load("faces.npz")
    return Faces(pictures(file["images"][part]), {name: file[name][part] for name in FACE_VALUES})


@dataclass(frozen=True, eq=False)
class Fashion:
    """Clothes `x0` (n, 1, 28, 28), their class `labels` (n,) int64, and `names[label]` in words."""

    x0: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]


def fashion(split="train"):
    """Fashion-MNIST, 28 × 28: 1,000 pictures of each of ten classes, or 200 held out ("test").

    The whole set of 60,000 is read by `diffusion_course.fashion`.
    Xiao, Rasul, Vollgraf 2017, https://arxiv.org/abs/1708.07747 (MIT licence).

    >>> fashion("test").x0.shape
    (2000, 1, 28, 28)
    """
    check_split(split)
    file = load("fashion.npz")
    labels = file[f"{split}_labels"].astype(np.int64)
    return Fashion(pictures(file[f"{split}_images"]), labels, tuple(file["names"].tolist()))


def cat(size=256):
    """Chelsea the cat, a photograph (1, 3, size, size); smaller sizes average blocks of pixels.

    >>> cat(64).shape
    (1, 3, 64, 64)
    """
    if size < 1 or 256 % size:
        raise ValueError(f"size is {size}; it must divide 256: 256, 128, 64, 32, …")
    x0 = pictures(load("cat.npz")["images"])
    return x0.reshape(1, 3, size, 256 // size, size, 256 // size).mean(axis=(3, 5))


def smiley(size=28):
    """A smiling face drawn by formula, (1, 1, size, size): a light disc (+1) on dark (−1).

    >>> smiley().shape
    (1, 1, 28, 28)
    """
    if size < 8:
        raise ValueError(f"size is {size}; a face needs at least 8 pixels a side")
    y, x = (np.indices((size, size)) + 0.5) * 2 / size - 1  # pixel centres, −1…1, y downwards

    def ink(distance):
        """Coverage 0…1 of a shape whose edge is at distance 0 (inside: negative)."""
        return np.clip(0.5 - distance * size / 2, 0, 1)  # the edge is one pixel wide

    disc = ink(np.hypot(x, y) - 0.92)
    eyes = ink(np.hypot(np.abs(x) - 0.34, 0.8 * (y + 0.28)) - 0.13)
    mouth = ink(np.maximum(np.abs(np.hypot(x, y - 0.08) - 0.5) - 0.08, 0.22 - y))
    light = disc * (1 - np.maximum(eyes, mouth))
    return (2 * light - 1).astype(np.float32)[None, None]


def _generator(n, rng):
    """`rng`, or a fresh one; refuses a number of points below 1."""
    if n < 1:
        raise ValueError(f"n is {n}; at least one point is needed")
    return np.random.default_rng() if rng is None else rng


def scalars(n=2048, rng=None, means=(-1.0, 1.0), std=0.2):
    """n numbers (n, 1) from two bumps of equal weight: ½ N(means[0], std²) + ½ N(means[1], std²).

    >>> scalars(5, np.random.default_rng(0)).shape
    (5, 1)
    """
    rng = _generator(n, rng)
    centres = np.asarray(means)[rng.integers(2, size=(n, 1))]
    return (centres + std * rng.standard_normal((n, 1))).astype(np.float32)


def blob(n=2048, rng=None, mean=(2.0, -1.0), std=0.3):
    """n points (n, 2) of one round Gaussian, N(mean, std² I): off centre on purpose.

    >>> blob(5, np.random.default_rng(0)).shape
    (5, 2)
    """
    rng = _generator(n, rng)
    return (np.asarray(mean) + std * rng.standard_normal((n, 2))).astype(np.float32)


@cache
def _spiral(turns):
    """(angles, arc lengths up to them, centre (2,), scale) of the raw curve r = θ, finely spaced.

    Arc length of r = θ: ∫ √(1 + θ²) dθ = ½ (θ √(1 + θ²) + asinh θ).
    """
    if not 0 < turns <= 100:
        raise ValueError(f"turns is {turns}; it must be above 0 and at most 100")
    theta = np.linspace(0, 2 * np.pi * turns, int(4096 * np.ceil(turns)) + 1)
    length = (theta * np.sqrt(1 + theta**2) + np.arcsinh(theta)) / 2
    raw = theta[:, None] * np.stack([np.cos(theta), np.sin(theta)], axis=1)
    weight = np.gradient(length)[:, None]  # equal weight to equal lengths of curve
    weight[[0, -1]] /= 2
    weight /= weight.sum()
    centre = (weight * raw).sum(axis=0)
    scale = np.sqrt((weight * (raw - centre) ** 2).sum() / 2)
    return theta, length, centre, scale


def _spiral_at(theta, turns):
    """The points (…, 2) of the centred and scaled spiral at the angles `theta` (…)."""
    _, _, centre, scale = _spiral(turns)
    raw = theta[..., None] * np.stack([np.cos(theta), np.sin(theta)], axis=-1)
    return (raw - centre) / scale


def spiral(n=2048, turns=2.0, rng=None):
    """n points (n, 2) of an Archimedean spiral, r ∝ θ from the middle out, drawn without noise.

    Points are independent and uniform along the curve's length (in random order). The curve, not
    the sample, is centred and scaled: mean 0 and, averaged over both axes, variance 1, the units in
    which x_T is a standard normal. With two turns the arms lie 1.0 apart.

    >>> spiral(5, rng=np.random.default_rng(0)).shape
    (5, 2)
    """
    rng = _generator(n, rng)
    theta, length, _, _ = _spiral(turns)
    drawn = np.interp(rng.uniform(0, length[-1], n), length, theta)
    return _spiral_at(drawn, turns).astype(np.float32)


def spiral_curve(n=1024, turns=2.0):
    """The spiral's curve itself: the middles (n, 2) of n equal pieces of its length, from the middle out.

    >>> spiral_curve(8).shape
    (8, 2)
    """
    theta, length, _, _ = _spiral(turns)
    middles = (np.arange(n) + 0.5) / n * length[-1]
    return _spiral_at(np.interp(middles, length, theta), turns)


def distance_to_spiral(x, turns=2.0):
    """Distance (n,) from each point of x (n, 2) to the nearest point of the spiral's curve.

    Squared distance from a point at polar (ρ, φ) to the raw curve at angle θ, with Δ = θ − φ:
    f = (θ − ρ)² + 4 θ ρ sin²(Δ/2),   f′ = 2 (θ − ρ cos Δ + θ ρ sin Δ).
    In each quarter of a turn, counted from φ, the best of nine angles brackets a root of f′, found
    by bisection.

    >>> float(distance_to_spiral(spiral(5)).max()) < 1e-6
    True
    """
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != 2 or not np.isfinite(x).all():
        raise ValueError(f"x has shape {x.shape}; it must hold finite points of shape (n, 2)")
    angles, _, centre, scale = _spiral(turns)
    raw = x * scale + centre
    rho = np.hypot(raw[:, 0], raw[:, 1])[:, None]
    phi = np.arctan2(raw[:, 1], raw[:, 0])[:, None]

    def squared(theta):
        return (theta - rho) ** 2 + 4 * theta * rho * np.sin((theta - phi) / 2) ** 2

    distances = []
    for quarter in range(-2, 4 * int(np.ceil(turns)) + 3):
        knots = np.clip(phi + np.pi / 2 * (quarter + np.arange(-4, 5) / 8), 0, angles[-1])
        best = np.take_along_axis(knots, squared(knots).argmin(axis=1, keepdims=True), axis=1)
        low, high = np.clip([best - np.pi / 16, best + np.pi / 16], 0, angles[-1])
        for _ in range(30):
            middle = (low + high) / 2
            delta = middle - phi
            falling = middle - rho * np.cos(delta) + middle * rho * np.sin(delta) < 0
            low, high = np.where(falling, middle, low), np.where(falling, high, middle)
        distances.append(np.sqrt(squared((low + high) / 2)) / scale)
    return np.min(distances, axis=0)[:, 0]
