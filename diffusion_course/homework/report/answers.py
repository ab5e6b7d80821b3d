"""What a submission answers with, made comparable: all its code, and apart from it what its answers reach.

Docstrings, types and branches never taken do not count; what a name is called, what it is wrapped in and what stands
beside it, `similar` leaves out. A cell that is no Python is passed over: it did not run either. A hostile cell may take
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
USUAL, MOST = 30_000, 2**18  # characters: longer programs are named, more are not compared; the solution has 4,000
LONG = 99  # characters of a text or number; of longer ones only the place is compared
ALL = "\n\n# all\n\n"  # between what is reached and all
SECONDS = 30
UNREAD = "code that could not be read in time"
TOO_LONG = "code of {} characters"
OPTIONS = re.compile(r"^(-\S+\s+(\d+\s+)?)+(?=\S)")  # of %timeit
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINES = (*FUNCTIONS, ast.ClassDef)
TYPED = "annotation", "returns"
TYPES = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.List, ast.BinOp, ast.BitOr,
         ast.expr_context)  # fmt: skip

Definitions = dict[str, list[ast.stmt]]  # name → the statements that define it


class Read(NamedTuple):
    """What cells answer: the code that the answers reach and, after ALL, all code; what they use that they may not,
    which of the answers no cell defines, which are blank still, and the places of the cells that are no Python."""

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
    trees = [_tree(cell) for cell in cells]
    unread = [place for place, tree in enumerate(trees) if tree is None]
    found = uses.used([tree for tree in trees if tree])
    tidied = ast.Module([line for tree in trees if tree for line in _tidied(tree.body)], [])
    for each in ast.walk(tidied):
        if isinstance(each, ast.Constant) and uses.written(each) > LONG:
            each.value = "" if isinstance(each.value, str) else 0
    statements = list(_statements(tidied))
    defined: Definitions = {}
    for each in statements:
        for name in _gives(each):
            defined.setdefault(name, []).append(each)
    missing = [name for name in names if not any(map(_is_code, _reached(defined, [name])))]
    blank = [name for name in names if name in defined and all(map(_is_blank, defined[name]))]
    everything = ast.unparse(tidied)
    program = _program(statements, defined, names) + ALL + everything
    if len(everything) > USUAL:
        found = [TOO_LONG.format(len(everything)), *found]
    return Read(program[:MOST], found, missing, blank, unread)


def defined(cells: Iterable[str]) -> list[str]:
    """The names that these cells define."""
    lines = [line for cell in cells if (tree := _tree(cell)) for line in tree.body]
    return list(dict.fromkeys(name for line in lines for name in _gives(line)))


def _tree(cell: str) -> ast.Module | None:
    """What ran, nothing of what is too long, None for what is no Python. IPython alone knows which lines that begin
    with % or ! go on with the expression above them."""
    try:
        source = TransformerManager().transform_cell(cell) if len(cell) <= LONGEST else ""
        return Magics().visit(ast.parse(source))
    except (SyntaxError, ValueError, RuntimeError, MemoryError):
        return None


class Magics(ast.NodeTransformer):
    """Puts the code that `%time`, `%timeit` and magics of a whole cell run in their place, or beside them."""

    def visit_Expr(self, node):
        name, *texts = uses.magic(node.value) or [""]
        if name not in uses.RUNS and not name.startswith("%%"):
            return node
        trees = [_tree(OPTIONS.sub("", text.strip())) for text in texts]
        lines = [line for tree in trees if tree for line in tree.body]
        return [*([] if name in uses.RUNS else [node]), *lines] or ast.Pass()

    def visit(self, node):
        return node if isinstance(node, ast.expr) else super().visit(node)


def _statements(node: ast.AST, within: bool = False) -> Iterator[ast.stmt]:
    """All that may define something below a node; `within` a function or class only what holds code of its own."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt) and (not within or _is_code(child)):
            yield child
        yield from _statements(child, within or isinstance(child, DEFINES))


def _gives(node: ast.stmt) -> list[str]:
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


def _is_code(node: ast.stmt) -> bool:
    """Is it a function, a class or an expression with a function in it?"""
    plain = (ast.Assign, ast.AnnAssign, ast.Expr)
    return isinstance(node, DEFINES) or (isinstance(node, plain) and _has(node, ast.Lambda))


def _is_blank(node: ast.stmt) -> bool:
    return "raise NotImplementedError" in ast.unparse(node)


def _has(node: ast.AST, kind: type[ast.AST]) -> bool:
    return any(isinstance(each, kind) for each in ast.walk(node))


def _names(node: ast.AST, context: type = ast.expr_context) -> list[str]:
    """The names in a node; with `ast.Load` those that are read."""
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, context)]


def _reached(defined: Definitions, names: list[str]) -> set[ast.stmt]:
    """The statements that define `names`, and what those read."""
    found: set[ast.stmt] = set()
    wanted = set(names)
    while wanted:
        new = set(defined.get(wanted.pop(), ())) - found
        found |= new
        wanted |= {name for node in new for name in _names(node, ast.Load)}
    return found


def _program(statements: list[ast.stmt], defined: Definitions, names: list[str]) -> str:
    """The definitions of `names`, wherever they stand, and the code that they use, in their order."""
    useful = {name: [node for node in found if name in names or _is_code(node)] for name, found in defined.items()}
    reached = _reached(useful, names)
    kept = [node for node in statements if node in reached]
    within = {each for node in kept for each in ast.walk(node) if each is not node}
    return "\n\n".join(ast.unparse(node) for node in kept if node not in within)


def _tidied(lines: list[ast.stmt]) -> list[ast.stmt]:
    """Statements without what changes nothing: constants in the place of statements, branches never taken, what
    follows a return, and types."""
    kept: list[ast.stmt] = []
    for line in lines:
        for part in (line, *getattr(line, "handlers", ()), *getattr(line, "cases", ())):
            for block in ("body", "orelse", "finalbody"):
                if inner := getattr(part, block, None):
                    setattr(part, block, _tidied(inner) or [ast.Pass()] * (block == "body"))
        for each in ast.walk(line) if isinstance(line, FUNCTIONS) else ():
            vars(each).update({key: None for key in TYPED if _is_type(getattr(each, key, None))})
        match line:
            case ast.Pass() | ast.Expr(value=ast.Constant() | ast.Name()):
                pass
            case ast.AnnAssign(target=target, value=value, annotation=kind) if _is_type(kind):
                kept += [ast.Assign([target], value, lineno=0)] if value else []
            case ast.While(test=ast.Constant(value=value)) if not value:
                kept += line.orelse
            case ast.If(test=ast.Constant(value=value)):
                kept += line.body if value else line.orelse
            case _:
                kept.append(line)
        if kept and isinstance(kept[-1], (ast.Return, ast.Raise)):
            break
    return kept


def _is_type(node: ast.AST | None) -> bool:
    """Is it what one writes for a type, in which nothing is computed?"""
    return node is not None and all(isinstance(each, TYPES) for each in ast.walk(node))


if __name__ == "__main__":
    print(json.dumps(read_here(**json.load(sys.stdin))))
