"""Every quiz is well formed, shows with and without widgets, and keeps no score."""

import re
from html.parser import HTMLParser

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from ipywidgets import DOMWidget

from diffusion_course.lab.quiz import QUIZZES, Quiz

LESSONS = sorted(file.stem for file in QUIZZES.glob("*.json"))
VIEW = "application/vnd.jupyter.widget-view+json"


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
        assert all(type(answer["right"]) is bool for answer in answers)
        assert len({answer["text"] for answer in answers}) == len(answers)
        assert len({answer["because"] for answer in answers}) == len(answers)
        for text in (question["question"], *(answer["text"] for answer in answers)):
            assert text == text.strip() and text
        for answer in answers:
            assert len(answer["because"]) >= 20 and answer["because"].endswith((".", "?", "!", ")"))


def test_the_right_answer_is_not_always_in_one_place(quiz):
    places = {[a["right"] for a in question["answers"]].index(True) for question in quiz.questions}
    assert len(places) > 1


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


def test_without_widgets_every_answer_unfolds(quiz):
    page = Text(quiz.html())
    assert set(page.tags) == {"p", "b", "details", "summary"}
    assert page.tags.count("details") == sum(len(question["answers"]) for question in quiz.questions)
    assert page.text.count("✓ Right.") == len(quiz.questions)
    for number, question in enumerate(quiz.questions, start=1):
        assert f"{number}. {question['question']}" in page.text
        for answer in question["answers"]:
            verdict = "✓ Right." if answer["right"] else "✗ Not quite."
            assert f"{answer['text']}{verdict} {answer['because']}" in page.text


def test_html_is_escaped():
    quiz = Quiz(LESSONS[0])
    evil = "<script>alert('x & y')</script>"
    quiz.questions = [{"question": evil, "answers": [{"text": evil, "right": True, "because": evil}]}]
    assert "<script" not in quiz.html()
    assert quiz.html().count("&lt;script&gt;alert(&#x27;x &amp; y&#x27;)&lt;/script&gt;") == 3


@pytest.mark.parametrize("lesson", ["07_unknown", "", "../check", "01_intuition.json"])
def test_unknown_lesson_is_refused(lesson):
    with pytest.raises(ValueError, match=re.escape(f"no quiz {lesson!r}; there are ['01_intuition'")):
        Quiz(lesson)


def test_display_carries_widget_and_fallbacks(quiz):
    shell = InteractiveShell.instance()
    shell.push({"quiz": quiz})
    with capture_output() as captured:
        shell.run_cell("quiz")
    InteractiveShell.clear_instance()
    (output,) = captured.outputs
    assert set(output.data) == {"text/plain", "text/html", VIEW}
    assert output.data[VIEW]["model_id"] == quiz.model_id
    assert output.data["text/html"] == quiz.html()
    assert output.data["text/plain"].splitlines() == [q["question"] for q in quiz.questions]


def test_nothing_is_kept(quiz):
    """All that browser and kernel share is the questions: no choice, no score."""
    own = {key for key in quiz.keys if not key.startswith("_")} - set(DOMWidget().keys)
    assert own == {"questions"}
    assert not re.search(r"save_changes|\.send\(|localStorage|\.set\(", quiz._esm)
