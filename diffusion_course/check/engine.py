"""An exercise knows the right answer, the known wrong ones, and names the one it meets.

A learner's function is run on a few probes and compared with the reference. If it differs, it is compared
with every known faulty version; the one that agrees with it everywhere, and fails where it fails, is the
mistake made, and its message is shown. A blank (`raise NotImplementedError`) is not an error: the notebook
runs on.
"""

import copy
import inspect
import textwrap
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..forward import is_tensor, to_float64


class Mistake(AssertionError):
    """What is wrong with an answer, in one paragraph; Jupyter shows it without a traceback."""

    def __init__(self, message: str, fault: str | None = None):
        super().__init__(" ".join(message.split()))
        self.fault = fault

    def _render_traceback_(self):
        return textwrap.wrap(f"✗ {self}", 88)  # Jupyter breaks longer lines in the middle of a word


@dataclass(frozen=True)
class Fault:
    """A known mistake: its name, the function it amounts to, and the symptom that tells it.

    `symptom` is the text shown, or makes it from the learner's function, to quote what that returns.
    `atlas` is the number of the fault in the bug atlas, if it has one.
    """

    name: str
    mutant: Callable
    symptom: str | Callable[[Callable], str]
    atlas: int | None = None

    def message(self, attempt: Callable) -> str:
        if isinstance(self.symptom, str):
            return self.symptom
        try:
            return self.symptom(attempt)
        except Exception:  # the attempt fails beyond the probes; the mutant agrees with it on them
            return self.symptom(self.mutant)


@dataclass(frozen=True)
class Exercise:
    """The check of one exercise: call it with the learner's function.

    `probes` are argument tuples; answers must agree with `reference` to `tolerance` (relative and absolute).
    Each call gets fresh copies of arrays and random generators. Where many answers are right (random draws,
    functions), `measure` turns each into the numbers that are compared.
    Prints one line if right or not attempted; raises `Mistake` if wrong.
    """

    name: str
    reference: Callable
    probes: tuple
    faults: tuple[Fault, ...] = field(default=())
    tolerance: float = 1e-6
    measure: Callable = lambda answer: answer

    def __call__(self, attempt: Callable) -> None:
        if not callable(attempt):
            raise Mistake(f"{self.name}: give the check your function itself, without calling it.")
        try:
            first, again = (self._answer(attempt, self.probes[0]) for _ in range(2))
            answers = [first, *(self._answer_or_mistake(attempt, probe) for probe in self.probes[1:])]
        except NotImplementedError as blank:
            print(f"○ {self.name}: {_waits_for(blank, attempt)}")
            return
        if not _equal(first, again, self.tolerance):
            raise Mistake(
                f"{self.name}: asked the same twice, your function answers {_short(first)} and "
                f"{_short(again)}. Does it draw random numbers that are not seeded by its arguments?",
                "not reproducible",
            )
        right = [self.measure(self.reference(*_fresh(probe))) for probe in self.probes]
        if self._agree(answers, right):
            print(f"✓ {self.name}: right on all {len(self.probes)} probes.")
            return
        for fault in self.faults:
            if self._agree(answers, [self._faulty(fault.mutant, probe) for probe in self.probes]):
                raise Mistake(f"{self.name}: {fault.name}. {fault.message(attempt)}", fault.name)
        raise self._first_mistake(answers, right)

    def _answer_or_mistake(self, attempt, probe):
        """The answer, or why there is none: a known fault may fail on this probe too, and then it is named."""
        try:
            return self._answer(attempt, probe)
        except Mistake as mistake:
            return mistake

    def _answer(self, attempt, probe):
        """What is compared of the learner's answer to one probe."""
        self._refuse_other_signature(attempt, probe)
        given = _fresh(probe)
        try:
            answer = attempt(*given)
        except (NotImplementedError, Mistake):
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {error}{_line_of(error, attempt)}"
            raise Mistake(f"{self.name}({self._named(probe)}) raised {what}") from error
        if answer is None:
            raise Mistake(
                f"{self.name}: for {self._named(probe)} your function returned None. Is a `return` missing?",
                "nothing returned",
            )
        if not all(_equal(a, b, 0) for a, b in zip(given, probe, strict=True) if _is_data(b)):
            raise Mistake(f"{self.name}: your function changed its input in place; work on a copy.", "input changed")
        try:
            measured = self.measure(answer)
        except Exception as error:
            raise Mistake(f"{self.name}: {_short(answer)} is no answer of the kind asked for ({error}).") from error
        if not _is_numbers(measured):
            raise Mistake(f"{self.name}: your function returned {_short(answer)}; numbers are expected.")
        return measured

    def _refuse_other_signature(self, attempt, probe) -> None:
        try:
            signature = inspect.signature(attempt)
        except (TypeError, ValueError):
            return  # some functions written in C do not tell theirs
        try:
            signature.bind(*probe)
        except TypeError:
            asked = ", ".join(inspect.signature(self.reference).parameters)
            raise Mistake(
                f"{self.name}: your function takes {signature}, but is called with ({asked}).",
                "other arguments",
            ) from None

    def _faulty(self, mutant, probe):
        """A faulty version may fail on some probe (divide by zero): what the learner wrote must fail there too."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return self.measure(mutant(*_fresh(probe)))
            except Exception as error:
                return Mistake(str(error))

    def _agree(self, answers, others) -> bool:
        """Equal on every probe, or failing both; but what fails from the first on is nobody's known mistake."""
        pairs = list(zip(answers, others, strict=True))
        return not isinstance(answers[0], Mistake) and all(
            (isinstance(a, Mistake) and isinstance(b, Mistake)) or _equal(a, b, self.tolerance) for a, b in pairs
        )

    def _first_mistake(self, answers, right) -> Mistake:
        for probe, answer, expected in zip(self.probes, answers, right, strict=True):
            if isinstance(answer, Mistake):
                return answer
            if not _equal(answer, expected, self.tolerance):
                told = f"for {self._named(probe)} you return {_short(answer)}, expected {_short(expected)}."
                return Mistake(f"{self.name}: {told}{_where(answer, expected, self.tolerance)}")
        raise AssertionError("called only when some answer differs")

    def _named(self, probe) -> str:
        """A probe in a sentence: x=2, beta_t=0.36, eps=1."""
        given = inspect.signature(self.reference).bind(*probe).arguments
        return ", ".join(f"{name}={_short(value)}" for name, value in given.items())


def _is_data(value) -> bool:
    return isinstance(value, (np.ndarray, list, tuple)) or is_tensor(value)


def _is_numbers(value) -> bool:
    try:
        to_float64(value)
    except (TypeError, ValueError, RuntimeError):
        return isinstance(value, (tuple, list)) and all(_is_numbers(item) for item in value)
    return True


def _fresh(value):
    """A copy of what an attempt could spoil: arrays, lists, the state of a generator. The rest as it is."""
    if isinstance(value, (tuple, list)):
        return type(value)(_fresh(item) for item in value)
    return copy.deepcopy(value) if _is_data(value) or isinstance(value, np.random.Generator) else value


def _equal(a, b, tolerance: float) -> bool:
    """Same structure, same shape, and numbers within `tolerance`; NaN equals NaN only."""
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(_equal(x, y, tolerance) for x, y in zip(a, b, strict=True))
    try:
        a, b = to_float64(a), to_float64(b)
    except (TypeError, ValueError, RuntimeError):  # not numbers, or a tuple on one side only
        return False
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True))


def _frames(error) -> list:
    """The traceback's parts, from ours to the deepest."""
    part, parts = error.__traceback__, []
    while part:
        parts.append(part)
        part = part.tb_next
    return parts


def _code_of(attempt):
    """The code of the learner's function, also below a decorator such as torch.no_grad()."""
    return getattr(inspect.unwrap(attempt), "__code__", None)


def _line_of(error, attempt) -> str:
    """Where in the learner's function it happened; without its code, in the frame below ours."""
    below = _frames(error)[1:]
    frame = next((f for f in below if f.tb_frame.f_code is _code_of(attempt)), below[0] if below else None)
    return f" (line {frame.tb_lineno} of {frame.tb_frame.f_code.co_name})" if frame else ""


def _waits_for(blank, attempt) -> str:
    """Which `raise NotImplementedError` was met: the attempt's own, or that of a function which it calls."""
    deepest = _frames(blank)[-1].tb_frame.f_code
    if _code_of(attempt) in (None, deepest):
        return "not attempted yet. Replace `raise NotImplementedError`, run the cell again."
    return f"waits for `{deepest.co_name}`, which it calls and which is still blank."


def _where(answer, expected, tolerance: float) -> str:
    """The first number that differs, where there are too many to be shown."""
    if isinstance(answer, (tuple, list)) or isinstance(expected, (tuple, list)):
        return ""
    answer, expected = to_float64(answer), to_float64(expected)
    if answer.shape != expected.shape or answer.size <= 6:
        return ""
    differs = ~np.isclose(answer, expected, rtol=tolerance, atol=tolerance, equal_nan=True)
    first = tuple(int(i) for i in np.argwhere(differs)[0])
    place = ", ".join(map(str, first))
    return f" The first difference: [{place}] is {answer[first]:.6g}, expected {expected[first]:.6g}."


def _short(value) -> str:
    """A value in a sentence: numbers as they are, a large array by its shape, an object by its name."""
    if isinstance(value, (tuple, list)):
        items = ", ".join(_short(item) for item in value)
        return f"[{items}]" if isinstance(value, list) else f"({items})"
    if not _is_numbers(value):
        name = getattr(value, "__name__", type(value).__name__)
        return repr(value) if isinstance(value, str) else name
    numbers = to_float64(value)
    if numbers.size > 6:
        return f"array of shape {numbers.shape}, mean {numbers.mean():.4g}, spread {numbers.std():.4g}"
    text = np.array2string(numbers, separator=", ", formatter={"float_kind": "{:.6g}".format})
    return f"{text} of shape {numbers.shape}" if numbers.ndim > 1 else text
