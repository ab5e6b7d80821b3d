"""The diffusion transformer: cut the picture into patches, let each look at all others, say of each what is noise.

    x_t (B, c, H, W) ─ patches ─► n tokens ─ linear, + place ─► block ─► … ─► block ─ linear ─► n tokens ─► (B, c, H, W)

Nothing in it says that neighbouring patches belong together, or that a shape is the same wherever it stands: a U-Net
has both built in. The context (time and condition) scales, shifts and gates every channel.

Source: Peebles & Xie 2022 (arXiv:2212.09748), "adaLN-Zero"; Dosovitskiy et al. 2020 (arXiv:2010.11929) for patches as
tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..base.refusals import whole, wholes
from ..models import Denoiser
from ..schedule import Schedule
from ..unet import Context, in_turn

HEADS = 4  # each looks with its own questions at its own part of the channels


def patches(x: Tensor, size: int) -> Tensor:
    """Pictures (B, c, H, W) as tokens (B, n, c · size²): square patches, row by row, each with its channels in turn.

    Raises ValueError unless `size` divides height and width.

    >>> patches(torch.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 1]
    tensor([2., 3., 6., 7.])
    """
    if x.shape[-2] % whole(size, "size") or x.shape[-1] % size:
        raise ValueError(f"patches of {size} do not fill a picture of {x.shape[-2]} × {x.shape[-1]} pixels.")
    return F.pixel_unshuffle(x, size).flatten(2).transpose(1, 2)


def picture(tokens: Tensor, size: int, height: int) -> Tensor:
    """The pictures (B, c, H, W) of which `patches` made these tokens."""
    return F.pixel_shuffle(tokens.transpose(1, 2).unflatten(2, (height // size, -1)), size)


class DiT(Denoiser):
    """A denoiser of square pictures (B, channels, side, side): eps_hat = model(xt, t, cond).

    `patch` divides `side`; `attributes` and `cond` are those of `UNet`.

    >>> from diffusion_course.schedule import cosine
    >>> DiT(cosine(), side=8)(torch.zeros(2, 3, 8, 8), t=500).shape
    torch.Size([2, 3, 8, 8])
    """

    def __init__(
        self, schedule: Schedule, channels: int = 3, attributes: Sequence[int] = (), *, output: str = "v",
        side: int = 16, patch: int = 2, width: int = 64, depth: int = 4,
    ) -> None:  # fmt: skip
        attributes = wholes(attributes, "attributes")
        super().__init__(
            schedule, output=output, channels=channels, attributes=attributes, side=side, patch=patch, width=width,
            depth=depth,
        )  # fmt: skip
        for name, number in (("channels", channels), ("patch", patch), ("depth", depth)):
            whole(number, name)
        if whole(side, "side") % patch or whole(width, "width") % HEADS:
            raise ValueError(f"patch = {patch} must divide side = {side}, and {HEADS} the width, not {width}.")
        self.shape, self.patch = (channels, side, side), patch
        self.context = Context(attributes, width)
        self.read = nn.Linear(channels * patch**2, width)
        self.place = nn.Parameter(0.02 * torch.randn((side // patch) ** 2, width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.write = nn.Linear(width, channels * patch**2)

    def answer(self, xt: Tensor, time: Tensor, cond: Tensor | None = None) -> Tensor:
        """ε, x_0 or v, as `output` says, for pictures (B, channels, side, side)."""
        context = self.context(time, cond)
        tokens = self.read(patches(xt, self.patch)) + self.place
        tokens = in_turn(self.blocks, tokens, context)
        return picture(self.write(self.norm(tokens)), self.patch, xt.shape[-2])


class Block(nn.Module):
    """Look at the others, then think alone: x + attention(x), then x + f(x), both modulated by the context.

    The gates start at zero, so that a fresh block is the identity.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, elementwise_affine=False)
        self.norm2 = nn.LayerNorm(width, elementwise_affine=False)
        self.query_key_value, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.modulate = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        scale1, shift1, gate1, scale2, shift2, gate2 = self.modulate(context)[:, None].chunk(6, dim=2)
        x = x + gate1 * self.attention(self.norm1(x) * (1 + scale1) + shift1)
        return x + gate2 * self.think(self.norm2(x) * (1 + scale2) + shift2)

    def attention(self, x: Tensor) -> Tensor:
        """For each token, the average of all tokens' contents, weighted by how well their keys fit its question."""
        q, k, v = (part.unflatten(2, (HEADS, -1)).transpose(1, 2) for part in self.query_key_value(x).chunk(3, dim=2))
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
