"""The judge of emoji: says which words a picture shows, so that samples can be measured against their prompts.

It is trained on real pictures, of which it never sees a tenth; on those its hit rate is what samples are compared with.
A word counts as found in a picture if its score is above that of 99 of 100 real pictures without the word: a picture
of something else has a word by chance once in a hundred times.
"""

from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ..data import NOT_SAID
from ..emoji import COLOURS, Emoji, recoloured_copies

FEATURES = 128
LEAST = 12  # pictures that a word needs to be judged
FALSE_ALARMS = 0.01


class Judge(nn.Module):
    """Scores (B, len(words)) of words in pictures (B, 3, 32, 32); `features` (B, 128) is what they are read from.

    `words` are ids of the vocabulary; `threshold`, one number a word, is what a score must exceed.
    """

    def __init__(self, words):
        super().__init__()
        self.config = {"words": [int(word) for word in words]}
        self.column = {word: column for column, word in enumerate(self.config["words"])}
        widths = (3, 32, 64, 128)
        self.body = nn.Sequential(
            *(layer for a, b in pairwise(widths) for layer in _stage(a, b)),
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(16 * widths[-1], FEATURES),
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, len(words))
        self.register_buffer("threshold", torch.zeros(len(words)))

    def features(self, x):
        return self.body(x)

    def forward(self, x):
        return self.head(F.relu(self.features(x)))

    @torch.no_grad()
    def found(self, x, word: int):
        """Whether the word with this id is found in each of the pictures, (B,) bool."""
        column = self.column[int(word)]
        return self(torch.as_tensor(x))[:, column] > self.threshold[column]


def _stage(inside, outside):
    return (
        nn.Conv2d(inside, outside, 3, padding=1), nn.GroupNorm(8, outside), nn.ReLU(),
        nn.Conv2d(outside, outside, 3, padding=1, stride=2), nn.GroupNorm(8, outside), nn.ReLU(),
    )  # fmt: skip


def judged_words(data: Emoji) -> np.ndarray:
    """The ids of the words that can be judged: in 12 training pictures or more, and neither a style nor a colour."""
    count = np.bincount(data.words[data.words != NOT_SAID], minlength=len(data.vocabulary))
    other = [data.vocabulary.place[word] for word in (*data.styles, *COLOURS, "white")]
    return np.setdiff1d(np.flatnonzero(count >= LEAST), other)


def train_judge(judge: Judge, data: Emoji, epochs: int = 14, batch: int = 128, lr: float = 2e-3, seed: int = 0):
    """Fit a judge to the training pictures; yield the mean loss after each epoch. It is ready after the last.

    Every tenth drawing (`held_back`) is kept from it. Copies in other colours and small shifts are its only help.
    """
    rng = torch.Generator().manual_seed(seed)
    back = held_back(data)
    part = Emoji(**{**vars(data), "images": data.images[~back], "words": data.words[~back]})
    more, more_words = recoloured_copies(part, copies=1)
    images = torch.from_numpy(np.concatenate([part.images, more]))
    truth = has_words(np.concatenate([part.words, more_words]), judge.config["words"])
    steps = len(images) // batch
    optimiser = torch.optim.AdamW(judge.parameters(), lr=lr, weight_decay=0.05)
    decay = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=epochs * steps)
    for epoch in range(epochs):
        judge.train()
        total = 0.0
        for rows in torch.randperm(len(images), generator=rng)[: steps * batch].split(batch):
            loss = F.binary_cross_entropy_with_logits(judge(_shifted(images[rows], rng)), truth[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            decay.step()
            total += loss.item()
        judge.eval()
        if epoch == epochs - 1:
            _set_thresholds(judge, data.x0[back], has_words(data.words[back], judge.config["words"]))
        yield total / steps


def held_back(data: Emoji) -> np.ndarray:
    """Which drawings the judge does not see: every tenth."""
    return np.arange(len(data.images)) % 10 == 0


def has_words(rows: np.ndarray, words) -> torch.Tensor:
    """Which pictures have which of the words: (n, len(words)) float32 of 0 and 1."""
    table = np.zeros((len(rows), int(max(words)) + 2), np.float32)
    np.put_along_axis(table, np.where(rows > max(words), NOT_SAID, rows), 1, axis=1)  # −1: the last column
    return torch.from_numpy(table[:, words])


@torch.no_grad()
def _set_thresholds(judge, x, truth):
    scores = judge(torch.from_numpy(x)).masked_fill(truth.bool(), float("nan"))
    judge.threshold.copy_(torch.nanquantile(scores, 1 - FALSE_ALARMS, dim=0))


def _shifted(images, rng):
    """A batch as a network takes it, moved by up to two pixels; what comes in from outside is white."""
    x = images.permute(0, 3, 1, 2).float() / 127.5 - 1
    dy, dx = torch.randint(5, (2,), generator=rng).tolist()
    return F.pad(x, (2, 2, 2, 2), value=1.0)[:, :, dy : dy + 32, dx : dx + 32]
