"""What a notebook uses that the homework says may not be used, named for the teacher, who judges.

Parts of the course's package, however they are reached; the solutions of checks; packages that hold answers; and ways
to run code that stands in no cell.
"""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder

MAY_USE = {"plots", "check", "check.homework", "check.homework.variant"}  # of the package, as the notebooks say
FROM = {"models": {"time_embedding"}}  # of these files, only these names
HIDES = set("exec eval compile __import__ getattr setattr globals locals vars __builtins__ In _ih get_ipython".split())
HIDES_IN = set("""run_cell run_line_magic run_cell_magic run_code system ex runctx runsource safe_execfile user_ns
    FunctionType CodeType CompilationUnit attrgetter methodcaller load_module __dict__ __globals__ __builtins__
    __self__ __subclasses__ __code__ _getframe f_globals f_locals popen resolve_name
    get_ipython get_type_hints""".split())
MODULES = "sys.modules"
OPENS = "allow_pickle", "weights_only"  # the files that these let in may hold code
KNOWN = set("""torch numpy scipy math cmath random time datetime itertools functools operator collections dataclasses
    typing copy statistics contextlib warnings os sys re glob pathlib subprocess json tqdm matplotlib seaborn pandas
    IPython google einops __future__""".split())  # modules that a homework may need; all others are named
OURS = {"reference", "solution", "faults", "shown"}  # of a check
MAGICS = {"run_line_magic": "%", "run_cell_magic": "%%", "system": "!", "getoutput": "!"}  # as IPython calls them
RUNS = {"%time", "%timeit", "%%time", "%%timeit", "%%capture"}  # code that `answers` puts in their place
LONG = 5_000  # characters of texts and numbers in all cells: weights fit into them; the solutions have 1,200 and 1,800
NAME = 40  # characters
PLAIN = r"""([\w \t.,'"\[\]-]|[=~!<>]=)*"""  # of a command that is one command
HARMLESS = re.compile(rf"""%config\ InlineBackend\.\w+\s*=\s*{{?[\w'",\s]+}}? | %load_ext\ autoreload |
    (%(matplotlib|autoreload|pip) | !(pip3?|nvidia|ls|pwd)\b){PLAIN} | !python3?\s+(-V|--version) |
    %(pinfo2?|psearch|%time|%timeit|%capture)\b.*""", re.VERBOSE | re.DOTALL)
DEEP = re.compile(r"torch\.(.*\.)?(_[a-z]|(hub|package|fx|cpp_extension)\b)|IPython\.(?!(core\.)?display\b)")


def used(trees: list[ast.Module]) -> list[str]:
    """What these parsed cells name that they may not."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    length = sum(map(written, nodes))
    places, harmless = _imported(nodes), {id(each) for node in nodes for each in _harmless(node)}
    found = {name for node in nodes if id(node) not in harmless for name in _named(node, places)}
    found |= {f"texts and numbers of {length} characters"} if length > LONG else set()
    return sorted(found, key=lambda each: (_gravity(each), each))


def _gravity(named: str) -> int:
    """Less for what can be written in few ways than for names and texts, of which there may be thousands."""
    if named.endswith(".py"):
        return 3
    first = named in HIDES or named in OPENS or named.startswith(("….", "texts and"))
    return 0 if first else 1 if named.startswith(("%", "check.", "diffusion_course.")) else 2


def magic(node: ast.AST) -> list[str] | None:
    """[its name, the texts it is given] if IPython has made this call of a magic (%run) or of a command (!pip)."""
    match node:
        case ast.Call(func=ast.Attribute(ast.Call(ast.Name("get_ipython")), str(kind)), keywords=[]) if kind in MAGICS:
            told: list = [getattr(each, "value", None) for each in node.args]
            if told and all(isinstance(each, str) for each in told):
                if MAGICS[kind] == "!":
                    told = re.split(r"(?=\W)", told[0].strip(), maxsplit=1)
                return [MAGICS[kind] + told[0], *told[1:]]
    return None


def written(node: ast.AST) -> int:
    """About how many characters stand in a cell for this constant, or for a name that is longer than names are."""
    fields = [text for _, text in ast.iter_fields(node) if isinstance(text, str) and len(text) > NAME]
    value = node.value if isinstance(node, ast.Constant) else "".join(fields)
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, int):
        return max(1, value.bit_length() // 4)
    return 8 * isinstance(value, float) + 16 * isinstance(value, complex)


def _named(node: ast.AST, places: dict[str, str]) -> Iterator[str]:
    """What this node names that may not be used. `places`: name in the cells → what it stands for."""
    match node:
        case ast.Import():
            for alias in node.names:
                yield from _refused(alias.name)
        case ast.ImportFrom(module=str(module), level=0):
            for alias in node.names:
                yield from _refused(f"{module}.{alias.name}")
        case ast.Name(id=name) if name in HIDES:
            yield name
        case ast.keyword(arg=name) if name in OPENS:
            yield name
        case ast.Constant(value=str(text)) if text.endswith(".py"):
            yield text if len(text) < NAME else f"{text[:20]}….py"
        case ast.Constant(value=str(text)) if text.startswith("diffusion_course."):
            yield from _refused(text.rstrip(".")) or [text]
        case ast.Call() if (called := magic(node)) and not HARMLESS.fullmatch(" ".join(called)):
            yield called[0]
        case ast.Attribute(attr=name) if name in OURS and "check" in ast.unparse(node.value):
            yield f"check.….{name}"
        case ast.Attribute(attr=name):
            path = _dotted(node, places)
            if name in HIDES_IN or re.match(r"(diffusion_course|torch|IPython)\.", path) or path.endswith(MODULES):
                yield from _refused(path)


def _imported(nodes: list[ast.AST]) -> dict[str, str]:
    """Name in the cells → the module or thing of a module that it stands for."""
    found = {}
    for node in nodes:
        for each in node.names if isinstance(node, (ast.Import, ast.ImportFrom)) else ():
            name = each.name if each.asname or isinstance(node, ast.ImportFrom) else each.name.split(".")[0]
            found[each.asname or name] = f"{node.module}.{name}" if isinstance(node, ast.ImportFrom) else name
    return found


def _harmless(node: ast.AST) -> list[ast.expr]:
    """Parts that look like hiding and are not: `getattr(x, "name")`, `"name" in sys.modules`, what `magic` names."""
    match node:
        case ast.Compare():
            return node.comparators
        case ast.Call() if magic(node):
            return [*ast.walk(node.func), *node.args]  # type: ignore[list-item]
        case ast.Call(func=ast.Name(id="getattr" | "setattr"), args=[_, ast.Constant(value=name), *_]):
            return [node.func] if name not in HIDES else []
    return []


def _dotted(node: ast.AST, places: dict[str, str]) -> str:
    """`a.b.c` with the module that `a` stands for in its place; of any other expression only the last names."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, places)}.{node.attr}"
    return places.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def _refused(path: str) -> list[str]:
    """[what is meant] by the path of what is imported or used, if it may not be, or is not installed; else []."""
    root, _, place = path.partition(".")
    inside, _, name = place.rpartition(".")
    if name in HIDES_IN or path.endswith(MODULES):
        return [f"….{name}"]
    if DEEP.match(path):
        return [path]
    if root == "diffusion_course":
        may = place in {"", *MAY_USE, *FROM} or inside in MAY_USE or name in FROM.get(inside, ())
        return [] if may else [path]
    there = root in KNOWN or PathFinder.find_spec(root) or root in sys.builtin_module_names
    return [] if root in KNOWN else [root] if there else [f"{root} (not installed)"]
