"""A small classifier of the course's pictures: its features are the eyes with which samples are judged.

It reads a picture's attributes (or its class) from 64 features. Two sets of pictures with the same means and
covariances of these features look alike to it; `metrics.frechet` measures by how much they differ.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from .machine import choose_machine

FEATURES = 64


class Classifier(nn.Module):
    """Logits of every value of every attribute, for pictures (B, channels, H, W).

    `attributes` says how many values each attribute has: (10,) for ten classes. `features(x)` (B, 64) is what the
    last layer reads; `predict(x)` (B, k) the most likely value of each attribute.
    """

    def __init__(self, channels, attributes):
        super().__init__()
        self.config = {"channels": channels, "attributes": list(attributes)}
        self.attributes = tuple(attributes)
        widths = (channels, 32, 64, 64)
        self.body = nn.Sequential(
            *(layer for a, b in pairwise(widths) for layer in _stage(a, b)),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * widths[-1], FEATURES),
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, sum(attributes))

    def features(self, x):
        return self.body(x)

    def forward(self, x):
        return self.head(F.relu(self.features(x)))

    def predict(self, x):
        return torch.stack([part.argmax(1) for part in self(x).split(self.attributes, dim=1)], dim=1)


def _stage(inside, outside):
    """Two convolutions, the second of which halves the grid."""
    return (
        nn.Conv2d(inside, outside, 3, padding=1), nn.GroupNorm(8, outside), nn.ReLU(),
        nn.Conv2d(outside, outside, 3, padding=1, stride=2), nn.GroupNorm(8, outside), nn.ReLU(),
    )  # fmt: skip


def train_classifier(model, x0, codes, *, epochs=8, batch=128, lr=2e-3, rng=None):
    """Fit `model` to pictures x0 and their attributes `codes` (n, k); yield the mean loss after each epoch."""
    rng = torch.Generator() if rng is None else rng
    x0, codes = torch.as_tensor(x0), torch.as_tensor(codes).reshape(len(x0), -1)
    machine = choose_machine(x0)
    batches = len(x0) // batch
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.05)
    decay = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=epochs * batches)
    model.train()
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x0), generator=rng)[: batches * batch].split(batch):
            with machine.at_work(), machine.precision():
                logits = model(x0[rows]).split(model.attributes, dim=1)
                loss = sum(F.cross_entropy(part, code) for part, code in zip(logits, codes[rows].T, strict=True))
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                decay.step()
            total += loss.item()
        yield total / batches
    model.eval()


@torch.no_grad()
def accuracy(model, x, codes):
    """Share of right answers over all pictures x and all attributes `codes` (n, k) or (n,); −1 is not counted."""
    codes = torch.as_tensor(codes).reshape(len(x), -1)
    found = torch.cat([model.predict(part) for part in torch.as_tensor(x).split(500)])
    return (found == codes)[codes >= 0].float().mean().item()
