"""Words: what a prompt can ask for, and the whole numbers that a network reads in its place."""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .arrays import brief, may_read
from .refusals import tensor_of, whole_numbers

FACE_VALUES = {
    "hat": (False, True),
    "glasses": (False, True),
    "beard": (False, True),
    "long_hair": (False, True),
    "happy": (False, True),
    "hair_colour": ("black", "brown", "blond", "red", "blue", "green"),
    "background": ("blue", "green", "purple", "grey"),
}
KNOWN = (
    "They know hat, glasses, beard, long hair and happy, each also with no before it; black, brown, blond, red, blue "
    "or green hair; and a blue, green, purple or grey background."
)
NEGATIONS = "no", "not", "without"  # of which a prompt of plain words can say nothing
NOT_SAID = -1  # the code of whatever a condition leaves open


def codes_for(model: Any, cond: Any) -> Any:
    """`cond` as the model takes it, checked, if the model can (`check_cond`); else as it is. None is refused."""
    if not callable(model):
        raise ValueError(f"model must be a function eps_hat = model(xt, t, cond), not {brief(model)}.")
    if cond is None:
        raise ValueError("cond is None: give codes, or sample from the model itself, to which nothing is then said.")
    return model.check_cond(cond) if hasattr(model, "check_cond") else cond


def codes_of(cond: Any, attributes: Sequence[int], batch: int | None, device: Any) -> Any:
    """`cond` as codes (n, k) on the device: `Denoiser.check_cond`, for attributes of so many values each.

    They are looked at where they lie, so that even those for a network on a GPU are, if they come from the CPU.
    """
    columns, k = tensor_of(cond, "cond"), len(attributes)
    if k == 0:
        raise ValueError("this network takes no condition (attributes=()): leave cond out.")
    if not whole_numbers(columns):
        raise ValueError(f"cond must hold whole numbers, one code an attribute, not {columns.dtype}.")
    columns = columns[:, None] if columns.ndim == 1 and k == 1 else columns
    n = len(columns) if batch is None and columns.ndim else batch
    if tuple(columns.shape) not in ((n, k), (1, k)):
        raise ValueError(f"cond has shape {tuple(columns.shape)}; for {n} samples and {k} attributes give ({n}, {k}).")
    columns = columns.long()
    if may_read(columns) and ((columns < NOT_SAID) | (columns >= columns.new_tensor(attributes))).any():
        raise ValueError(f"cond must hold 0 … n−1 (n = {tuple(attributes)}) or −1 for not said; got {brief(cond)}.")
    return sent(columns, device).expand(n, k)


def sent(codes: Any, device: Any) -> Any:
    """The codes on the device; from the CPU's pinned memory without waiting."""
    return codes.to(device, non_blocking=codes.device.type == "cpu")


def face_codes(prompt: str) -> np.ndarray:
    """A prompt such as "hat, no glasses, blue hair" as attribute codes (7,); −1 (`NOT_SAID`) where it says nothing.

    Raises ValueError for words that it does not know, and names the nearest that it does.

    >>> face_codes("hat, blue hair")
    array([ 1, -1, -1, -1, -1,  4, -1])
    """
    if not isinstance(prompt, str):
        raise ValueError(f'the prompt is {prompt!r}; it must be text such as "hat, no glasses, blue hair".')
    codes = np.full(len(FACE_VALUES), NOT_SAID)
    for phrase in filter(None, (part.strip().lower() for part in re.split(r",|;|\band\b", prompt))):
        phrase = re.sub(r"^(?:with |a |an )+", "", re.sub(r"^(?:not|without)\b(?: a\b)?", "no", phrase))
        if phrase not in FACE_WORDS:
            nearest = ", ".join(difflib.get_close_matches(phrase, FACE_WORDS, n=3, cutoff=0.4))
            raise ValueError(f"The faces know no {phrase!r}. {f'Did you mean {nearest}?' if nearest else KNOWN}")
        column, code = FACE_WORDS[phrase]
        if codes[column] not in (NOT_SAID, code):
            raise ValueError(f"{prompt!r} contradicts itself at {phrase!r}: leave one of the two out.")
        codes[column] = code
    return codes


def _face_words() -> Iterator[tuple[str, tuple[int, int]]]:
    for column, (name, values) in enumerate(FACE_VALUES.items()):
        words = name.replace("_", " ")
        for code, value in enumerate(values):
            if isinstance(value, str):
                yield f"{value} {words.split()[0]}", (column, code)
            else:
                yield words if value else f"no {words}", (column, code)


FACE_WORDS = dict(_face_words())  # "hat", "no hat", "blue hair", "grey background", … → (attribute's column, code)
