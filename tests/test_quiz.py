"""Every quiz is well formed, is set in HTML, and shows with and without scripts."""

import re
from html.parser import HTMLParser

import pytest

from diffusion_course.lab.quiz import QUIZZES, Quiz, typeset

LESSONS = sorted(file.stem for file in QUIZZES.glob("*.json"))


@pytest.fixture(params=LESSONS)
def quiz(request):
    return Quiz(request.param)


def test_form(quiz):
    assert 4 <= len(quiz.questions) <= 6
    asked = [question["question"] for question in quiz.questions]
    assert len(set(asked)) == len(asked)
    for question in quiz.questions:
        assert set(question) == {"question", "answers"}
        answers = question["answers"]
        assert 3 <= len(answers) <= 5
        assert all(set(answer) == {"text", "right", "because"} for answer in answers)
        assert [answer["right"] for answer in answers].count(True) == 1
        assert len({answer["text"] for answer in answers}) == len({a["because"] for a in answers}) == len(answers)
        for answer in answers:
            assert len(answer["because"]) >= 40 and answer["because"].endswith((".", "?", "!", ")"))


def test_the_right_answer_is_not_always_in_one_place_nor_the_longest(quiz):
    places = [[a["right"] for a in question["answers"]].index(True) for question in quiz.questions]
    longest = [max(range(len(q["answers"])), key=lambda i: len(q["answers"][i]["text"])) for q in quiz.questions]
    assert len(set(places)) > 1 and places != longest


def test_no_formula_is_left_as_raw_text(quiz):
    for question in quiz.questions:
        for text in (question["question"], *(a[key] for a in question["answers"] for key in ("text", "because"))):
            outside = re.sub(r"\$[^$]*\$|`[^`]*`", "", text)
            assert not re.search(r"[_^√ᾱε]|\bx_", outside), outside
            typeset(text)


class Text(HTMLParser):
    """The visible text, and the tags, of a piece of HTML."""

    def __init__(self, source):
        super().__init__()
        self.text, self.tags = "", []
        self.feed(source)

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not attrs


def test_without_scripts_every_answer_unfolds(quiz):
    page = Text(quiz.still)
    assert set(page.tags) <= {"p", "b", "i", "u", "em", "sub", "sup", "code", "details", "summary"}
    assert page.tags.count("details") == sum(len(question["answers"]) for question in quiz.questions)
    assert page.text.count("✓ Right.") == len(quiz.questions)
    assert quiz.still in quiz.html()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a < b & $t < T$", "a &lt; b &amp; <i>t</i> &lt; <i>T</i>"),
        (r"$\sqrt{1−ᾱ_{t−1}} log^2$", "√<u>1−ᾱ<sub><i>t</i>−1</sub></u> log<sup>2</sup>"),
        ("*no* `x_t`", "<em>no</em> <code>x_t</code>"),
        ("<script>$<b>$", "&lt;script&gt;&lt;<i>b</i>&gt;"),
    ],
)
def test_typesetting(text, expected):
    assert typeset(text) == expected


@pytest.mark.parametrize("text", ["$x", r"$\sqrt{x$", "$x}$"])
def test_what_is_left_open_is_refused(text):
    with pytest.raises(ValueError, match="open"):
        typeset(text)


@pytest.mark.parametrize("lesson", ["07_unknown", "", "../check", "01_intuition.json"])
def test_unknown_lesson_is_refused(lesson):
    with pytest.raises(ValueError, match=re.escape(f"no quiz {lesson!r}; there are ['01_intuition'")):
        Quiz(lesson)


def test_nothing_is_kept(quiz):
    """No choice and no score leaves the page."""
    assert not re.search(r"save_changes|\.send\(|localStorage|fetch\(", quiz.html())
