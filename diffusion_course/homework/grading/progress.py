"""What the shell shows while a class is graded: a bar that moves from the first second."""

import time
from collections.abc import Iterable, Iterator
from threading import Event, Thread
from typing import Any

from tqdm import tqdm

SHOWN = 3  # names beside the bar


def bar(made: Iterable, total: int, at_work: dict[str, float]) -> Iterator[Any]:
    """Yields what `made` yields; beside the bar stands who is `at_work`, student → since when, with their seconds."""
    ended = Event()
    with tqdm(made, total=total, unit="submission", disable=None if total else True) as shown:  # None: not in a file

        def tick():
            while not ended.wait(1):
                shown.set_postfix_str(at_work_now(at_work))

        ticking = Thread(target=tick, daemon=True)
        ticking.start()
        try:
            yield from shown
        finally:
            ended.set()
            ticking.join()


def at_work_now(at_work: dict[str, float]) -> str:
    """Those who have been at work longest: "ada 12 s, alan 3 s, and 5 more"."""
    now, students = time.monotonic(), sorted(list(at_work.items()), key=lambda item: item[1])
    told = [f"{student} {now - began:.0f} s" for student, began in students[:SHOWN]]
    return ", ".join([*told, *([f"and {len(students) - SHOWN} more"] if len(students) > SHOWN else [])])
