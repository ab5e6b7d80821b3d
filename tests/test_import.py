"""What `import diffusion_course` loads, and that every example in a docstring runs."""

import doctest
import importlib.util
import pkgutil
import subprocess
import sys

import pytest

import diffusion_course

NUMPY_HALF = ["schedule", "forward", "scalar", "denoisers", "samplers", "data"]
MODULES = [
    module.name
    for module in pkgutil.walk_packages(diffusion_course.__path__, "diffusion_course.")
    if not module.name.endswith("__main__")  # would run the command line
]


def loaded_by(code):
    """The top-level packages that a fresh Python has loaded after `code`."""
    code += "\nimport sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_package_alone_loads_nothing_heavy():
    assert not loaded_by("import diffusion_course") & {"torch", "matplotlib", "ipywidgets", "anywidget", "IPython"}


def test_the_numpy_half_does_not_load_torch():
    modules = ", ".join(NUMPY_HALF)
    assert "torch" not in loaded_by(f"from diffusion_course import {modules}")


def test_walking_on_arrays_does_not_load_torch():
    walk = """
import numpy as np
from diffusion_course import denoisers, samplers, schedule
noise = schedule.linear()
*_, x0 = samplers.ddpm(denoisers.GaussianDenoiser(0.0, 1.0, noise), noise, np.zeros(3), steps=5)
*_, x0 = samplers.ddim(denoisers.IdealDenoiser(np.zeros((2, 3)), noise), noise, np.zeros((1, 3)), steps=5)
"""
    assert "torch" not in loaded_by(walk)


def test_the_scalar_program_needs_no_numpy_of_its_own():
    source = importlib.util.find_spec("diffusion_course.scalar").loader.get_source("diffusion_course.scalar")
    imports = [line for line in source.splitlines() if line.startswith(("import", "from"))]
    assert imports == ["import math", "from random import Random"]


@pytest.mark.parametrize("name", ["diffusion_course", *MODULES])
@pytest.mark.filterwarnings("ignore::diffusion_course.schedule.TerminalSNRWarning")
def test_examples_in_docstrings_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
