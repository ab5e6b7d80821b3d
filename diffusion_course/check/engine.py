"""An exercise is a solution, edits of it that people really make, and probes that tell them apart.

    @exercise(probes=…, hints=…, why=…, mistakes=\"\"\"
    the noise is multiplied by 1 − ᾱ #1 | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) | Its variance is {variance}.
    \"\"\")
    def add_noise(x0, alpha_bar_t, eps):
        return alpha_bar_t**0.5 * x0 + (1 - alpha_bar_t) ** 0.5 * eps

A row of the table is `name #atlas | old → new | sentence`, over as many lines as it needs. `old` must occur exactly
once in the body, or the import fails; several edits are joined by `&&`, `⏎` is a line break, `body → …` replaces the
whole body, `return → …` what the last `return` returns. The sentence is an f-string, in which `f` is the learner's function and each name in `shows` what that
makes of it; without a sentence, `isolate.py` writes one, as it does for a wrong answer that no row explains.
"""

import ast
import copy
import dis
import functools
import inspect
import linecache
import re
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .isolate import Isolation
from .numbers import Failed, agree, is_tensor, numbers, parts, same, tell


class Mistake(AssertionError):
    """What is wrong with an answer, in one paragraph; Jupyter shows it without a traceback.

    `fault` is the name of a known mistake. `kind` says how it was found: "named", "isolated", "by hand" (one case and
    its right answer), "raised", or "form" (not the kind of answer that was asked for).
    """

    def __init__(self, message: str, fault: str | None = None, kind: str = "form"):
        super().__init__(" ".join(message.split()))
        self.fault, self.kind = fault, kind

    def _render_traceback_(self) -> list[str]:
        return textwrap.wrap(printable(f"✗ {self}"), 88)  # Jupyter breaks longer lines in the middle of a word


@dataclass(frozen=True)
class Fault:
    """A known mistake: its name, the function it amounts to, a sentence, its number in the atlas, its edits."""

    name: str
    mutant: Callable
    sentence: str
    atlas: int | None
    edits: str


@dataclass(frozen=True)
class Asked:
    """What every exercise has: a name, and hints that are given one by one."""

    name: str
    hints: tuple[str, ...] = field(default=(), kw_only=True)
    why: str = field(default="", kw_only=True)
    _given: list = field(default_factory=list, kw_only=True)

    def hint(self) -> None:
        """Print the next hint."""
        self._given.append(len(self._given))
        if len(self._given) <= len(self.hints):
            say(f"Hint {len(self._given)} of {len(self.hints)}: {self.hints[len(self._given) - 1]}")
        else:
            say("That was the last hint." + f" check.{self.name}.solution() shows a solution." * bool(self.why))

    def solution(self) -> None:
        """Print a solution, and why it is right."""
        why = textwrap.fill(" ".join(self.why.split()), 88)
        say(f"{self.shown()}\n\n{why}" if why else "There is no solution here.")

    def shown(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True)
class Exercise(Asked):
    """The check of a function: call it with the learner's, and go on with the function that it returns.

    `linear` names arguments whose factors can be compared one by one, `returns` the results. `kinds` are the ways in
    which arrays are handed in, "numpy" or "torch" (float32): to be right in one of them is enough. `whole` asks for
    whole numbers. `measure` turns an answer into the numbers that are compared, where many answers are right; `parts`
    takes answers apart: name → what it is of a function. `refuse` says why an answer is not of the type needed.
    """

    reference: Callable
    probes: tuple
    faults: tuple[Fault, ...] = ()
    linear: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("numpy",)
    whole: bool = False
    measure: Callable | None = None
    refuse: Callable[[Any], str | None] = lambda answer: None
    tolerance: float = 1e-6
    tiny: float | None = None
    shows: dict = field(default_factory=dict)
    parts: dict = field(default_factory=dict)

    def __call__(self, attempt: Callable) -> Callable:
        """The function to go on with: `attempt` if it is right, ours if it is blank. Raises `Mistake` if it is wrong."""
        if not callable(attempt) or isinstance(attempt, Exercise):
            raise Mistake(f"{self.name}: hand over your function itself, without calling it.")
        mistakes = []
        loaded = [kind for kind in self.kinds if kind != "torch" or "torch" in sys.modules]  # else it is not torch code
        for kind in loaded or self.kinds:
            try:
                quietly(self._judge, attempt, kind)
            except NotImplementedError as blank:
                last = traceback.extract_tb(blank.__traceback__)[-1].name
                waits = last not in (getattr(attempt, "__name__", last), "ask")
                state = f"waits for `{last}`, which it calls and which is still blank" if waits else "not attempted yet"
                say(f"○ {self.name}: {state}" + (", so the cells below use ours." if self.why else "."))
                return self.reference
            except Mistake as mistake:
                mistakes.append(mistake)
            else:
                say(f"✓ {self.name}: right." + " The cells below use your function." * bool(self.why))
                return attempt
        raise next((mistake for mistake in mistakes if mistake.kind != "raised"), mistakes[0])

    def shown(self) -> str:
        """The source of the solution; a helper `_step_back` stands for the learner's own step_back."""
        return re.sub(r"\b_(\w+\()", r"\1", "\n".join(source(self.reference)))

    def ask(self, function: Callable, given: tuple):
        """What is compared of the function's answer: arrays of numbers, or `Failed`. Raises what cannot be compared."""
        inputs = fresh(given)
        try:
            answer = quietly(function, *inputs)
        except (NotImplementedError, Mistake):
            raise
        except Exception as error:
            return Failed(error, place_of(error, function))
        if answer is None:
            if is_blank(function):
                raise NotImplementedError
            return Failed(ValueError("nothing is returned"))
        if any(not same(a, b) for a, b in zip(inputs, given, strict=True) if is_data(b)):
            raise Mistake(f"{self.name}: your function changes its input in place; work on a copy.", "input changed")
        if why := self.refuse(answer):
            raise Mistake(f"{self.name}: {why}", "another type")
        try:
            return numbers(quietly(self.measure, answer) if self.measure else answer)
        except Exception:
            asked = f"{', then '.join(self.returns)} are" if len(self.returns) > 1 and not self.measure else "numbers are"
            raise Mistake(f"{self.name}: your function returns a {type(answer).__name__}; {asked} asked for.") from None

    def agree(self, answers: list, others: list) -> bool:
        """Do two lists of answers say the same? NaN, inf and a division by zero count as the same failure."""
        return all(agree(a, b, self.tolerance, self.tiny) for a, b in zip(answers, others, strict=True))

    def _judge(self, attempt: Callable, kind: str) -> None:
        self._refuse_other_signature(attempt)
        probes = [tuple(offer(value, kind) for value in probe) for probe in self.probes]
        answers = [self.ask(attempt, probe) for probe in probes]
        self._refuse_other_draws(attempt, probes[0], answers[0])
        if self.agree(answers, self._right):
            if self.whole and not all(whole(attempt(*fresh(probe))) for probe in probes):
                told = "the numbers are right, but they are floats, and `alpha_bar[3.0]` is an error. Add `.astype(int)`."
                raise Mistake(f"{self.name}: {told}", "another type", "named")
            return
        known = [fault for fault, wrong in zip(self.faults, self._wrong, strict=True) if self.agree(answers, wrong)]
        numeric = [answer for answer in answers if not isinstance(answer, Failed)]
        if known and (len(known) == 1 and numeric or any(np.isfinite(p).any() for a in numeric for p in parts(a))):
            told = self._told(known[0], attempt) or Isolation(self, attempt, probes, answers, self._right).explain()[0]
            raise Mistake(f"{self.name}: {known[0].name}. {told[:1].upper()}{told[1:]}", known[0].name, "named")
        if known and numeric:
            ways = "; or ".join(fault.name for fault in known)
            raise Mistake(f"{self.name}: all your answers are NaN or infinite. What leads there: {ways}.", kind="isolated")
        sentence, how = Isolation(self, attempt, probes, answers, self._right).explain()
        cause = next((a.error for a in answers if isinstance(a, Failed)), None) if how == "raised" else None
        raise Mistake(f"{self.name}: {sentence}", kind=how) from cause

    @functools.cached_property
    def _right(self) -> list:
        return [self.ask(self.reference, probe) for probe in self.probes]

    @functools.cached_property
    def _wrong(self) -> list[list]:
        def ask(mutant, probe):
            try:
                return self.ask(mutant, probe)
            except Mistake as mistake:  # a mutant may return what cannot be compared
                return Failed(mistake)

        return [[ask(fault.mutant, probe) for probe in self.probes] for fault in self.faults]

    def _told(self, fault: Fault, attempt: Callable) -> str:
        """The sentence of the mistake, quoting the learner's function; the mutant's where that fails."""
        for function in (attempt, fault.mutant):
            try:
                names = {name: tell(show(function)) for name, show in self.shows.items() if f"{{{name}" in fault.sentence}
                return eval(f"f{fault.sentence!r}", {**self.reference.__globals__, "f": function, **names})
            except Exception:
                continue
        return fault.sentence

    def _refuse_other_draws(self, attempt, probe, answer) -> None:
        """Asked twice the same, the same; with another generator, something else."""
        rngs = [i for i, value in enumerate(probe) if isinstance(value, np.random.Generator)]
        if isinstance(answer, Failed):
            return
        first, again = (attempt(*fresh(probe)) for _ in range(2))
        if not same(first, again):
            why = "Draw from `rng`, not from a generator of its own." if rngs else "Nothing in it should be random."
            told = f"{self.name}: asked the same twice, your function gives two answers. {why}"
            raise Mistake(told, "not reproducible", "named")
        other = tuple(np.random.default_rng(99) if i in rngs else value for i, value in enumerate(probe))
        if rngs and same(first, attempt(*fresh(other))) and not same(*(self.reference(*fresh(p)) for p in (probe, other))):
            raise Mistake(f"{self.name}: your function never draws from `rng`.", "rng is not used", "named")

    def _refuse_other_signature(self, attempt) -> None:
        try:
            signature = inspect.signature(attempt)
            signature.bind(*self.probes[0])
        except ValueError:
            return  # some functions written in C do not tell theirs
        except TypeError:
            asked = ", ".join(inspect.signature(self.reference).parameters)
            told = f"{self.name}: your function takes {signature}, but it is called with ({asked})."
            raise Mistake(told, "other arguments") from None


@dataclass(frozen=True)
class Finding(Asked):
    """The check of a value that is to be found out: call it with the value, and go on with the one that it returns.

    `ask` says whether a value is of the kind that is `asked` for; `wrong` tells what a wrong one leads to.
    """

    right: range
    wrong: Callable[[Any], str]
    ask: Callable[[Any], bool]
    asked: str

    def __call__(self, found):
        """The value to go on with: `found` if right, ours if it is `...` or None. Raises `Mistake` if it is wrong."""
        if found is None or found is ...:
            ours = self.right[len(self.right) // 2]
            say(f"○ {self.name}: not attempted yet, so the cells below go on with {ours}.")
            return ours
        if not self.ask(found):
            raise Mistake(f"{self.name}: {found!r} is not {self.asked}.")
        if found not in self.right:
            raise Mistake(f"{self.name}: {self.wrong(found)}", "another value", "named")
        say(f"✓ {self.name}: {found} is right.")
        return found

    def shown(self) -> str:
        """The answer."""
        return f"{self.name} = {self.right[0]}" + f" to {self.right[-1]}" * (len(self.right) > 1)


def exercise(*, mistakes: str = "", **rest) -> Callable[[Callable], Exercise]:
    """The decorator that makes an `Exercise` of its solution; `rest` are fields of the class."""

    def make(solution: Callable) -> Exercise:
        rows = re.split(r"\n(?=[^\n]* \| [^\n]* →)", "\n" + textwrap.dedent(mistakes).strip())[1:]
        return Exercise(solution.__name__, solution, faults=tuple(fault(solution, row) for row in rows), **rest)

    return make


def fault(solution: Callable, row: str) -> Fault:
    """The mistake that a row of the table describes."""
    name, edits, sentence = (re.sub(r"\s*\n\s*", " ", part) for part in re.split(r"\s\|\s", f"{row} ", maxsplit=2))
    name, _, atlas = name.strip().partition(" #")
    return Fault(name, edited(solution, edits), sentence.strip(), int(atlas) if atlas else None, edits)


def edited(solution: Callable, edits: str, name: str = "") -> Callable:
    """The function that the solution becomes by `old → new && old → new`; its source can be shown, as that of `name`."""
    header, body = source(solution)
    places = []
    for edit in edits.split(" && "):
        old, new = (part.replace("⏎", "\n") for part in re.split(" → ?", edit.strip()))
        if old == "body":
            places.append((0, len(body), textwrap.indent(new, "    ")))
        elif old == "return":
            places.append((body.rindex("return ") + len("return "), len(body), new))
        elif body.count(old) != 1:
            raise ValueError(f"{solution.__name__}: {old!r} occurs {body.count(old)} times, not once, in\n{body}")
        else:
            places.append((body.index(old), body.index(old) + len(old), new))
    for start, end, new in sorted(places, reverse=True):
        body = body[:start] + new + body[end:]
    name = name or solution.__name__
    text, file = f"{header}\n{body}\n".replace(f"def {solution.__name__}(", f"def {name}("), f"<{name}: {edits}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    made: dict = {}
    exec(compile(text, file, "exec"), solution.__globals__, made)
    return made[name]


def source(solution: Callable) -> tuple[str, str]:
    """The `def` line of a function, and its body without the docstring."""
    text = textwrap.dedent(inspect.getsource(solution))
    node: Any = ast.parse(text).body[0]
    first = node.body[1 if ast.get_docstring(node) else 0]
    lines = text.rstrip().splitlines()
    return "\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1]), "\n".join(lines[first.lineno - 1 :])


def say(text: str) -> None:
    """Print, also where the terminal's encoding has no ✓."""
    print(printable(text))


def printable(text: str) -> str:
    """The text in what standard output can encode; ? for the rest."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def quietly(function: Callable, *given):
    """The function's answer, without NumPy's warnings."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(*given)


def is_data(value) -> bool:
    return isinstance(value, (np.ndarray, list, tuple)) or is_tensor(value)


def fresh(value):
    """A copy of what an attempt could spoil: arrays, lists, the state of a generator. The rest as it is."""
    if isinstance(value, (tuple, list)):
        return type(value)(fresh(item) for item in value)
    return copy.deepcopy(value) if is_data(value) or isinstance(value, np.random.Generator) else value


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


def place_of(error: Exception, function: Callable) -> str:
    """The learner's own line at which it happened."""
    below = traceback.extract_tb(error.__traceback__)[2:]  # without `ask` and `quietly`
    name = getattr(code_of(function), "co_name", None)
    frame = next((frame for frame in below if frame.name == name), below[0] if below else None)
    if frame is None:
        return "the call"
    return f"line {frame.lineno}, `{frame.line}`," if frame.line else f"line {frame.lineno}"
