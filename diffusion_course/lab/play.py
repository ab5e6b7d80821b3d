"""Motion that Python has computed, played in the browser: clouds in the plane, sheets of pictures, paths of numbers.

Each plays by itself when it comes into sight, loops, can be paused and scrubbed, and needs no kernel. `captions` names
each frame ("t = 640", …). What is sent is small: two bytes a coordinate, one a pixel. Frames are blended into each
other, so 30 to 60 of them are enough.
"""

import base64
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from .. import plots
from ..base.arrays import to_float64
from ..base.refusals import TINY, number, whole
from .panel import Live, pack
from .snapshots import FEW, by_direction, fan, moments_of_sheets, snapshots, whole_paths

SECONDS = 6.0  # that one play takes
FRAMES = 400  # at most: nobody sees more, and the notebook grows with each


def play_points(
    frames: Any, captions: Sequence[str] | None = None, *, behind: Any = None, trails: int = 0, groups: Any = None,
    field: tuple | None = None, axes: tuple[str, str] | None = None, marks: Mapping[str, tuple] | None = None,
    names: Sequence[str] = (),
    limit: float | None = None, radius: float = 1.9, seconds: float = SECONDS, still: Sequence[int] | None = None,
    alt: str = "",
) -> Live:  # fmt: skip
    """Points (frames, n, 2) that move in the plane; title → such points: panels side by side, moving together.

    `behind`: points (m, 2) that stay, faint. `trails`: how many frames long the tail of a point is. `groups` colours
    the points: whole numbers (n,), or "start" (by the direction in which a point began). `field`: (places (m, 2),
    arrows (m, 2) or (frames, m, 2)), drawn to scale. `axes`: names of the two axes of one panel, drawn through 0 with
    ticks; earlier points are then drawn larger, so that none hides another. `marks`: name → (x, y), ringed there;
    `names` of the groups, in their colours, stand in the corner. The frame is −limit … limit both ways. `still`: the
    frames that the still picture of several panels shows.

    >>> play_points(np.zeros((3, 5, 2)), ["t = 2", "t = 1", "t = 0"], limit=1).data["panels"][0]["count"]
    5
    """
    panels = frames if isinstance(frames, Mapping) else {"": frames}
    panels = {title: _frames(points, 3, "points (frames, n, 2)") for title, points in panels.items()}
    if not panels or any(points.shape[2] != 2 for points in panels.values()):
        raise ValueError("points are (frames, n, 2), for at least one panel.")
    count = len(next(iter(panels.values())))
    if any(len(points) != count for points in panels.values()):
        raise ValueError(f"all panels need the same frames, not {[len(points) for points in panels.values()]}.")
    if limit is None:
        limit = 1.05 * max(np.abs(points).max() for points in panels.values()) or 1.0
    unit = number(limit, "limit", TINY) / 16000  # so that points up to twice as far away still fit
    arrows = None if field is None else _arrows(to_float64(field[0]), to_float64(field[1]), count)
    data = _common(count, captions, seconds, alt or "Points that move.") | {
        "panels": [
            {"title": title, "count": points.shape[1], "cloud": _short(points, unit)}
            for title, points in panels.items()
        ],
        "limit": float(limit),
        "unit": float(unit),
        "trails": int(trails),
        "radius": float(radius),
        "axes": axes,
        "marks": [[name, *map(float, place)] for name, place in (marks or {}).items()],
        "names": list(names),
        "behind": None if behind is None else _short(to_float64(behind), unit),
        "field": None if arrows is None else _short(arrows, unit),
        "groups": groups if groups is None or isinstance(groups, str) else pack(groups, "u1"),
    }
    if axes is not None:
        (points,) = panels.values()
        picture = whole_paths(points, _colours(groups, points[0]), axes, marks or {}, limit, names)
    elif len(panels) == 1 and not trails:
        (points,) = panels.values()
        picture = plots.clouds({data["captions"][i]: points[i] for i in _moments(count, 4)}, behind, limit)
    else:
        still_behind = None if behind is None else to_float64(behind)
        colours = {title: _colours(groups, points[0]) for title, points in panels.items()}
        picture = snapshots(
            panels, data["captions"], colours, behind=still_behind, field=arrows, trails=trails, limit=limit,
            moments=still, radius=radius,
        )  # fmt: skip
    return _live("play_points", data, picture, alt)


def _gapped(sheet: np.ndarray, h: int, w: int) -> np.ndarray:
    """The sheet with a white line between its pictures (h, w)."""
    for axis, side in enumerate((h, w)):
        sheet = np.insert(sheet, range(side, sheet.shape[axis], side), 255, axis=axis)
    return sheet


def play_pictures(
    frames: Any, captions: Sequence[str] | None = None, *, columns: int | None = None,
    rows: Sequence[str] | None = None, seconds: float = SECONDS, alt: str = "",
) -> Live:  # fmt: skip
    """Pictures (frames, n, c, h, w) that change together, in [−1, 1] or bytes, c = 1 or 3, in a sheet of `columns`.

    `rows` are names written above the rows. Sent as one image of 256 colours, or of 256 grey levels.

    >>> play_pictures(np.zeros((3, 8, 1, 4, 4)), columns=4, rows=["w = 0", "w = 2"]).data["across"]
    1
    """
    if getattr(frames, "dtype", None) == np.uint8:
        frames = frames / 127.5 - 1
    frames = _frames(frames, 5, "pictures (frames, n, c, h, w)")
    count, n, c, h, w = frames.shape
    columns = min(n, 8) if columns is None else whole(columns, "columns")
    lines = -(-n // columns)
    if c not in (1, 3):
        raise ValueError(f"a picture has c = 1 or 3 channels, not {c}: frames are (frames, n, c, h, w).")
    if rows is not None and len(rows) != lines:
        raise ValueError(f"rows names {len(rows)} rows, but {n} pictures in {columns} columns have {lines}.")
    sheets = np.full((count, lines * h, columns * w, c), 255, dtype=np.uint8)
    for i in range(n):
        top, left = i // columns * h, i % columns * w
        grey = np.rint((np.clip(frames[:, i], -1, 1) + 1) * 127.5)
        sheets[:, top : top + h, left : left + w] = grey.transpose(0, 2, 3, 1)
    across = max(1, round((count * lines * h / (columns * w)) ** 0.5))
    data = _common(count, captions, seconds, alt or "Pictures that change.") | {
        "columns": columns, "count": n, "shape": [h, w], "across": across,
        "labels": None if rows is None else list(rows), "sprites": _sprites(sheets, across),
    }  # fmt: skip
    wide = columns * w > 2 * lines * h  # then the moments stand below each other
    moments = _moments(count, 3 if wide else 5)
    shown = {data["captions"][i]: _gapped(sheets[i], h, w) for i in moments}
    still = moments_of_sheets(shown, data["labels"] or [], wide)
    still.alt = f"{n} pictures: {still.alt}"
    return _live("play_pictures", data, still, alt)


def play_paths(
    paths: Any, captions: Sequence[str] | None = None, *, groups: Mapping | None = None, label: str = "t",
    ends: tuple[str, ...] = ("0", "T"), limit: float = 4.0, bell: bool | str = True,
    stops: Mapping[str, int] | None = None, seconds: float = SECONDS, alt: str = "",
) -> Live:  # fmt: skip
    """Numbers x_t (frames, n) that move with time: they fan out to the right, and beside them their histogram grows.

    `groups`: name → its paths (frames, m), instead of `paths` (then None), one colour each. `label` names the axis of
    time, `ends` its two ends and places evenly between; `bell` draws the density of N(0, 1) over the histogram of all,
    or, if "start", over one of the starts, at the left. Without it each group has a histogram of its own, as an
    outline; of up to 24 paths a group, their ends are dots.
    `stops`: name of a group → after how many frames each a dot marks its paths.

    >>> play_paths(np.zeros((3, 5)), ends=("0", "2")).data["count"]
    5
    """
    named = {"": paths} if groups is None else groups
    named = {name: _frames(some, 2, "paths (frames, n)") for name, some in named.items()}
    if strange := sorted(set(stops or {}) - set(named)):
        raise ValueError(f"stops names {strange}, but the groups are {list(named)}.")
    together = np.concatenate(list(named.values()), axis=1)
    count, n = together.shape
    unit = number(limit, "limit", TINY) / 16000
    of = np.repeat(np.arange(len(named)), [some.shape[1] for some in named.values()])
    data = _common(count, captions, seconds, alt or "Numbers that move with time.") | {
        "frames": count, "count": n, "paths": _short(together, unit), "unit": unit, "limit": float(limit),
        "groups": pack(of, "u1"), "names": None if groups is None else list(named), "bell": bell, "label": label,
        "ends": [str(end) for end in ends], "dots": not bell and max(some.shape[1] for some in named.values()) <= FEW,
        "stops": [(stops or {}).get(name, 0) for name in named],
    }  # fmt: skip
    return _live("play_paths", data, fan(named, label, ends, limit, bell, stops or {}), alt)


def _live(name: str, data: dict, still: plots.Figure, alt: str) -> Live:
    still.alt = f"{alt} {still.alt}".strip()
    return Live(name, data, still, uses=("player",))


def _frames(frames: Any, ndim: int, needed: str) -> np.ndarray:
    """`frames` (one array, or a list of them) as float64, refused unless finite and of that many axes."""
    frames = to_float64(frames) if hasattr(frames, "ndim") else np.stack([to_float64(frame) for frame in frames])
    if frames.ndim != ndim or 0 in frames.shape:
        raise ValueError(f"this plays {needed}, not an array of shape {frames.shape}.")
    if not 2 <= len(frames) <= FRAMES:
        raise ValueError(f"give 2 to {FRAMES} frames, not {len(frames)}: every tenth step of a long path is enough.")
    if not np.isfinite(frames).all():
        raise ValueError(f"frame {int(np.argmin(np.isfinite(frames).reshape(len(frames), -1).all(1)))} is not finite.")
    return frames


def _arrows(places: np.ndarray, arrows: np.ndarray, count: int) -> np.ndarray:
    """(1 or frames, m, 4): where each arrow begins, and how far it goes."""
    arrows = arrows if arrows.ndim == 3 else arrows[None]
    if places.shape != arrows.shape[1:] or places.shape[1:] != (2,) or len(arrows) not in (1, count):
        raise ValueError(
            f"field is (places (m, 2), arrows (m, 2) or ({count}, m, 2)), not {places.shape} and {arrows.shape}."
        )
    return np.concatenate([np.broadcast_to(places, arrows.shape), arrows], axis=2)


def _colours(groups: Any, start: np.ndarray) -> np.ndarray:
    """A colour (n, 3) for each point, as the browser groups them."""
    if isinstance(groups, str):
        return by_direction(start)
    named = np.zeros(len(start), dtype=int) if groups is None else np.asarray(groups) % len(plots.COLOURS)
    return np.array([to_rgb(colour) for colour in plots.COLOURS])[named]


def _common(count: int, captions: Sequence[str] | None, seconds: float, alt: str) -> dict:
    captions = [f"frame {i + 1} of {count}" for i in range(count)] if captions is None else [*map(str, captions)]
    if len(captions) != count:
        raise ValueError(f"captions names {len(captions)} frames, but there are {count}.")
    return {"frames": count, "captions": captions, "seconds": number(seconds, "seconds", TINY), "alt": alt}


def _short(values: np.ndarray, unit: float) -> dict:
    return pack(np.clip(values / unit, -32767, 32767), "i2")  # farther away nothing is seen anyway


def _moments(count: int, n: int) -> list[int]:
    return sorted({round(float(i)) for i in np.linspace(0, count - 1, n)})


def _sprites(sheets: np.ndarray, across: int) -> str:
    """All sheets (frames, h, w, c) in one PNG, `across` beside each other."""
    count, h, w, c = sheets.shape
    page = np.zeros((-(-count // across) * h, across * w, c), dtype=np.uint8)
    for i, sheet in enumerate(sheets):
        page[i // across * h : (i // across + 1) * h, i % across * w : (i % across + 1) * w] = sheet
    image = Image.fromarray(page[..., 0] if c == 1 else page)
    image = image if c == 1 else image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    file = BytesIO()
    image.save(file, format="PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()
