"""A quiz: questions with an explanation for every answer, right or wrong. Nothing is scored or stored.

The questions of a lesson are a JSON file in `quizzes/`, a list of {"question", "right", "answers": {answer: why}}, with
formulas between dollars; `right` counts the answers from 0. Shown as radio buttons, which need no kernel; where no
script may run, each answer unfolds on a click.
"""

import html
import json
import re
from pathlib import Path

from .panel import Live

QUIZZES = Path(__file__).with_name("quizzes")
PIECE = re.compile(r"\\sqrt\{|[_^]\{|[_^](.)|\}|([A-Za-z]+)|(.)", re.DOTALL)
TAGS = {"\\": ("√<u>", "</u>"), "_": ("<sub>", "</sub>"), "^": ("<sup>", "</sup>")}


class Quiz(Live):
    """The quiz of one lesson, to end a cell with; choosing an answer explains it.

    Raises ValueError for a lesson that has none.

    >>> len(Quiz("01_intuition").questions) > 3
    True
    """

    def __init__(self, lesson: str) -> None:
        known = sorted(file.stem for file in QUIZZES.glob("*.json"))
        if lesson not in known:
            raise ValueError(f"there is no quiz {lesson!r}; there are {known}.")
        self.questions = json.loads((QUIZZES / f"{lesson}.json").read_text(encoding="utf-8"))
        for each in self.questions:
            answers, right = each["answers"].items(), each.pop("right")
            each["answers"] = [{"text": a, "right": i == right, "because": b} for i, (a, b) in enumerate(answers)]
        plain = "\n".join(question["question"].replace("$", "") for question in self.questions)
        super().__init__("quiz", {"questions": _typeset_all(self.questions)}, _unfolding(self.questions), plain)


def typeset(text: str) -> str:
    r"""`text` as HTML: $x_{t-1}$ with its index below, $10^3$, $\sqrt{ᾱ}$ with its line, `code`, *stress*.

    Raises ValueError for a dollar or a brace that is left open.

    >>> typeset(r"is $x_t$ < $\sqrt{ᾱ_t}$?")
    'is <i>x</i><sub><i>t</i></sub> &lt; √<u>ᾱ<sub><i>t</i></sub></u>?'
    """
    plain, *rest = re.split(r"\$", text)
    if len(rest) % 2:
        raise ValueError(f"{text!r}: a dollar is left open.")
    out = _prose(plain)
    for formula, after in zip(rest[::2], rest[1::2], strict=True):
        out += _formula(formula) + _prose(after)
    return out


def _prose(text: str) -> str:
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)


def _formula(text: str) -> str:
    out, open_ = "", []
    for piece in PIECE.finditer(text):
        token, (index, word, other) = piece[0], piece.groups()
        if token == "}":
            if not open_:
                raise ValueError(f"{text!r}: a brace closes that was never opened.")
            out += open_.pop()
        elif token.endswith("{") and len(token) > 1:
            start, end = TAGS[token[0]]
            out, open_ = out + start, [*open_, end]
        elif index:
            start, end = TAGS[token[0]]
            out += start + _formula(index) + end
        elif word:
            out += f"<i>{word}</i>" if len(word) == 1 else word
        else:
            out += html.escape(other, quote=False)
    if open_:
        raise ValueError(f"{text!r}: a brace is left open.")
    return out


def _typeset_all(questions: list) -> list:
    def answer(one: dict) -> dict:
        return {**one, "text": typeset(one["text"]), "because": typeset(one["because"])}

    return [{"question": typeset(q["question"]), "answers": [*map(answer, q["answers"])]} for q in questions]


def _unfolding(questions: list) -> str:
    """The same without a script: each answer is a summary that unfolds its explanation."""
    parts = []
    for number, question in enumerate(_typeset_all(questions), start=1):
        parts.append(f"<p><b>{number}. {question['question']}</b></p>")
        for answer in question["answers"]:
            verdict = "✓ Right." if answer["right"] else "✗ Not quite."
            parts.append(
                f"<details><summary>{answer['text']}</summary><p><b>{verdict}</b> {answer['because']}</p></details>"
            )
    return "\n".join(parts)
