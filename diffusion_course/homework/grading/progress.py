"""What the shell shows while a class is graded: a bar that moves from the first second."""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from tqdm import tqdm

SHOWN = 3  # names beside the bar


def bar(made: Iterable, total: int, at_work: dict[str, float]) -> Iterator[Any]:
    """Yields what `made` yields; beside the bar stands who is `at_work`, student → since when, with their seconds.

    There is no bar in a file (None)."""
    with tqdm(total=total, unit="submission", disable=None if total else True) as shown:
        ended = threading.Event()
        ticking = threading.Thread(target=_tick, args=(shown, at_work, ended), daemon=True)
        ticking.start()
        try:
            for each in made:
                shown.update()
                yield each
        finally:
            ended.set()
            ticking.join()


def _tick(shown: tqdm, at_work: dict[str, float], ended: threading.Event) -> None:
    while not ended.wait(1):
        shown.set_postfix_str(at_work_now(at_work))


def at_work_now(at_work: dict[str, float]) -> str:
    """Those who have been at work longest: "ada 12 s, alan 3 s, and 5 more"."""
    now, students = time.monotonic(), sorted(list(at_work.items()), key=lambda item: item[1])
    told = [f"{student} {now - began:.0f} s" for student, began in students[:SHOWN]]
    more = len(students) - SHOWN
    return ", ".join(told + ([f"and {more} more"] if more > 0 else []))
