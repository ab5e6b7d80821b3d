"""The bug atlas: twenty mistakes that real diffusion code has shipped, and the exercises that name them.

`ATLAS[n]` lists (exercise, fault) pairs, read from the tables of all exercises:

>>> sorted({exercise.name for exercise, fault in ATLAS[8]})
['ddim_step', 'ddpm_step', 'family_step', 'inpaint', 'langevin_step']
"""

from .. import check
from .engine import Exercise, Fault
from .homework.noising import make_alpha_bar


def exercises() -> list[Exercise]:
    """Every exercise of the lessons, in their order."""
    names = (name for name, module in check.MODULE.items() if module not in ("atlas", "ranking"))
    return [exercise for name in names if isinstance(exercise := getattr(check, name), Exercise)]


def _atlas() -> dict[int, list[tuple[Exercise, Fault]]]:
    asked = [*exercises(), make_alpha_bar]  # fault 10 is the homework's
    pairs = [(exercise, fault) for exercise in asked for fault in exercise.faults]
    return {n: [pair for pair in pairs if pair[1].atlas == n] for n in range(1, 21)}


ATLAS = _atlas()
