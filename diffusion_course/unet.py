"""The image U-Net: look at the picture coarsely, then finely, and say at every pixel what is noise.

    x_t (B, c, H, W) ─ stem ─► H/2 ── down ──► H/4, attention ── up ──► H/2 ─ head ─► (B, c, H, W)
                                 └───────────────── skip ─────────────────┘

The stem folds each 2 × 2 block of pixels into channels and the head unfolds them: no convolution runs at full size,
where it would cost four times as much and see half as far. The coarse grid holds most of the weights and is cheap,
because it has a quarter of the places. The skip hands the fine detail past it.

Source: Ronneberger et al. 2015 (arXiv:1505.04597); Ho et al. 2020 (arXiv:2006.11239), appendix B, for the time
embedding in every block; Dhariwal & Nichol 2021 (arXiv:2105.05233) for scaling and shifting by it.
"""

import torch
from torch import nn
from torch.nn import functional as F

from .data import NOT_SAID
from .models import FREQUENCIES, Denoiser

GROUPS = 8  # channels are normalised in this many groups


class UNet(Denoiser):
    """A denoiser of pictures (B, channels, H, W) with H and W divisible by 4: eps_hat = model(xt, t, cond).

    `attributes` says how many values each attribute has: (10,) for a class of ten, () for no condition. `cond`
    holds one whole number 0 … n−1 an attribute, shape (B, k), or (B,) if there is but one; −1 means "not said".
    No `cond` at all is the null condition: nothing said.

    >>> from diffusion_course.schedule import cosine
    >>> model = UNet(cosine(), channels=1, attributes=(10,))
    >>> model(torch.zeros(2, 1, 28, 28), t=500, cond=torch.tensor([3, -1])).shape
    torch.Size([2, 1, 28, 28])
    """

    def __init__(self, schedule, channels=3, attributes=(), output="v", widths=(80, 160)):
        super().__init__(schedule, output, channels=channels, attributes=list(attributes), widths=list(widths))
        fine, coarse = widths
        self.context = Context(attributes, coarse)
        self.stem = nn.Conv2d(4 * channels, fine, 3, padding=1)
        self.before = Blocks(Block(fine, coarse), Block(fine, coarse))
        self.down = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)
        self.middle = Blocks(Block(coarse, coarse), Attention(coarse), Block(coarse, coarse))
        self.up = nn.Conv2d(coarse, fine, 1)
        self.join = nn.Conv2d(2 * fine, fine, 1)
        self.after = Blocks(Block(fine, coarse), Block(fine, coarse))
        self.head = nn.Sequential(nn.GroupNorm(GROUPS, fine), nn.SiLU(), nn.Conv2d(fine, 4 * channels, 3, padding=1))

    def answer(self, xt, time, cond=None):
        if xt.shape[-1] % 4 or xt.shape[-2] % 4:
            raise ValueError(f"H and W must be multiples of 4, not {tuple(xt.shape[-2:])}: pad the pictures.")
        context = self.context(time, cond)
        skip = self.before(self.stem(F.pixel_unshuffle(xt, 2)), context)
        x = self.middle(self.down(skip), context)
        x = F.interpolate(self.up(x), scale_factor=2.0, mode="nearest")
        x = self.after(self.join(torch.cat([x, skip], dim=1)), context)
        return F.pixel_shuffle(self.head(x), 2)


class Context(nn.Module):
    """What is known beside the picture, as one vector (B, width): the time, plus one vector a stated attribute."""

    def __init__(self, attributes, width):
        super().__init__()
        self.attributes = tuple(attributes)
        self.time = nn.Linear(2 * FREQUENCIES, width)
        self.tables = nn.ModuleList(nn.Embedding(values, width) for values in attributes)
        self.mix = nn.Linear(width, width)

    def forward(self, time, cond=None):
        context = self.time(time)
        if cond is not None:
            columns = self._columns(torch.as_tensor(cond, device=time.device), len(time))
            for table, column in zip(self.tables, columns.T, strict=True):
                said = (column != NOT_SAID)[:, None]
                context = context + said * table(column.clamp(min=0))
        return F.silu(self.mix(F.silu(context)))

    def _columns(self, cond, batch):
        columns = cond[:, None] if cond.ndim == 1 else cond
        if tuple(columns.shape) != (batch, len(self.attributes)):
            raise ValueError(
                f"cond has shape {tuple(cond.shape)}; for {batch} pictures and {len(self.attributes)} attributes "
                f"it must be ({batch}, {len(self.attributes)})."
            )
        most = columns.new_tensor(self.attributes)
        if ((columns < NOT_SAID) | (columns >= most)).any():
            raise ValueError(f"cond must hold 0 … n−1 (n = {self.attributes}) or −1 for not said; got {cond}.")
        return columns


class Blocks(nn.ModuleList):
    """Blocks one after another, each given the context."""

    def __init__(self, *blocks):
        super().__init__(blocks)

    def forward(self, x, context):
        for block in self:
            x = block(x, context)
        return x


class Block(nn.Module):
    """x + f(x, context): two 3 × 3 convolutions; between them the context scales and shifts every channel.

    The last convolution starts at zero, so that a fresh network is the identity and the gradient runs through.
    """

    def __init__(self, width, context):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(GROUPS, width), nn.GroupNorm(GROUPS, width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.context = nn.Linear(context, 2 * width)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x, context):
        scale, shift = self.context(context)[:, :, None, None].chunk(2, dim=1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.norm2(h) * (1 + scale) + shift
        return x + self.conv2(F.silu(h))


class Attention(nn.Module):
    """x + attention: every place of the coarse grid looks at every other, so that far parts agree."""

    def __init__(self, width):
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)

    def forward(self, x, context):
        places = self.norm(x).flatten(2).transpose(1, 2)  # (B, places, width)
        q, k, v = self.query_key_value(places).chunk(3, dim=-1)
        seen = self.out(F.scaled_dot_product_attention(q, k, v))
        return x + seen.transpose(1, 2).reshape(x.shape)
