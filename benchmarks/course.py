"""What the course costs: `python benchmarks/course.py`, all notebooks once, some ten minutes on two idle cores.

For each lesson and optional notebook, in a fresh kernel: seconds of processor time until its set-up cell has run and
in all, seconds on the wall, and the largest memory of the kernel; then the size of the checkout and of the wheel.
`--write` writes the seconds into the notebooks' openings; on a machine with a GPU, as those with a GPU. They are the
smaller of wall and processor time: more threads shorten the former, other programs only lengthen it.
"""

import re
import subprocess
import sys
import tempfile
import time
from math import ceil
from pathlib import Path

import nbformat
import torch
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError

import measure

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("0*.ipynb")) + sorted((ROOT / "notebooks/beyond").glob("*.ipynb"))
QUICK, LIMIT = NOTEBOOKS[:3], 100  # seconds
PROBE = "import resource, time\nprint(time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
SAID = re.compile(
    r"(All code cells together take about )(.+?)( on two CPU cores)"
    r"(, about .+? with a GPU|; a GPU makes no difference)?"
)
NUMBERS = "no one two three four five six seven eight nine ten".split()


def run(path, limit):
    """(processor seconds at the start, in all, seconds on the wall, MB at the peak) of a notebook in a fresh kernel."""
    notebook = nbformat.read(path, as_version=4)
    first = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    probes = [nbformat.v4.new_code_cell(PROBE), nbformat.v4.new_code_cell(PROBE)]
    notebook.cells.insert(first + 1, probes[0])
    notebook.cells.append(probes[1])
    began = time.perf_counter()
    client = NotebookClient(notebook, timeout=limit, resources={"metadata": {"path": str(path.parent)}})
    client.execute(stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    (start, _), (spent, peak) = (map(float, probe.outputs[0].text.split()) for probe in probes)
    return start, spent, wall, peak / (1e6 if sys.platform == "darwin" else 1e3)


def words(seconds):
    """So many seconds, as one says them: "15 seconds", "a minute", "two and a half minutes"."""
    if seconds <= 50:
        return f"{5 * ceil(seconds / 5)} seconds"
    halves = max(2, round(seconds / 30))
    if halves == 2:
        return "a minute"
    return NUMBERS[halves // 2] + " and a half" * (halves % 2) + " minutes"


def said(text, seconds, gpu=False):
    """The text of a notebook with its seconds in the opening; ValueError if nothing is said there."""
    if not (found := SAID.search(text)):
        raise ValueError('its opening must say "All code cells together take about … on two CPU cores".')
    cpu, with_gpu = found[2], found[4] or ""
    if gpu:
        with_gpu = f", about {words(seconds)} with a GPU"
    else:
        cpu = words(seconds)
    return f"{text[: found.start()]}{found[1]}{cpu}{found[3]}{with_gpu}{text[found.end() :]}"


def part_notebooks(arguments):
    until = time.perf_counter() + (LIMIT if arguments.quick else 3600)
    row = measure.table("notebook", "start-up", "processor", "wall s", "peak MB")
    for path in QUICK if arguments.quick else NOTEBOOKS:
        left = int(until - time.perf_counter())
        try:
            start, spent, wall, peak = run(path, max(left, 1))
        except CellTimeoutError:
            print(f"{path.stem}: left out, no time was left")
            continue
        row(path.stem, start, spent, wall, round(peak))
        if arguments.write:
            text = path.read_text(encoding="utf-8")
            path.write_text(said(text, min(spent, wall), torch.cuda.is_available()), encoding="utf-8")


def part_sizes(arguments):
    row = measure.table("size", "MB")
    names = git("ls-files", "-z").split("\0")[:-1]
    row("checkout, without .git", sum((ROOT / name).stat().st_size for name in names) / 1e6)
    row("history, packed", int(git("rev-list", "--disk-usage", "--objects", "HEAD")) / 1e6)
    if not measure.installed("hatchling"):
        print("wheel: left out, for hatchling is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        build = "import sys, hatchling.build; hatchling.build.build_wheel(sys.argv[1])"
        subprocess.run([sys.executable, "-c", build, folder], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        row("wheel", next(Path(folder).glob("*.whl")).stat().st_size / 1e6)


def git(*words):
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout


PARTS = {"notebooks": part_notebooks, "sizes": part_sizes}

if __name__ == "__main__":
    measure.main(__doc__, PARTS, options={"--write": "write the seconds into the notebooks' openings"})
