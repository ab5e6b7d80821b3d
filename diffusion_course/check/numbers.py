"""Answers as numbers: how they are read, compared, and told in a sentence."""

import inspect
import re
import sys

import numpy as np

from ..base.arrays import is_tensor

SYMBOLS = {
    "x0": "x_0", "xt": "x_t", "xs": "x_s", "xT": "x_T", "x0_hat": "x̂_0", "x0_before": "the earlier x̂_0", "eps": "ε",
    "eps_hat": "ε̂", "eps_free": "ε̂ without the prompt", "eps_cond": "ε̂ with the prompt", "alpha_bar": "ᾱ", "beta": "β",
    "alpha_bar_t": "ᾱ_t", "alpha_bar_s": "ᾱ_s", "beta_t": "β_t", "betas": "β", "eta": "η", "log_snr": "log-SNR",
    "tau": "τ",
}  # fmt: skip


class Failed:
    """An answer that is none: the exception, and the learner's own line at which it was raised."""

    def __init__(self, error: Exception, place: str = ""):
        self.error, self.place = error, place  # place is empty where nothing was raised

    def told(self) -> tuple[str, str]:
        """The exception in a line, and a hint, or ""."""
        text = f"{type(self.error).__name__}: {str(self.error).strip().rstrip('.')}"
        text = text if len(text) < 200 else f"{text[:150]} …"  # an error may quote a whole array
        if isinstance(self.error, IndexError):
            return text, " The last index is the length minus 1, and the length is not always the same: use `len`."
        if any(part in text for part in ("0-dimensional", "only length-1", "converted to Python scalar")):
            return text, " The functions of `math` take one number; NumPy's of the same name take arrays too."
        return text, ""


def numbers(answer):
    """An answer as an array that keeps its precision; a tuple as a tuple of them. Raises TypeError for other things."""
    if isinstance(answer, tuple) or (isinstance(answer, list) and any(is_tensor(x) or np.ndim(x) for x in answer)):
        return tuple(numbers(item) for item in answer)
    if is_tensor(answer):
        answer = answer.detach().cpu()
        answer = (answer if answer.element_size() >= 4 else answer.float()).numpy()
    array = np.asarray(answer)
    if array.dtype.kind == "c":  # Python's root of a negative number; NumPy's is NaN
        return np.full(array.shape, np.nan)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{type(answer).__name__} holds no numbers")
    return array


def is_object(value) -> bool:
    """Is it nothing that a sentence could quote: a function, a schedule, a generator?"""
    try:
        numbers(value)
    except Exception:
        return not isinstance(value, str)
    return False


def is_quantity(value) -> bool:
    """Is it a number or a row of them that can be halved or turned round: no object, no picture, no yes or no?"""
    if is_object(value) or np.ndim(value) > 1:
        return False
    return str(getattr(value, "dtype", "")).rpartition(".")[2] not in ("bool", "uint8")


def same(a, b) -> bool:
    """Exactly the same numbers (NaN equals NaN), or the same object."""
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    try:
        return np.array_equal(numbers(a), numbers(b), equal_nan=True)
    except (TypeError, ValueError):
        return a is b


def agree(a, b, tolerance: float, tiny: float | None = None) -> bool:
    """The same answer, within the tolerance of the less precise? A failure agrees with NaN, inf and any failure."""
    if isinstance(a, Failed) or isinstance(b, Failed):
        other = b if isinstance(a, Failed) else a
        return isinstance(other, Failed) or not all(np.isfinite(part).all() for part in parts(other))
    if isinstance(a, tuple) or isinstance(b, tuple):
        if count(a) != count(b):
            return False
        return all(agree(x, y, tolerance, tiny) for x, y in zip(a, b, strict=True))
    if a.shape != b.shape and not (b.ndim == 0 and a.size):  # one number may come as an array of it
        return False
    coarse = min(x.dtype.itemsize if x.dtype.kind == "f" else 8 for x in (a, b))
    tolerance = max(tolerance, {4: 1e-4, 2: 0.02}.get(coarse, 0.0))
    a, b = np.broadcast_arrays(a.astype(np.float64), b.astype(np.float64))
    finite = np.isfinite(b)
    near = np.allclose(a[finite], b[finite], rtol=tolerance, atol=tolerance if tiny is None else tiny)
    return bool(near and np.array_equal(finite, np.isfinite(a)))


def alike(a, b) -> bool:
    """The same, but for rounding: some solvers of linear equations round otherwise each time."""
    try:
        return same(a, b) or agree(numbers(a), numbers(b), 1e-9)
    except (TypeError, ValueError):
        return False


def count(answer) -> int | None:
    """How many results, or numbers along the first axis."""
    return len(answer) if isinstance(answer, tuple) or answer.ndim else None


def parts(answer) -> list:
    """The arrays of an answer, however deep."""
    return [part for item in answer for part in parts(item)] if isinstance(answer, tuple) else [answer]


def tell(value) -> str:
    """A value in a sentence: numbers as they are, many by their shape, an object by its name."""
    if isinstance(value, str):
        return value
    if is_object(value):
        return getattr(value, "__name__", type(value).__name__)
    array = numbers(value)
    if isinstance(array, tuple):
        return f"({', '.join(map(tell, array))})" if len(array) <= 6 else f"{len(array)} results"
    if array.ndim == 0 and np.isfinite(array):
        return f"{float(array) + 0.0:.4g}".replace("-", "−")
    if array.ndim == 0:
        return "NaN" if np.isnan(array) else "infinity"
    if array.size > 6:
        return f"{array.size} numbers" + (f" of shape {array.shape}" if array.ndim > 1 else "")
    return f"[{', '.join(map(tell, array))}]"


def told(function, given, but=()) -> str:
    """Arguments in a sentence: x_0 = 3, ᾱ_t = 0.25, ε = 2."""
    arguments = inspect.signature(function).bind(*given).arguments.items()
    return ", ".join(f"{SYMBOLS.get(k, k)} = {tell(v)}" for k, v in arguments if k not in but and not is_object(v))


def capital(sentence: str) -> str:
    """The sentence with a capital letter, unless it begins with a symbol."""
    return sentence[:1].upper() + sentence[1:] if re.match(r"(a|[a-z]{2,}),? ", sentence) else sentence


def say(text: str) -> None:
    """Print, also where the terminal's encoding has no ✓."""
    print(printable(text))


def printable(text: str) -> str:
    """The text in what standard output can encode; ? for the rest."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
