"""Who looks at whom: the weights of a network's attention, drawn beside the picture."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

from ..base.figure import RED, WIDTH, Figure, as_rgb, styled
from ..forward import add_noise


def said_inside(model: Any, layers: Mapping[str, Any], *given: Any) -> dict[str, Any]:
    """What these layers (name → layer) return while the model is asked `model(*given)`, in the order of their work."""
    said: dict[str, Any] = {}
    with ExitStack() as hooks:
        for name, layer in layers.items():
            hook = layer.register_forward_hook(lambda _, inputs, out, name=name: said.update({name: out}))
            hooks.callback(hook.remove)
        model(*given)
    return said


def attention_weights(model: Any, xt: Any, t: int, cond: Any = None) -> Any:
    """The weights (B, places, places) of a `UNet`'s attention at x_t (B, c, H, W): row i is what place i looks at."""
    said = said_inside(model, {"attention": model.middle[1].query_key_value}, xt, t, cond)
    q, k, _ = said["attention"].detach().chunk(3, dim=-1)
    return (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).softmax(dim=-1)


@styled
def attention(model: Any, pictures: Any, t: int, places: Mapping[str, tuple[int, int]], eps: Any) -> Figure:
    """How strongly `places` (name → row, column) of the coarse grid look at all others, beside the first picture.

    The network sees the pictures (n, c, H, W) noised to step t with `eps`; the weights are averaged over them. The
    place that looks has a red frame; the more it looks at another, the darker that is, and what it looks at most has
    a dashed frame.
    """
    weights = attention_weights(model, add_noise(pictures, model.schedule.at(t), eps), t).mean(0)
    picture = pictures[0]
    side = round(len(weights) ** 0.5)
    cell = picture.shape[-1] // side
    figure = Figure(WIDTH, WIDTH / (len(places) + 1) + 0.3)
    axes, told = figure.subplots(1, len(places) + 1), []
    axes[0].imshow(as_rgb(picture), interpolation="nearest")
    axes[0].set_title(f"one of {len(pictures)} portraits")
    for ax, (name, (row, column)) in zip(axes[1:], places.items(), strict=True):
        seen = weights[row * side + column].reshape(side, side).numpy()
        ax.imshow(np.kron(seen, np.ones((cell, cell))), cmap="Greys", vmin=0, interpolation="nearest")
        most = np.unravel_index(seen.argmax(), seen.shape)
        for (y, x), style in ((most, "--"), ((row, column), "-")):
            corner = (x * cell - 0.5, y * cell - 0.5)
            ax.add_patch(Rectangle(corner, cell, cell, fill=False, edgecolor=RED, linewidth=3, linestyle=style))
        ax.set_title(f"{name} → dashed: {seen.max():.0%}")
        here, there = (f"row {place[0] + 1}, column {place[1] + 1}" for place in ((row, column), most))
        told.append(f"{name} ({here}) looks most at {there}")
    for ax in axes:
        for edge in range(1, side):
            ax.axhline(edge * cell - 0.5, color="0.8", linewidth=0.5)
            ax.axvline(edge * cell - 0.5, color="0.8", linewidth=0.5)
        ax.axis("off")
    figure.alt = f"A portrait, and the attention of places on its {side} × {side} grid: {'; '.join(told)}."
    return figure
