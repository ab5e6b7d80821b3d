"""What every exercise has: hints, a solution, and a `Mistake` to raise; and the exercise of finding a value."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .numbers import printable, say


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


@dataclass(frozen=True, repr=False)
class Asked:
    """What every exercise has: a name, and hints that are given one by one."""

    name: str
    hints: tuple[str, ...] = field(default=(), kw_only=True)
    why: str = field(default="", kw_only=True)
    _given: list = field(default_factory=list, kw_only=True)

    def __repr__(self) -> str:
        return f"check.{self.name}: call it with what you have; .hint() gives a hint, .solution() a solution"

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


@dataclass(frozen=True, repr=False)
class Finding(Asked):
    """The check of a value that is to be found out: call it with the value, and go on with the one that it returns.

    It must be what is `asked` for, one of the whole numbers `among` which it is; `wrong` tells what a wrong one leads
    to, `then` what to say of a right one. `exactly` is the one value of a range that no chance blurs: told only then.
    """

    right: range
    wrong: Callable[[Any], str]
    asked: str
    among: range
    exactly: int | None = None
    then: Callable[[Any], str] = lambda found: ""

    def __call__(self, found):
        """The value to go on with: `found` if right, ours if it is `...` or None. Raises `Mistake` if it is wrong."""
        if found is None or found is ...:
            go_on = "so the cells below use ours" if self.exactly is None else "and no cell below needs it"
            say(f"○ {self.name}: not attempted yet, {go_on}.")
            return self.right[len(self.right) // 2]
        found = int(found) if isinstance(found, float) and found.is_integer() else found
        if found not in self.among:
            raise Mistake(f"{self.name}: {found!r} is not {self.asked} from {self.among[0]:,} to {self.among[-1]:,}.")
        if found not in self.right:
            raise Mistake(f"{self.name}: {self.wrong(found)}", "another value", "named")
        right = "right" if self.exactly in (None, found) else f"near enough (exactly: {self.exactly})"
        say(f"✓ {self.name}: {found} is {right}. {self.then(found)}".rstrip())
        return found

    def shown(self) -> str:
        """The answer."""
        if self.exactly is not None:
            return f"{self.name} = {self.exactly}"
        return f"{self.name} = {self.right[0]}" + f" to {self.right[-1]}" * (len(self.right) > 1)
