"""A quiz: questions with an explanation for every answer, right or wrong. Nothing is scored or stored.

The questions of a lesson are a JSON file in `quizzes/`: a list of {"question", "answers": [{"text", "right",
"because"}, …]}. Shown as radio buttons, which need no kernel; where no widget can be shown, each answer
unfolds on a click.
"""

import html
import json
from pathlib import Path

import anywidget
import traitlets
from IPython.display import display

QUIZZES = Path(__file__).with_name("quizzes")


class Quiz(anywidget.AnyWidget):
    """The quiz of one lesson, made to be the last line of a cell; choosing an answer explains it.

    Raises ValueError for a lesson that has none.

    >>> len(Quiz("01_intuition").questions)
    6
    """

    _esm = Path(__file__).with_suffix(".js")
    _css = Path(__file__).with_suffix(".css")
    questions = traitlets.List().tag(sync=True)

    def __init__(self, lesson: str):
        known = sorted(file.stem for file in QUIZZES.glob("*.json"))
        if lesson not in known:
            raise ValueError(f"there is no quiz {lesson!r}; there are {known}.")
        super().__init__(questions=json.loads((QUIZZES / f"{lesson}.json").read_text(encoding="utf-8")))

    def html(self) -> str:
        """The same without a widget: each answer is a summary that unfolds its explanation."""
        parts = []
        for number, question in enumerate(self.questions, start=1):
            parts.append(f"<p><b>{number}. {html.escape(question['question'])}</b></p>")
            for answer in question["answers"]:
                text, because = html.escape(answer["text"]), html.escape(answer["because"])
                verdict = "✓ Right." if answer["right"] else "✗ Not quite."
                parts.append(f"<details><summary>{text}</summary><p><b>{verdict}</b> {because}</p></details>")
        return "\n".join(parts)

    def _ipython_display_(self, **_):  # ipywidgets 7 and 8 both show themselves through this, if it is there
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        bundle = {"text/plain": "\n".join(question["question"] for question in self.questions)}
        bundle |= {"text/html": self.html(), "application/vnd.jupyter.widget-view+json": view}
        display(bundle, raw=True)
