"""A network as a drawing: its stages from left to right, each as large as what it really gives out."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

from ..base.figure import BLACK, BLUE, RED, SKY, WIDTH, Figure, styled
from .gaze import said_inside

COLUMN = 1.5  # from the middle of a stage to that of the next, in units of the width of the widest
PARTS = ("stem", "before", "down", "middle", "up", "join", "after")  # of a `UNet`


@styled
def network(
    stages: Sequence[tuple[str, tuple[int, int, int]]], skip: tuple[str, str] | None = None,
    inside: Mapping[str, str] | None = None, told: tuple[str, Sequence[str]] = ("", ()),
) -> Figure:  # fmt: skip
    """The stages of an image network, `stages` a list of (name, (channels, height, width)), in order.

    A stage is a block as high as its grid and as wide as its channels (by the square root, so that few channels can
    still be seen). `skip`, a pair of names, is drawn as an arrow over the stages between them; `inside`,
    name → word, is written into blocks; `told`, a word and names, is led into these stages from below.
    Raises ValueError for a skip from or to a stage that is not there.

    >>> network([("x_t", (3, 16, 16)), ("stem", (80, 8, 8))]).alt
    'A network from left to right: x_t 3 × 16 × 16, stem 80 × 8 × 8.'
    """
    names, shapes = zip(*stages, strict=True)
    if skip is not None and not set(skip) <= set(names):
        raise ValueError(f"skip is {skip}; both must be names of stages: {', '.join(names)}.")
    channels, heights, _ = np.array(shapes, dtype=float).T
    widths, tall = np.sqrt(channels / channels.max()), heights.max()
    middles = COLUMN * np.arange(len(stages))
    figure = Figure(min(1.25 * len(stages), WIDTH), 3.2)
    ax = figure.subplots()
    for name, (c, h, w), middle, width in zip(names, shapes, middles, widths, strict=True):
        ax.add_patch(Rectangle((middle - width / 2, -h / 2), width, h, facecolor=SKY, edgecolor=BLUE))
        ax.text(middle, -0.6 * tall, f"{name}\n{c} ×\n{h} × {w}", ha="center", va="top")
        ax.text(middle, 0, (inside or {}).get(name, ""), ha="center", va="center", fontsize=9, color="white")
    for left, right in pairwise(range(len(stages))):
        ends = (middles[right] - widths[right] / 2, 0), (middles[left] + widths[left] / 2, 0)
        ax.annotate("", *ends, arrowprops={"arrowstyle": "->", "color": BLUE, "linewidth": 1})
    figure.alt = "A network from left to right: "
    figure.alt += ", ".join(f"{name} {c} × {h} × {w}" for name, (c, h, w) in stages) + "."
    if skip is not None:
        start, end = (names.index(name) for name in skip)
        tips = [(middles[i], heights[i] / 2 + 0.3) for i in (start, end)]
        style = {"arrowstyle": "->", "color": RED, "linewidth": 2, "connectionstyle": "arc3,rad=-0.25"}
        ax.annotate("", tips[1], tips[0], arrowprops=style)
        ax.text(np.mean([x for x, _ in tips]), 0.72 * tall, "skip", ha="center", color=RED)
        figure.alt += f" A skip leads from {skip[0]} to {skip[1]}."
    word, into = told
    bus, arrow = -0.48 * tall, {"arrowstyle": "->", "color": BLACK}
    for i in map(names.index, into):
        ax.annotate("", (middles[i], -heights[i] / 2), (middles[i], bus), arrowprops=arrow)
    if into:
        ends = [middles[names.index(name)] for name in into]
        ax.plot(ends, [bus] * len(ends), color=BLACK, linewidth=1)
        ax.text(np.mean(ends), bus, word, ha="center", va="center", fontsize=9, backgroundcolor="white")
        figure.alt += f" {word.capitalize()} go into {', '.join(into)}."
    ax.set(xlim=(-COLUMN / 2, middles[-1] + COLUMN / 2), ylim=(-0.95 * tall, 0.85 * tall))
    ax.axis("off")
    return figure


def unet(model: Any, shape: tuple[int, int, int]) -> Figure:
    """The parts of a `UNet` for pictures of this shape (channels, height, width), with the sizes that they give out."""
    import torch  # only here, as in `prompt_box`

    from ..unet import doubled

    layers = {part: getattr(model, part) for part in PARTS}
    last = {part: layer[-1] if isinstance(layer, torch.nn.ModuleList) else layer for part, layer in layers.items()}
    said = said_inside(model, last, torch.zeros(1, *shape), 1)
    stages = [(part, tuple((doubled(y) if part == "up" else y).shape[1:])) for part, y in said.items()]
    told = "time, attributes", ("before", "middle", "after")  # where `Block`s are
    skip, inside = ("before", "join"), {"middle": "attention"}
    return network([("xₜ", shape), *stages, ("v̂", shape)], skip, inside, told)
