"""What every test shares: property tests that draw the same examples on every machine."""

from hypothesis import settings

# No deadline: a shared machine may pause for longer than any example takes.
settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")
