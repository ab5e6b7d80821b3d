"""The assignment: what is asked, what it earns, and whether the samples come from a trained network."""
