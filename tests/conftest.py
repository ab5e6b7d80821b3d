"""What every test shares: one thread, and property tests that draw the same examples on every machine."""

import os

from hypothesis import settings

# How many threads are quickest depends on the clock, and the last digits of results on how many there are. Read by
# NumPy and torch when they are loaded, here and in every process that a test starts.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No deadline: a shared machine may pause for longer than any example takes.
settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")
