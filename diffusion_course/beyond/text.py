"""Pictures from words: a text encoder reads the prompt, and the U-Net's places look at the words.

    words (B, L) ─► one vector a word ─► transformer: every word looks at every other ─┬─► (B, 1 + L, width) ─► keys
                                                                                       └─► their mean ─► context, sketch
    x_t ─► U-Net, whose coarse places ask: "which of the words is mine?"                             (cross-attention)

In pure noise nothing tells where the top of a heart is, and words have no places. So a linear layer turns the mean of
the words into a rough drawing of what they mean, the sketch, which is added to the coarse grid.

Word ids have no order: a prompt is a set of words, as the pictures' keywords are. −1 means "no word"; a row of −1 is
the null condition. In front of the words stands one learned token, "a picture", so that there is always something
to look at. The mean of all tokens goes, beside the time, into every block.

Source: Vaswani et al. 2017 (arXiv:1706.03762) for attention; Nichol et al. 2021 (arXiv:2112.10741) and Rombach et al.
2021 (arXiv:2112.10752) for pictures that look at words.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..base.arrays import may_read
from ..base.embedding import FREQUENCIES
from ..base.refusals import tensor_of, whole, whole_numbers
from ..base.words import NOT_SAID, sent
from ..schedule import Schedule
from ..unet import GROUPS, Block, UNet

SIZE = 32  # pixels a side that the sketch is drawn for; other sizes stretch it
PENCILS = 48  # numbers a place that the sketch has
HEAD = 32  # numbers by which one attention head compares


class TextUNet(UNet):
    """A U-Net of pictures (B, channels, H, W) of any size that reads: eps_hat = model(xt, t, cond).

    `cond` (B, L) holds ids 0 … vocabulary−1 of words in any order, −1 for "no word"; None is the null condition.

    >>> from diffusion_course.schedule import cosine
    >>> model = TextUNet(cosine(), vocabulary=10, widths=(16, 32), text=32)
    >>> model(torch.zeros(2, 3, 32, 32), t=500, cond=torch.tensor([[3, 7], [-1, -1]])).shape
    torch.Size([2, 3, 32, 32])
    """

    def __init__(self, schedule: Schedule, vocabulary: int, channels: int = 3, *, output: str = "v",
                 widths: Sequence[int] = (64, 192), text: int = 192, blocks: int = 3):  # fmt: skip
        super().__init__(schedule, channels, output=output, widths=widths)
        for name, number in (("vocabulary", vocabulary), ("text", text), ("blocks", blocks)):
            whole(number, name)
        if text % HEAD or widths[1] % HEAD:
            raise ValueError(f"text and the second width must be multiples of {HEAD}, not {text} and {widths[1]}.")
        self.config = {"output": output, "vocabulary": vocabulary, "channels": channels, "widths": list(widths),
                       "text": text, "blocks": blocks}  # fmt: skip
        coarse = widths[1]
        del self.context  # of words it is made by these:
        self.encoder = TextEncoder(vocabulary, text)
        self.time = nn.Sequential(nn.Linear(2 * FREQUENCIES, coarse), nn.SiLU(), nn.Linear(coarse, coarse))
        self.summary = nn.Linear(text, coarse)
        self.sketch = Sketch(text, coarse)
        self.middle = nn.ModuleList(ReadingBlock(coarse, text) for _ in range(blocks))  # type: ignore[assignment]

    def answer(self, xt: Tensor, time: Tensor, cond: Tensor | None = None) -> Tensor:
        """ε, x_0 or v, as `output` says, for pictures (B, channels, H, W) and word ids (B, L)."""
        if cond is None:
            cond = torch.full((len(xt), 1), NOT_SAID, device=xt.device)
        tokens, said = self.encoder(cond)
        gist = (tokens * said[:, :, None]).sum(1) / said.sum(1, keepdim=True)  # the mean of what is there
        context = F.silu(self.time(time) + self.summary(gist))

        def middle(x: Tensor) -> Tensor:
            x = x + self.sketch(gist, x.shape[2:])
            for block in self.middle:
                x = block(x, context, tokens, said)
            return x

        return self.through(xt, context, middle)

    def check_cond(self, cond: Any, batch: int | None = None) -> Tensor:
        """`cond` as word ids (n, L) on the network's device; ValueError says what does not fit.

        `batch` is the number of pictures: n must be that, or 1, a row for all.
        """
        ids, most = tensor_of(cond, "cond"), self.config["vocabulary"]
        if not whole_numbers(ids) or ids.ndim != 2 or len(ids) not in (1, len(ids) if batch is None else batch):
            for_them = "" if batch is None else f" for {batch} pictures"
            raise ValueError(f"cond is {ids.dtype} of shape {tuple(ids.shape)}; give whole numbers (n, L){for_them}.")
        if may_read(ids) and ((ids < NOT_SAID) | (ids >= most)).any():
            raise ValueError(f"word ids run from 0 to {most - 1}, and −1 is no word; got {ids.min()} … {ids.max()}.")
        return sent(ids.long(), self.signal.device).expand(len(ids) if batch is None else batch, -1)


@torch.no_grad()
def questions(model: TextUNet, xt: Tensor, t: int, cond: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
    """What the places of the first picture ask the words while x_t is denoised: (q, k, v) of each block and head.

    q (places, 32) belongs to the coarse grid, row by row; k and v (1 + words, 32) to the token in front and the words
    that are said. What a head answers is softmax(q kᵀ / √32) v.
    """
    kept: list[tuple[Tensor, Tensor, Tensor]] = []

    def keep(attention: Any, inputs: tuple) -> None:
        x, tokens, said = inputs
        layers = ((attention.query, x), (attention.key, tokens), (attention.value, tokens))
        q, k, v = (Attention._heads(layer(some))[0] for layer, some in layers)  # each (heads, …, 32)
        kept.extend(zip(q, k[:, said[0]], v[:, said[0]], strict=True))

    hooks = [block.words.register_forward_pre_hook(keep) for block in model.middle]
    try:
        model(xt, t, cond)
    finally:
        for hook in hooks:
            hook.remove()
    return kept


class Sketch(nn.Module):
    """What the words alone say of each place: their mean (B, text) → a rough drawing (B, width, h, w).

    It starts at zero.
    """

    def __init__(self, text: int, width: int) -> None:
        super().__init__()
        self.draw = nn.Linear(text, PENCILS * (SIZE // 4) ** 2)
        self.colour = nn.Conv2d(PENCILS, width, 1)
        nn.init.zeros_(self.colour.weight)

    def forward(self, gist: Tensor, size: Sequence[int]) -> Tensor:
        drawn = self.colour(self.draw(gist).unflatten(1, (PENCILS, SIZE // 4, SIZE // 4)))
        return drawn if drawn.shape[2:] == tuple(size) else F.interpolate(drawn, tuple(size), mode="bilinear")


class TextEncoder(nn.Module):
    """Words (B, L) → tokens (B, 1 + L, width) that know of each other, and which are there, (B, 1 + L) bool."""

    def __init__(self, vocabulary: int, width: int, depth: int = 2):
        super().__init__()
        self.start = nn.Parameter(torch.randn(width))
        self.table = nn.Embedding(vocabulary, width)
        self.layers = nn.ModuleList(TextLayer(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, cond: Tensor) -> tuple[Tensor, Tensor]:
        words = self.table(cond.clamp(min=0))
        tokens = torch.cat([self.start.expand(len(cond), 1, -1), words], dim=1)
        said = F.pad(cond != NOT_SAID, (1, 0), value=True)  # the token in front is always there
        for layer in self.layers:
            tokens = layer(tokens, said)
        return self.norm(tokens), said


class TextLayer(nn.Module):
    """One layer of the transformer: look at the other words, then think about what was seen."""

    def __init__(self, width: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.look = Attention(width, width)
        self.think = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, tokens: Tensor, said: Tensor) -> Tensor:
        normed = self.norm1(tokens)
        tokens = tokens + self.look(normed, normed, said)
        return tokens + self.think(self.norm2(tokens))


class Attention(nn.Module):
    """Each query (B, n, width) gets a mean of values of `source` (B, m, …), weighted by how well their keys fit it.

        weights = softmax(q kᵀ / √d) over the source (where `said`),   answer = weights v

    Several heads do so side by side, on 32 numbers each.
    """

    def __init__(self, width: int, source: int):
        super().__init__()
        self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(source, width), nn.Linear(source, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, source: Tensor, said: Tensor | None = None) -> Tensor:
        value = self._heads(self.value(source))
        return self.out((self.weights(x, source, said) @ value).transpose(1, 2).flatten(2))

    def weights(self, x: Tensor, source: Tensor, said: Tensor | None = None) -> Tensor:
        """The weights (B, heads, n, m): which query looks where. Each row sums to 1; what is not `said` gets 0."""
        query, key = self._heads(self.query(x)), self._heads(self.key(source))
        fit = query @ key.transpose(2, 3) * HEAD**-0.5
        if said is not None:
            fit = fit.masked_fill(~said[:, None, None, :], -torch.inf)
        return fit.softmax(dim=-1).to(fit.dtype)

    @staticmethod
    def _heads(x: Tensor) -> Tensor:
        return x.unflatten(2, (-1, HEAD)).transpose(1, 2)  # (B, heads, n, 32)


class ReadingBlock(nn.Module):
    """A block of the coarse grid: convolve, look at all other places, look at the words."""

    def __init__(self, width: int, text: int):
        super().__init__()
        self.convolve = Block(width, width)
        self.norm1, self.norm2 = nn.GroupNorm(GROUPS, width), nn.GroupNorm(GROUPS, width)
        self.places, self.words = Attention(width, width), Attention(width, text)
        for attention in (self.places, self.words):
            nn.init.zeros_(attention.out.weight)

    def forward(self, x: Tensor, context: Tensor, tokens: Tensor, said: Tensor) -> Tensor:
        x = self.convolve(x, context)
        places = self.norm1(x).flatten(2).transpose(1, 2)  # (B, places, width)
        x = x + self.places(places, places).transpose(1, 2).reshape(x.shape)
        places = self.norm2(x).flatten(2).transpose(1, 2)
        return x + self.words(places, tokens, said).transpose(1, 2).reshape(x.shape)
