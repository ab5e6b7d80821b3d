"""What is wrong with a whole sampler, where no known mistake fits: which weight, and after which step.

A sampler is linear in where it starts, in what the network answers and in its noise. So it is run with a network
whose answers are chosen, one of them 1 and the rest 0; where it then asks the network next is a weight.
"""

import contextlib
import dataclasses
from collections.abc import Callable

import numpy as np

from . import isolate
from .engine import Exercise
from .numbers import tell


@dataclasses.dataclass(frozen=True, repr=False, kw_only=True)
class Stepwise(Exercise):
    """An exercise whose answer is a sampler: `run(f, network, x, rng)` runs it, `inputs` names what it is linear in.

    `inputs` are x first, then what the network answers each time, then each z. `case` says in words what is run.
    """

    run: Callable
    inputs: tuple[str, ...]
    case: str

    def _isolated(self, attempt: Callable, probes: list, answers: list) -> tuple[str, str]:
        sentence = None
        with contextlib.suppress(*isolate.NET):
            sentence = self._wrong_weight(attempt)
        return (sentence, "isolated") if sentence else super()._isolated(attempt, probes, answers)

    def _wrong_weight(self, attempt: Callable) -> str | None:
        try:
            ones = range(-1, len(self.inputs))
            mine, right = ([self._places(f, one) for one in ones] for f in (attempt, self.reference))
        except Exception:
            return None
        if len({len(places) for places in mine}) > 1:
            return None
        if (asked := len(mine[0])) != len(right[0]):
            times = f"{asked - 1} time{'s' * (asked != 2)}, where {len(right[0]) - 1} is right"
            return f"{self.case}, your function asks the network {times}."
        for k, (time, _) in enumerate(right[0]):
            if mine[0][k][0] != time:
                return f"{self.case}, question {k + 1} to the network is at t = {mine[0][k][0]}; t = {time} is right."
            where = "in the result" if time is None else f"in x at question {k + 1} to the network (t = {time})"
            weights, good = ([float(x[k][1] - each[0][k][1]) for x in each[1:]] for each in (mine, right))
            for name, a, b in zip(self.inputs, weights, good, strict=True):
                if not np.isclose(a, b, rtol=1e-4, atol=1e-6):
                    return f"{self.case}, {where} your weight of {name} is {tell(a)}, the right one is {tell(b)}."
        return None

    def _places(self, f: Callable, one: int) -> list[tuple[int | None, float]]:
        """(t, x) at each question to the network, and the end, if input number `one` is 1 and the others are 0."""
        values = np.eye(len(self.inputs) + 1)[one][:-1]  # one = −1: all are 0
        noisy = [name.startswith("z") for name in self.inputs]
        answers, noises = iter(values[1 : len(noisy) - sum(noisy)]), iter(values[len(noisy) - sum(noisy) :])
        places: list = []

        def network(x, t):
            places.append((int(t), _number(x)))
            return np.full((1,), next(answers, 0.0))

        draw = lambda rng, *shape: np.full((1,), next(noises, 0.0))  # noqa: E731
        rng = type("Generator", (), {"__module__": "numpy", "standard_normal": draw})()
        with np.errstate(all="ignore"):
            end = _number(self.run(f, network, np.full((1,), values[0]), rng))
        return [*places, (None, end)]


def _number(x) -> float:
    """x as a number; Python's root of a negative one is complex, NumPy's is NaN."""
    value = np.asarray(x).item()
    return float("nan") if isinstance(value, complex) else float(value)
