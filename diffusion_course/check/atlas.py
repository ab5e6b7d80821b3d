"""The bug atlas: twenty mistakes that real diffusion code has shipped, and the exercises that name them.

`ATLAS[n]` lists (exercise, fault) pairs, gathered from every exercise of this package, so an entry cannot
fall out of step with its check:

>>> exercise, fault = ATLAS[8][0]
>>> exercise.name, fault.name
('ddpm_step', 'no fresh noise')
"""

import importlib
from pathlib import Path

from ..check.engine import Exercise, Fault


def exercises() -> list[Exercise]:
    """Every exercise of the files beside this one."""
    names = sorted(file.stem for file in Path(__file__).parent.glob("[a-z]*.py") if file.stem.startswith("lesson"))
    modules = [importlib.import_module(f"{__package__}.{name}") for name in names]
    return [value for module in modules for value in vars(module).values() if isinstance(value, Exercise)]


def _atlas() -> dict[int, list[tuple[Exercise, Fault]]]:
    pairs = [(exercise, fault) for exercise in exercises() for fault in exercise.faults]
    numbers = sorted({fault.atlas for _, fault in pairs if fault.atlas is not None})
    return {number: [pair for pair in pairs if pair[1].atlas == number] for number in numbers}


ATLAS = _atlas()
