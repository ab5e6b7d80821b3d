"""Faults planted in the core, one at a time: each must be found by the fast tests. `python tests/planted.py [WORD]`

A row of `planted.txt` says file | line as it is → line with the fault. The fault is planted in a copy, and the tests
run there until one fails; what no test finds is printed at the end. WORD tries only the rows that hold it, and QUICK=1
runs only the tests of that file. A row that does not match exactly once is an error: the core has changed, so the row
must change.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = "schedule spacing forward posterior gaussian_denoisers denoisers scalar samplers sampling_contract".split()
TESTS += "sampling_reach convergence guidance other_schedule".split()
FIRST = {"schedule": "schedule spacing", "forward": "forward posterior", "denoisers": "gaussian_denoisers denoisers"}
FIRST |= {"base/refusals": "posterior data sampling_contract spacing schedule other_schedule"}
FIRST |= {"base/arrays": "forward posterior sampling_contract", "beyond/inversion": "convergence"}
FIRST |= {"predictor": "sampling_contract sampling_reach", "guidance": "guidance sampling_contract convergence"}
FIRST |= {"samplers": "samplers sampling_contract sampling_reach"}

FAULTS = Path(__file__).with_suffix(".txt")


def faults(word=""):
    for row in FAULTS.read_text(encoding="utf-8").splitlines():
        name, edit = row.split(" | ", 1)
        if word in row:
            yield name.strip(), *(part.replace("\\n", "\n").replace("\\|", "|") for part in edit.split(" → "))


def found(copy, name):
    """Do the tests in `copy` fail? In a forked process, which has torch loaded already and the package not yet."""
    child = os.fork()
    if child == 0:
        os.chdir(copy)
        sys.path.insert(0, str(copy))
        os.environ["PYTHONPATH"] = str(copy)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        order = dict.fromkeys([*FIRST[name].split(), *(() if "QUICK" in os.environ else TESTS)])
        files = [f"tests/test_{test}.py" for test in order]
        settings.register_profile("planted", derandomize=True, deadline=None, max_examples=30, phases=[Phase.generate])
        options = "-x -q -o addopts= -p no:cacheprovider -p no:nbval --hypothesis-profile=planted".split()
        os._exit(pytest.main([*options, *files]))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def main(word=""):
    tried, survivors = 0, []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "course"
        for part in ("diffusion_course", "tests", "data"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        sys.dont_write_bytecode = True
        for name, old, new in faults(word):
            file = copy / "diffusion_course" / f"{name}.py"
            source = file.read_text(encoding="utf-8")
            if source.count(old) != 1:
                sys.exit(f"{name}.py has {source.count(old)} times, not once: {old}")
            began = time.perf_counter()
            file.write_text(source.replace(old, new), encoding="utf-8")
            caught = found(copy, name)
            file.write_text(source, encoding="utf-8")
            tried += 1
            print(f"{'found' if caught else 'MISSED'} {time.perf_counter() - began:5.1f} s  {name}: {new}", flush=True)
            survivors += [] if caught else [f"{name}: {old} → {new}"]
    print(f"{tried - len(survivors)} of {tried} planted faults found.", *survivors, sep="\n")
    return bool(survivors)


if __name__ == "__main__":
    import pytest  # these are loaded once, before the forks
    import torch
    from hypothesis import Phase, settings

    torch.set_num_threads(1)
    sys.exit(main(*sys.argv[1:]))
