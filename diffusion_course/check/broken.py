"""Code with one fault, to be found: six training pairs (lesson 3) and four DDIM samplers (lesson 6).

Each is the solution of an exercise with one row of its table put into it: `check.training_pair(pair_a)` names the
fault, `show(pair_a)` shows the code. All of them run, and train or sample.
"""

from .engine import Exercise
from .lesson3_pair import training_pair
from .lesson6 import ddim_sampler
from .table import edited


def planted(exercise: Exercise, **faults: str) -> list:
    """The solution with one fault in it, for each name that the result is to have."""
    edits = {fault.name: fault.edits for fault in exercise.faults}
    return [edited(exercise.reference, edits[fault], name) for name, fault in faults.items()]


pair_a, pair_b, pair_c, pair_d, pair_e, pair_f = planted(
    training_pair,
    pair_a="β is used where α is meant",
    pair_b="x_0 is scaled to 0 … 1",
    pair_c="a square root is missing",
    pair_d="ᾱ is taken one step too early",
    pair_e="uniform noise, not Gaussian",
    pair_f="the product is taken backwards",
)
sampler_a, sampler_b, sampler_c, sampler_d = planted(
    ddim_sampler,
    sampler_a="the times turn negative where n does not divide T",
    sampler_b="fresh noise of η² β where room is made for η² β̃",
    sampler_c="η is ignored: every sample is as noisy as DDPM's",
    sampler_d="the last step goes to ᾱ_1, not to ᾱ_0 = 1",
)
