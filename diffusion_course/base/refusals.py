"""What is said of arguments that do not fit: a ValueError that tells what was given and what is needed.

Nothing here imports torch.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from numbers import Integral, Number, Real
from typing import Any, ParamSpec

import numpy as np

from .arrays import brief, exact, holds, is_tensor, may_read, refuse_whole_numbers, shape_of, to_float64, widened

Arguments = ParamSpec("Arguments")
TINY = float(np.nextafter(0, 1))  # the least number above 0


def whole(n: Any, name: str, least: int = 1, most: float = np.inf) -> int:
    """n as an int. Raises ValueError unless it is a whole number of any integer type, from `least` to `most`."""
    if not isinstance(n, Integral) or isinstance(n, bool) or not least <= int(n) <= most:
        limit = f" and at most {most}" if most < np.inf else ""
        raise ValueError(f"{name} is {brief(n)}; it must be a whole number, at least {least}{limit}.")
    return int(n)


def wholes(given: Any, name: str) -> list[int]:
    """Each of the numbers given as an int. Raises ValueError unless they are whole, and 1 or more."""
    if not isinstance(given, Iterable):
        raise ValueError(f"{name} must be a list of whole numbers, not {brief(given)}.")
    return [whole(n, f"a number in {name}") for n in given]


def number(given: Any, name: str, least: float = -np.inf, most: float = np.inf) -> float:
    """The number given. Raises ValueError unless it is finite and lies in [least, most]; of least = TINY, above 0."""
    real = isinstance(given, (float, int, np.floating, np.integer)) and not isinstance(given, bool)
    if not real or not least <= given <= most or abs(given) == np.inf:
        low = " above 0" if least == TINY else f" at least {least:g}" if least > -np.inf else ""
        high = f" at most {most:g}" if most < np.inf else ""
        limits = f"{low} and{high}" if low and high else low or high
        raise ValueError(f"{name} must be a finite number{limits}, not {brief(given)}.")
    return float(given)


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


def require_floats(**named: Any) -> None:
    """Raise ValueError for what is no number, NumPy array or tensor of floats: lists, words, tensors of integers."""
    for name, x in named.items():
        kind = getattr(getattr(x, "dtype", None), "kind", "f")  # a tensor's has none
        if not (isinstance(x, Real) or hasattr(x, "shape")) or kind not in "fiub":
            raise ValueError(f"{name} must be a float, a NumPy array or a torch tensor of floats, not {brief(x)}.")
        refuse_whole_numbers(x)


def of_one_shape(**pair: Any) -> tuple[Any, Any]:
    """The two of `pair`, widened; refused if their shapes or libraries differ. A number goes with any shape."""
    require_floats(**pair)
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


def refuse_other_samples(xt: Any, shape: Sequence[int | str] | None, name: str = "xt") -> None:
    """Raise ValueError unless xt is (B, *shape). A word in `shape`, such as "H", is any number; None is any shape."""
    if shape is None:
        return
    got = shape_of(xt)
    if 0 in got:
        raise ValueError(f"{name} is empty: it has shape {got}.")
    alike = (type(asked) is not int or asked == n for asked, n in zip(shape, got[1:], strict=False))
    if len(got) != 1 + len(shape) or not all(alike):
        raise ValueError(f"{name} must have shape ({', '.join(map(str, ('B', *shape)))}), not {got}.")


def refuse_other_shape(found: Any, xt: Any, asked: str, where: str = "") -> None:
    """Raise ValueError unless what was `asked` for has x_t's shape: another would be broadcast without a word."""
    shape = getattr(found, "shape", () if isinstance(found, Number) else None)
    if shape != shape_of(xt):
        got = type(found).__name__ if shape is None else f"shape {tuple(shape)}"
        raise ValueError(f"{asked} of shape {shape_of(xt)} like xt; it returned {got}{where}.")


def refuse_other_parts(x: Any, **parts: Any) -> None:
    """Raise ValueError unless each of `parts` is a number, or of x's library and of a shape that broadcasts to x's."""
    for name, part in parts.items():
        if not isinstance(part, Number) and (not hasattr(part, "shape") or is_tensor(part) != is_tensor(x)):
            raise ValueError(f"{name} must be a number or a {type(x).__name__}, as xt is, not {brief(part)}.")
        try:
            alike = np.broadcast_shapes(shape_of(part), shape_of(x)) == shape_of(x)
        except ValueError:
            alike = False
        if not alike:
            raise ValueError(f"{name} of shape {shape_of(part)} does not fit xt of shape {shape_of(x)}.")


def tensor_of(values: Any, name: str, device: Any = None) -> Any:
    """A tensor of the values, on the device. Raises ValueError for what holds no numbers."""
    import torch  # only here, so that arrays never load it

    if is_tensor(values):
        return values.to(device)
    try:
        return torch.as_tensor(values, device=device)
    except (TypeError, RuntimeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers, not {brief(values)} ({error}).") from error


def behind(model: Any, name: str) -> Any:
    """The attribute `name` of the model, or of the one that it wraps (`given`, `guided`, `inpainted`); else None."""
    while model is not None and not hasattr(model, name):
        model = getattr(model, "model", None)
    return getattr(model, name, None)


def refuse_empty(given: Any, name: str) -> None:
    """Raise ValueError for a collection of nothing."""
    if len(given) == 0:
        raise ValueError(f"{name} is empty: give at least one.")


def refuse_untitled(given: Any, name: str) -> None:
    """Raise ValueError unless it is a mapping from titles to what is shown under them, of one at least."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{name} must be a dict: titles, and what is shown under them; not a {type(given).__name__}.")
    refuse_empty(given, name)


def power_of(name: str, given: Any) -> Any:
    """A tensor as it is, all else in float64. Raises ValueError unless it lies in [0, 1], which NaN does not."""
    power = given if is_tensor(given) else exact(given)
    if may_read(power) and not holds((power >= 0) & (power <= 1)):
        raise ValueError(f"{name} must lie in [0, 1], not {brief(power)}.")
    return power


def refuse_bytes(x: Any, name: str = "x0") -> None:
    """Raise a ValueError if x (NumPy or torch) looks like pictures of 0…255 instead of [−1, 1]."""
    if len(x.shape) >= 3 and 0 not in x.shape and x.min() >= 0 and x.max() > 2:
        raise ValueError(
            f"{name} runs from {float(x.min()):g} to {float(x.max()):g}, like pictures of 0…255. The course works in "
            f"[−1, 1]: use {name} / 127.5 - 1, or data.pictures(bytes), or data.folder(path, size)."
        )


def as_pictures(x: Any, name: str = "x") -> Any:
    """x as float32 pictures. Raises ValueError for another shape, numbers that are not finite, and bytes."""
    x = tensor_of(x, name).detach().float()
    if x.ndim != 4 or len(x) == 0 or not x.isfinite().all():
        raise ValueError(f"{name} has shape {tuple(x.shape)}; it must hold finite pictures (n, c, h, w), n ≥ 1.")
    refuse_bytes(x, name)
    return x


def whole_numbers(x: Any) -> bool:
    """Is it a tensor of whole numbers, of any integer type?"""
    return not (x.is_floating_point() or x.is_complex() or x.dtype == sys.modules["torch"].bool)


def times_of(t: Any, T: int, batch: int, device: Any) -> Any:
    """t as an index: an int, or a tensor of one or of `batch` on the device, each in 1 … T. Else ValueError.

    Values on a GPU, or in a compiled graph, are not looked at.
    """
    allowed = f"a whole number from 1 to T = {T}, or {batch} of them (t = 0 has no noise to find)"
    if isinstance(t, (int, np.integer)) and not isinstance(t, bool):
        if not 1 <= t <= T:
            raise ValueError(f"t must be {allowed}, not {t}.")
        return int(t)
    times = tensor_of(t, "t", device)
    if not whole_numbers(times) or tuple(times.shape) not in ((), (batch,)):
        raise ValueError(f"t must be {allowed}, not {times.dtype} of shape {tuple(times.shape)}.")
    times = times.long()
    if may_read(times) and ((times < 1) | (times > T)).any():
        raise ValueError(f"t must be {allowed}, not {brief(t)}.")
    return times


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
