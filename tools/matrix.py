"""Runs the fast tests with the lowest, the tested, the newest and Colab's versions: `make test-matrix`.

Each column is an environment in build/matrix, made by uv. A table of the versions and the results comes at the end.
`python tools/matrix.py colab` makes one column only. An environment takes 1.2 GB, or 5 GB where torch comes with CUDA:
`UV_TORCH_BACKEND=cpu` asks torch's own index for builds without. Where uv neither finds a column's Python nor can
download it, the table says so, and the other columns count.
"""

import contextlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build/matrix"
COLAB = ROOT / "tools/colab.txt"
# name: (Python, what uv is told)
COLUMNS = {
    "lowest": ("3.10", ["--resolution", "lowest-direct"]),
    "pinned": ("3.11", ["--constraint", ROOT / "constraints.txt"]),
    "newest": ("3.13", ["--upgrade"]),
    "colab": ("3.13", ["--constraint", COLAB]),
}
SHOWN = ["torch", "numpy", "matplotlib", "ipywidgets", "ipython", "jupyterlab", "diffusers"]
TOOLS = "diffusers hatchling hypothesis nbclient nbconvert nbformat nbval packaging pytest pytest-xdist pyyaml".split()
FAST = ["tests", "--ignore=tests/browser", "--ignore=tests/homework", "-m", "long or not long"]
FAST += ["-n", "auto", "--dist", "loadfile", "-q"]


def has_python(version: str) -> bool:
    """Whether uv finds such a Python on this machine, or can download it."""
    for order in ("find", "install"):
        with contextlib.suppress(subprocess.CalledProcessError):
            uv("python", order, version)
            return True
    return False


def environment(name: str) -> Path:
    """Makes the environment of a column; returns its Python. Raises CalledProcessError where uv cannot."""
    python, options = COLUMNS[name]
    uv("venv", "--clear", "--python", python, FOLDER / name)
    made = FOLDER / name / "bin/python"
    if name == "colab":  # first what Colab has, then the course; the homework cannot be there
        uv("pip", "install", "--python", made, "--requirement", COLAB)
        uv("pip", "install", "--python", made, ROOT)
        uv("pip", "install", "--python", made, *options, "--editable", ROOT, *TOOLS)
    else:
        uv("pip", "install", "--python", made, *options, "--editable", f"{ROOT}[test]")
    return made


def uv(*words) -> str:
    command = [sys.executable, "-m", "uv", "--quiet", *map(str, words)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def versions(python: Path) -> dict:
    """Name → version of everything that is installed."""
    return dict(line.split("==") for line in uv("pip", "freeze", "--python", python).splitlines() if "==" in line)


def tested(python: Path) -> str:
    """What pytest's last line says, such as "2800 passed in 61 s"; all that it says is shown meanwhile."""
    last = "no tests"
    with subprocess.Popen([python, "-m", "pytest", *FAST], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line.strip("= \n") or last
    return last


def column(name: str) -> dict:
    """What the table says of one column; `result` begins with a number of tests, or says what was in the way."""
    needed = COLUMNS[name][0]
    print(f"{name}: Python {needed}", flush=True)
    if not has_python(needed):
        return {"result": f"Python {needed} is not here"}
    try:
        python = environment(name)
    except subprocess.CalledProcessError:
        return {"result": "no environment"}
    found = versions(python)
    wrong = [
        line for line in COLAB.read_text().splitlines() if line[0] != "#" and found[line.split("==")[0]] not in line
    ]
    if name == "colab" and wrong:
        return {**found, "result": f"changed: {', '.join(wrong)}"}
    return {**found, "result": tested(python)}


def main(names: list) -> int:
    columns = {name: column(name) for name in names or COLUMNS}
    print(table(columns))
    results = " ".join(found["result"] for found in columns.values())
    return int(bool(re.search("failed|error|no tests|no environment|changed", results)))


def table(columns: dict) -> str:
    """Versions and results as text, one line a package; `columns`: name → what `column` has returned."""
    width = max(len(found["result"]) for found in columns.values())
    rows = [["", *columns]]
    rows += [[row, *(found.get(row, "—") for found in columns.values())] for row in [*SHOWN, "result"]]
    return "\n".join(" | ".join([f"{first:10}", *(cell.ljust(width) for cell in rest)]) for first, *rest in rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
