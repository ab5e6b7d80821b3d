"""The plan of the house: who may import whom, what stays free of torch, how long a file may be, what examples say."""

import ast
import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import planted
import pytest

import diffusion_course

PACKAGE = Path(diffusion_course.__file__).parent
ROUTE = """data schedule forward scalar denoisers models unet training predictor samplers guidance distill metrics
plots""".split()  # a file imports only files before it, and of the folders only what it stands on
BELOW = {"base", "machine"}
NUMPY_HALF = "base data schedule forward scalar denoisers samplers guidance plots".split()
FOLDERS = {  # folder: the folders that it may import beside `base`; all but those below may import the route
    "base": set(),
    "machine": {"machine"},
    "beyond": {"beyond"},
    "lab": {"lab", "machine"},
    "check": {"check", "lab", "run", "beyond"},
    "run": {"run", "machine", "beyond"},
    "homework": {"homework", "check", "lab", "run"},
}
TOUCH_FILES = {"open", "read_text", "write_text", "read_bytes", "write_bytes", "unlink", "mkdir", "savetxt", "save"}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)


def name(path):
    return path.relative_to(PACKAGE).as_posix()


def imports(path):
    """(first part of what is imported from the package, whether only when a function is called) of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = {node for function in ast.walk(tree) if isinstance(function, ast.FunctionDef) for node in ast.walk(function)}
    typed = {
        node
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and ast.unparse(test.test) == "TYPE_CHECKING"
        for node in ast.walk(test)
    }
    here = path.relative_to(PACKAGE).parts[:-1]
    for node in ast.walk(tree):
        if node in typed or not isinstance(node, ast.ImportFrom):
            continue
        module = (node.module or "").split(".") if node.module else []
        if node.level:
            parts = [*here[: len(here) - node.level + 1], *module]
        elif module[0] == "diffusion_course":
            parts = module[1:]
        else:
            continue
        for part in [parts[0]] if parts else [alias.name for alias in node.names]:
            yield part, node in late


def test_the_route_is_complete():
    stages = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert stages <= set(ROUTE)


@pytest.mark.parametrize("stage", [stage for stage in ROUTE if (PACKAGE / f"{stage}.py").exists()])
def test_a_stage_imports_only_stages_before_it(stage):
    used = {module for module, _ in imports(PACKAGE / f"{stage}.py")}
    assert used <= {*ROUTE[: ROUTE.index(stage)], *BELOW}


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_keep_their_distance(folder):
    """The command line may load the homework, and only when it is asked for."""
    for path in (PACKAGE / folder).rglob("*.py"):
        for module, late in imports(path):
            if folder in BELOW:
                assert module in {"base", folder}
            elif module in FOLDERS and module not in {"base", *FOLDERS[folder]}:
                assert (name(path), module, late) == ("run/cli.py", "homework", True)


def test_only_run_and_files_touch_files():
    quiet = [PACKAGE, *(PACKAGE / part for part in ("base", "machine", "beyond"))]
    for path in FILES:
        if path.parent not in quiet or path.stem == "files":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                assert called not in TOUCH_FILES, f"{name(path)}:{node.lineno} calls {called}"


@pytest.mark.long  # so that a line may be tried in other words first
def test_every_planted_fault_still_has_its_line():
    for file, line, _ in planted.faults():
        count = (PACKAGE / f"{file}.py").read_text(encoding="utf-8").count(line)
        assert count == 1, f"{file}.py has this {count} times, not once: adapt its row in tests/planted.txt: {line}"


def test_no_test_returns_early():
    for path in Path(__file__).parent.rglob("test_*.py"):
        assert "\n        return\n" not in path.read_text(encoding="utf-8"), path


def test_the_route_is_read_in_one_evening():
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.glob("*.py")) <= 2300


def test_a_file_is_read_in_one_sitting():
    lines = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {file: count for file, count in lines.items() if count > 250} == {}


# ---- what is loaded ------------------------------------------------------------------------------


def loaded_by(code):
    """The top-level packages that a fresh Python has loaded after `code`."""
    code += "\nimport sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


HEAVY = {"torch", "matplotlib", "ipywidgets", "anywidget", "IPython"}


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import diffusion_course; dir(diffusion_course)", HEAVY),
        ("from diffusion_course import Schedule, add_noise, ddpm, ddim, dpm_solver, guided", HEAVY),
        (f"from diffusion_course import {', '.join(NUMPY_HALF)}, lab", {"torch"}),
        ("import diffusion_course.run.cli", HEAVY),
        (
            "import numpy as np\nfrom diffusion_course import Schedule, denoisers, samplers, schedule\n"
            "noise = schedule.linear()\n"
            "*_, x = samplers.ddpm(denoisers.IdealDenoiser(np.zeros((2, 3)), noise), noise, np.zeros((1, 3)), 5)\n",
            {"torch"},
        ),
    ],
    ids=["the package", "names of the NumPy half", "the NumPy half", "the command line", "sampling"],
)
def test_what_needs_no_torch_loads_none(code, absent):
    assert not loaded_by(code) & absent


@pytest.mark.parametrize("public", diffusion_course.__all__)
def test_the_ten_names_are_those_of_their_files(public):
    value = getattr(diffusion_course, public)
    assert value.__name__ == public and value.__module__.startswith("diffusion_course.")


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'sampler'"):
        _ = diffusion_course.sampler


@pytest.mark.parametrize("path", [path for path in FILES if ">>> " in path.read_text(encoding="utf-8")], ids=name)
@pytest.mark.filterwarnings("ignore::diffusion_course.schedule.TerminalSNRWarning")
def test_examples_in_docstrings_run(path):
    parts = ("diffusion_course", *path.relative_to(PACKAGE).with_suffix("").parts)
    run = doctest.testmod(importlib.import_module(".".join(parts).removesuffix(".__init__")))
    assert run.attempted > 0 and run.failed == 0
