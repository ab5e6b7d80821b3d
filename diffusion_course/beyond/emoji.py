"""Emoji: small pictures with words. What a prompt asks of them, and which colours they show.

A prompt is a set of words: "blue cat" and "cat, blue" are the same, as the pictures' own keywords have no order. Each
word is a place in a vocabulary; a row of ids has a fixed length and is filled up with −1, "no word".
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..base.files import load, pictures
from ..base.refusals import one_of
from ..base.words import NEGATIONS, NOT_SAID

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "grey")
HUES = {"red": 14, "orange": 40, "yellow": 68, "green": 165, "blue": 250, "purple": 292, "pink": 345}  # degrees, up to
COMMON = frozenset(  # what everyone asks for; a network that is small and sees few pictures learns what it sees often
    """apple airplane alien automobile ball balloon banana basketball bear bicycle bird blossom book bread bus butterfly
    cactus cake car carrot castle cat cherries chick chicken circle cloud cookie cow cream crown dog dolphin doughnut
    dragon duck egg elephant face fire fish fox frog ghost gift grapes guitar hamburger heart honeybee horse house key
    lantern leaf lemon lion monkey moon mouse mushroom octopus owl panda peach pear penguin pig pineapple pizza rabbit
    rainbow robot rocket rose sailboat ship skull snail snake snowman soccer spider square star strawberry sun sunflower
    tiger tomato train tree tulip turtle umbrella watermelon whale wolf""".split()
)
LEFT_OUT = frozenset("a an and at in of on or s the to with for by is my very".split())  # no picture
OTHERS = "Try others: 'blue cat', 'red heart' and 'moon' can be drawn."
LONGEST = 40  # characters of a word that a message repeats


@dataclass(frozen=True, eq=False)
class Emoji:
    """Small pictures and their words: `images` (n, 32, 32, 3) bytes on white, `words` (n, 16) ids in `vocabulary`.

    `names[concept[i]]` is the i-th picture's name ("cat face"), `styles[style[i]]` the set that drew it. `words` are
    the name, the colour that fills more than half of what is drawn, the style and keywords; −1 is no word.
    """

    images: np.ndarray
    words: np.ndarray
    concept: np.ndarray
    style: np.ndarray
    names: tuple[str, ...]
    styles: tuple[str, ...]
    pairs: tuple[str, ...]
    vocabulary: "Vocabulary"

    @property
    def x0(self) -> np.ndarray:
        """The pictures as a network takes them, float32 (n, 3, 32, 32) in [−1, 1]."""
        return pictures(self.images)

    @property
    def common(self) -> np.ndarray:
        """Which pictures show something `COMMON`, (n,) bool: a word of their name says so."""
        return np.array([not COMMON.isdisjoint(name.split()) for name in self.names])[self.concept]


SPLITS = {"train": 0, "names": 1, "pairs": 2}  # what the file's `split` calls them


def emoji(split: str = "train") -> Emoji:
    """Emoji of six open sets: 7,200 to train on; `"names"`: held-out names; `"pairs"`: held-out colours of things.

    Neither a name in "names" nor a colour and thing of `pairs` ("blue cat") together occur in "train".

    >>> e = emoji("names")
    >>> e.images.shape[1:], e.vocabulary.text(e.words[0]).split()[:2] == e.names[e.concept[0]].split()[:2]
    ((32, 32, 3), True)
    """
    number, file = SPLITS[one_of(split, SPLITS, "split")], load("emoji.npz")
    part = file["split"] == number
    columns = {name: file[name][part].astype(np.int64) for name in ("words", "concept", "style")}
    told = {name: tuple(file[name].tolist()) for name in ("names", "styles", "pairs")}
    return Emoji(file["images"][part], **columns, **told, vocabulary=vocabulary())  # type: ignore[arg-type]


@cache
def vocabulary() -> "Vocabulary":
    """The 2,000 words that pictures have, as a `Vocabulary` of rows of 16 ids."""
    file = load("emoji.npz")
    return Vocabulary(file["vocabulary"].tolist(), file["words"].shape[1])


def recoloured_copies(data: Emoji, copies: int = 2, rng: Any = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`data` in other colours, so that "blue" means blue of anything: pictures, words, and whose copy each is.

    Every picture that has a main colour is turned by 40°…320° of hue, `copies` times. A copy is kept if the new main
    colour is another than before; its word stands first in the row, in place of all colours that stood there. Colours
    and things that are held out together are not made. `rng` is a NumPy Generator or a seed; None is fresh chance.
    """
    rng = np.random.default_rng(rng)
    vocabulary = data.vocabulary
    ids = np.array([vocabulary.place[colour] for colour in COLOURS])
    pairs = [vocabulary.ids(pair)[:2] for pair in data.pairs]
    colour = main_colour(data.images)
    rows = np.tile(np.flatnonzero(colour != NOT_SAID), copies)
    images = recoloured(data.images[rows], rng.uniform(40, 320, len(rows)))
    after = main_colour(images)
    keep = (after != NOT_SAID) & (after != colour[rows])
    images, rows, told = images[keep], rows[keep], ids[after[keep]]
    rest = np.where(np.isin(data.words[rows], ids), NOT_SAID, data.words[rows])
    words = np.concatenate([told[:, None], rest], axis=1)
    order = np.argsort(words == NOT_SAID, axis=1, kind="stable")[:, : vocabulary.length]  # words first, then −1
    words = np.take_along_axis(words, order, axis=1)
    held_out = np.any([(words == a).any(axis=1) & (words == b).any(axis=1) for a, b in pairs], axis=0)
    return images[~held_out], words[~held_out], rows[~held_out]


class Vocabulary:
    """The words that a network knows; `vocabulary.ids("blue cat")` are their places, filled up with −1.

    >>> words = Vocabulary(["blue", "cat"], length=4)
    >>> words.ids("two blue cats")
    Traceback (most recent call last):
    ValueError: no picture has the word 'two'. Leave it out: 'blue cats' can be drawn.
    >>> words.ids("a blue cat").tolist(), words.text([1, 0, -1, -1])
    ([0, 1, -1, -1], 'cat blue')
    """

    def __init__(self, words: Sequence[str], length: int):
        self.words, self.length = tuple(words), length
        self.place = {word: place for place, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def known(self, word: str) -> str | None:
        """The word of the vocabulary that `word` is a form of ("cats": cat, "gray": grey), or None."""
        forms = [word, {"gray": "grey"}.get(word), re.sub("s$", "", word), re.sub("es$", "", word)]
        forms += [re.sub("ies$", "y", word), word + "s", re.sub("ves$", "f", word), re.sub("(ing|ed)$", "", word)]
        return next((form for form in forms if form in self.place), None)

    def ids(self, prompt: str, also: Sequence[str] = ()) -> np.ndarray:
        """Ids (length,) int64 of the prompt's words and the words in `also`; "" gives the null condition.

        Raises ValueError for a word that no picture has, naming near ones, for "no", and for none or too many.
        """
        letters = (sign if unicodedata.category(sign)[0] in "LMN" else " " for sign in prompt.lower())
        said = [word for word in "".join(letters).split() if word not in LEFT_OUT]
        if found := [word for word in said if word in NEGATIONS]:
            raise ValueError(f"a prompt can only say what is there: leave out {found[0]!r} and what follows.")
        if prompt.strip() and not said:
            raise ValueError(f"there is no word in the prompt. {OTHERS}")
        asked = said + list(also)
        if any(self.known(word) is None for word in asked):
            raise ValueError(self._refusal(asked))
        places = list(dict.fromkeys(self.place[self.known(word)] for word in asked))  # type: ignore[index]
        if len(places) > self.length:
            raise ValueError(f"the prompt has {len(places)} words; the network reads at most {self.length}.")
        return np.array(places + [NOT_SAID] * (self.length - len(places)), dtype=np.int64)

    def _refusal(self, asked: Sequence[str]) -> str:
        """Which words no picture has, which are spelled nearly so, and what can be drawn without them."""
        strange = [word for word in dict.fromkeys(asked) if self.known(word) is None]
        told = []
        for word in strange:
            near = difflib.get_close_matches(word, self.words, n=3, cutoff=0.7)
            short = word if len(word) <= LONGEST else word[: LONGEST - 1] + "…"
            told.append(repr(short) + (f" (near it: {', '.join(near)})" if near else ""))
        rest = " ".join(dict.fromkeys(word for word in asked if word not in strange))
        many = len(strange) > 1
        others = f"Leave {'them' if many else 'it'} out: {rest!r} can be drawn." if rest else OTHERS
        return f"no picture has the word{'s' * many} {', '.join(told)}. {others}"

    def text(self, ids: Iterable[int]) -> str:
        """The words at `ids`, in their order, with spaces between them."""
        return " ".join(self.words[place] for place in ids if place != NOT_SAID)


def hue_saturation_value(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hue in degrees 0…360, saturation 0…1 and value 0…1 of pictures (…, 3) of bytes 0…255, each of shape (…)."""
    red, green, blue = (np.asarray(images[..., channel], dtype=np.float32) / 255 for channel in range(3))
    value = np.maximum(np.maximum(red, green), blue)
    chroma = value - np.minimum(np.minimum(red, green), blue)
    safe = np.where(chroma == 0, 1, chroma)
    sector = np.select([value == red, value == green], [(green - blue) / safe, 2 + (blue - red) / safe],
                       4 + (red - green) / safe)  # fmt: skip
    return sector % 6 * 60, chroma / np.where(value == 0, 1, value), value


def colours(images: np.ndarray) -> np.ndarray:
    """The share of each of `COLOURS` in what is drawn, (n, 10), for pictures (n, h, w, 3) of bytes on white.

    White is the paper and no ink, so no picture is white. Brown is dark orange; pale red is pink.
    """
    hue, saturation, value = hue_saturation_value(images)
    place = np.searchsorted(list(HUES.values()), hue, side="right") % len(HUES)  # beyond pink: red again
    name = lambda word: COLOURS.index(word)  # noqa: E731
    warm, pale = (hue >= 8) & (hue < 48), ((hue < 14) | (hue >= 320)) & (saturation < 0.5) & (value > 0.8)
    place = np.select([value < 0.3, saturation < 0.22, warm & (value < 0.72), pale],
                      [name("black"), name("grey"), name("brown"), name("pink")], place)  # fmt: skip
    ink = np.minimum(np.minimum(images[..., 0], images[..., 1]), images[..., 2]) < 217
    count = np.stack([((place == k) & ink).sum(axis=(1, 2)) for k in range(len(COLOURS))], axis=1)
    return count / np.maximum(ink.sum(axis=(1, 2)), 1)[:, None]


def main_colour(images: np.ndarray, share: float = 0.5) -> np.ndarray:
    """The place in `COLOURS` of the colour that fills more than `share` of what is drawn, (n,); −1 where none does."""
    shares = colours(images)
    return np.where(shares.max(axis=1) > share, shares.argmax(axis=1), NOT_SAID)


def recoloured(images: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """The pictures (n, h, w, 3) with every hue turned by `degrees` (n,); white, grey and black stay as they are."""
    hue, saturation, value = hue_saturation_value(images)
    hue = (hue + np.reshape(degrees, (-1, 1, 1))) % 360
    channels = []
    for offset in (5, 3, 1):  # red, green, blue: value − chroma · how far the channel's own hue is
        k = (offset + hue / 60) % 6
        channels.append(value * (1 - saturation * np.clip(np.minimum(k, 4 - k), 0, 1)))
    return np.rint(255 * np.stack(channels, axis=-1)).astype(np.uint8)
