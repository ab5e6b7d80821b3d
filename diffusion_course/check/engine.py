"""An exercise is a solution, edits of it that people really make, and probes that tell them apart.

    @exercise(probes=…, hints=…, why=…, mistakes=\"\"\"
    the noise is multiplied by 1 − ᾱ #1 | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) | Its variance is {variance}.
    \"\"\")
    def add_noise(x0, alpha_bar_t, eps):
        return alpha_bar_t**0.5 * x0 + (1 - alpha_bar_t) ** 0.5 * eps

A row of the table is `name #atlas | old → new | sentence`. `old` must occur exactly once in the body, or the import
fails; several edits are joined by `&&`, `⏎` is a line break, and `body → …` replaces the whole body. The sentence is
an f-string in which `f` is the learner's function, and each name in `shows` a value that is computed from it. A row
may go on in the next lines. A wrong answer that no row explains goes to `isolate.py`.
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
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import isolate
from .isolate import Failed


class Mistake(AssertionError):
    """What is wrong with an answer, in one paragraph; Jupyter shows it without a traceback.

    `fault` is the name of a known mistake. `kind` says how the message was found: "named", "isolated", "by hand"
    (one case with its right answer), "raised", or "form" (not the kind of answer that was asked for).
    """

    def __init__(self, message: str, fault: str | None = None, kind: str = "form"):
        super().__init__(" ".join(message.split()))
        self.fault, self.kind = fault, kind

    def _render_traceback_(self) -> list[str]:
        return textwrap.wrap(_printable(f"✗ {self}"), 88)  # Jupyter breaks longer lines in the middle of a word


@dataclass(frozen=True)
class Fault:
    """A known mistake: its name, the function it amounts to, a sentence for the learner, its number in the atlas."""

    name: str
    mutant: Callable
    sentence: str
    atlas: int | None = None


@dataclass(frozen=True)
class Exercise:
    """The check of one exercise: call it with the learner's function, and go on with the function it returns."""

    name: str
    reference: Callable
    probes: tuple
    faults: tuple[Fault, ...] = ()
    hints: tuple[str, ...] = ()
    why: str = ""
    linear: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    whole: bool = False
    kinds: tuple[str, ...] = ("numpy",)
    measure: Callable | None = None
    refuse: Callable[[Any], str | None] = lambda answer: None
    tolerance: float = 1e-6
    tiny: float | None = None
    shows: dict = field(default_factory=dict)
    parts: dict = field(default_factory=dict)
    _hinted: list = field(default_factory=list)

    def __call__(self, attempt: Callable) -> Callable:
        """The function to go on with: `attempt` if it is right, ours if it is blank. Raises `Mistake` if it is wrong."""
        if not callable(attempt) or isinstance(attempt, Exercise):
            raise Mistake(f"{self.name}: hand over your function itself, without calling it.")
        mistakes = []
        try:
            for kind in self.kinds:
                try:
                    self._judge(attempt, kind)
                except Mistake as mistake:
                    mistakes.append(mistake)
                else:
                    say(f"✓ {self.name}: right. The cells below use your function.")
                    return attempt
        except NotImplementedError as blank:
            say(f"○ {self.name}: {_waits_for(blank, attempt)}, so the cells below use ours.")
            return self.reference
        raise next((mistake for mistake in mistakes if mistake.kind != "raised"), mistakes[0])

    def hint(self) -> None:
        """Print the next hint."""
        n, of = len(self._hinted), len(self.hints)
        if n < of:
            self._hinted.append(n)
            say(f"Hint {n + 1} of {of}: {self.hints[n]}")
        elif self.why:
            say(f"That was the last hint. check.{self.name}.solution() shows a solution.")
        else:
            say("That was the last hint.")

    def solution(self) -> None:
        """Print the solution and why it is right."""
        shown = re.sub(r"\b_(\w+\()", r"\1", "\n".join(source(self.reference)))  # `_step_back` stands for their own
        say(f"{shown}\n\n{textwrap.fill(' '.join(self.why.split()), 88)}" if self.why else "Not in the homework.")

    def ask(self, function: Callable, given: tuple):
        """What is compared of the function's answer: arrays of numbers, or `Failed`. Raises what cannot be compared."""
        fresh = _fresh(given)
        try:
            answer = _quietly(function, fresh)
        except (NotImplementedError, Mistake):
            raise
        except Exception as error:
            return Failed(error, *_line_of(error, function))
        if answer is None:
            if _is_blank(function):
                raise NotImplementedError
            return Failed(Mistake("your function returns None: a `return` is missing.", "nothing returned"))
        if not all(isolate.same(a, b) for a, b in zip(fresh, given, strict=True) if _is_data(b)):
            raise Mistake(f"{self.name}: your function changes its input in place; work on a copy.", "input changed")
        if why := self.refuse(answer):
            raise Mistake(f"{self.name}: {why}", "another type")
        try:
            return isolate.numbers(_quietly(self.measure, (answer,)) if self.measure else answer)
        except Exception:
            several = len(self.returns) > 1 and not self.measure
            asked = f"{', then '.join(self.returns)} are" if several else "numbers are"
            raise Mistake(f"{self.name}: your function returns a {type(answer).__name__}; {asked} expected.") from None

    def agree(self, answers: list, others: list) -> bool:
        """Do two lists of answers say the same? NaN, inf and a division by zero count as the same failure."""
        return all(isolate.agree(a, b, self.tolerance, self.tiny) for a, b in zip(answers, others, strict=True))

    def _judge(self, attempt: Callable, kind: str) -> None:
        self._refuse_other_signature(attempt)
        probes = [tuple(_offer(value, kind) for value in probe) for probe in self.probes]
        answers = [self.ask(attempt, probe) for probe in probes]
        self._refuse_other_draws(attempt, probes[0], answers[0])
        if self.agree(answers, self._right):
            if self.whole and not all(_is_whole(_quietly(attempt, _fresh(probe))) for probe in probes):
                raise Mistake(
                    f"{self.name}: the numbers are right, but they are floats, and `alpha_bar[3.0]` is an error: "
                    "return whole numbers (`int`, `.astype(int)`).",
                    "floats for whole numbers",
                    "named",
                )
            return
        known = [fault for fault, wrong in zip(self.faults, self._wrong, strict=True) if self.agree(answers, wrong)]
        if known and (len(known) == 1 or any(isolate.is_finite(answer) for answer in answers)):
            told = self._told(known[0], attempt)
            raise Mistake(f"{self.name}: {known[0].name}. {told}", known[0].name, "named")
        if known and not any(isinstance(answer, Failed) for answer in answers):
            ways = "; or ".join(fault.name for fault in known)
            raise Mistake(f"{self.name}: all your answers are NaN or infinite. What leads there: {ways}.", kind="isolated")
        sentence, how = _quietly(isolate.isolate, (self, attempt, probes, answers, self._right))
        raise Mistake(f"{self.name}: {sentence}", kind=how)

    @functools.cached_property
    def _right(self) -> list:
        return [self.ask(self.reference, probe) for probe in self.probes]

    @functools.cached_property
    def _wrong(self) -> list[list]:
        return [[self._ask_mutant(fault.mutant, probe) for probe in self.probes] for fault in self.faults]

    def _ask_mutant(self, mutant, probe):
        try:
            return self.ask(mutant, probe)
        except Mistake as mistake:  # a mutant may return None, or what cannot be measured
            return Failed(mistake)

    def _told(self, fault: Fault, attempt: Callable) -> str:
        """The sentence of the mistake, quoting the learner's function; the mutant's where that fails."""
        shown = {name: show for name, show in self.shows.items() if f"{{{name}" in fault.sentence}
        for function in (attempt, fault.mutant):
            try:
                with np.errstate(all="ignore"):
                    values = {name: isolate.tell(show(function)) for name, show in shown.items()}
                    names = {**self.reference.__globals__, "f": function, **values}
                    return eval(f"f{fault.sentence!r}", names)
            except Exception:
                continue
        return fault.sentence

    def _refuse_other_draws(self, attempt, probe, answer) -> None:
        """Asked twice the same, the same; with another generator, something else."""
        rngs = [i for i, value in enumerate(probe) if isinstance(value, np.random.Generator)]
        if isinstance(answer, Failed):
            return
        first, again = (isolate.numbers_or_none(_quietly(attempt, _fresh(probe))) for _ in range(2))
        if not isolate.same(first, again):
            raise Mistake(
                f"{self.name}: asked the same twice, your function gives two answers. "
                + ("Draw from `rng`, not from a generator of its own." if rngs else "Nothing in it should be random."),
                "not reproducible",
                "named",
            )
        if rngs and not isolate.same(first, isolate.numbers_or_none(self.reference(*_fresh(probe)))):
            other = tuple(np.random.default_rng(99) if i in rngs else value for i, value in enumerate(probe))
            if isolate.same(first, isolate.numbers_or_none(_quietly(attempt, _fresh(other)))):
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
class Finding:
    """The check of something to be found out: call it with the value found, and go on with the value it returns.

    `ask` says whether the value is of the kind that is `asked` for; `wrong` says of a wrong one what it leads to.
    """

    name: str
    right: Any
    wrong: Callable[[Any], str]
    ask: Callable[[Any], bool]
    asked: str
    hints: tuple[str, ...] = ()
    why: str = ""
    _hinted: list = field(default_factory=list)

    def __call__(self, found):
        """The value to go on with: `found` if right, ours if it is `...` or None. Raises `Mistake` if it is wrong."""
        if found is None or found is ...:
            ours = self.right[len(self.right) // 2]
            say(f"○ {self.name}: still open, so the cells below go on with {ours}.")
            return ours
        if not self.ask(found):
            raise Mistake(f"{self.name}: {found!r} is not {self.asked}.")
        if found not in self.right:
            raise Mistake(f"{self.name}: {self.wrong(found)}", kind="named")
        say(f"✓ {self.name}: {found} is right.")
        return found

    hint = Exercise.hint

    def solution(self) -> None:
        """Print the answer and why it is right."""
        right = f"{self.right[0]} to {self.right[-1]}" if len(self.right) > 1 else self.right[0]
        say(textwrap.fill(f"{self.name} = {right}. {' '.join(self.why.split())}", 88))


def exercise(*, mistakes: str = "", **rest) -> Callable[[Callable], Exercise]:
    """The decorator that makes an `Exercise` of its solution; `rest` are fields of the class.

    `linear` names arguments whose factors can be compared one by one, `returns` the results. `kinds` are the ways in
    which arrays are handed in, "numpy" or "torch" (float32): to be right in one of them is enough. `whole` asks for
    whole numbers. `parts` takes a function's answers apart: name → what it is of a function. `measure` turns an answer into the numbers that are compared, where many answers are right.
    """

    def make(solution: Callable) -> Exercise:
        rows = re.split(r"\n(?=[^\n]* \| [^\n]* → )", "\n" + textwrap.dedent(mistakes).strip())[1:]
        faults = tuple(_fault(solution, row) for row in rows)
        return Exercise(name=solution.__name__, reference=solution, faults=faults, **rest)

    return make


def _fault(solution: Callable, row: str) -> Fault:
    name, edits, sentence = (re.sub(r"\s*\n\s*", " ", part) for part in re.split(r"\s\|\s", row.strip(), maxsplit=2))
    name, _, atlas = name.partition(" #")
    return Fault(name, edited(solution, edits), sentence, int(atlas) if atlas else None)


def edited(solution: Callable, edits: str) -> Callable:
    """The function that the solution becomes by edits `old → new && old → new`; each `old` must occur exactly once."""
    header, body = source(solution)
    places = []
    for edit in edits.split(" && "):
        old, new = (part.replace("⏎", "\n") for part in re.split(" → ?", edit.strip()))
        if old == "body":
            places.append((0, len(body), textwrap.indent(new, "    ")))
            continue
        if body.count(old) != 1:
            raise ValueError(f"{solution.__name__}: {old!r} occurs {body.count(old)} times, not once, in\n{body}")
        places.append((body.index(old), body.index(old) + len(old), new))
    for start, end, new in sorted(places, reverse=True):
        body = body[:start] + new + body[end:]
    made: dict = {}
    exec(compile(f"{header}\n{body}", f"<{solution.__name__}: {edits}>", "exec"), solution.__globals__, made)
    return made[solution.__name__]


def source(solution: Callable) -> tuple[str, str]:
    """The `def` line of a function, and its body without the docstring."""
    text = textwrap.dedent(inspect.getsource(solution))
    node: Any = ast.parse(text).body[0]
    first = node.body[1 if ast.get_docstring(node) else 0]
    lines = text.rstrip().splitlines()
    header = lines[node.lineno - 1 : node.body[0].lineno - 1]
    return "\n".join(header), "\n".join(lines[first.lineno - 1 :])


def say(text: str) -> None:
    """Print, also where the terminal's encoding has no ✓."""
    print(_printable(text))


def _printable(text: str) -> str:
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _is_data(value) -> bool:
    return isinstance(value, (np.ndarray, list, tuple)) or isolate.is_tensor(value)


def _quietly(function, given):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(*given)


def _fresh(value):
    """A copy of what an attempt could spoil: arrays, lists, the state of a generator. The rest as it is."""
    if isinstance(value, (tuple, list)):
        return type(value)(_fresh(item) for item in value)
    return copy.deepcopy(value) if _is_data(value) or isinstance(value, np.random.Generator) else value


def _offer(value, kind: str):
    """A probe's argument in another kind: floats and arrays of floats as torch tensors."""
    if kind == "torch" and (isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype != object)):
        import torch  # only here: the first three lessons never load it

        value = torch.as_tensor(np.asarray(value))
        return value.float() if value.is_floating_point() else value
    return value


def _is_whole(value) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_whole(item) for item in value)
    if isolate.is_tensor(value):
        return not (value.is_floating_point() or value.is_complex())
    return np.asarray(value).dtype.kind in "iu"


def _code_of(function):
    """The code of the learner's function, also below a decorator such as torch.no_grad()."""
    return getattr(inspect.unwrap(function), "__code__", None)


def _is_blank(function) -> bool:
    """Is the body nothing but `...` or `pass`?"""
    code = _code_of(function)
    idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
    return code is not None and all(step.opname in idle for step in dis.get_instructions(code))


def _frames(error) -> list:
    part, parts = error.__traceback__, []
    while part:
        parts.append((part.tb_frame.f_code, part.tb_lineno))
        part = part.tb_next
    return parts


def _line_of(error, function) -> tuple[int, str]:
    """Number and text of the learner's own line at which it happened."""
    below = _frames(error)[1:]
    code, number = next((f for f in below if f[0] is _code_of(function)), below[0] if below else (None, 0))
    return number, linecache.getline(code.co_filename, number).strip() if code else ""


def _waits_for(blank, attempt) -> str:
    """Which blank was met: the attempt's own, or that of a function which it calls."""
    deepest = _frames(blank)[-1][0]
    own = _code_of(attempt)
    if own in (None, deepest) or all(code is not own for code, _ in _frames(blank)):
        return "still blank"
    return f"waits for `{deepest.co_name}`, which it calls and which is still blank"
