"""What the benchmarks share: times in turn, slopes, and the seconds that the lessons' openings tell."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import course
import measure


def test_calls_take_turns_and_the_first_round_does_not_count():
    seen = []
    taken = measure.in_turn({"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}, 3)
    assert "".join(seen) == "ab" + 3 * "ab"
    assert {name: len(seconds) for name, seconds in taken.items()} == {"a": 3, "b": 3}


def test_a_limit_ends_the_rounds_and_leaves_one():
    taken = measure.in_turn({"a": list}, 1000, limit=-1)
    assert len(taken["a"]) == 1


def test_the_ratio_is_that_of_the_turns_not_of_the_means():
    taken = {"ours": np.array([1.0, 1.0, 10.0]), "theirs": np.array([3.0, 3.0, 30.0])}
    assert measure.times_ours(taken, "theirs") == 3
    taken["theirs"][2] = 300.0  # one turn that something else disturbed
    assert measure.times_ours(taken, "theirs") == 3


def test_slope_is_the_power():
    x = np.array([1.0, 2.0, 4.0])
    assert measure.slope(x, 5 * x**1.7) == pytest.approx(1.7)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (1, "5 seconds"), (5, "5 seconds"), (5.1, "10 seconds"), (50, "50 seconds"), (50.1, "a minute"),
        (74, "a minute"), (76, "one and a half minutes"), (121, "two minutes"), (150, "two and a half minutes"),
    ],
)  # fmt: skip
def test_seconds_in_words(seconds, told):
    assert course.words(seconds) == told


OPENING = "**Time**: 75 minutes. All code cells together take about {} on two CPU cores{}, most of them in the race."


def test_seconds_go_into_the_opening_with_and_without_a_gpu():
    alone = course.said(OPENING.format("an age", ""), 31)
    assert alone == OPENING.format("35 seconds", "")
    both = course.said(alone, 12, gpu=True)
    assert both == OPENING.format("35 seconds", ", about 15 seconds with a GPU")
    assert course.said(both, 121) == OPENING.format("two minutes", ", about 15 seconds with a GPU")
    assert course.said(both, 3, gpu=True) == OPENING.format("35 seconds", ", about 5 seconds with a GPU")


def test_an_opening_without_seconds_is_refused():
    with pytest.raises(ValueError, match="All code cells together"):
        course.said("Fifty minutes.", 31)
