"""A judge of emoji: it finds the words of a prompt in a picture, so that samples can be measured.

It learns to tell the name of a real picture, and a word's score is the probability of all names that contain it. Every
tenth drawing is kept from it, and its hit rate on those is what samples are compared with. A word counts as found in a
picture if its score is above that of 99 of 100 real pictures without the word: by chance, once in a hundred times.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diffusion_course.base.words import NOT_SAID
from diffusion_course.beyond.emoji import COLOURS, Emoji, recoloured_copies
from diffusion_course.run import checkpoints

FEATURES = 128
LEAST = 12  # pictures that a word needs to be looked for
FALSE_ALARMS = 0.01


class Judge(nn.Module):
    """Scores (B, len(words)) of words in pictures (B, 3, 32, 32); `features` (B, 128) is what they are read from.

    `words` are ids of the vocabulary, `names[k]` the places in `words` of what the k-th name says; `threshold`, one
    number a word, is what a score must exceed.
    """

    threshold: Tensor
    says: Tensor
    config: dict[str, list]

    def __init__(self, words: Sequence[int], names: Sequence[Sequence[int]]):
        super().__init__()
        self.config = {"words": [int(word) for word in words], "names": [list(map(int, name)) for name in names]}
        self.column = {word: column for column, word in enumerate(self.config["words"])}
        says = torch.zeros(len(names), len(words))
        for row, name in zip(says, self.config["names"], strict=True):
            row[name] = 1
        self.register_buffer("says", says, persistent=False)
        self.register_buffer("threshold", torch.zeros(len(words)))
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2), *_stage(12, 64), *_stage(64, 128),
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(16 * 128, FEATURES),
        )  # fmt: skip
        self.head = nn.Sequential(nn.ReLU(), nn.Dropout(0.3), nn.Linear(FEATURES, len(names)))

    def features(self, x: Tensor) -> Tensor:
        """What the last layer reads, (B, 128)."""
        return self.body(x)

    def named(self, x: Tensor) -> Tensor:
        """Logits of the names, (B, len(names))."""
        return self.head(self.features(x))

    def forward(self, x: Tensor) -> Tensor:
        """The logarithm of each word's probability: of all names that contain it."""
        return (self.named(x).softmax(dim=1) @ self.says).clamp(min=1e-9).log()

    @torch.no_grad()
    def found(self, x: Tensor) -> Tensor:
        """Which words are found in which pictures, (B, len(words)) bool."""
        return torch.cat([self(part) > self.threshold for part in torch.as_tensor(x).split(500)])


checkpoints.NETWORKS["Judge"] = Judge


def _stage(inside: int, outside: int) -> tuple[nn.Module, ...]:
    """Two convolutions, the second of which halves the grid."""
    return (
        nn.Conv2d(inside, outside, 3, padding=1), nn.GroupNorm(8, outside), nn.ReLU(),
        nn.Conv2d(outside, outside, 3, padding=1, stride=2), nn.GroupNorm(8, outside), nn.ReLU(),
    )  # fmt: skip


def make_judge(data: Emoji) -> Judge:
    """A fresh network for all names, and their words that 12 training pictures or more have; colours are measured."""
    count = np.bincount(data.words[data.words != NOT_SAID], minlength=len(data.vocabulary))
    ids = [[data.vocabulary.place.get(word) for word in name.split()] for name in data.names]
    in_names = {word for name in ids for word in name if word is not None and count[word] >= LEAST}
    words = sorted(in_names - {data.vocabulary.place[word] for word in (*COLOURS, "white")})
    column = {word: k for k, word in enumerate(words)}
    return Judge(words, [[column[word] for word in name if word in column] for name in ids])


def train_judge(
    model: Judge, data: Emoji, epochs: int = 24, batch: int = 64, lr: float = 2e-3, seed: int = 0
) -> Iterator[float]:
    """Fit `model` to the training pictures; yield the mean loss after each epoch. It is ready after the last.

    Every tenth drawing (`held_back`) is kept from it. Copies in other colours and small shifts are its only help.
    """
    rng = torch.Generator().manual_seed(seed)
    back = held_back(data)
    part = Emoji(**{**vars(data), "images": data.images[~back], "words": data.words[~back]})
    more, _, rows = recoloured_copies(part, copies=1)
    images = torch.from_numpy(np.concatenate([part.images, more]))
    names = torch.from_numpy(np.concatenate([data.concept[~back], data.concept[~back][rows]]))
    steps = len(images) // batch
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.05)
    decay = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=epochs * steps)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for rows in torch.randperm(len(images), generator=rng)[: steps * batch].split(batch):
            loss = F.cross_entropy(model.named(_shifted(images[rows], rng)), names[rows], label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            decay.step()
            total += loss.item()
        model.eval()
        if epoch == epochs - 1:
            _set_thresholds(model, data.x0[back], has_words(data.words[back], model.config["words"]))
        yield total / steps


def held_back(data: Emoji) -> np.ndarray:
    """Which drawings the network does not see: every tenth."""
    return np.arange(len(data.images)) % 10 == 0


def has_words(rows: np.ndarray, words: Sequence[int]) -> Tensor:
    """Which pictures have which of the words: (n, len(words)) float32 of 0 and 1."""
    table = np.zeros((len(rows), int(max(words)) + 2), np.float32)
    np.put_along_axis(table, np.where(rows > max(words), NOT_SAID, rows), 1, axis=1)  # −1: the last column
    return torch.from_numpy(table[:, words])


@torch.no_grad()
def _set_thresholds(model: Judge, x: np.ndarray, truth: Tensor) -> None:
    scores = model(torch.from_numpy(x)).masked_fill(truth.bool(), float("nan"))
    model.threshold.copy_(torch.nanquantile(scores, 1 - FALSE_ALARMS, dim=0))


def _shifted(images: Tensor, rng: torch.Generator) -> Tensor:
    """A batch as a network takes it, moved by up to two pixels; what comes in from outside is white."""
    x = images.permute(0, 3, 1, 2).float() / 127.5 - 1
    dy, dx = torch.randint(5, (2,), generator=rng).tolist()
    return F.pad(x, (2, 2, 2, 2), value=1.0)[:, :, dy : dy + 32, dx : dx + 32]
