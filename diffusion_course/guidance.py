"""Guidance: the same walk, asked to go somewhere. Each function here makes a model out of a model.

A sampler only ever calls `eps_hat = model(xt, t)`. So a wish, a strength or some known pixels need no sampler
of their own: they change what that call answers. Starting in the middle (image-to-image) needs not even that:

    xt = add_noise(picture, schedule.at(t), eps)
    *path, x0 = ddpm(model, schedule, xt, steps=times)        # falling times from that t to 0

Sources: Ho & Salimans 2022 (arXiv:2207.12598) for classifier-free guidance, whose w is `scale` − 1 here.
"""

import difflib
from collections.abc import Callable

import numpy as np

from .data import FACE_VALUES, NOT_SAID
from .forward import eps_from_x0, x0_from_eps


def guided(model: Callable, cond, scale: float) -> Callable:
    """ε̂ = ε̂(x_t) + scale · (ε̂(x_t | cond) − ε̂(x_t)): classifier-free guidance.

    scale = 0 is the model without the wish, 1 the model with it; above 1 exaggerates what the wish changes.
    Two network evaluations a call. `model` takes (xt, t) and (xt, t, cond).
    """

    def guided_model(xt, t):
        free, asked = model(xt, t), model(xt, t, cond)
        return free + scale * (asked - free)

    return guided_model


def knowing(model: Callable, schedule, known, mask) -> Callable:
    """The model, told some pixels of x_0: inpainting. `mask` is 1 where `known` holds, 0 where to invent.

    Its guess x̂_0 is overruled where the truth is known, so the walk's known pixels follow q(x_s | x_t, x_0)
    exactly, and the rest is drawn to go with them. `known` and `mask` broadcast to x_t's shape, of x_t's library.
    """

    def knowing_model(xt, t):
        alpha_bar_t = schedule.at(t)
        x0_hat = x0_from_eps(xt, alpha_bar_t, model(xt, t))
        return eps_from_x0(xt, alpha_bar_t, mask * known + (1 - mask) * x0_hat)

    return knowing_model


def face_wish(prompt: str) -> np.ndarray:
    """A prompt such as "hat, no glasses, blue hair" as attribute codes (7,), −1 where not said.

    Raises ValueError for words it does not know, with the nearest that it does.

    >>> face_wish("hat, blue hair")
    array([ 1, -1, -1, -1, -1,  4, -1])
    """
    codes = np.full(len(FACE_VALUES), NOT_SAID)
    for phrase in filter(None, (part.strip().lower() for part in prompt.split(","))):
        if phrase not in VOCABULARY:
            nearest = difflib.get_close_matches(phrase, VOCABULARY, n=3, cutoff=0.4) or sorted(VOCABULARY)
            raise ValueError(f"{phrase!r} is no attribute of the faces. Did you mean {', '.join(nearest)}?")
        column, code = VOCABULARY[phrase]
        if codes[column] not in (NOT_SAID, code):
            raise ValueError(f"{prompt!r} asks for two things at once: see {phrase!r}.")
        codes[column] = code
    return codes


def _vocabulary() -> dict[str, tuple[int, int]]:
    """Phrase → (attribute's column, its code): "hat", "no hat", "blue hair", "grey background", …"""
    phrases = {}
    for column, (name, values) in enumerate(FACE_VALUES.items()):
        words = name.replace("_", " ")
        if values == (False, True):
            phrases |= {f"no {words}": (column, 0), words: (column, 1)}
        else:
            noun = words.split()[0]
            phrases |= {f"{value} {noun}": (column, code) for code, value in enumerate(values)}
    return phrases


VOCABULARY = _vocabulary()
