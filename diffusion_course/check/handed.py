"""How a learner's function is asked: quietly, with fresh copies, in the kind it was written for; and where it fails."""

import ast
import contextlib
import copy
import dis
import functools
import inspect
import textwrap
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..base.arrays import is_tensor


def quietly(function: Callable, *given):
    """The function's answer, without NumPy's warnings."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(*given)


class Endless(Exception):
    """A loop that goes on and on."""


@contextlib.contextmanager
def ending(function: Callable, most: int = 20_000) -> Iterator[None]:
    """Within it, `Endless` is raised as soon as the function has called its own helpers more than `most` times."""
    named, calls = getattr(code_of(function), "co_names", ()), iter(range(most))
    known = getattr(inspect.unwrap(function), "__globals__", {})
    helpers = {name: known[name] for name in named if isinstance(known.get(name), types.FunctionType)}

    def counted(helper):
        @functools.wraps(helper)
        def call(*given, **more):
            if next(calls, None) is None:
                again = f"your loop does not end: it has called `{helper.__name__}` again and again."
                raise Endless(f"{again} What ends it? In a `while`, something must change with every round.")
            return helper(*given, **more)

        return call

    known.update({name: counted(helper) for name, helper in helpers.items()})
    try:
        yield
    finally:
        known.update(helpers)


def is_data(value) -> bool:
    return isinstance(value, (np.ndarray, list, tuple)) or is_tensor(value)


def fresh(value):
    """A copy of what an attempt could spoil: arrays, lists, the state of a generator. The rest as it is."""
    if isinstance(value, (tuple, list)):
        return type(value)(fresh(item) for item in value)
    return copy.deepcopy(value) if is_data(value) or type(value).__name__ == "Generator" else value


def offer(value, kind: str):
    """A probe's argument in another kind: floats and arrays as torch tensors, float32 where they are floats."""
    if kind == "torch" and (isinstance(value, (float, np.ndarray))):
        import torch  # only here: the first three lessons never load it

        value = torch.as_tensor(np.asarray(value))
        return value.float() if value.is_floating_point() else value
    return value


def whole(value) -> bool:
    """Are these whole numbers, by their type?"""
    if isinstance(value, (list, tuple)):
        return all(whole(item) for item in value)
    return np.asarray(value.detach().cpu() if is_tensor(value) else value).dtype.kind in "iu"


def code_of(function):
    """The code of the learner's function, also below a decorator such as torch.no_grad()."""
    return getattr(inspect.unwrap(function), "__code__", None)


def is_blank(function) -> bool:
    """Is the body nothing but `...` or `pass`?"""
    idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
    code = code_of(function)
    return code is not None and all(step.opname in idle for step in dis.get_instructions(code))


def statements(function) -> int:
    """How many statements its body has besides docstrings, `...` and the blank's `raise`; 0 without a source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, SyntaxError):
        return 0
    below = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)][1:]
    idle = [isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in below]
    raised = [isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node) for node in below]
    return len(below) - sum(idle) - sum(raised)


def place_of(error: Exception, function: Callable) -> str:
    """The learner's own line at which it happened."""
    frames = list(traceback.extract_tb(error.__traceback__))
    name = getattr(code_of(function), "co_name", None)
    below = frames[2] if len(frames) > 2 else None  # without `ask` and `quietly`
    frame = next((frame for frame in frames if frame.name == name), below)
    if frame is None:
        return "the call"
    return f"line {frame.lineno}, `{frame.line}`," if frame.line else f"line {frame.lineno}"


def source(solution: Callable) -> tuple[str, str]:
    """The `def` line of a function, and its body without the docstring."""
    text = textwrap.dedent(inspect.getsource(solution))
    node: Any = ast.parse(text).body[0]
    first = node.body[1 if ast.get_docstring(node) else 0]
    lines = text.rstrip().splitlines()
    return "\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1]), "\n".join(lines[first.lineno - 1 :])
