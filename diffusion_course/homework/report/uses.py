"""What a notebook uses that the homework says may not be used, named for the teacher, who judges.

Parts of the course's package, however they are reached; the solutions of checks; packages that hold answers; and ways
to run code that stands in no cell.
"""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec

from ..sandbox.walls import OTHERS

MAY_USE = {"plots", "check", "check.homework", "check.homework.variant"}  # of the package, as the notebooks say
FROM = {"models": {"time_embedding"}}  # of these files, only these names
HIDES = set("exec eval compile __import__ getattr setattr globals locals vars __builtins__ In _ih".split())
HIDES_IN = set("""run_cell run_line_magic run_cell_magic run_code system ex runctx runsource safe_execfile user_ns
    FunctionType CodeType CompilationUnit attrgetter methodcaller load_module __dict__ __globals__ __builtins__
    __self__""".split())
HIDING = set("""importlib runpy builtins ctypes marshal dill cloudpickle pickle code codeop timeit cProfile profile
    inspect linecache trace pdb bdb doctest zipimport""".split())
OURS = {"reference", "solution", "faults", "shown"}  # of a check
MAGICS = {"run_line_magic": "%", "run_cell_magic": "%%", "system": "!", "getoutput": "!"}  # as IPython calls them
RUNS = {"%time", "%timeit", "%%time", "%%timeit", "%%capture"}  # code that `answers` puts in their place
LONG = 5_000  # characters of texts and numbers in all cells: weights fit into them; the solutions have 1,200 and 1,800
HARMLESS = set("!pip %pip !nvidia %matplotlib %config %pinfo %pinfo2 %psearch %%time %%timeit %%capture".split())


def used(trees: list[ast.Module]) -> list[str]:
    """What these parsed cells name that they may not."""
    found: set[str] = set()
    nodes = [node for tree in trees for node in ast.walk(tree)]
    places, plain = _imported(nodes), _plain(nodes)
    if (written := sum(_written(node.value) for node in nodes if isinstance(node, ast.Constant))) > LONG:
        found.add(f"texts and numbers of {written} characters")
    for node in nodes:
        if id(node) not in plain:
            found |= set(_named(node, places))
    return sorted(found)


def magic(node: ast.AST) -> list[str] | None:
    """[its name, the texts it is given] if IPython has made this call of a magic (%run) or of a command (!pip)."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MAGICS):
        return None
    of = getattr(node.func.value, "func", None)
    told = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if getattr(of, "id", "") != "get_ipython" or not told or len(told) < len(node.args) or node.keywords:
        return None
    sign, (first, *rest) = MAGICS[node.func.attr], told
    return [sign + (re.split(r"\W", first.strip(), maxsplit=1)[0] if sign == "!" else first), *rest]


def _written(value: object) -> int:
    """About how many characters stand in a cell for this constant."""
    if isinstance(value, (str, bytes)):
        return len(value)
    return value.bit_length() // 4 if isinstance(value, int) else 8 * isinstance(value, float)


def _named(node: ast.AST, places: dict[str, str]) -> Iterator[str]:
    """What this node names that may not be used."""
    if (called := magic(node)) and called[0] not in HARMLESS:
        yield called[0]
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _refused(alias.name)
    elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
        for alias in node.names:
            yield from [f"….{alias.name}"] if alias.name in HIDES_IN else _refused(node.module, alias.name)
    elif isinstance(node, ast.Name) and (node.id in HIDES or places.get(node.id) == "sys.modules"):
        yield node.id if node.id in HIDES else "….modules"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(".py"):
        yield node.value
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("diffusion_course."):
        yield from _refused(node.value.rstrip(".")) or [node.value]
    elif isinstance(node, ast.Attribute):
        module, _, name = _dotted(node, places).rpartition(".")
        if node.attr in HIDES_IN or (module, name) == ("sys", "modules"):
            yield f"….{name}"
        elif node.attr in OURS and "check" in ast.unparse(node.value):
            yield f"check.….{node.attr}"
        elif module.split(".")[0] == "diffusion_course":
            yield from _refused(module, name)


def _imported(nodes: list[ast.AST]) -> dict[str, str]:
    """Name in the cells → the module or thing of a module that it stands for."""
    found = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {each.asname or each.name.split(".")[0]: each.name if each.asname else each.name.split(".")[0]
                      for each in node.names}  # fmt: skip
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return found


def _plain(nodes: list[ast.AST]) -> set[int]:
    """Nodes that look like hiding and are not: `getattr(x, "name")`, `"name" in sys.modules`, what `magic` names."""
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    asked = [call.func for call in calls if len(call.args) > 1
             and isinstance(call.args[1], ast.Constant) and call.args[1].value not in HIDES]  # fmt: skip
    looked = [each for node in nodes if isinstance(node, ast.Compare) for each in node.comparators]
    return {id(node) for node in asked if getattr(node, "id", "") in ("getattr", "setattr")} | {
        *map(id, looked), *(id(each) for call in calls if magic(call) for each in (call.func, *call.args))}  # fmt: skip


def _dotted(node: ast.AST, places: dict[str, str]) -> str:
    """`a.b.c` with the module that `a` stands for in its place; of any other expression only the last names."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, places)}.{node.attr}"
    return places.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def _refused(module: str, name: str | None = None) -> list[str]:
    """[what is imported] if it may not be used, or is not installed where submissions are graded; else []."""
    root = module.split(".")[0]
    if root in {*HIDING, *OTHERS}:
        return [module]
    if root != "diffusion_course":
        return [] if root == "google" or _installed(root) else [f"{root} (not installed)"]
    place = module.removeprefix("diffusion_course").lstrip(".")
    whole = f"{place}.{name}".strip(".") if name else place
    return (
        []
        if whole in {"", *MAY_USE, *FROM} or place in MAY_USE or name in FROM.get(place, ())
        else [f"diffusion_course.{whole}"]
    )


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
