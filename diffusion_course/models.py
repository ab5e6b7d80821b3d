"""Networks as denoisers: what a trained model is made of before the picture's shape comes in.

A `Denoiser` is a torch module with `eps_hat = model(xt, t)`. Its last layer may answer with any of the three names
of one thing (ε, x_0 or v); `forward` translates the answer. v is the default, because it is never scaled up by a
division: at low noise it is the noise, at high noise the (negated) clean sample, and its size is the data's.

Sources: Salimans & Ho 2022 (arXiv:2202.00512) for v; Vaswani et al. 2017 (arXiv:1706.03762) for sines as an
embedding; Kingma et al. 2021 (arXiv:2107.00630) for log-SNR as the clock; Tancik et al. 2020 (arXiv:2006.10739)
for sines of the position.
"""

import numpy as np
import torch
from torch import nn

from .forward import eps_from_v, eps_from_x0

FREQUENCIES = 16  # of the time embedding, which has a sine and a cosine of each
LOG_SNR_MAX = 20.0  # e^20: beyond the precision of float32; keeps the embedding finite where the SNR is 0


def _eps_from_eps(xt, alpha_bar_t, eps):
    return eps


EPS_FROM = {"eps": _eps_from_eps, "x0": eps_from_x0, "v": eps_from_v}


def time_embedding(log_snr):
    """Sines and cosines of λ = log-SNR, shape (…) → (…, 32): sin ω_1 λ … sin ω_16 λ, cos ω_1 λ … cos ω_16 λ.

    A number as large as t = 1000 would drown x_t, and equal steps of t are not equal steps of difficulty; λ is. The
    ω_i rise geometrically from 0.05 (one swing over the whole range of λ) to 1.5 (neighbouring noise levels differ).

    >>> time_embedding(np.array([0.0, 2.0])).shape
    (2, 32)
    """
    clipped = np.clip(log_snr, -LOG_SNR_MAX, LOG_SNR_MAX)
    angle = np.multiply.outer(clipped, np.geomspace(0.05, 1.5, FREQUENCIES))
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=-1)


class Denoiser(nn.Module):
    """The common part: eps_hat = model(xt, t), where `answer` (of a subclass) gives ε, x_0 or v as `output` says.

    xt has shape (B, …), t is an int or (B,) ints in 1 … T, the result ε̂ has xt's shape. A conditional network
    takes model(xt, t, cond). `config` holds the arguments that rebuild the same architecture.
    Raises ValueError for an unknown `output` and for t outside 1 … T.
    """

    def __init__(self, schedule, output="v", **config):
        super().__init__()
        if output not in EPS_FROM:
            raise ValueError(f"output must be one of {sorted(EPS_FROM)}, not {output!r}.")
        self.schedule, self.output = schedule, output
        self.config = {"output": output, **config}
        embedding = torch.tensor(time_embedding(schedule.log_snr), dtype=torch.float32)
        self.register_buffer("embedding", embedding, persistent=False)  # row t: the embedding of step t

    def forward(self, xt, t, cond=None):
        alpha_bar_t = self.schedule.at(t)
        if (alpha_bar_t == 1).any():
            raise ValueError(f"t must lie in 1 … T = {self.schedule.T}: at t = 0 there is no noise to find.")
        time = self.embedding[t].expand(len(xt), -1)
        answer = self.answer(xt, time) if cond is None else self.answer(xt, time, cond)
        return EPS_FROM[self.output](xt, alpha_bar_t, answer)


class SpiralMLP(Denoiser):
    """A denoiser of points (B, d): three hidden layers of 128 with SiLU. Give it data of standard deviation 1.

    Its inputs are x_t, sines and cosines of x_t, and the time embedding. Near the curve the answer must turn over
    within a hundredth of the data's size; a smooth network of raw coordinates takes far longer to learn that than
    one that is handed waves of length 2π, π, π/2 and π/4 to build it from.

    >>> from diffusion_course.schedule import cosine
    >>> SpiralMLP(cosine())(torch.zeros(5, 2), t=10).shape
    torch.Size([5, 2])
    """

    def __init__(self, schedule, output="v", dim=2):
        super().__init__(schedule, output, dim=dim)
        self.register_buffer("waves", 2.0 ** torch.arange(4), persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(dim * (1 + 2 * len(self.waves)) + 2 * FREQUENCIES, 128), nn.SiLU(),
            nn.Linear(128, 128), nn.SiLU(),
            nn.Linear(128, 128), nn.SiLU(),
            nn.Linear(128, dim),
        )  # fmt: skip

    def answer(self, xt, time):
        angle = (xt[:, :, None] * self.waves).flatten(1)
        return self.layers(torch.cat([xt, angle.sin(), angle.cos(), time], dim=1))
