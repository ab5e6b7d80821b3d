"""What every test shares: one thread, the same random examples on every machine; what is long, and when it runs."""

import os

import pytest
from hypothesis import settings

# How many threads are quickest depends on the clock, and the last digits of results on how many there are. Read by
# NumPy and torch when they are loaded, here and in every process that a test starts.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No deadline: a shared machine may pause for longer than any example takes.
settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One process more than there are cores, since many tests wait for a browser or a sandbox."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)  # before those marked are left out
def pytest_collection_modifyitems(items):
    """Optional notebooks are long; files with long tests come first, so that no core waits for one at the end."""
    for item in items:
        if item.path.parent.name == "beyond":
            item.add_marker("long")
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in long)
