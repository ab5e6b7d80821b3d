"""An exercise is a solution, edits of it that people really make, and probes that tell them apart.

    @exercise(probes=…, table=\"\"\"
    hint | The powers of the two terms add up to 1.
    why | Variances of independent terms add.
    the noise is multiplied by 1 − ᾱ #1 | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) | Its variance is {variance(f)}.
    \"\"\")
    def add_noise(x0, alpha_bar_t, eps):
        return alpha_bar_t**0.5 * x0 + (1 - alpha_bar_t) ** 0.5 * eps

A row of the table is a hint, why the solution is right, or a mistake, `name #atlas | old → new | sentence`; what goes
on in a second line is indented. `old` must occur exactly once in the body, or the import fails; several edits are
joined by `&&`, `⏎` is a line break, `body → …` replaces the whole body, `return → …` what the last `return` returns.
The sentence is an f-string, in which `f` is the learner's function. Where it quotes nothing, `isolate.py` says what is
wrong in numbers, as it does for a wrong answer that no row explains.
"""

import linecache
import re
import textwrap
from collections.abc import Callable

from .engine import Exercise, Fault
from .handed import source


def exercise(*, cls: type[Exercise] = Exercise, table: str = "", **rest) -> Callable[[Callable], Exercise]:
    """The decorator that makes an exercise, of the class `cls`, of its solution; `rest` are fields of the class."""
    rows = re.split(r"\n(?=\S)", textwrap.dedent(table).strip()) if table else []
    said = [row.partition(" | ")[::2] for row in rows if row.startswith(("hint |", "why |"))]
    texts = {kind: tuple(" ".join(text.split()) for k, text in said if k == kind) for kind in ("hint", "why")}
    known = [row for row in rows if not row.startswith(("hint |", "why |"))]

    def make(solution: Callable) -> Exercise:
        faults = tuple(fault(solution, row) for row in known)
        name, why = solution.__name__, " ".join(texts["why"])
        return cls(name, solution, faults=faults, hints=texts["hint"], why=why, **rest)

    return make


def fault(solution: Callable, row: str) -> Fault:
    """The mistake that a row of the table describes."""
    name, edits, sentence = (re.sub(r"\s*\n\s*", " ", part) for part in re.split(r"\s\|\s", f"{row} ", maxsplit=2))
    name, _, atlas = name.strip().partition(" #")
    return Fault(name, edited(solution, edits), sentence.strip(), int(atlas) if atlas else None, edits)


def edited(solution: Callable, edits: str, name: str = "") -> Callable:
    """The function that the solution becomes by `old → new && old → new`; its source can be shown, under `name`."""
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
