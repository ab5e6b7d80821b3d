"""A model to put in a network's place, that can be sent to another process as numbers."""

import numpy as np
import torch
from torch import nn


class Affine(nn.Module):
    """A model by two tables, arrays: ε̂ = gain_t (x_t − centre_t); `gain` has shape (T+1,), `centre` (T+1, 2).

    With conditions both have one table more for each, (K, T+1) and (K, T+1, 2); the last is for −1, nothing said.

    So simple that it can be sent to another process as numbers, and yet it holds every exact denoiser of a Gaussian.
    x_t may be an array or a tensor, t a number or (n,) of them. It is a module, with a parameter that changes nothing:
    a sampler may call `model.eval()` or ask where the parameters are, and a loss has a gradient.
    """

    def __init__(self, gain, centre):
        super().__init__()
        self.gain, self.centre = np.asarray(gain), np.asarray(centre)
        self.nothing = nn.Parameter(torch.zeros(()))

    def forward(self, xt, t, cond=-1):
        t = np.asarray(t).astype(int)
        at = (np.asarray(cond).astype(int), t) if self.gain.ndim == 2 else t
        gain, centre = self.gain[at][..., None], self.centre[at]
        if not isinstance(xt, torch.Tensor):
            return gain * (xt - centre)
        return xt.new_tensor(gain) * (xt - xt.new_tensor(centre)) + self.nothing
