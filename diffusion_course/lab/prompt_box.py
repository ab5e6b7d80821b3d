"""Words in, pictures out: a box to type a prompt into, whose pictures appear as the sampling steps go."""

import difflib
import inspect
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from .. import plots
from ..base.words import NEGATIONS
from ..guidance import guided
from ..samplers import ddim
from .panel import Panel, pack, script, style

BETWEEN = 0.04  # seconds between two pictures that are sent, at least: what a screen can follow
USUAL = {"n": 8, "scale": 3.0, "steps": 20}  # where the painting has no defaults of its own
LINE = 70  # characters of an unexpected error's text


class Paper(anywidget.AnyWidget):
    """The box in the browser: it sends {"draw": {"prompt": …, "n": …, …}} and gets pictures, or why there are none."""

    _esm = script("prompt_box")
    _css = style("prompt_box")
    prompt = traitlets.Unicode().tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)
    styles = traitlets.List().tag(sync=True)
    examples = traitlets.List().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    asked = traitlets.Int().tag(sync=True)
    last = traitlets.Dict().tag(sync=True)  # the finished pictures, for a notebook that is opened again


class PromptBox(Panel):
    """A prompt with its settings above its pictures, to end a cell with. `pictures` is what was drawn last.

    `painting(prompt, n=…, scale=…, steps=…, seed=…, style=…)` yields pictures (n, 3, h, w) in [−1, 1], one batch a
    sampling step, and raises ValueError for a prompt that it does not understand. The first prompt is drawn at once,
    so that a page without a kernel shows it. n, scale and steps begin as the painting has them. `words` (else
    `painting.words`, if there are any) are those that a misunderstood prompt is offered instead; `styles` and
    `examples` can be chosen. `caption` says which picture is which.
    """

    def __init__(
        self, painting: Callable[..., Iterator], prompt: str = "", *, n: int | None = None, scale: float | None = None,
        steps: int | None = None, seed: int = 0, words: Sequence[str] = (), styles: Sequence[str] = (),
        examples: Sequence[str] = (), caption: str = "",
    ) -> None:  # fmt: skip
        self.painting, self.words = painting, list(words or getattr(painting, "words", ()))
        defaults = inspect.signature(painting).parameters
        settings = {
            name: getattr(defaults.get(name), "default", inspect.Parameter.empty) if given is None else given
            for name, given in {"n": n, "scale": scale, "steps": steps}.items()
        }
        settings |= {name: USUAL[name] for name, value in settings.items() if value is inspect.Parameter.empty}
        settings |= {"seed": seed, "style": None}
        offered = {"styles": list(styles), "examples": list(examples), "caption": caption}
        self.paper = Paper(prompt=prompt, settings=settings, **offered)
        self.draw(prompt)
        columns = min(len(self.pictures), 8)
        title = f"{prompt or 'no prompt'} (scale {settings['scale']:g})" + f" · {caption}" * bool(caption)
        still = plots.sheet(self.pictures, title=title, columns=columns)
        super().__init__(self.paper, still)
        self.paper.on_msg(self._asked)

    def draw(self, prompt: str, **changes) -> np.ndarray:
        """Draw `prompt` in the box and return the pictures (n, 3, h, w); `changes` to n, scale, steps, seed, style."""
        settings = {**self.paper.settings, **changes}
        begun, sent = time.monotonic(), 0.0
        for step, pictures in enumerate(self.painting(prompt, **settings), start=1):
            if time.monotonic() - sent > BETWEEN:
                sent = time.monotonic()
                self._post(pictures, prompt, min(step, settings["steps"]), settings["steps"])
        self.pictures = np.asarray(pictures)
        self._post(self.pictures, prompt, settings["steps"], settings["steps"])
        note = f"{prompt or 'no prompt'}: {settings['n']} pictures in {time.monotonic() - begun:.1f} s"
        self.paper.prompt, self.paper.last = prompt, {"pixels": pack(_bytes(self.pictures), "u1"), "note": note}
        self.paper.send({"done": note})
        return self.pictures

    def _post(self, pictures, prompt: str, step: int, steps: int) -> None:
        sent = {"step": step, "of": steps, "shape": list(pictures.shape), "prompt": prompt}
        self.paper.send(sent, [_bytes(np.asarray(pictures)).tobytes()])

    def _asked(self, _widget, message: dict, _buffers) -> None:
        request = dict(message.get("draw", {}))
        prompt = request.pop("prompt", "")
        try:
            self.draw(prompt, **request)
        except ValueError as error:
            self._refuse(str(error), near(prompt, self.words), known(prompt, self.words))
        except Exception as error:  # whatever the network raises belongs on the page
            self._refuse(f"{type(error).__name__}: {error}"[:LINE])

    def _refuse(self, why: str, nearest: Sequence = (), rest: str = "") -> None:
        self.paper.send({"refused": why, "near": list(nearest), "rest": rest})


def near(prompt: str, words: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The parts of a prompt that are not in `words`, each with up to three that are spelled nearly so.

    Parts are separated by commas if any of the words has several, else by spaces.

    >>> near("hat, blu hair", ["hat", "blue hair", "red hair"])
    [('blu hair', ['blue hair'])]
    """
    strange = [part for part in _parts(prompt, words) if part.lower() not in words and len(part) > 2]
    nearest = [(part, difflib.get_close_matches(part.lower(), words, n=3, cutoff=0.7)) for part in strange]
    return [(part, found) for part, found in nearest if found]


def known(prompt: str, words: Sequence[str]) -> str:
    """What is left of a prompt without the parts not in `words`; "" if nothing is or was left out, or a part negates.

    >>> known("hat, blu hair", ["hat", "blue hair", "red hair"])
    'hat'
    """
    parts = _parts(prompt, words)
    kept = [part for part in parts if part.lower() in words]
    fits = len(kept) < len(parts) and not {*NEGATIONS} & {part.lower() for part in parts}
    return (", " if _of_several(words) else " ").join(kept) if fits else ""


def _parts(prompt: str, words: Sequence[str]) -> list[str]:
    apart = r"[,;]" if _of_several(words) else r"[\s,;]+"
    return [part.strip() for part in re.split(apart, prompt) if part.strip()]


def _of_several(words: Sequence[str]) -> bool:
    return any(" " in word for word in words)


def faces_painting(model: Any) -> Callable[..., Iterator]:
    """The `painting` of a network that draws pixel faces, such as `pretrained("faces")`: x_s after each step of DDIM.

    It understands `base.words.face_codes`: "hat, no glasses, blue hair". Equal seeds give equal pictures.
    """
    import torch  # only here: the rest of this folder does without

    from ..base.words import FACE_WORDS, face_codes
    from ..machine.hardware import choose_machine

    def painting(prompt: str, n=8, scale=2.0, steps=20, seed=0, style=None) -> Iterator:
        codes = np.atleast_2d(face_codes(prompt))  # raises before the first picture is asked for
        xT = torch.randn(n, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
        xT = xT.to(next(model.parameters()).device)
        path = ddim(guided(model, torch.from_numpy(codes), scale), model.schedule, xT, steps, clip=1.0)
        next(path)  # pure noise
        return (xs.cpu().numpy() for xs in choose_machine(xT).steps(path))

    painting.words = tuple(FACE_WORDS)  # type: ignore[attr-defined]
    return painting


def _bytes(pictures: np.ndarray) -> np.ndarray:
    return np.clip(np.rint((pictures + 1) * 127.5), 0, 255).astype(np.uint8)
