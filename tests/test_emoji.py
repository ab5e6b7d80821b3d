"""The emoji and their words: what is held out stays out, prompts become ids, colours are seen and turned."""

import numpy as np
import pytest

from diffusion_course.base.words import NOT_SAID
from diffusion_course.beyond.emoji import (
    COLOURS,
    Vocabulary,
    colours,
    emoji,
    main_colour,
    recoloured,
    recoloured_copies,
    vocabulary,
)


@pytest.fixture(scope="module")
def splits():
    return {split: emoji(split) for split in ("train", "names", "pairs")}


@pytest.fixture(scope="module")
def train(splits):
    return splits["train"]


@pytest.fixture(scope="module")
def copies(train):
    return recoloured_copies(train, copies=1)


def test_every_split_holds_pictures_and_words_that_fit(splits, train):
    for split, least in (("train", 7000), ("names", 700), ("pairs", 20)):
        part = splits[split]
        n = len(part.images)
        assert n >= least
        assert part.images.shape == (n, 32, 32, 3) and part.images.dtype == np.uint8
        assert part.words.shape == (n, 16) and part.concept.shape == part.style.shape == (n,)
        assert part.words.min() == NOT_SAID and part.words.max() < len(part.vocabulary)
        assert (part.words != NOT_SAID).any(axis=1).all()
    assert train.x0.shape == (len(train.images), 3, 32, 32) and abs(train.x0).max() <= 1
    with pytest.raises(ValueError, match="names"):
        emoji("test")


def test_no_held_out_name_has_a_drawing_in_training(splits, train):
    held_out = set(splits["names"].concept)
    assert len(held_out) >= 150
    assert held_out.isdisjoint(train.concept)


def test_no_held_out_pair_occurs_in_training_nor_in_its_copies(train, copies):
    assert len(train.pairs) >= 20 and "blue cat" in train.pairs
    for rows in (train.words, copies[1]):
        for pair in train.pairs:
            a, b = train.vocabulary.ids(pair)[:2]
            assert not ((rows == a).any(axis=1) & (rows == b).any(axis=1)).any(), pair


def test_every_picture_is_kept_once(splits):
    everything = np.concatenate([part.images for part in splits.values()])
    assert len(np.unique(everything.reshape(len(everything), -1), axis=0)) == len(everything)


def test_every_word_has_pictures_to_be_learned_from(train):
    count = np.bincount(train.words[train.words != NOT_SAID], minlength=len(train.vocabulary))
    assert np.median(count) >= 8
    assert (count == 0).sum() <= 5  # words that stood only beyond the sixteenth place


def test_a_prompt_is_a_set_of_words_in_any_form():
    words = vocabulary()
    ids = words.ids("a blue cat")
    assert ids.shape == (words.length,)
    assert set(ids) == set(words.ids("Cats, blue")) == set(words.ids("cat blue blue"))
    assert words.text(ids) == "blue cat"
    assert (words.ids("") == NOT_SAID).all()
    assert words.text(words.ids("grey gray")) == "grey"
    assert words.text(words.ids("red heart", also=["noto"])) == "red heart noto"


def test_an_unknown_word_is_named_with_near_ones():
    with pytest.raises(ValueError, match=r"'catt'.*\bcat\b"):
        vocabulary().ids("blue catt")
    with pytest.raises(ValueError, match="at most 2"):
        Vocabulary(["a1", "b1", "c1"], 2).ids("a1 b1 c1")
    refused = {"cat without hat": "'without'", "Not cat": "'not'", "no": "'no'", "!": "no word"}
    for prompt, said in (refused | {word: f"'{word}'" for word in ("кот", "猫", "naïve", "nai\u0308ve")}).items():
        with pytest.raises(ValueError, match=said):
            vocabulary().ids(prompt)


PAINT = {"red": (220, 30, 40), "orange": (250, 140, 20), "yellow": (250, 210, 60), "green": (60, 160, 70),
         "blue": (60, 120, 230), "purple": (130, 70, 200), "pink": (245, 110, 180), "brown": (120, 70, 40),
         "black": (20, 20, 20), "grey": (140, 145, 150)}  # fmt: skip


@pytest.mark.parametrize("name", COLOURS)
def test_a_disc_of_a_colour_has_that_colour(name):
    picture = np.full((1, 32, 32, 3), 255, np.uint8)
    picture[:, 8:24, 8:24] = PAINT[name]
    assert COLOURS[main_colour(picture)[0]] == name
    assert colours(picture).sum() == pytest.approx(1)


def test_a_white_picture_has_no_colour():
    white = np.full((2, 8, 8, 3), 255, np.uint8)
    assert (main_colour(white) == NOT_SAID).all() and not colours(white).any()


def test_turning_hues_by_nothing_or_all_the_way_changes_nothing(train):
    some = train.images[::200]
    for degrees in (0, 360):
        turned = recoloured(some, np.full(len(some), degrees))
        assert abs(turned.astype(int) - some).max() <= 1


def test_turning_keeps_white_and_grey_and_turns_red_into_green():
    picture = np.array([[[(255, 255, 255), (90, 90, 90), (200, 0, 0)]]], np.uint8)
    assert recoloured(picture, [120]).tolist() == [[[[255, 255, 255], [90, 90, 90], [0, 200, 0]]]]


def test_a_recoloured_copy_begins_with_its_new_colour_and_has_no_other(train, copies):
    images, rows, of = copies
    ids = np.array([train.vocabulary.place[colour] for colour in COLOURS])
    assert (ids[main_colour(images)] == rows[:, 0]).all()
    assert (np.isin(rows, ids).sum(axis=1) == 1).all()
    before = train.words[of]
    assert all(set(new[1:]) <= set(old) | {NOT_SAID} for new, old in zip(rows[::50], before[::50], strict=True))


def test_every_unknown_word_is_told_with_what_is_near_and_what_remains():
    with pytest.raises(ValueError) as told:
        vocabulary().ids("a very melancholix purpel cat")
    message = str(told.value)
    assert "melancholix" in message and "'purpel' (near it: purple" in message and "'cat' can be drawn" in message
    assert "'very'" not in message
    with pytest.raises(ValueError) as told:
        vocabulary().ids("x" * 10_000)
    assert len(str(told.value)) < 200 and "near" not in str(told.value)
