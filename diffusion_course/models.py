"""Networks as denoisers: what a trained model is made of before the picture's shape comes in.

A `Denoiser` is a torch module with `eps_hat = model(xt, t)`. Its last layer may answer with any of the three names
of one thing (ε, x_0 or v); `forward` translates the answer. v is the default, because it is never scaled up by a
division: at low noise it is the noise, at high noise the (negated) clean sample, and its size is the data's.

Sources: Salimans & Ho 2022 (arXiv:2202.00512) for v; Tancik et al. 2020 (arXiv:2006.10739) for sines of the position.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .base.embedding import FREQUENCIES, time_embedding
from .base.refusals import one_of, refuse_other_samples, schedule_of, times_of, whole, wholes
from .base.words import NOT_SAID, codes_for, codes_of
from .forward import Levels, eps_from_v, eps_from_x0, x0_from_eps, x0_from_v
from .machine.capture import Recordings
from .machine.state import unwrapped
from .schedule import Schedule, a_schedule

TRANSLATIONS: dict[str, dict[str, Callable]] = {  # what is wanted: from what the last layer says
    "eps": {"eps": lambda xt, levels, eps: eps, "x0": eps_from_x0, "v": eps_from_v},
    "x0": {"eps": x0_from_eps, "x0": lambda xt, levels, x0: x0, "v": x0_from_v},
}


class Denoiser(nn.Module):
    """The common part: eps_hat = model(xt, t), where `answer` (of a subclass) gives ε, x_0 or v as `output` says.

    xt has shape (B, …); t is an int, or (B,) of any integer type, in 1 … T; ε̂ has xt's shape. A conditional network
    takes model(xt, t, cond). `x0_hat` answers in the same way with x̂_0, for v and x_0 also where ᾱ_t = 0. xt is
    cast to the weights' number format; the answer is float32 (of float64 weights float64). `config` holds the
    arguments that rebuild the same architecture.
    Raises ValueError for an unknown `output`, for another shape of xt, for t outside 1 … T or not whole, and for a
    `cond` that does not fit; values on a GPU or in a compiled graph are not looked at.
    """

    shape: tuple[int | str, ...] | None = None  # of one sample, such as (3, "H", "W"); None: it is not tested
    attributes: tuple[int, ...] = ()  # how many values each attribute has that the network can be told
    embedding: Tensor  # (T+1, 32): row t is the embedding of step t
    signal: Tensor  # (T+1,): √ᾱ_t
    noise: Tensor  # (T+1,): √(1−ᾱ_t)

    def __init__(self, schedule: Schedule, *, output: str = "v", **config: Any) -> None:
        super().__init__()
        self.schedule, self.output = a_schedule(schedule), one_of(output, TRANSLATIONS["eps"], "output")
        self.attributes, self.recordings = tuple(config.get("attributes", ())), Recordings()
        self.config = {"output": output, **config}
        signal, noise = schedule.alpha_bar**0.5, (1 - schedule.alpha_bar) ** 0.5
        tables = {"signal": signal, "noise": noise, "embedding": time_embedding(schedule.log_snr)}
        for name, table in tables.items():
            self.register_buffer(name, torch.tensor(table, dtype=torch.float32), persistent=False)

    def forward(self, xt: Tensor, t: Any, cond: Any = None, want: str = "eps") -> Tensor:
        """ε̂ of x_t at step t, or x̂_0 if `want` is "x0"."""
        one_of(want, TRANSLATIONS, "want")
        if not torch.is_tensor(xt) or not xt.is_floating_point():
            got = getattr(xt, "dtype", type(xt).__name__)
            raise ValueError(f"x_t is {got}: give floats in a tensor (0 … 255 as x / 127.5 − 1).")
        refuse_other_samples(xt, self.shape)
        t = times_of(t, self.schedule.T, len(xt), self.signal.device)
        conditions = () if cond is None else (self.check_cond(cond, len(xt)),)
        xt = xt.to(self.signal.dtype)
        time = self.embedding[t].expand(len(xt), -1)
        answer = self.recordings(self, xt.to(self.embedding.dtype), time, *conditions)
        return TRANSLATIONS[want][self.output](xt, self.levels(t), answer.to(xt.dtype))

    def x0_hat(self, xt: Tensor, t: Any, cond: Any = None) -> Tensor:
        """x̂_0, the clean sample that the network sees in x_t."""
        return self(xt, t, cond, want="x0")

    def answer(self, xt: Tensor, time: Tensor, cond: Tensor | None = None) -> Tensor:
        """What a subclass computes: ε, x_0 or v from x_t, the time embedding (B, 32) and codes (B, k).

        From these and the weights alone: a GPU plays it back as it was recorded (`machine.capture`).
        """
        raise NotImplementedError

    def levels(self, t: int | Tensor) -> Levels:
        """(√ᾱ_t, √(1−ᾱ_t)) at a step or at (B,) steps, from the tables on the device."""
        return Levels(self.signal[t], self.noise[t])

    def check_cond(self, cond: Any, batch: int | None = None) -> Tensor:
        """`cond` as codes (n, k) on the network's device; ValueError says what does not fit.

        (n,) will do for a single attribute. `batch` is the number of samples: n must be that, or 1, a row for all.
        """
        return codes_of(cond, self.attributes, batch, self.signal.device)

    def _apply(self, fn: Callable, recurse: bool = True) -> Denoiser:
        """Where `.to`, `.half` and `.double` pass: the noise levels stay float32, or float64 beside such weights."""
        super()._apply(fn, recurse)
        wide = torch.promote_types(self.embedding.dtype, torch.float32)
        alpha_bar = torch.tensor(self.schedule.alpha_bar)
        self.signal = alpha_bar.sqrt().to(wide).to(self.embedding.device)
        self.noise = (1 - alpha_bar).sqrt().to(wide).to(self.embedding.device)
        return self


class Conditions(nn.Module):
    """What was said, as one vector (B, width): the sum of one learnt vector for each stated attribute."""

    def __init__(self, attributes: Sequence[int], width: int) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(values, width) for values in attributes)

    def said(self, cond: Tensor) -> Tensor:
        """The vector of codes (B, k); an attribute with code −1, not said, adds nothing."""
        vectors = [
            (column != NOT_SAID)[:, None] * table(column.clamp(min=0))
            for table, column in zip(self.tables, cond.T, strict=True)
        ]
        return torch.stack(vectors).sum(0)


class SpiralMLP(Denoiser):
    """A denoiser of points (B, d): three hidden layers of 128 with SiLU. Give it data of standard deviation 1.

    Its inputs are x_t, sines and cosines of x_t, and the time embedding. Near the curve the answer must turn over
    within a hundredth of the data's size; a smooth network of raw coordinates takes far longer to learn that than
    one that is handed waves of length 2π, π, π/2 and π/4 to build it from. With `attributes`, as in `UNet`, what is
    said is added to the time embedding.

    >>> from diffusion_course.schedule import cosine
    >>> SpiralMLP(cosine())(torch.zeros(5, 2), t=10).shape
    torch.Size([5, 2])
    """

    waves: Tensor

    def __init__(
        self, schedule: Schedule, dim: int = 2, attributes: Sequence[int] = (), *, output: str = "v"
    ) -> None:
        attributes = wholes(attributes, "attributes")
        super().__init__(schedule, output=output, dim=dim, attributes=attributes)
        self.shape = (whole(dim, "dim"),)
        self.conditions = Conditions(attributes, 2 * FREQUENCIES)
        self.register_buffer("waves", 2.0 ** torch.arange(4), persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(dim * (1 + 2 * len(self.waves)) + 2 * FREQUENCIES, 128), nn.SiLU(),
            nn.Linear(128, 128), nn.SiLU(),
            nn.Linear(128, 128), nn.SiLU(),
            nn.Linear(128, dim),
        )  # fmt: skip

    def answer(self, xt: Tensor, time: Tensor, cond: Tensor | None = None) -> Tensor:
        """ε, x_0 or v, as `output` says, for points (B, d)."""
        if cond is not None:
            time = time + self.conditions.said(cond)
        angle = (xt[:, :, None] * self.waves).flatten(1)
        return self.layers(torch.cat([xt, angle.sin(), angle.cos(), time], dim=1))


def given(model: Callable, cond: Any) -> Callable:
    """The denoiser `(xt, t) → model(xt, t, cond)`, with `x0_hat` if the model has it: how conditions reach a sampler.

    `cond` is checked once, here, if the model can (`check_cond`): it has one row a sample, or one row for all.
    """
    cond = codes_for(model, cond)

    def denoiser(xt: Any, t: Any) -> Any:
        return model(xt, t, cond)

    denoiser.model = model  # type: ignore[attr-defined]
    if hasattr(model, "x0_hat"):
        denoiser.x0_hat = lambda xt, t: model.x0_hat(xt, t, cond)  # type: ignore[attr-defined]
    return denoiser


def levels_at(model: Any, t: Any) -> Any:
    """The noise levels at t, for the functions of `forward`: a Denoiser's own `Levels`, of any other model ᾱ_t."""
    model = unwrapped(model)
    return model.levels(t) if isinstance(model, Denoiser) else schedule_of(model).at(t)
