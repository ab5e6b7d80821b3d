"""Networks that look at pictures and say what they show, so that samples can be measured (`judges`)."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..machine.hardware import choose_machine


class Classifier(nn.Module):
    """Logits of every value of every attribute, for pictures (B, channels, H, W).

    `attributes` says how many values each attribute has: (10,) for ten classes. `features(x)` (B, 64) is what the
    last layer takes (through a ReLU); `predict(x)` (B, k) the most likely value of each attribute.
    """

    def __init__(self, channels: int, attributes: Any) -> None:
        super().__init__()
        self.config = {"channels": channels, "attributes": list(attributes)}
        self.attributes = tuple(attributes)
        widths = (channels, 32, 64, 64)
        self.body = nn.Sequential(
            *(layer for a, b in pairwise(widths) for layer in _stage(a, b)),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * widths[-1], 64),
        )  # fmt: skip
        self.head = nn.Linear(64, sum(attributes))

    def features(self, x: Tensor) -> Tensor:
        return self.body(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.features(x)))

    def predict(self, x: Tensor) -> Tensor:
        return torch.stack([part.argmax(1) for part in self(x).split(self.attributes, dim=1)], dim=1)


def _stage(inside: int, outside: int) -> tuple[nn.Module, ...]:
    """Two convolutions, the second of which halves the grid."""
    return (
        nn.Conv2d(inside, outside, 3, padding=1), nn.GroupNorm(8, outside), nn.ReLU(),
        nn.Conv2d(outside, outside, 3, padding=1, stride=2), nn.GroupNorm(8, outside), nn.ReLU(),
    )  # fmt: skip


def train_classifier(
    model: Classifier, x0: Any, codes: Any, *, epochs: int = 8, batch: int = 128, lr: float = 2e-3,
    rng: torch.Generator | None = None,
) -> Iterator[float]:  # fmt: skip
    """Fit `model` to pictures x0 and their attributes `codes` (n, k); yield the mean loss after each epoch."""
    rng = torch.Generator() if rng is None else rng
    x0, codes = torch.as_tensor(x0), torch.as_tensor(codes).reshape(len(x0), -1)
    batches = len(x0) // batch
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.05)
    decay = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=epochs * batches)
    model.train()
    for _ in range(epochs):
        total, machine = 0.0, choose_machine(x0)
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
