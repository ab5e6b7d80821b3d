"""Lesson 2's turning arrow: x_0, ε and v are coordinates of one point, and x_t is what an arrow sees of it."""

import math

import numpy as np
from matplotlib.patches import Arc

from ..base.figure import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, Figure, as_rgb, styled
from ..data import smiley
from ..forward import add_noise, v_from_eps
from .panel import Live, pack

SIZE = 28
START = 0.6  # the arrow's angle in the still
BESIDE = 0.07  # how far from the arrow the bar of x_t is drawn, so that neither hides the other


def arrow(x0: float = 0.5, eps: float = 1.5) -> Live:
    """A drawing to end a cell with: the pair (x_0, ε) as a point, and an arrow (√ᾱ, √(1−ᾱ)) that turns.

    The point's shadow on the arrow is x_t, its signed distance to the side is v. Both are dragged or moved by keys, and
    a picture turns with them. Needs no kernel. Raises ValueError unless x0 and eps lie in −1.1 … 1.9.

    >>> arrow().alt[:62]
    'The pair x_0 = 0.5, ε = 1.5 as a point of the plane. The arrow'
    """
    for name, value in (("x0", x0), ("eps", eps)):
        if not -1.1 <= value <= 1.9:
            raise ValueError(f"{name} must lie in −1.1 … 1.9, where the drawing has room, not {value!r}.")
    picture, noise = smiley(SIZE), np.random.default_rng(0).standard_normal((1, 1, SIZE, SIZE))
    data = {
        "x0": x0,
        "eps": eps,
        "size": SIZE,
        "noise": pack(noise, "f4"),
        "picture": pack((picture + 1) * 127.5, "u1"),
    }
    return Live("arrow", data, _still(x0, eps, picture, noise), uses=("knob",))


@styled
def _still(x0: float, eps: float, picture, noise) -> Figure:
    signal, sigma = math.cos(START), math.sin(START)
    xt, v = add_noise(x0, signal**2, eps), v_from_eps(add_noise(x0, signal**2, eps), signal**2, eps)
    figure = Figure(9, 3.4)
    plane, tiles = figure.subfigures(1, 2, width_ratios=(4, 5))  # type: ignore[misc]
    ax = plane.subplots()
    ax.add_patch(Arc((0, 0), 2, 2, theta2=90, color=BLACK, alpha=0.5))
    ax.axline((0, 0), (signal, sigma), color=BLACK, alpha=0.5)
    foot, side = (xt * signal, xt * sigma), (-v * sigma, v * signal)
    ax.axline(foot, slope=-signal / sigma, color=BLUE, linestyle="--")
    beside = BESIDE * sigma, -BESIDE * signal
    for tip, colour in (((x0, 0), GREEN), ((0, eps), ORANGE), (side, PURPLE)):
        ax.plot([0, tip[0]], [0, tip[1]], color=colour, linewidth=3, solid_capstyle="butt")
    ax.plot(*([one, one + end] for one, end in zip(beside, foot, strict=True)), color=BLUE, linewidth=3)
    for tip, end in (((x0, 0), (x0, eps)), ((0, eps), (x0, eps)), (side, (x0, eps))):
        ax.plot([tip[0], end[0]], [tip[1], end[1]], ":", color=BLACK, linewidth=0.8)
    ax.add_patch(Arc((0, 0), 1.2, 1.2, theta2=math.degrees(START), color=RED))
    names = {
        "$x_0$": ((x0, -0.25), GREEN),
        "ε": ((-0.15, eps), ORANGE),
        "$x_t$": ((foot[0] + 0.1, foot[1] - 0.35), BLUE),
        "$v$": ((side[0] - 0.15, side[1]), PURPLE),
        "φ": ((0.69, 0.1), RED),
        "1": ((1.06, -0.22), BLACK),  # the arc, at the flat line: the arrow's length
        "$(x_0, ε)$": ((x0 + 0.4, eps), BLACK),
    }
    for text, (place, colour) in names.items():
        ax.text(*place, text, ha="center", color=colour, weight="bold", size=13)
    below = (foot[0] + 1.5 * sigma - 0.15, foot[1] - 1.5 * signal)  # a place beside the dashed line
    ax.text(*below, "same $x_t$", color=BLUE, ha="right", clip_on=True)
    ax.annotate("", (signal, sigma), (0, 0), arrowprops={"arrowstyle": "-|>", "color": RED, "linewidth": 2})
    ax.plot(x0, eps, "o", color=BLACK)
    ax.set(xlim=(-1.3, 2.1), ylim=(min(-0.7, eps - 0.3), 2.1), aspect="equal")
    ax.axis("off")
    shown = {"$x_0$": picture, "ε": noise, "$x_t$": add_noise(picture, signal**2, noise)}
    shown["$v$"] = v_from_eps(shown["$x_t$"], signal**2, noise)
    for ax, (title, one) in zip(tiles.subplots(1, 4), shown.items(), strict=True):
        ax.imshow(as_rgb(one), interpolation="nearest")
        ax.set_title(title)
        ax.axis("off")
    figure.alt = (
        f"The pair x_0 = {x0:g}, ε = {eps:g} as a point of the plane. The arrow (√ᾱ, √(1−ᾱ)) stands at "
        f"{math.degrees(START):.0f} degrees; the point's shadow on it is x_t = {xt:.2f}, "
        f"its signed distance to the side v = {v:.2f}; all points on the dashed line have this x_t. "
        "Beside it a smiley, noise, and their x_t and v."
    )
    return figure
