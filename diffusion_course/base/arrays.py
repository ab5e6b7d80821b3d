"""One formula for floats, NumPy arrays and torch tensors: what it takes to hand each back as what it came in.

Nothing here imports torch: a tensor brings its own methods.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import torch

Array: TypeAlias = "float | np.ndarray | torch.Tensor"


def is_tensor(x: Any) -> bool:
    """Is x a torch tensor? Asked without importing torch."""
    return hasattr(x, "new_tensor")


def may_read(x: Any) -> bool:
    """May a value of x be looked at here? Not on a GPU, where reading makes the host wait, nor in a compiled graph."""
    return not is_tensor(x) or (not sys.modules["torch"].compiler.is_compiling() and x.device.type == "cpu")


def to_float64(values: Any) -> np.ndarray:
    """Numbers, an array or a tensor (on any device) as a float64 array. Raises ValueError for what holds no numbers."""
    try:
        return np.asarray(values.detach().cpu().double() if is_tensor(values) else values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"numbers are needed, not {brief(values)} ({error}).") from error


def brief(given: Any) -> str:
    """What was given, for a message: all of it if that is short."""
    text = " ".join((str if shape_of(given) else repr)(given).split())
    return text if len(text) <= 80 else f"a {type(given).__name__}, {text[:60]} …"


def exact(values: Any) -> Any:
    """A float as it is (quick: samplers pass nothing else), anything else as a float64 array. Refuses `Levels`."""
    if isinstance(values, float):
        return float(values)
    if hasattr(values, "_fields"):  # Levels of a network, which would pass for the ᾱ_t of two samples
        raise ValueError(f"give ᾱ here, a number or one a sample, not {brief(values)}.")
    return to_float64(values)


def holds(condition: Any) -> bool:
    """Is it true of every number?"""
    return condition if isinstance(condition, bool) else bool(condition.all())


def cast(values: np.ndarray, x: Array) -> Any:
    """Float64 `values` in x's dtype, on its device (half precision: float32). A single number stays a float."""
    refuse_whole_numbers(x)
    if values.ndim == 0:
        return float(values)
    if is_tensor(x):
        return widened(x.new_empty(0)).new_tensor(values)
    dtype = widened(x).dtype if hasattr(x, "dtype") else values.dtype
    return values.astype(dtype) if dtype.kind == "f" else values


def exp_in_place(table: np.ndarray) -> None:
    """e to each number: by torch if it is loaded, in a third of NumPy's time without AVX-512."""
    if torch := sys.modules.get("torch"):
        torch.from_numpy(table).exp_()
    else:
        np.exp(table, out=table)


def read_only(x: np.ndarray) -> np.ndarray:
    """x itself, which nobody can write to any more."""
    x.flags.writeable = False
    return x


def widened(x: Any) -> Any:
    """x itself, or in float32 if its two bytes a number are too few to compute with."""
    if getattr(getattr(x, "dtype", None), "itemsize", 0) != 2:
        return x
    return x.float() if is_tensor(x) else x.astype(np.float32)


def shaped(level: Any, x: Array) -> Any:
    """`level`, a number or (B,), to multiply x (B, …): shape (B, 1, …), and x's dtype and device."""
    if isinstance(level, (int, float)):
        return float(level)
    shape = shape_of(x)
    if level.ndim and shape:
        if tuple(level.shape) != shape[:1]:
            raise ValueError(f"ᾱ_t {tuple(level.shape)} for x {shape}: give one number, or one a sample, {shape[:1]}.")
        level = level.reshape(-1, *[1] * (len(shape) - 1))
    if not is_tensor(level):
        return cast(level, x)
    return level.to(widened(x)) if is_tensor(x) else cast(to_float64(level), x)


def refuse_whole_numbers(x: Any) -> None:
    """Raise ValueError for a tensor of integers, into which half of any result would not fit."""
    if is_tensor(x) and not x.is_floating_point():
        raise ValueError(f"a tensor of {x.dtype} cannot hold noise: give floats (`x.float()`).")


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of x: () for a plain number."""
    return tuple(getattr(x, "shape", ()))


def total(x: Any) -> Any:
    """The sum of all numbers of x: not finite if one of them is not, and found in one pass over them."""
    if is_tensor(x):
        return x.detach().sum()
    with np.errstate(invalid="ignore", over="ignore"):
        return np.sum(x)


def joined(a: Any, b: Any) -> Any:
    """The rows of a, and then those of b."""
    return sys.modules["torch"].cat([a, b]) if is_tensor(a) else np.concatenate([a, b])


def row_quantile(rows: Any, share: float) -> Any:
    """The `share`-quantile of each row (n,) of (n, d). (`torch.quantile` waits for a GPU before torch 2.13.)"""
    if not is_tensor(rows):
        return np.quantile(rows, share, axis=1)
    place = share * (rows.shape[1] - 1)
    ordered = rows.sort(dim=1).values
    return ordered[:, math.floor(place)].lerp(ordered[:, math.ceil(place)], place % 1)
