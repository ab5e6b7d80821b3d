"""What is wrong with an answer that no known mistake explains: one weight, one result, one place, one case by hand.

Also how answers are turned into numbers, compared, and told in a sentence.
"""

import inspect
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SYMBOLS = {
    "x0": "x_0", "xt": "x_t", "xT": "x_T", "x0_hat": "x̂_0", "eps": "ε", "eps_hat": "ε̂", "alpha_bar": "ᾱ",
    "alpha_bar_t": "ᾱ_t", "alpha_bar_s": "ᾱ_s", "beta": "β", "beta_t": "β_t", "betas": "β", "eta": "η",
    "log_snr": "log-SNR", "variance": "variance",
}  # fmt: skip

RELATIONS: dict[str, Callable] = {
    "the right one with the other sign": lambda r: -r,
    "the square of the right one: is a root missing?": lambda r: r**2,
    "the root of the right one: is there a root too many?": lambda r: np.sqrt(np.abs(r)),
    "1 over the right one: is something upside down?": lambda r: 1 / r,
    "twice the right one": lambda r: 2 * r,
    "half the right one": lambda r: r / 2,
    "1 minus the right one": lambda r: 1 - r,
}


@dataclass(frozen=True)
class Failed:
    """An answer that is none: the exception, and the learner's own line at which it was raised."""

    error: Exception
    number: int = 0
    line: str = ""


# ---- numbers ---------------------------------------------------------------------------------------


def is_tensor(x) -> bool:
    """Is x a torch tensor? Asked without importing torch."""
    return hasattr(x, "new_tensor")


def numbers(answer):
    """An answer as an array that keeps its precision; a tuple as a tuple of arrays. Raises TypeError for other things."""
    if isinstance(answer, tuple) or (isinstance(answer, list) and any(is_tensor(x) or np.ndim(x) for x in answer)):
        return tuple(numbers(item) for item in answer)
    if is_tensor(answer):
        answer = answer.detach().cpu()
        answer = (answer if answer.is_complex() or answer.element_size() >= 4 else answer.float()).numpy()
    array = np.asarray(answer)
    if array.dtype.kind == "c":  # Python's root of a negative number; NumPy's is NaN
        return np.full(array.shape, np.nan)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{type(answer).__name__} holds no numbers")
    return array


def numbers_or_none(answer):
    """As `numbers`, but None for what holds none."""
    try:
        return numbers(answer)
    except Exception:
        return None


def same(a, b) -> bool:
    """Exactly the same numbers (NaN equals NaN)."""
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
        return isinstance(other, Failed) or any(not np.isfinite(part).all() for part in _parts(other))
    if isinstance(a, tuple) or isinstance(b, tuple):
        if not (_length(a) == _length(b) is not None):
            return False
        return all(agree(np.asarray(x), np.asarray(y), tolerance, tiny) if not isinstance(x, tuple) else
                   agree(x, y, tolerance, tiny) for x, y in zip(a, b, strict=True))
    if a.shape != b.shape and not (b.ndim == 0 and a.size):  # one number may come as an array of it
        return False
    coarse = min(x.dtype.itemsize if x.dtype.kind == "f" else 8 for x in (a, b))
    tolerance = max(tolerance, {8: 0.0, 4: min(100 * tolerance, 1e-3), 2: 0.02}.get(coarse, 0.0))
    a, b = np.broadcast_arrays(a.astype(np.float64), b.astype(np.float64))
    finite = np.isfinite(b)
    if not np.array_equal(finite, np.isfinite(a)):
        return False
    return bool(np.allclose(a[finite], b[finite], rtol=tolerance, atol=tolerance if tiny is None else tiny))


def is_finite(answer) -> bool:
    """Is any number of it finite?"""
    return not isinstance(answer, Failed) and any(np.isfinite(part).any() for part in _parts(answer))


def _parts(answer) -> list:
    return [part for item in answer for part in _parts(item)] if isinstance(answer, tuple) else [answer]


def _length(answer) -> int | None:
    return len(answer) if isinstance(answer, tuple) or np.ndim(answer) else None


# ---- sentences -------------------------------------------------------------------------------------


def tell(value) -> str:
    """A value in a sentence: numbers as they are, many by their shape, an object by its name."""
    if isinstance(value, str):
        return value
    if isinstance(value, Failed):
        return "an error"
    if isinstance(value, (tuple, list)) and numbers_or_none(value) is not None:
        return f"({', '.join(tell(item) for item in value)})" if len(value) <= 6 else f"{len(value)} numbers"
    array = numbers_or_none(value)
    if array is None or isinstance(array, tuple):
        return getattr(value, "__name__", type(value).__name__)
    if array.ndim == 0 and not np.isfinite(array):
        return "NaN" if np.isnan(array) else "infinity"
    if array.ndim == 0:
        return f"{float(array) + 0.0:.4g}".replace("-", "−")
    if array.size > 6:
        return f"{array.size} numbers of shape {array.shape}" if array.ndim > 1 else f"{array.size} numbers"
    return f"[{', '.join(tell(item) for item in array)}]"


def told(ex, probe, but=()) -> str:
    """A probe in a sentence: x_0 = 3, ᾱ_t = 0.25, ε = 2."""
    given = inspect.signature(ex.reference).bind(*probe).arguments
    short = {name: tell(value) for name, value in given.items() if name not in but and not _is_object(value)}
    return ", ".join(f"{SYMBOLS.get(name, name)} = {value}" for name, value in short.items())


def _is_object(value) -> bool:
    return not isinstance(value, str) and numbers_or_none(value) is None


def isolate(ex, attempt: Callable, probes: list, answers: list, right: list) -> tuple[str, str]:
    """The sentence that tells what is wrong, and its kind, for an exercise's probes, their answers, and the right ones."""
    bad = [i for i, pair in enumerate(zip(answers, right, strict=True)) if not ex.agree([pair[0]], [pair[1]])]
    failed = next((i for i in bad if isinstance(answers[i], Failed)), None)
    if failed is not None and (len(bad) == 1 or failed == bad[0]):
        return _raised(ex, probes[failed], answers[failed], len(bad) < len(probes)), "raised"
    bad = [i for i in bad if not isinstance(answers[i], Failed)]
    first = bad[0]
    if form := _form(ex, answers[first], right[first]):
        return f"{form} (For {told(ex, probes[first])}.)", "isolated"
    results = _results(answers[first], right[first])
    wrong = [k for k in range(results) if any(not ex.agree([_at(answers[i], k, results)], [_at(right[i], k, results)]) for i in bad)]
    names = ex.returns or ("answer",) if results == 1 else tuple(ex.returns) or tuple(f"result {k + 1}" for k in range(results))
    if results > 1 and (order := _other_order(ex, answers, right, bad, results, names)):
        return order, "isolated"
    lead = ""
    if 0 < len(wrong) < results:
        ok = ", ".join(names[k] for k in range(results) if k not in wrong)
        lead = f"Your {ok} {'is' if results - len(wrong) == 1 else 'are'} right; what is wrong is the {names[wrong[0]]}. "
    k = wrong[0]
    name = names[k]
    mine, good = ([_at(x[i], k, results) for i in bad] for x in (answers, right))
    seen = [probes[i] for i in bad]
    for way in (_weights, _parts_apart, _ignored, _as_if, _relation, _place):
        if sentence := way(ex, attempt, seen, mine, good, name, lambda x, k=k: _at(x, k, results)):
            return lead + sentence, "isolated"
    hand = _by_hand(ex, seen, mine, good)
    if edge := _edge(ex, probes, bad):
        return f"{lead}right, but not for {edge}: {hand}", "isolated"
    return lead + ("right in some cases, but " if len(bad) < len(probes) else "") + hand, "isolated" if lead else "by hand"


def _raised(ex, probe, failed: Failed, elsewhere: bool) -> str:
    error = failed.error
    if getattr(error, "fault", None) == "nothing returned":
        return f"for {told(ex, probe)} {error} Does it stand in a branch or a loop that is not reached?"
    line = f"line {failed.number}, `{failed.line}`, " if failed.line else f"line {failed.number} "
    hint = ""
    if isinstance(error, TypeError) and ("0-dimensional" in str(error) or "only length-1" in str(error) or "one element" in str(error)):
        hint = " The functions of `math` take one number; NumPy's of the same name take arrays too."
    where = "Right in other cases, but " if elsewhere else ""
    return f"{where}{line}raises {type(error).__name__}: {error}{'' if str(error).endswith('.') else '.'} Handed in was {told(ex, probe)}.{hint}"


def _form(ex, answer, right) -> str:
    """What differs in the number of results or in the shape."""
    if isinstance(right, tuple):
        if _length(answer) != len(right):
            got = f"{len(answer)} results" if isinstance(answer, tuple) else "one result"
            return f"Return {len(right)} results: {', then '.join(ex.returns) or 'separated by commas'}. You return {got}."
        return ""
    if isinstance(answer, tuple):
        if len({np.shape(part) for part in answer}) > 1 or any(isinstance(part, tuple) for part in answer) or len(answer) != _length(right):
            return f"You return {len(answer)} results, where one is asked for."
        return ""
    if answer.shape == right.shape or (right.ndim == 0 and answer.size == 1):
        return ""
    if right.ndim == 0:
        return f"You return {answer.size} numbers, where one is asked for: is a mean or a sum missing?"
    if answer.ndim == right.ndim == 1:
        return f"You return {len(answer)} numbers, where {len(right)} are asked for."
    if answer.ndim > 1 and answer.shape == right.T.shape and np.allclose(answer, right.T):
        return "Right, but rows and columns are exchanged."
    return f"Your answer has shape {answer.shape}, where {right.shape} is asked for: along which axis is it made?"


def _results(answer, right) -> int:
    return len(right) if isinstance(right, tuple) else 1


def _at(answer, k: int, results: int):
    """Result k of an answer, as an array."""
    if results == 1 or isinstance(answer, Failed):
        return np.asarray(answer) if isinstance(answer, tuple) else answer
    return answer[k] if isinstance(answer[k], tuple) else np.asarray(answer[k])


def _other_order(ex, answers, right, bad, results, names) -> str:
    turned = [tuple(_at(answers[i], k, results) for k in range(results))[::-1] for i in bad]
    if all(ex.agree([a], [right[i]]) for a, i in zip(turned, bad, strict=True)):
        return f"The results are right, but in another order: asked is {', then '.join(names)}."
    return ""


def _weights(ex, attempt, probes, mine, good, name, pick) -> str:
    """Compare the factors of arguments that enter linearly, one by one."""
    names = list(inspect.signature(ex.reference).parameters)
    linear = [names.index(each) for each in ex.linear]
    found = []
    for probe, a in zip(probes, mine, strict=True):
        ours, yours = (_factors(ex, function, probe, linear, pick) for function in (ex.reference, attempt))
        if not linear or yours is None or ours is None:
            continue
        whole = yours[0] + sum(f * np.asarray(numbers(probe[i]), float) for f, i in zip(yours[1:], linear, strict=True))
        if np.allclose(whole, a, rtol=1e-3, atol=1e-5):  # else it is not linear in them
            found.append((probe, [_one(f) for f in yours], [_one(f) for f in ours]))
    if not found:
        return ""
    probe, yours, ours = found[0]
    off = [j for j, (x, y) in enumerate(zip(yours, ours, strict=True)) if not np.allclose(x, y, rtol=1e-4, atol=1e-6)]
    symbols = [SYMBOLS.get(names[i], names[i]) for i in linear]
    at = told(ex, probe, but=ex.linear)
    at = f"At {at}, " if at else ""
    if not off or not np.any(np.concatenate([np.ravel(each) for each in yours[1:] + ours[1:]])):
        return ""
    if off[0] == 0 and np.ndim(ours[0]) == np.ndim(yours[0]) == 0 and abs(ours[0]) > 1e-9:
        added = f"what is added to it is {_compare([(y[0], o[0]) for _, y, o in found])}"
        off, at = off[1:], f"{at}{added}" if len(off) == 1 else f"{at}{added}; "
        if not off:
            return f"{at}. The weight of {' and '.join(symbols)} is right."
    if off[0] == 0:
        return (
            f"{at}if {' and '.join(symbols)} are 0 your {name} is {tell(yours[0])}, where {tell(ours[0])} is right: "
            "something is added that belongs to none of them."
        )
    if len(linear) == 2 and all(_all_close(y[1:], o[:0:-1]) for _, y, o in found):
        return f"{at}the weights of {symbols[0]} and {symbols[1]} are exchanged: {tell(yours[1])} and {tell(yours[2])}."
    parts = [f"your weight of {symbols[j - 1]} is {_compare([(y[j], o[j]) for _, y, o in found])}" for j in off]
    rest = [symbols[j - 1] for j in range(1, len(ours)) if j not in off]
    return f"{at}{'; '.join(parts)}." + (f" That of {' and '.join(rest)} is right." if rest else "")


def _all_close(some, others) -> bool:
    return all(np.shape(x) == np.shape(y) and np.allclose(x, y, rtol=1e-4, atol=1e-6) for x, y in zip(some, others, strict=True))


def _one(x):
    """A factor as one number if it is the same everywhere."""
    x = np.asarray(x, float)
    return float(x.ravel()[0]) if x.size and np.allclose(x, x.ravel()[0]) else x


def _compare(pairs) -> str:
    """One weight beside the right one; and what it is of it, if it is that in every probe."""
    mine, right = pairs[0]
    text = f"{tell(mine)}, the right one is {tell(right)}"
    pairs = [pair for pair in pairs if not np.ndim(pair[0]) and not np.ndim(pair[1])]
    if not pairs or np.allclose([pair[0] for pair in pairs], 0, atol=1e-9):
        return text
    relation = _related(*(np.array(each) for each in zip(*pairs, strict=True)), 1e-5)
    return f"{text} (yours is {relation})" if relation else text


def _factors(ex, function, probe, linear, pick):
    """The offset and the factor of each linear argument; None where the function fails."""

    def at(which):
        given = list(probe)
        for i in linear:
            given[i] = probe[i] * 0 + (1 if i == which else 0)
        return np.asarray(pick(ex.ask(function, tuple(given))), float)

    try:
        offset = at(None)
        factors = [offset, *(at(i) - offset for i in linear)]
    except Exception:
        return None
    return factors if all(np.isfinite(f).all() for f in factors) else None


def _parts_apart(ex, attempt, probes, mine, good, name, pick) -> str:
    """Compare what the exercise itself takes its answers apart into."""
    told = []
    for part, of in ex.parts.items():
        try:
            with np.errstate(all="ignore"):
                yours, ours = (numbers(of(function)) for function in (attempt, ex.reference))
        except Exception:
            return ""
        if not agree(yours, ours, max(ex.tolerance, 1e-5)):
            told.append(f"{part} is {_compare([(yours, ours)])}")
    rest = len(ex.parts) - len(told)
    told = told[:2]
    return f"{'; '.join(told)}.{' Other parts of it are right.' if rest else ''}" if told else ""


def _variations(ex, i: int):
    """Pairs of probes that differ in argument i only."""
    for probe in ex.probes:
        for other in ex.probes:
            if np.shape(probe[i]) == np.shape(other[i]) and not _is_object(probe[i]) and not same(probe[i], other[i]):
                yield probe, (*probe[:i], other[i], *probe[i + 1 :])


def _ignored(ex, attempt, probes, mine, good, name, pick) -> str:
    """Is there an argument that changes the right answer and not the learner's?"""
    for i, argument in enumerate(inspect.signature(ex.reference).parameters):
        moved = []
        for pair in itertools.islice(_variations(ex, i), 12):
            try:
                yours, ours = ([pick(ex.ask(function, probe)) for probe in pair] for function in (attempt, ex.reference))
                if not np.isfinite(np.asarray(yours, float)).all():
                    return ""
            except Exception:
                continue
            if not ex.agree(ours[:1], ours[1:]):
                moved.append(not ex.agree(yours[:1], yours[1:]))
        if moved and not any(moved):
            return f"Your {name} does not depend on {SYMBOLS.get(argument, argument)}, and it must."
    return ""


INSTEAD: dict[str, Callable] = {
    "−{}": lambda v: -v, "1 − {}": lambda v: 1 - v, "√{}": lambda v: v**0.5, "{}²": lambda v: v**2,
    "{} + 1": lambda v: v + 1, "{} − 1": lambda v: v - 1, "2 {}": lambda v: 2 * v, "{} / 2": lambda v: v / 2,
}  # fmt: skip


def _as_if(ex, attempt, probes, mine, good, name, pick) -> str:
    """Would the answer be right for another value of one argument, or for two of them exchanged?"""
    names = list(inspect.signature(ex.reference).parameters)
    symbols = [SYMBOLS.get(each, each) for each in names]

    def right_for(change) -> bool:
        try:
            return all(ex.agree([a], [pick(ex.ask(ex.reference, change(p)))]) for p, a in zip(probes, mine, strict=True))
        except Exception:
            return False

    for i, j in itertools.combinations(range(len(probes[0])), 2):
        if right_for(lambda p, i=i, j=j: tuple(p[j if k == i else i if k == j else k] for k in range(len(p)))):
            return f"Your {name} would be right if {symbols[i]} and {symbols[j]} were exchanged: which of the two is which?"
    for i, symbol in enumerate(symbols):
        for instead, of in INSTEAD.items():
            if not _is_object(probes[0][i]) and right_for(lambda p, i=i, of=of: (*p[:i], of(p[i]), *p[i + 1 :])):
                return f"Your {name} is what would be right for {instead.format(symbol)} in place of {symbol}."
    return ""


def _edge(ex, probes, bad) -> str:
    """The value (or the length) of an argument that all wrong cases have and no right one."""
    for i, argument in enumerate(inspect.signature(ex.reference).parameters):
        values = [probe[i] if np.ndim(probe[i]) == 0 else len(probe[i]) for probe in probes]
        if _is_object(probes[bad[0]][i]) or len(bad) == len(probes):
            continue
        right = [value for k, value in enumerate(values) if k not in bad]
        symbol, value = SYMBOLS.get(argument, argument), values[bad[0]]
        if all(same(values[k], value) for k in bad) and not any(same(value, other) for other in right):
            return f"{symbol} = {tell(value)}" if np.ndim(probes[bad[0]][i]) == 0 else f"{value} numbers in {symbol}"
        if np.ndim(probes[0][i]) and min(values[k] for k in bad) > max(right):
            return f"more than {max(right)} numbers in {symbol}"
    return ""


def _related(mine, right, tolerance: float) -> str:
    with np.errstate(all="ignore"):
        for text, of in RELATIONS.items():
            if np.allclose(mine, of(right), rtol=max(tolerance, 1e-5), atol=1e-9):
                return text
    return ""


def _relation(ex, attempt, probes, mine, good, name, pick) -> str:
    """Is the answer a simple function of the right one, or larger by one factor or one number everywhere?"""
    if any(isinstance(a, Failed) or np.shape(a) != np.shape(g) for a, g in zip(mine, good, strict=True)):
        return ""
    a, g = (np.concatenate([np.ravel(x).astype(float) for x in each]) for each in (mine, good))
    if not np.isfinite(a).all():
        return ""
    if relation := _related(a, g, ex.tolerance):
        return f"Your {name} is {relation} For {told(ex, probes[0])} it is {tell(mine[0])}, and {tell(good[0])} is right." if relation[-1] == "?" else \
            f"Your {name} is {relation}: for {told(ex, probes[0])} it is {tell(mine[0])}, and {tell(good[0])} is right."
    sizes = [max((np.size(numbers(v)) for v in probe if _is_array(v)), default=1) for probe in probes]
    each = np.concatenate([np.full(np.size(m), s) for m, s in zip(mine, sizes, strict=True)])
    for factor, text in ((each, "a sum where a mean is asked for"), (1 / each, "a mean where a sum is asked for")):
        if (each > 1).any() and np.allclose(a, g * factor, rtol=1e-5):
            return f"Your {name} is {text}: for {told(ex, probes[0])} it is {tell(mine[0])}, and {tell(good[0])} is right."
    if len(a) > 1 and np.ptp(g) > 1e-9:
        if np.allclose(a - g, (a - g)[0], rtol=1e-5, atol=1e-9):
            return f"Your {name} is everywhere {'larger' if a[0] > g[0] else 'smaller'} by {tell(abs(a[0] - g[0]))} than the right one."
        nonzero = np.abs(g) > 1e-9
        ratio = a[nonzero] / g[nonzero]
        if len(ratio) > 1 and np.allclose(ratio, ratio[0], rtol=1e-5) and np.allclose(a[~nonzero], 0, atol=1e-9):
            return f"Your {name} is everywhere {tell(ratio[0])} times the right one."
    return ""


def _is_array(value) -> bool:
    return isinstance(value, (np.ndarray, list)) or is_tensor(value)


def _place(ex, attempt, probes, mine, good, name, pick) -> str:
    """The first place of an array that differs, or the order of a sequence."""
    a, g = np.asarray(mine[0], float), np.asarray(good[0], float)
    if a.shape != g.shape or a.ndim == 0 or a.size < 2:
        return ""
    for turned, text in ((a[::-1], "the other way round: the last one should come first"), (np.roll(a, 1, 0), "one place too early"), (np.roll(a, -1, 0), "one place too late")):
        core = slice(1, -1) if "place" in text and len(a) > 3 else slice(None)
        if np.allclose(turned[core], g[core], rtol=1e-5, atol=1e-9):
            return f"Your {name} holds the right numbers {text}."
    differs = ~np.isclose(a, g, rtol=max(ex.tolerance, 1e-5), atol=ex.tolerance if ex.tiny is None else ex.tiny)
    if differs.all() and a.ndim > 1:
        return ""
    first = tuple(int(i) for i in np.argwhere(differs)[0])
    place = ", ".join(map(str, first))
    good_before = "" if not any(first) else "right up to there, " if a.ndim == 1 else ""
    return f"For {told(ex, probes[0])}: {good_before}at [{place}] your {name} is {tell(a[first])}, and {tell(g[first])} is right."


def _by_hand(ex, probes, mine, good) -> str:
    """The simplest probe in one line."""
    size = [sum(1 if isinstance(v, str) else np.size(numbers(v)) for v in probe if not _is_object(v)) for probe in probes]
    i = int(np.argmin(size))
    return f"for {told(ex, probes[i])} you return {tell(mine[i])}, and {tell(good[i])} is right."
