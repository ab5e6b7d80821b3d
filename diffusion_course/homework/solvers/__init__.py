"""The second homework, on solvers and guidance: what is asked and what it earns."""
