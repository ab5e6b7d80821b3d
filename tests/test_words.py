"""A prompt becomes codes, or is refused with the nearest words that would do."""

import numpy as np
import pytest

from diffusion_course import data
from diffusion_course.base.words import FACE_VALUES, FACE_WORDS, NOT_SAID, face_codes


@pytest.mark.parametrize("phrase", FACE_WORDS)
def test_every_phrase_asks_for_one_attribute(phrase):
    codes, (column, code) = face_codes(f" {phrase.upper()} ,"), FACE_WORDS[phrase]
    assert codes[column] == code and (np.delete(codes, column) == NOT_SAID).all()


def test_every_value_has_its_phrase():
    assert len(FACE_WORDS) == len(set(FACE_WORDS.values())) == sum(len(values) for values in FACE_VALUES.values())


@pytest.mark.parametrize(
    "prompt, same",
    [
        ("hat and blue hair", "blue hair, hat"),
        ("a hat; with glasses", "hat, glasses"),
        ("without a hat, not happy", "no hat, no happy"),
        ("hat, hat", "hat"),
        ("", " , ,"),
    ],
)
def test_ways_to_say_the_same(prompt, same):
    assert np.array_equal(face_codes(prompt), face_codes(same))


def test_the_codes_are_those_of_the_pictures():
    faces = data.faces("test")
    asked = face_codes("hat, blue hair")
    found = (faces.codes == asked)[:, asked != NOT_SAID].all(axis=1)
    wanted = faces.attributes["hat"] & (faces.attributes["hair_colour"] == "blue")
    assert np.array_equal(found, wanted) and found.any()


@pytest.mark.parametrize(
    "prompt, said",
    [
        ("a cap", "know no 'cap'"),
        ("blu hair", "Did you mean blue hair"),
        ("hat, no hat", "contradicts itself at 'no hat'"),
        ("red hair, blue hair", "contradicts itself"),
        (None, "the prompt is None; it must be text"),
        (7, "it must be text"),
    ],
)
def test_what_is_not_understood_is_refused(prompt, said):
    with pytest.raises(ValueError, match=said):
        face_codes(prompt)


def test_where_nothing_is_near_all_that_is_known_is_told():
    with pytest.raises(ValueError) as caught:
        face_codes("xyzzy")
    words = {word for phrase in FACE_WORDS for word in phrase.split()}
    assert all(word in str(caught.value) for word in words)
