"""Every student of the homework has a spiral of their own: its shape follows from their id and the salt of the class.

An Archimedean spiral, r ∝ θ, with so many turns, in one of two directions d, turned by φ, stretched along an axis of
its own, and off centre:

    x(θ) = centre + 2 θ/θ_max · R(ψ) (√a cos(d θ + φ), sin(d θ + φ)/√a),     0 ≤ θ ≤ θ_max = 2π · turns

R(ψ) turns by ψ. Another curve of `CURVES` has another radius than θ/θ_max and goes round once. All lengths that are
reported are in units of the radius that the spiral has before it is stretched.
"""

import hashlib
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ...base.arrays import to_float64

SALT = "spiral"  # of the source notebook; each class has one of its own
RADIUS = 2.0  # its points then have a spread of about 1, the spread of x_T
PIECES, PIECES_A_BIN = 2048, 32  # of equal arc length, for distances and for coverage
NEAR = 0.05  # how near the curve a point must be to cover its arc, in radii

# Radius, in units of RADIUS, at each share of the angle; the spiral has several turns, all others one.
CURVES = {"spiral": lambda share: share, "flower": lambda share: 0.6 + 0.4 * np.cos(6 * np.pi * share)}

# Pass lines of 512 samples by number of steps. How far they stand from what right solutions reach is measured by
# `benchmarks/homework.py`; its table is notebooks/homework/calibration.md.
LINES = {10: 0.10, 50: 0.03, 1000: 0.03}  # largest mean distance to the curve, in radii
COVERED = 0.9  # smallest share of the curve's arcs that the samples reach
NEAREST = 0.0018  # 326 right solutions came no nearer than 0.0028, one trained six times as long 0.0021; data do
COUNT, STRAYS = 512, 5
EXACT = 1e-4  # no network comes as near as this with half of its samples; the data do


@dataclass(frozen=True)
class Variant:
    """One spiral, or another curve."""

    turns: float
    direction: int  # d = ±1
    rotation: float  # φ
    aspect: float  # a
    tilt: float  # ψ of the stretched axis
    centre: tuple[float, float]
    curve: str = "spiral"

    def at(self, share) -> np.ndarray:
        """The points (…, 2) at these shares (…) of the curve's length: 0 is the middle, 1 the outer end."""
        theta, length = self._lengths
        return self._curve(np.interp(np.asarray(share) * length[-1], length, theta))

    def data(self, n: int = 2048, seed: int = 0) -> np.ndarray:
        """n points (n, 2) of the curve, float32, uniform along its length: the data set x_0 of the homework.

        >>> of("ada").data(5).shape
        (5, 2)
        """
        return self.at(np.random.default_rng(seed).random(n)).astype(np.float32)

    def distance(self, x) -> np.ndarray:
        """Distance (n,) of points x (n, 2) to the curve, in units of its radius."""
        x, nearest, found = _points(x), self._nearest(x), []
        for side in (-1, 0):  # of the two straight pieces that meet at the nearest corner
            piece = np.clip(nearest + side, 0, PIECES - 1)
            start, along = self._corners[piece], self._corners[piece + 1] - self._corners[piece]
            share = np.clip(((x - start) * along).sum(1) / (along**2).sum(1), 0, 1)
            found.append(np.hypot(*(x - start - share[:, None] * along).T))
        return np.min(found, axis=0) / RADIUS

    def coverage(self, x) -> float:
        """The share of 64 equal arc lengths that have a point of x (n, 2) within 0.05 radii.

        A collapsed cloud covers little; so does a good sample of another spiral, which only crosses this one.
        """
        near = to_float64(x)[self.distance(x) < NEAR]
        bins = np.minimum(self._nearest(near), PIECES - 1) // PIECES_A_BIN
        return len(np.unique(bins)) / (PIECES // PIECES_A_BIN)

    def place(self, x) -> np.ndarray:
        """Where (n,) along the curve, from 0 (the middle) to 1, it is nearest to points x (n, 2)."""
        return self._nearest(x) / PIECES

    def halves(self, x, cond) -> tuple[float, float, float]:
        """How points x (n, 2) fit the halves that were asked for: cond (n,) is 0 for the inner one, 1 for the outer.

        The share that obeys; the mean distance to the curve, in radii; and the spread of those that obey along their
        half, where 1 is that of the data: the standard deviation of their places, times √12 / ½.
        """
        place, outer = self.place(x), to_float64(cond) == 1
        obeys = (place >= 0.5) == outer
        spread = [np.std(place[obeys & half]) if (obeys & half).any() else 0.0 for half in (outer, ~outer)]
        return float(obeys.mean()), float(self.distance(x).mean()), float(np.mean(spread) * 12**0.5 / 0.5)

    @cached_property
    def _corners(self) -> np.ndarray:
        return self.at(np.linspace(0, 1, PIECES + 1))

    @cached_property
    def _lengths(self):
        """Angles θ, finely spaced, and the arc lengths (of the stretched curve) up to them."""
        theta = np.linspace(0, self._end, 2 * PIECES + 1)
        steps = np.hypot(*np.diff(self._curve(theta), axis=0).T)
        return theta, np.concatenate([[0.0], np.cumsum(steps)])

    @property
    def _end(self) -> float:
        return 2 * np.pi * (self.turns if self.curve == "spiral" else 1)

    def _curve(self, theta) -> np.ndarray:
        radius, angle = RADIUS * CURVES[self.curve](theta / self._end), self.direction * theta + self.rotation
        stretched = np.stack([np.cos(angle) * self.aspect**0.5, np.sin(angle) / self.aspect**0.5], axis=-1)
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        return radius[..., None] * stretched @ [[cos, sin], [-sin, cos]] + self.centre

    def _nearest(self, x) -> np.ndarray:
        """The number (n,) of the corner nearest to each point; |x|² is the same for all corners, so it is left out."""
        corners = self._corners
        return ((corners**2).sum(1) / 2 - _points(x) @ corners.T).argmin(axis=1)


@lru_cache(maxsize=1024)
def of(student_id: str, salt: str = SALT, curve: str = "spiral") -> Variant:
    """The spiral of a student of the class with this salt. Blanks around the id, its capitals, how its accents are
    encoded and zeros before a number (which spreadsheets cut off) do not count.

    >>> of("Ada ") == of("ada")
    True
    """
    student_id = unicodedata.normalize("NFC", str(student_id).strip().casefold())
    student_id = student_id.lstrip("0") or student_id if student_id.isdecimal() else student_id
    if not student_id:
        raise ValueError('the student id is empty: give yours, as your teacher wrote it, for example "ada".')
    if curve not in CURVES:
        raise ValueError(f"there is no curve {curve!r}; there are {', '.join(CURVES)}.")
    digest = hashlib.sha256(f"{salt}/{student_id}".encode()).digest()
    u = (np.frombuffer(digest, ">u4") / 2**32).tolist()
    return Variant(
        turns=1.25 + 0.75 * u[0],
        direction=1 if u[1] < 0.5 else -1,
        rotation=2 * np.pi * u[2],
        aspect=1.7 ** (2 * u[3] - 1),
        tilt=np.pi * u[4],
        centre=(3 * u[5] - 1.5, 3 * u[6] - 1.5),
        curve=curve,
    )


def _points(x) -> np.ndarray:
    x = to_float64(x)
    if x.ndim != 2 or x.shape[1] != 2 or not np.isfinite(x).all():
        raise ValueError(f"x must be finite points of shape (n, 2), not of shape {x.shape}.")
    return x


def judge(spiral: Variant, x, steps: int) -> tuple[bool, str]:
    """Do 512 samples x, made in so many steps, lie on this spiral, all along it? And the reason in a sentence.

    The STRAYS that are farthest off do not count: in 1000 steps a right network may lose one, of a radius of 37.
    """
    if x is None:
        return False, f"there is no `samples[{steps}]`."
    x, line = to_float64(x), LINES[max(n for n in LINES if n <= steps)]
    if x.shape != (COUNT, 2):
        return False, f"the samples have shape {x.shape}, asked are ({COUNT}, 2)."
    if bad := int((~np.isfinite(x)).any(axis=1).sum()):
        return False, f"{bad} of the {COUNT} samples are NaN or infinite."
    distance, coverage = np.sort(spiral.distance(x))[:-STRAYS], spiral.coverage(x)
    far = f"{distance.mean():.4f}" if distance.mean() < 1000 else f"{distance.mean():.1e}"
    found = f"Mean distance {far} radii without the {STRAYS} farthest (at most {line})"
    found += f", coverage {coverage:.2f} (at least {COVERED})."
    if np.median(distance) < EXACT:
        return False, f"the samples lie exactly on the curve, as the data do: they are copies. {found}"
    if distance.mean() > line:
        return False, f"the samples lie too far from your spiral. {found}"
    if coverage < COVERED:
        return False, f"parts of your spiral are missing, as if the cloud had collapsed. {found}"
    return True, found


def reproduced(x, ids, salt: str = SALT, curve: str = "spiral") -> list[str]:
    """Those of the ids whose spiral the samples x (n, 2) of a hand-in lie on; the strictest line decides."""
    strict, found = min(LINES.values()), []
    for student_id in ids:
        spiral = of(student_id, salt, curve)
        maybe = spiral.distance(x[::8]).mean() <= 2 * strict  # so most are told apart quickly
        near = maybe and spiral.distance(x).mean() <= strict
        found += [student_id] if near and spiral.coverage(x) >= COVERED else []
    return found
