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
from collections.abc import Collection, Iterable, Iterator
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
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINES = (*FUNCTIONS, ast.ClassDef)


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
    parsed = [_tree(cell) for cell in cells]
    trees = [tree or NO_CODE for tree in parsed]
    defined, found = _definitions(trees), uses.used(trees)
    blank = [name for name in names if defined.get(name) and all(_is_blank(node) for _, node in defined[name])]
    absent, pieces = _missing(defined, names), _program(defined, names)
    while sum(map(len, pieces)) > MOST:
        pieces.remove(max(pieces, key=len))
        found = sorted({*found, TOO_LONG})
    return Read("\n\n".join(pieces), found, absent, blank, [i for i, tree in enumerate(parsed) if tree is None])


def defined(cells: Iterable[str]) -> list[str]:
    """The names that these cells define."""
    lines = [line for cell in cells for line in (_tree(cell) or NO_CODE).body]
    return list(dict.fromkeys(name for line in lines for name in _gives(line)))


def _tree(cell: str) -> ast.Module | None:
    """What ran, nothing of what is too long, None for what is no Python. IPython alone knows which lines that begin
    with % or ! go on with the expression above them."""
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


# ---- what is defined -----------------------------------------------------------------------------

Definitions = dict[str, list[tuple[int, ast.stmt]]]  # name → the places and statements that define it


def _definitions(trees: list[ast.Module]) -> Definitions:
    """Functions and classes at any depth, the rest in no function."""
    found: Definitions = {}
    for place, node in enumerate(node for tree in trees for node in _statements(tree, False)):
        for name in _gives(node):
            found.setdefault(name, []).append((place, node))
    return found


def _statements(node: ast.AST, within: bool) -> Iterator[ast.stmt]:
    """All that may define something below a node; `within` a function or class only what holds code of its own."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt) and (not within or _is_code(child)):
            yield child
        yield from _statements(child, within or isinstance(child, DEFINES))


def _gives(node: ast.AST) -> list[str]:
    """The names to which a statement gives something."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.Assign():
            return [name for target in node.targets for name in _names(target)]
        case ast.AnnAssign():
            return _names(node.target)
        case ast.Expr() if _is_code(node):  # `tools.append(lambda …)`
            return _names(node.value)[:1]
        case ast.For() | ast.With() | ast.If():  # `samples[n] = …` in a loop
            stored = [each.value for each in ast.walk(node) if isinstance(each, ast.Subscript)]
            return [each.id for each in stored if isinstance(each, ast.Name)]
    return []


def _is_code(node: ast.AST) -> bool:
    return isinstance(node, DEFINES) or (
        isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr))
        and any(isinstance(each, ast.Lambda) for each in ast.walk(node))
    )


def _is_blank(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Raise) and "NotImplementedError" in ast.unparse(each) for each in ast.walk(node))


def _names(node: ast.AST, context: type = ast.expr_context) -> list[str]:
    """The names in a node; with `ast.Load` those that are read."""
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, context)]


def _missing(defined: Definitions, names: list[str]) -> list[str]:
    """Those of `names` for which no cell has a function, a class or an expression with one of the cells' own."""
    own = {name for name, found in defined.items() if any(_is_code(node) for _, node in found)}
    rest = {name: {read for _, node in defined[name] for read in _names(node, ast.Load)} for name in defined}
    while more := {name for name in rest.keys() - own if rest[name] & own}:
        own |= more
    return [name for name in names if name not in own]


# ---- as it is compared ---------------------------------------------------------------------------


def _program(defined: Definitions, names: list[str]) -> list[str]:
    """The definitions of `names`, wherever they stand, and of what they use, each tidied, in their order."""
    left, kept, wanted = dict(defined), {}, list(names)
    while wanted:
        name = wanted.pop()
        for place, node in left.pop(name, ()):
            if place not in kept and (name in names or _is_code(node)):
                kept[place] = _tidied([node])
                wanted += [each for line in kept[place] for each in _names(line)]
    lines = {id(line): line for place in sorted(kept) for line in kept[place]}
    within = {id(each) for line in lines.values() for each in ast.walk(line) if each is not line}
    return [ast.unparse(line) for key, line in lines.items() if key not in within]


def _tidied(lines: list[ast.stmt], read: Collection[str] | None = None) -> list[ast.stmt]:
    """Statements without what changes nothing: constants in the place of statements, branches never taken, what
    follows a return, annotations, and names that are given and not among those that the function around them reads."""
    kept: list[ast.stmt] = []
    for line in lines:
        within = _names(line, ast.Load) if isinstance(line, FUNCTIONS) else read
        for part in (line, *getattr(line, "handlers", ()), *getattr(line, "cases", ())):
            for block in ("body", "orelse", "finalbody"):
                if inner := getattr(part, block, None):
                    setattr(part, block, _tidied(inner, within) or [ast.Pass()] * (block == "body"))
        match line:
            case ast.If(test=ast.Constant(value=value)):
                kept += line.body if value else line.orelse
            case ast.AnnAssign(target=target, value=value):
                kept += [ast.Assign([target], value, lineno=0)] if value else []
            case ast.Pass() | ast.Expr(value=ast.Constant() | ast.Name()):
                pass
            case ast.While(test=ast.Constant(value=value)) if not value:
                pass
            case ast.Assign() | ast.AugAssign() if read is not None and _is_idle(line, read):
                pass
            case _:
                kept.append(_bare(line))
        if kept and isinstance(kept[-1], (ast.Return, ast.Raise)):
            break
    return kept


def _bare(line: ast.stmt) -> ast.stmt:
    """A function without annotations; any other statement as it is."""
    if isinstance(line, FUNCTIONS):
        line.returns = None
        for each in ast.walk(line.args):
            if isinstance(each, ast.arg):
                each.annotation = None
    return line


def _is_idle(line: ast.Assign | ast.AugAssign, read: Collection[str]) -> bool:
    """Does the line only give names that nobody reads, without calling anything?"""
    targets = line.targets if isinstance(line, ast.Assign) else [line.target]
    idle = all(isinstance(each, ast.Name) and each.id not in read for each in targets)
    return idle and not any(isinstance(each, ast.Call) for each in ast.walk(line.value))


if __name__ == "__main__":
    print(json.dumps(read_here(**json.load(sys.stdin))))
