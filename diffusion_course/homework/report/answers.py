"""What a submission answers with, made comparable: its graded functions and what they use, without anything else.

Padding, dead code, docstrings, annotations and the order of things do not count; what a name is called, `similar`
leaves out. A cell that is no Python is passed over: it did not run either. A hostile cell may take Python's own parser
minutes, or end it, so `read` does this in a process with a limit.
"""

import ast
import json
import subprocess
import sys

LONGEST = 2**18  # characters of a cell; longer ones are not run
SECONDS = 30
UNREAD = "code that could not be read in time"
MAY_USE = {"plots", "schedule", "data", "metrics", "check", "check.homework", "check.homework.variant"}
FROM = {"models": {"time_embedding"}, "forward": set()}  # of these files, only these names
HIDES = {"exec", "eval", "compile", "__import__", "importlib", "run_cell"}  # code that stands in no cell
OURS = {"reference", "solution", "faults", "shown"}  # of a check


def read(cells: list[str], names: list[str]) -> tuple[str, list[str]]:
    """The program of these answers, and what it uses that it may not; from a process that is ended after a while."""
    asked = json.dumps({"cells": cells, "names": names})
    try:
        command = [sys.executable, "-m", __name__]
        done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=SECONDS, check=True)
        code, uses = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        return "", [UNREAD]
    return code, uses


def program(cells: list[str], names: list[str]) -> str:
    """The definitions of `names`, the last of each, and of what they use, each tidied, as one program."""
    defined = {name: node for tree in map(parsed, cells) for node in tree.body for name in _defines(node)}
    wanted, kept = list(names), {}
    while wanted:
        name = wanted.pop()
        helper = isinstance(defined.get(name), (ast.FunctionDef, ast.ClassDef, ast.Assign))
        if name in defined and name not in kept and (name in names or (helper and _is_code(defined[name]))):
            kept[name] = Tidy().visit(defined[name])
            wanted += [each.id for each in ast.walk(kept[name]) if isinstance(each, ast.Name)]
    nodes = dict.fromkeys(kept[name] for name in defined if name in kept)  # in their order, each once
    return "\n\n".join(ast.unparse(ast.fix_missing_locations(node)) for node in nodes)


def parsed(cell: str) -> ast.Module:
    """The tree of a cell; empty where it is no Python or too long."""
    lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in cell.splitlines()]
    try:
        return ast.parse("\n".join(lines)) if len(cell) <= LONGEST else ast.Module([], [])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def defined(cells: list[str]) -> list[str]:
    """The names that these cells define."""
    return list(dict.fromkeys(name for cell in cells for node in parsed(cell).body for name in _defines(node)))


def used(cells: list[str]) -> list[str]:
    """What the cells name that the answers may not use: parts of the package, solutions of checks, hidden code."""
    found = set()
    for node in (node for cell in cells for node in ast.walk(parsed(cell))):
        if isinstance(node, ast.Import):
            found |= {name for alias in node.names for name in _refused(alias.name, None)}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {name for alias in node.names for name in _refused(node.module, alias.name)}
        elif isinstance(node, ast.Attribute) and node.attr in OURS and "check" in ast.unparse(node.value):
            found.add(f"check.….{node.attr}")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", None) in HIDES:
            found.add(f"{node.func.id}(…)")
    return sorted(found)


def _refused(module: str, name: str | None) -> list[str]:
    """[what is imported] if it is hidden code or a part of the package that may not be used, else []."""
    if module.split(".")[0] in HIDES | {"diffusers"}:
        return [module]
    if module.split(".")[0] != "diffusion_course":
        return []
    place = module.removeprefix("diffusion_course").lstrip(".")
    whole = f"{place}.{name}".strip(".") if name else place
    allowed = place in MAY_USE or whole in MAY_USE or name in FROM.get(place, ()) or not whole
    return [] if allowed else [f"diffusion_course.{whole}"]


def _is_code(node) -> bool:
    return not isinstance(node, ast.Assign) or any(isinstance(each, ast.Lambda) for each in ast.walk(node))


def _defines(node) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
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
        node.returns, node.decorator_list = None, []
        read = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
        for each in ast.walk(node):
            for field in ("body", "orelse"):
                if isinstance(lines := getattr(each, field, None), list):
                    setattr(each, field, [line for line in lines if not _unread(line, read)])
        return self.generic_visit(node)

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
    told = json.load(sys.stdin)
    print(json.dumps([program(**told), used(told["cells"])]))
