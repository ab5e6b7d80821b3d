"""What is said of arguments that do not fit: a ValueError that tells what was given and what is needed.

Nothing here imports torch.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import wraps
from numbers import Integral, Number
from typing import Any, ParamSpec

import numpy as np

from .arrays import is_tensor, refuse_whole_numbers, shape_of, to_float64, widened

Arguments = ParamSpec("Arguments")


def brief(given: Any) -> str:
    """What was given, for a message: all of it if that is short."""
    text = " ".join((str if shape_of(given) else repr)(given).split())
    return text if len(text) <= 80 else f"a {type(given).__name__}, {text[:60]} …"


def whole(n: Any, name: str, least: int = 1, most: float = np.inf) -> int:
    """n as an int. Raises ValueError unless it is a whole number of any integer type, from `least` to `most`."""
    if not isinstance(n, Integral) or isinstance(n, bool) or not least <= int(n) <= most:
        limit = f" and at most {most}" if most < np.inf else ""
        raise ValueError(f"{name} is {brief(n)}; it must be a whole number, at least {least}{limit}.")
    return int(n)


def one_of(given: Any, allowed: Collection[str], name: str) -> str:
    """What was given. Raises ValueError unless it is one of the words allowed."""
    if not isinstance(given, str) or given not in allowed:
        raise ValueError(f"{name} must be {' or '.join(map(repr, allowed))}, not {brief(given)}.")
    return given


def numbers_of(values: Any, shape: tuple, name: str, infinite: bool = False) -> np.ndarray:
    """`values` as float64. Raises ValueError unless of that shape (None: any length but 0) and finite (or no NaN)."""
    values = to_float64(values)
    right = [n == asked or (asked is None and n > 0) for n, asked in zip(values.shape, shape, strict=False)]
    if values.ndim != len(shape) or not all(right):
        needed = str(shape).replace("None", "n", 1).replace("None", "d")
        raise ValueError(f"{name!r} has shape {values.shape}, but {needed} is needed.")
    bad = np.isnan(values) if infinite else ~np.isfinite(values)
    if bad.any():
        raise ValueError(f"{name!r} holds {values[bad][0]}: look where it comes from.")
    return values


def refuse_no_floats(**named: Any) -> None:
    """Raise ValueError for what is no number, NumPy array or tensor of floats: lists, words, tensors of integers."""
    for name, x in named.items():
        kind = getattr(getattr(x, "dtype", None), "kind", "f")  # a tensor's has none
        if not (isinstance(x, Number) or hasattr(x, "shape")) or kind not in "fiub":
            raise ValueError(f"{name} must be a float, a NumPy array or a torch tensor of floats, not {brief(x)}.")
        refuse_whole_numbers(x)


def of_one_shape(**pair: Any) -> tuple[Any, Any]:
    """The two of `pair`, widened; refused if their shapes or libraries differ. A number goes with any shape."""
    refuse_no_floats(**pair)
    (name_a, a), (name_b, b) = pair.items()
    shape_a, shape_b = shape_of(a), shape_of(b)
    if shape_a and shape_b and shape_a != shape_b:
        raise ValueError(f"{name_a} has shape {shape_a} but {name_b} has {shape_b}: they must be equal.")
    if shape_a and shape_b and is_tensor(a) != is_tensor(b):
        raise ValueError(f"{name_a} is a {type(a).__name__} but {name_b} a {type(b).__name__}: give both of one kind.")
    return widened(a), widened(b)


def refuse_rng(rng: Any, x: Any) -> None:
    """Raise ValueError unless `rng` is None, or a generator of the library of x, for which it makes noise."""
    library = "torch" if is_tensor(x) else "numpy"
    kinds = {(kind.__module__.split(".")[0], kind.__name__) for kind in type(rng).__mro__}
    if rng is not None and (library, "Generator") not in kinds:
        how = "torch.Generator().manual_seed(0)" if is_tensor(x) else "np.random.default_rng(0)"
        raise ValueError(f"rng is {brief(rng)}; give a {library} Generator, such as {how}, or None for fresh chance.")


def refuse_other_samples(xt: Any, shape: Sequence[int | str] | None) -> None:
    """Raise ValueError unless xt is (B, *shape). A word in `shape`, such as "H", is any number; None is any shape."""
    if shape is None:
        return
    got = shape_of(xt)
    alike = (type(asked) is not int or asked == n for asked, n in zip(shape, got[1:], strict=False))
    if len(got) != 1 + len(shape) or not all(alike):
        raise ValueError(f"xt must have shape ({', '.join(map(str, ('B', *shape)))}), not {got}.")


def schedule_of(model: Any) -> Any:
    """The model's schedule. Raises ValueError if it has none."""
    if not hasattr(model, "schedule"):
        raise ValueError(f"{type(model).__name__} has no .schedule, which says how much noise each t has: set one.")
    return model.schedule


def refusing_at_once(sampler: Callable[Arguments, Iterator[Any]]) -> Callable[Arguments, Iterator[Any]]:
    """The same sampler, already at its first item when it is called: what is tested before that is tested there."""

    @wraps(sampler)
    def called(*args: Arguments.args, **options: Arguments.kwargs) -> Iterator[Any]:
        items = sampler(*args, **options)
        return _all(next(items), items)

    return called


def _all(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def warn_the_caller(message: str, kind: type[Warning]) -> None:
    """Warn at the line outside this package that led here, each time it runs: a cell is often run again."""
    frame, package = sys._getframe(1), __name__.partition(".")[0]
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame = frame.f_back
    warnings.warn_explicit(message, kind, frame.f_code.co_filename, frame.f_lineno, registry={})
