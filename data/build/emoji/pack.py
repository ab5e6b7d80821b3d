"""Which words, and which split, each emoji gets: the arrays of `data/emoji.npz` from what `render.mjs` wrote."""

import hashlib
import json
from collections import Counter, defaultdict

import numpy as np

from diffusion_course.base.words import NOT_SAID
from diffusion_course.beyond.emoji import COLOURS, main_colour

LENGTH = 16  # words a picture at most; the first are its name, its colour and its style, then keywords
LEAST = 4  # a word that fewer pictures have cannot be learned
HELD_OUT_NAMES = 160
HELD_OUT_PAIRS = (
    "blue cat", "purple dog", "green horse", "pink elephant", "red rabbit", "green pig", "blue tree", "purple car",
    "pink bus", "green rocket", "purple fish", "red frog", "blue bear", "green cake", "blue banana", "purple apple",
    "green star", "orange heart", "green circle", "purple square", "blue book", "red bird", "yellow house",
    "pink bicycle",
)  # fmt: skip
TRAIN, NAME, PAIR = 0, 1, 2  # the values of `split`


def arrays(rgb, records):
    """The arrays by name, in the order in which they are stored; see data/README.md for what they hold."""
    images = rgb.reshape(-1, 32, 32, 3)
    colour = main_colour(images)
    seen = [_seen(record, COLOURS[c] if c >= 0 else None) for record, c in zip(records, colour, strict=True)]
    split = np.zeros(len(images), np.int8)
    pairs = [set(pair.split()) for pair in HELD_OUT_PAIRS]
    split[[any(pair <= set(words) for pair in pairs) for words in seen]] = PAIR
    vocabulary = _vocabulary(records, seen, split)
    held_out = _held_out_names(records, set(vocabulary), split)
    split[[split[i] == TRAIN and record["concept"] in held_out for i, record in enumerate(records)]] = NAME
    place = {word: i for i, word in enumerate(vocabulary)}
    rows = [[place[word] for word in words if word in place][:LENGTH] for words in seen]
    names = sorted({record["concept"] for record in records})
    concept = {name: i for i, name in enumerate(names)}
    styles = list(dict.fromkeys(record["style"] for record in records))
    return {
        "images": images,
        "words": np.array([row + [NOT_SAID] * (LENGTH - len(row)) for row in rows], np.int16),
        "concept": np.array([concept[record["concept"]] for record in records], np.int16),
        "style": np.array([styles.index(record["style"]) for record in records], np.int8),
        "colour": colour.astype(np.int8),
        "split": split,
        "names": np.array(names),
        "styles": np.array(styles),
        "vocabulary": np.array(vocabulary),
        "pairs": np.array(HELD_OUT_PAIRS),
    }


def _seen(record, colour):
    """The words of a picture without repetition: name, colour (unless the name tells one), style, keywords."""
    told = any(word in COLOURS for word in record["name"])
    words = record["name"] + ([] if told or colour is None else [colour]) + [record["style"]] + record["tags"]
    return list(dict.fromkeys(words))


def _vocabulary(records, seen, split):
    """Sorted words that at least `LEAST` pictures have; keywords also must be letters and fit two names or more."""
    count, names = Counter(), defaultdict(set)
    for record, words, part in zip(records, seen, split, strict=True):
        if part == TRAIN:
            count.update(words)
            for word in words:
                names[word].add(record["concept"])
    in_names = {word for record in records for word in record["name"]}

    def fits(word):
        return word in in_names or (word.isalpha() and len(word) > 2 and len(names[word]) > 1)

    return sorted(word for word in count if count[word] >= LEAST and fits(word))


def _held_out_names(records, vocabulary, split):
    """160 names, chosen by hash: of several words, none a colour, each also in another name, with three drawings."""
    drawings = Counter(record["concept"] for record, part in zip(records, split, strict=True) if part == TRAIN)
    with_word = Counter(word for name in drawings for word in set(name.split()))
    chosen, used = [], Counter()
    for name in sorted(drawings, key=lambda name: hashlib.sha256(name.encode()).hexdigest()):
        words = set(name.split())
        shared = all(word in vocabulary and with_word[word] - used[word] > 1 for word in words)
        fits = len(words) > 1 and shared and words.isdisjoint(COLOURS)
        if fits and drawings[name] >= 3 and len(chosen) < HELD_OUT_NAMES:
            chosen.append(name)
            used.update(words)
    return set(chosen)


def read(folder):
    """The arrays from the two files that `render.mjs` wrote into `folder`."""
    return arrays(np.fromfile(folder / "emoji.rgb", np.uint8), json.loads((folder / "emoji.json").read_text()))
