"""What a submission answers with, made comparable: its graded functions and what they use, without anything else.

Padding, dead code, docstrings, annotations, the order of things and what they are wrapped in do not count; what a name
is called, `similar` leaves out. A cell that is no Python is passed over: it did not run either. A hostile cell may take
Python's own parser minutes, or end it, so `read` does this in a process with a limit.
"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from IPython.core.inputtransformer2 import TransformerManager

from . import uses

LONGEST = 2**18  # characters of a cell; longer ones are not run
MOST = 100_000  # characters of a program that are compared; the solution has 3,000
SECONDS = 30
UNREAD = "code that could not be read in time"
TOO_LONG = "code that is too long to be compared"
OPTIONS = re.compile(r"^(-\S+\s+(\d+\s+)?)+(?=\S)")  # of %timeit
NO_CODE = ast.Module([], [])
DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Read(NamedTuple):
    """What cells answer: their program, what they use that they may not, which of the answers no cell defines, which
    are blank still, and the places of the cells that are no Python."""

    program: str
    uses: list[str]
    missing: list[str]
    blank: list[str]
    unread: list[int]


def read(cells: list[str], names: list[str]) -> Read:
    """What these cells answer to `names`, from a process that is ended after a while."""
    asked = json.dumps({"cells": cells, "names": names})
    try:
        command = [sys.executable, "-m", __name__]
        done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=SECONDS, check=True)
        return Read(*json.loads(done.stdout))
    except (subprocess.SubprocessError, ValueError):
        return Read("", [UNREAD], [], [], [])


def read_here(cells: list[str], names: list[str]) -> Read:
    """The same, in this process."""
    read = [_tree(cell) for cell in cells]
    trees = [tree or NO_CODE for tree in read]
    found, absent, pieces = uses.used(trees), missing(trees, names), program(trees, names)
    while sum(map(len, pieces)) > MOST:
        pieces.remove(max(pieces, key=len))
        found = sorted({*found, TOO_LONG})
    unread = [place for place, tree in enumerate(read) if tree is None]
    return Read("\n\n".join(pieces), found, absent, blank(trees, names), unread)


def program(trees: list[ast.Module], names: list[str]) -> list[str]:
    """The definitions of `names`, wherever they stand, and of what they use, each tidied, in their order."""
    defined, kept, wanted = _definitions(trees), {}, list(names)
    while wanted:
        name = wanted.pop()
        for place, node in defined.pop(name, ()):
            if place not in kept and (name in names or _is_code(node)):
                kept[place] = Tidy().visit(ast.Module([node], []))
                wanted += [each.id for each in ast.walk(kept[place]) if isinstance(each, ast.Name)]
    told = {id(each) for tidy in kept.values() for node in tidy.body for each in ast.walk(node) if each is not node}
    pieces = []
    for place in sorted(kept):
        body = [node for node in kept[place].body if id(node) not in told]  # not what stands in another piece
        told |= set(map(id, body))
        pieces += [ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))] if body else []
    return pieces


def missing(trees: list[ast.Module], names: list[str]) -> list[str]:
    """Those of `names` for which no cell has a function, a class or an expression with one of the cells' own."""
    defined = _definitions(trees)
    own = {name for name, found in defined.items() if any(_is_code(node) for _, node in found)}
    rest = {name: found for name, found in defined.items() if name not in own}
    while more := {name for name, found in rest.items() if any(_uses(node) & own for _, node in found)}:
        own, rest = own | more, {name: rest[name] for name in rest.keys() - more}
    return [name for name in names if name not in own]


def blank(trees: list[ast.Module], names: list[str]) -> list[str]:
    """Those of `names` that are defined, and raise NotImplementedError wherever they are."""
    defined = _definitions(trees)
    return [name for name in names if defined.get(name) and all(_is_blank(node) for _, node in defined[name])]


def _is_blank(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Raise) and "NotImplementedError" in ast.unparse(each) for each in ast.walk(node))


def parsed(cell: str) -> ast.Module:
    """The tree of a cell, as IPython reads it; empty where it is no Python or too long."""
    return _tree(cell) or NO_CODE


def _tree(cell: str) -> ast.Module | None:
    """What ran: IPython alone knows which lines that begin with % or ! go on with the expression above them."""
    try:
        made = ast.parse(TransformerManager().transform_cell(cell)) if len(cell) <= LONGEST else NO_CODE
        return Magics().visit(made)
    except (SyntaxError, ValueError, RuntimeError, MemoryError):
        return None


class Magics(ast.NodeTransformer):
    """Puts the code that `%time`, `%timeit` and magics of a whole cell run in their place, or beside them."""

    def visit_Expr(self, node):
        name, *texts = uses.magic(node.value) or [""]
        if name not in uses.RUNS and not name.startswith("%%"):
            return node
        lines = [line for text in texts for line in (_tree(OPTIONS.sub("", text.strip())) or NO_CODE).body]
        return [*([] if name in uses.RUNS else [node]), *lines] or ast.Pass()

    def visit(self, node):
        return node if isinstance(node, ast.expr) else super().visit(node)


def defined(cells: Iterable[str]) -> list[str]:
    """The names that these cells define."""
    return list(dict.fromkeys(name for cell in cells for node in parsed(cell).body for name in _defines(node)))


def _definitions(trees: list[ast.Module]) -> dict[str, list[tuple[int, ast.stmt]]]:
    """Name → the places and nodes that define it: functions and classes at any depth, the rest in no function."""
    found: dict[str, list[tuple[int, ast.stmt]]] = {}
    for place, node in enumerate(node for tree in trees for node in _statements(tree, False)):
        for name in _defines(node):
            found.setdefault(name, []).append((place, node))
    return found


def _statements(node: ast.AST, within: bool) -> Iterator[ast.stmt]:
    """All that may define something below a node; `within` a function or class only what holds code of its own."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt) and (not within or _is_code(child)):
            yield child
        yield from _statements(child, within or isinstance(child, DEFINES))


def _is_code(node: ast.AST) -> bool:
    return isinstance(node, DEFINES) or (
        isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr))
        and any(isinstance(each, ast.Lambda) for each in ast.walk(node))
    )


def _uses(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}


def _defines(node: ast.AST) -> list[str]:
    if isinstance(node, DEFINES):
        return [node.name]
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    if isinstance(node, ast.Expr) and _is_code(node):  # `tools.append(lambda …)`
        return [each.id for each in ast.walk(node.value) if isinstance(each, ast.Name)][:1]
    if isinstance(node, (ast.For, ast.With, ast.If)):  # `samples[n] = …` in a loop
        stored = [each.value for each in ast.walk(node) if isinstance(each, ast.Subscript)]
        return [each.id for each in stored if isinstance(each, ast.Name)]
    return []


class Tidy(ast.NodeTransformer):
    """Leaves out what changes nothing: constants in the place of statements, branches never taken, what follows a
    return, names given and never asked for, annotations."""

    def generic_visit(self, node):
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            if isinstance(getattr(node, field, None), list):
                setattr(node, field, self._lines(getattr(node, field), field == "body"))
        return node

    def visit_FunctionDef(self, node):
        node.returns = None
        read = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
        for each in ast.walk(node):
            for field in ("body", "orelse"):
                if isinstance(lines := getattr(each, field, None), list):
                    setattr(each, field, [line for line in lines if not _unread(line, read)])
        return self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_arg(self, node):
        node.annotation = None
        return node

    def visit_AnnAssign(self, node):
        return ast.Assign([node.target], node.value, lineno=0) if node.value else None

    def visit_If(self, node):
        node = self.generic_visit(node)
        if isinstance(node.test, ast.Constant):
            return (node.body if node.test.value else node.orelse) or None
        return node

    def visit_While(self, node):
        return None if isinstance(node.test, ast.Constant) and not node.test.value else self.generic_visit(node)

    def visit_Expr(self, node):
        return None if isinstance(node.value, (ast.Constant, ast.Name)) else self.generic_visit(node)

    @staticmethod
    def _lines(lines, needed):
        last = next((i for i, each in enumerate(lines) if isinstance(each, (ast.Return, ast.Raise))), len(lines))
        lines = [each for each in lines[: last + 1] if not isinstance(each, ast.Pass)]
        return lines or ([ast.Pass()] if needed else [])


def _unread(line, read) -> bool:
    """Does the line only give a name that nobody reads, without calling anything?"""
    if not isinstance(line, (ast.Assign, ast.AugAssign)):
        return False
    targets = line.targets if isinstance(line, ast.Assign) else [line.target]
    idle = all(isinstance(each, ast.Name) and each.id not in read for each in targets)
    return idle and not any(isinstance(each, ast.Call) for each in ast.walk(line.value))


if __name__ == "__main__":
    print(json.dumps(read_here(**json.load(sys.stdin))))
