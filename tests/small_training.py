"""Networks so small, and data so few, that a test can train them."""

import numpy as np
import torch
from torch import nn

from diffusion_course import data, models, schedule, training, unet

COSINE = schedule.cosine(T=100)
POINTS = data.spiral(256, rng=np.random.default_rng(0))


class Affine(nn.Module):
    """ε̂ = weight · x_t: the smallest network there is."""

    schedule = COSINE

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.1))

    def forward(self, xt, t):
        return self.weight * xt


def fresh(seed=0, output="v", **options):
    torch.manual_seed(seed)
    return models.SpiralMLP(COSINE, output=output, **options)


def pictures_network(seed=0, attributes=()):
    torch.manual_seed(seed)
    return unet.UNet(COSINE, 1, attributes, widths=(8, 16))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def run(model=None, x0=POINTS, cond=None, steps=20, **options):
    """Twenty steps of a small network, unless told otherwise."""
    options = {"batch": 32, "rng": generator(), **options}
    return training.train(fresh() if model is None else model, x0, cond, steps=steps, **options)


choose_machine = training.choose_machine


def forced(monkeypatch, **choice):
    """Steps are computed in this way, whatever the hardware."""
    monkeypatch.setattr(training, "choose_machine", lambda x0: choose_machine(x0)._replace(**choice))


def losses(records):
    return [record.loss.item() for record in records]


def pictures(n=64):
    return torch.rand(n, 1, 8, 8, generator=generator()) * 2 - 1


CASES = {  # network, data, conditions, weight of the loss
    "points": (fresh, POINTS, None, None),
    "conditional points": (lambda: fresh(attributes=(3,)), POINTS, torch.arange(256) % 3, "v"),
    "pictures": (pictures_network, pictures(), None, None),
    "conditional pictures": (lambda: pictures_network(attributes=(2, 3)), pictures(), torch.ones(64, 2).long(), "v"),
}
