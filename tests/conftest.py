"""What every test shares: one thread, the same random examples on every machine; what is long, and when it runs."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from chromium import browser, new_page  # noqa: F401, fixtures
from hypothesis import settings

from diffusion_course.check import isolate

# How many threads are quickest depends on the clock, and the last digits of results on how many there are. Read by
# NumPy and torch when they are loaded, here and in every process that a test starts.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No deadline: a shared machine may pause for longer than any example takes.
settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")

isolate.NET = ()  # an error of ours in a sentence for a learner fails the test that asks for it


STARTED = {"walled", "lab", "book"}  # fixtures that start a sandbox or JupyterLab, or make the website


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """One process more than there are cores, since many tests wait for a browser or a sandbox."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config):
    """Trainings of lessons end early, as if interrupted; `make book` and `make bench` run them to their end."""
    folder = tempfile.TemporaryDirectory()
    config.add_cleanup(folder.cleanup)
    startup = Path(folder.name) / "profile_default/startup"
    startup.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("hurry.py"), startup)
    os.environ["IPYTHONDIR"] = folder.name


@pytest.hookimpl(tryfirst=True)  # before those marked are left out
def pytest_collection_modifyitems(items):
    """Long are optional notebooks too, and what much is started for. Files with long tests come first, so that no core
    waits for one at the end.
    """
    for item in items:
        if item.path.parent.name == "beyond" or STARTED & set(getattr(item, "fixturenames", ())):
            item.add_marker("long")
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in long)
