"""The image U-Net: look at the picture coarsely, then finely, and say at every pixel what is noise.

    x_t (B, c, H, W) ─ stem ─► H/2 ── down ──► H/4, attention ── up ──► H/2 ─ head ─► (B, c, H, W)
                                 └───────────────── skip ─────────────────┘

The stem folds each 2 × 2 block of pixels into channels and the head unfolds them: no convolution runs at full size,
where it would cost four times as much and see half as far. The coarse grid holds most of the weights and is cheap,
because it has a quarter of the places. The skip hands the fine detail past it.

Source: Ronneberger et al. 2015 (arXiv:1505.04597); Ho et al. 2020 (arXiv:2006.11239), appendix B, for the time
embedding in every block; Dhariwal & Nichol 2021 (arXiv:2105.05233) for scaling and shifting by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .base.embedding import FREQUENCIES
from .base.refusals import whole, wholes
from .models import Conditions, Denoiser
from .schedule import Schedule

GROUPS = 8  # channels are normalised in this many groups


class UNet(Denoiser):
    """A denoiser of pictures (B, channels, H, W) of any size: eps_hat = model(xt, t, cond).

    `attributes` says how many values each attribute has: (10,) for a class of ten, () for no condition. `cond`
    holds one whole number 0 … n−1 an attribute, shape (B, k), or (B,) if there is but one; −1 means "not said".
    No `cond` at all is the null condition: nothing said. Sizes that 4 does not divide are padded inside.

    >>> from diffusion_course.schedule import cosine
    >>> model = UNet(cosine(), channels=1, attributes=(10,))
    >>> model(torch.zeros(2, 1, 28, 28), t=500, cond=torch.tensor([3, -1])).shape
    torch.Size([2, 1, 28, 28])
    """

    def __init__(
        self, schedule: Schedule, channels: int = 3, attributes: Sequence[int] = (), *, output: str = "v",
        widths: Sequence[int] = (80, 160),
    ) -> None:  # fmt: skip
        attributes, widths = wholes(attributes, "attributes"), wholes(widths, "widths")
        super().__init__(schedule, output=output, channels=channels, attributes=attributes, widths=widths)
        self.shape = whole(channels, "channels"), "H", "W"
        if len(widths) != 2 or any(width % GROUPS for width in widths):
            raise ValueError(f"widths must be two multiples of {GROUPS}, the fine grid's and the coarse, not {widths}.")
        fine, coarse = widths
        self.context = Context(attributes, coarse)
        self.stem = nn.Conv2d(4 * channels, fine, 3, padding=1)
        self.before = nn.ModuleList([Block(fine, coarse), Block(fine, coarse)])
        self.down = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)
        self.middle = nn.ModuleList([Block(coarse, coarse), SelfAttention(coarse), Block(coarse, coarse)])
        self.up = nn.Conv2d(coarse, fine, 1)
        self.join = nn.Conv2d(2 * fine, fine, 1)
        self.after = nn.ModuleList([Block(fine, coarse), Block(fine, coarse)])
        self.head = nn.Sequential(nn.GroupNorm(GROUPS, fine), nn.SiLU(), nn.Conv2d(fine, 4 * channels, 3, padding=1))

    def answer(self, xt: Tensor, time: Tensor, cond: Tensor | None = None) -> Tensor:
        """ε, x_0 or v, as `output` says, for pictures (B, channels, H, W)."""
        context = self.context(time, cond)
        return self.through(xt, context, partial(in_turn, self.middle, context=context))

    def through(self, xt: Tensor, context: Tensor, middle: Callable) -> Tensor:
        """What becomes of x_t on its way: fine, coarse, where `middle` looks at it, and fine again."""
        height, width = xt.shape[-2:]
        if height % 4 or width % 4:
            xt = F.pad(xt, (0, -width % 4, 0, -height % 4), mode="replicate")
        skip = in_turn(self.before, self.stem(F.pixel_unshuffle(xt, 2)), context)
        x = doubled(self.up(middle(self.down(skip))))
        x = in_turn(self.after, self.join(torch.cat([x, skip], dim=1)), context)
        return F.pixel_shuffle(self.head(x), 2)[..., :height, :width]


def doubled(x: Tensor) -> Tensor:
    """Every pixel four times: (B, C, H, W) → (B, C, 2 H, 2 W).

    As F.interpolate(x, scale_factor=2.0) does, whose gradient is 0 on a CPU in bfloat16 when torch 2.13 compiles it.
    """
    batch, channels, height, width = x.shape
    return x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2).reshape(batch, channels, 2 * height, 2 * width)


class Context(Conditions):
    """What is known beside the picture, as one vector (B, width): the time, and what was said."""

    def __init__(self, attributes: Sequence[int], width: int) -> None:
        super().__init__(attributes, width)
        self.time = nn.Linear(2 * FREQUENCIES, width)
        self.mix = nn.Linear(width, width)

    def forward(self, time: Tensor, cond: Tensor | None = None) -> Tensor:
        context = self.time(time)
        if cond is not None:
            context = context + self.said(cond)
        return F.silu(self.mix(F.silu(context)))


def in_turn(blocks: Iterable[nn.Module], x: Tensor, context: Tensor) -> Tensor:
    """x after one block after another, each given the context."""
    for block in blocks:
        x = block(x, context)
    return x


class Block(nn.Module):
    """x + f(x, context): two 3 × 3 convolutions; between them the context scales and shifts every channel.

    The last convolution starts at zero, so that a fresh network is the identity and the gradient runs through.
    """

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(GROUPS, width), nn.GroupNorm(GROUPS, width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.context = nn.Linear(context, 2 * width)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        scale, shift = self.context(context)[:, :, None, None].chunk(2, dim=1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.norm2(h) * (1 + scale) + shift
        return x + self.conv2(F.silu(h))


class SelfAttention(nn.Module):
    """x + attention: every place of the coarse grid looks at every other, so that far parts agree."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        places = self.norm(x).flatten(2).transpose(1, 2)  # (B, places, width)
        q, k, v = self.query_key_value(places).chunk(3, dim=-1)
        seen = self.out(F.scaled_dot_product_attention(q, k, v))
        return x + seen.transpose(1, 2).reshape(x.shape)
