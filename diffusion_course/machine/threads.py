"""How many threads compute: tried, not guessed, because it depends on what else the machine is doing.

The threads of one product wait for each other, many times in a training step. Where another program holds one of the
cores, all wait for the thread that stands behind it: on two cores beside one busy program, two threads take a step of
the U-Net five to thirty times as long as one thread does (`benchmarks/threads.py` measures it). So the count is found
by a short trial, and looked for again when the pace falls. It changes results by rounding only.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

T = TypeVar("T")

GAIN = 0.9  # twice the threads must bring a step below this share of its time to be kept
TRIED = 3  # training steps in which a count is tried
WATCHED = 10  # training steps that are looked at together, once a count is chosen
FELL = 1.5  # so many times as long as in the trial: the pace has fallen
AGAIN = 500  # training steps after which a trial is made in any case, for the machine may have become idle
PIECES, SIZE = 40, 256  # of the trial outside a training: products of two SIZE × SIZE matrices
FRESH = 10.0  # seconds for which its result holds


class Trial:
    """Which count is quickest: 1, doubled up to `most` as long as that helps.

    `now` is the count to use next, `took` tells how long it took. Each count gets `each` turns, and fewer once it has
    taken twice the time of the best.
    """

    def __init__(self, most: int, each: int) -> None:
        self.most, self.each, self.now = most, each, 1
        self.chosen, self.best, self.spent, self.done = 1, float("inf"), [], False

    def took(self, seconds: float) -> None:
        """The last turn took so long."""
        self.spent.append(seconds)
        if len(self.spent) < self.each and sum(self.spent) < 2 * self.each * self.best:
            return
        mean, self.spent = sum(self.spent) / len(self.spent), []
        better = mean < GAIN * self.best
        if better:
            self.chosen, self.best = self.now, mean
        self.done = not better or self.now == self.most
        self.now = self.chosen if self.done else min(2 * self.now, self.most)


class Threads:
    """The count for each step of a training, up to `most`: `now`, found by timing the steps that go by `timed`.

    A trial at the beginning, and others when the pace has fallen: the longer in between, the more often they have
    only confirmed what was chosen. A step is not tried with more threads than `bound()`, which is found in less time.
    """

    def __init__(self, most: int, bound: Callable[[], int] | None = None) -> None:
        self.most, self.bound, self.wait, self.warm, self.before = most, bound or quickest, WATCHED, False, 0
        self._begin()

    @property
    def now(self) -> int:
        """How many threads the next step should use."""
        return self.trial.now

    def timed(self, step: Callable[[], T]) -> T:
        """What `step()` returns."""
        began = time.perf_counter()
        found = step()
        self.took(time.perf_counter() - began)
        return found

    def took(self, seconds: float) -> None:
        """The last step took so long. The first one of all, which prepares much, does not count."""
        if self.most == 1 or not self.warm:
            self.warm = True
        elif not self.trial.done:
            self.trial.took(seconds)
        else:
            self.since += 1
            self.recent = [*self.recent, seconds][-WATCHED:]
            fallen = len(self.recent) == WATCHED and sum(self.recent) > FELL * WATCHED * self.trial.best
            if (fallen and self.since >= self.wait) or self.since >= AGAIN:
                confirmed, self.before = self.trial.chosen == self.before, self.trial.chosen
                self.wait = min(2 * self.wait, AGAIN) if confirmed else WATCHED
                self._begin()

    def _begin(self) -> None:
        most = 1 if self.most == 1 else min(self.most, self.bound())
        self.trial, self.since, self.recent = Trial(most, TRIED), 0, []


def adapt(*_: Any) -> int:
    """Let NumPy and torch use as many threads as are quickest now, and return how many.

    The trial takes a twentieth of a second on an idle machine. In a notebook it is made again before a cell runs, if
    ten seconds have passed. Whoever sets a smaller number (OMP_NUM_THREADS, torch.set_num_threads) keeps it.
    """
    if (shell := _notebook()) and shell is not _kept.shell:
        shell.events.register("pre_run_cell", adapt)
        _kept.shell = shell
    most = allowed()
    _kept.now, _kept.most = quickest(), most
    use(_kept.now)
    return _kept.now


def quickest() -> int:
    """How many threads multiply two matrices in the shortest time at this moment: 1 … `allowed()`."""
    most = allowed()
    if most > 1 and (_kept.most != most or time.monotonic() - _kept.tried > FRESH):
        trial, multiply, before = Trial(most, PIECES), _product(), _count()
        while not trial.done:
            use(trial.now)
            began = time.perf_counter()
            multiply()
            trial.took(time.perf_counter() - began)
        use(before)
        _kept.most, _kept.chosen, _kept.tried = most, trial.chosen, time.monotonic()
    return min(_kept.chosen, most)


def allowed() -> int:
    """As many threads as the user lets us have: all cores, unless another number was set, by anyone but `adapt`."""
    now = _count()
    return _kept.most if now == _kept.now else now


_kept = SimpleNamespace(now=0, shell=None, most=0, chosen=1, tried=0.0)  # set by `adapt`, found by the last trial


@cache
def _blas() -> ThreadpoolController:
    """The library in which NumPy multiplies."""
    return ThreadpoolController().select(user_api="blas")


def _count() -> int:
    if torch := sys.modules.get("torch"):
        return torch.get_num_threads()
    return max((library["num_threads"] for library in _blas().info()), default=1)


def use(count: int) -> None:
    """Let NumPy and torch use so many threads."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(count)
    _blas().limit(limits=count)


def _product() -> Callable[[], Any]:
    if torch := sys.modules.get("torch"):
        matrix = torch.ones(SIZE, SIZE)
    else:
        matrix = np.ones((SIZE, SIZE), np.float32)  # type: ignore[assignment]
    return lambda: matrix @ matrix


def _notebook() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython and ipython.get_ipython()
