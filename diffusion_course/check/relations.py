"""What a wrong number may be of the right one: its square, its inverse, a factor too much."""

import inspect
from collections.abc import Callable

import numpy as np

from .numbers import SYMBOLS, count, is_object, numbers, tell

RELATIONS: dict[str, Callable] = {
    "the right one with the other sign": lambda r: -r,
    "the square of the right one: is a root missing?": lambda r: r**2,
    "the root of the right one: is there a root too many?": lambda r: r**0.5,
    "1 over the right one: is something upside down?": lambda r: 1 / r,
    "twice the right one": lambda r: 2 * r,
    "half the right one": lambda r: r / 2,
    "half the square of the right one: `a**1/2` is (a**1) / 2, a root is `a**0.5`": lambda r: r**2 / 2,
    "1 minus the right one": lambda r: 1 - r,
}
INSTEAD: dict[str, Callable] = {
    "−{}": lambda v: -v, "1 − {}": lambda v: 1 - v, "√{}": lambda v: v**0.5, "{}²": lambda v: v**2,
    "{} + 1": lambda v: v + 1, "{} − 1": lambda v: v - 1, "2 {}": lambda v: 2 * v, "{} / 2": lambda v: v / 2,
}  # fmt: skip
FACTORS: dict[str, Callable] = {
    "{}": lambda q: q, "√{}": lambda q: q**0.5, "{}²": lambda q: q**2,
    "(1 − {})": lambda q: 1 - q, "√(1 − {})": lambda q: (1 - q) ** 0.5, "(1 − {})²": lambda q: (1 - q) ** 2,
}  # fmt: skip


def close(a, b) -> bool:
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-4, atol=1e-6)


def estimates(mine: list, good: list) -> bool:
    """Are these at least three numbers, each within a twentieth of the right one?"""
    mine, good = (np.concatenate([np.ravel(x).astype(float) for x in each]) for each in (mine, good))
    return len(mine) > 2 and len(good) in (1, len(mine)) and bool((np.abs(mine - good) < 0.05 * np.abs(good)).all())


def one(x):
    """A factor as one number, if it is the same everywhere."""
    x = np.asarray(x, float)
    return float(x.flat[0]) if x.size and np.allclose(x, x.flat[0]) else x


def quantities(function: Callable, probe: tuple, linear: tuple[str, ...]) -> dict[str, float]:
    """Numbers among the arguments that a factor could be made of; ᾱ_t, ᾱ_s and α of a schedule."""
    given = inspect.signature(function).bind(*probe).arguments
    found = {SYMBOLS.get(k, k): v for k, v in given.items() if isinstance(v, (int, float)) and k not in linear}
    for name in set(given) & {"t", "s"}:
        if hasattr(given.get("schedule"), "at") and np.ndim(given[name]) == 0:
            found[f"ᾱ_{name}"] = float(given["schedule"].at(given[name]))
    if "ᾱ_t" in found and found.get("ᾱ_s"):
        found["α"] = found["ᾱ_t"] / found["ᾱ_s"]
    sizes = [numbers(v).size for v in probe if not is_object(v) and np.ndim(v) and not isinstance(v, tuple)]
    return found | ({"the number of them": float(max(sizes))} if sizes else {})


def related(triples: list) -> str:
    """What mine is of the right one, in all of (mine, right, numbers that a factor could be made of)."""
    mine, right = (np.concatenate([np.ravel(t[k]).astype(float) for t in triples]) for k in (0, 1))
    if not np.isfinite(mine).all() or not np.any(mine):
        return ""
    chance = len(set(zip(mine.round(9), right.round(9), strict=True))) < 2  # one pair of numbers proves little
    for text, of in list(RELATIONS.items())[: 1 if chance else None]:
        if np.allclose(mine, of(right), rtol=1e-5, atol=1e-9):
            return f"yours is {text}"
    known = [quantities for _, _, quantities in triples]
    used = np.abs(right) > 1e-9
    if not used.any() or np.any(mine[~used]):
        return ""
    for symbol in (s for s in known[0] if all(s in k for k in known)):
        q = np.concatenate([np.full(np.size(t[1]), k[symbol]) for t, k in zip(triples, known, strict=True)])[used]
        for text, of in FACTORS.items() if len(set(q)) > 1 else ():
            for word, factor in (("times", of(q)), ("divided by", 1 / of(q))):
                if np.allclose(mine[used] / right[used], factor, rtol=1e-5):
                    return f"yours is the right one {word} {text.format(symbol)}"
    ratio = mine[used] / right[used]
    steady = len(ratio) > 1 and close(ratio, ratio[0] + 0 * ratio)
    return f"yours is {tell(ratio[0])} times the right one, everywhere" if steady else ""


def form(answer, right, returns: tuple[str, ...]) -> str:
    """What differs in the number of results, or in the shape."""
    found = count(answer) or 1
    if isinstance(right, tuple):
        asked = ", then ".join(returns)
        if not isinstance(answer, tuple) and found > 1 and answer[0].shape != right[0].shape:
            found = 1  # one array, whose first axis happens to be as long
        return "" if found == len(right) else f"{len(right)} results are asked for: {asked}. You return {found}."
    if isinstance(answer, tuple):
        if found == 1:
            return "you return a tuple with one result in it, as `np.where` and a comma after `return` do: take it out."
        return f"you return {found} results, where one is asked for."
    if answer.shape == right.shape or (right.ndim == 0 and answer.size == 1):
        return ""
    if right.ndim == 0:
        which = "is a mean or a sum missing, or is only the last one meant?"
        return f"you return {answer.size} numbers, where one is asked for: {which}"
    if answer.ndim == right.ndim == 1:
        return f"you return {found} number{'s' * (found != 1)}, where {len(right)} are asked for."
    return f"your answer has shape {answer.shape}, where {right.shape} is asked for: along which axis is it made?"
