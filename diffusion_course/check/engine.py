"""The check of an exercise: it knows the solution, its known mistakes and probes, and tells what a function gets wrong.

The exercises are made by `table.exercise`. A wrong answer that no known mistake explains goes to `isolate.Isolation`.
"""

import contextlib
import functools
import inspect
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .asked import Asked, Mistake
from .handed import Endless, ending, fresh, is_blank, is_data, offer, place_of, quietly, source, statements, whole
from .isolate import Isolation
from .numbers import Failed, agree, alike, capital, numbers, parts, same, say


@dataclass(frozen=True)
class Fault:
    """A known mistake: its name, the function it amounts to, a sentence, its number in the atlas, its edits."""

    name: str
    mutant: Callable
    sentence: str
    atlas: int | None
    edits: str


@dataclass(frozen=True, repr=False)
class Exercise(Asked):
    """The check of a function: call it with the learner's, and go on with the function that it returns.

    `linear` names arguments whose factors can be compared one by one, `returns` the results. `kinds` are the ways in
    which arrays are handed in, "numpy" or "torch" (float32): to be right in one of them is enough. `whole` asks for
    whole numbers. `measure` turns an answer into the numbers that are compared, where many answers are right; `parts`
    takes answers apart: name → what it is of a function, or a case by hand. `refuse` says why an answer is not of the
    type needed. `sensible` says which arguments may be tried besides the probes: a loop that counts down may never end
    for others. `given` counts the statements that the notebook's blank holds already: who has more has written some.
    `shows` is the source of the solution in another form.
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
    sensible: Callable[..., bool] = lambda *given: True
    tolerance: float = 1e-6
    tiny: float | None = None
    given: int = 0
    shows: str = ""
    parts: dict = field(default_factory=dict)

    def __call__(self, attempt: Callable) -> Any:
        """The function to go on with: `attempt` if right, ours if blank. Raises `Mistake` if it is wrong.

        In the homework, where there is no solution, nothing is returned.
        """
        if not callable(attempt) or isinstance(attempt, Exercise):
            raise Mistake(f"{self.name}: hand over your function itself, without calling it.")
        mistakes = []
        loaded = [kind for kind in self.kinds if kind != "torch" or "torch" in sys.modules]  # else it is not torch code
        for kind in loaded or self.kinds:
            try:
                remark = quietly(self._judge, attempt, kind)
            except NotImplementedError as blank:
                last = traceback.extract_tb(blank.__traceback__)[-1].name
                waits = last not in (getattr(attempt, "__name__", last), "ask")
                if not waits and last != "ask" and statements(attempt) > self.given:
                    told = "the line `raise NotImplementedError` is still there; delete it."
                    raise Mistake(f"{self.name}: {told}", "the blank's line is left in", "named") from None
                state = f"waits for `{last}`, which it calls and which is still blank" if waits else "not attempted yet"
                say(f"○ {self.name}: {state}" + (", so the cells below use ours." if self.why else "."))
                return self.reference if self.why else None
            except Mistake as mistake:
                mistakes.append(mistake)
            else:
                say(f"✓ {self.name}: right." + " The cells below use your function." * bool(self.why))
                if remark:
                    say(remark)
                return attempt if self.why else None
        raise next((mistake for mistake in mistakes if mistake.kind != "raised"), mistakes[0])

    def shown(self) -> str:
        """The source of the solution; a helper `_step_back` stands for the learner's own step_back."""
        return self.shows or re.sub(r"\b_(\w+\()", r"\1", "\n".join(source(self.reference)))

    def ask(self, function: Callable, given: tuple):
        """What is compared of the function's answer: arrays of numbers, or `Failed`. Raises what cannot be compared."""
        inputs = fresh(given)
        try:
            with ending(function):
                answer = quietly(function, *inputs)
        except (NotImplementedError, Mistake):
            raise
        except Endless as endless:
            raise Mistake(f"{self.name}: {endless}", "the loop does not end", "named") from None
        except Exception as error:
            return Failed(error, place_of(error, function))
        if answer is None:
            if is_blank(function):
                raise NotImplementedError
            return Failed(ValueError("nothing is returned"))
        if any(not same(a, b) for a, b in zip(inputs, given, strict=True) if is_data(b)):
            raise Mistake(f"{self.name}: your function changes its input in place; work on a copy.", "input changed")
        kind = type(answer).__name__
        try:
            why = self.refuse(answer)
            compared = None if why else numbers(quietly(self.measure, answer) if self.measure else answer)
        except Exception:
            asked = "what the task names" if self.measure else ", then ".join(self.returns[:9]) or "numbers"
            raise Mistake(f"{self.name}: your function returns a {kind}; it should return {asked}.") from None
        if why:
            raise Mistake(f"{self.name}: {why}", "another type")
        return compared

    def agree(self, answers: list, others: list) -> bool:
        """Do two lists of answers say the same? NaN, inf and a division by zero count as the same failure."""
        return all(agree(a, b, self.tolerance, self.tiny) for a, b in zip(answers, others, strict=True))

    def _judge(self, attempt: Callable, kind: str) -> str | None:
        """What is to be said of a right one, if anything. Raises `Mistake` for a wrong one."""
        self._refuse_other_signature(attempt)
        probes = [tuple(offer(value, kind) for value in probe) for probe in self.probes]
        answers = [self.ask(attempt, probe) for probe in probes]
        fine = [probe for probe, answer in zip(probes, answers, strict=True) if not isinstance(answer, Failed)]
        for probe in fine:  # noise may show in some only
            self._refuse_two_answers(attempt, probe)
        known = [fault for fault, wrong in zip(self.faults, self._wrong, strict=True) if self.agree(answers, wrong)]
        if not known and any(self._never_draws(attempt, probe) for probe in fine):
            raise Mistake(f"{self.name}: the result does not depend on what `rng` draws.", "rng is not used", "named")
        if self.agree(answers, self._right):
            if self.whole and not all(whole(attempt(*fresh(probe))) for probe in probes):
                told = "the numbers are right, but floats, and `alpha_bar[3.0]` is an error. Add `.astype(int)`."
                raise Mistake(f"{self.name}: {told}", "another type", "named")
            return None
        numeric = [answer for answer in answers if not isinstance(answer, Failed)]
        if known and ((len(known) == 1 and numeric) or any(np.isfinite(p).any() for a in numeric for p in parts(a))):
            told = self._told(known[0], attempt)
            if "{" not in known[0].sentence and not (told and self.measure):
                in_numbers, _ = self._isolated(attempt, probes, answers)
                brief = len(in_numbers) < 150 and not in_numbers.startswith("for ")  # the first place says little more
                told = f"{capital(in_numbers)} {capital(told)}" if brief or not told else told
            raise Mistake(f"{self.name}: {known[0].name}. {told}", known[0].name, "named")
        if known and numeric:
            ways = "; or ".join(fault.name for fault in known)
            told = f"{self.name}: all your answers are NaN or infinite. What leads there: {ways}."
            raise Mistake(told, kind="isolated")
        sentence, how = self._isolated(attempt, probes, answers)
        cause = next((a.error for a in answers if isinstance(a, Failed)), None) if how == "raised" else None
        raise Mistake(f"{self.name}: {sentence}", kind=how) from cause

    def _isolated(self, attempt: Callable, probes: list, answers: list) -> tuple[str, str]:
        return Isolation(self, attempt, probes, answers, self._right).explain()

    @functools.cached_property
    def _right(self) -> list:
        answers = [self.ask(self.reference, probe) for probe in self.probes]
        for answer in answers:
            if isinstance(answer, Failed):
                raise answer.error  # a solution must answer; in the homework it may call functions of the student's
        return answers

    @functools.cached_property
    def _wrong(self) -> list[list]:
        def ask(mutant, probe):
            try:
                return self.ask(mutant, probe)
            except Mistake as mistake:  # a mutant may return what cannot be compared
                return Failed(mistake)

        return [[ask(fault.mutant, probe) for probe in self.probes] for fault in self.faults]

    def quoting(self, fault: Fault, function: Callable) -> str:
        """The sentence of the mistake, quoting this function. Raises what the function or the sentence raises."""
        told = eval(f"f{fault.sentence!r}", {**self.reference.__globals__, "f": function})
        return re.sub(r" -(?=\d)", " −", told)

    def _told(self, fault: Fault, attempt: Callable) -> str:
        """The sentence of the mistake, quoting the learner's function; the mutant's where that fails."""
        for function in (attempt, fault.mutant):
            with contextlib.suppress(Exception):
                return self.quoting(fault, function)
        return re.sub(r"\{[^}]*\} *", "", fault.sentence)  # what would be quoted fails with both

    def _refuse_two_answers(self, attempt, probe) -> None:
        if alike(*(quietly(attempt, *fresh(probe)) for _ in range(2))):
            return
        drawn = any(type(value).__name__ == "Generator" for value in probe)
        why = "Nothing in it should be random: compute the answer from what it is given."
        why = "Draw from `rng`, not from a generator of its own." if drawn else why
        told = f"{self.name}: asked the same twice, your function gives two answers. {why}"
        raise Mistake(told, "not reproducible", "named")

    def _never_draws(self, attempt, probe) -> bool:
        """Does another generator change the right answer, and not the learner's?"""
        other = tuple(np.random.default_rng(99) if isinstance(x, np.random.Generator) else x for x in probe)
        if all(a is b for a, b in zip(probe, other, strict=True)):
            return False
        yours, ours = ([quietly(f, *fresh(each)) for each in (probe, other)] for f in (attempt, self.reference))
        return same(*yours) and not alike(*ours)

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
