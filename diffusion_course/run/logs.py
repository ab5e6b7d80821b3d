"""Following a training: a bar, a log of the loss, checkpoints, and at the end the weights.

Beside the weights NAME.safetensors stand the log NAME.csv and, until the training has ended, NAME.checkpoint. All
three are tested before anything is computed, so that nothing is computed that cannot be written.
"""

from __future__ import annotations

import csv
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from . import checkpoints

LOG_EVERY = 50  # training steps over which the loss is averaged for the log
SAVE_EVERY = 60  # seconds between checkpoints
HEADER = ["step", "loss"]


def writable(path: Path, suffix: str) -> Path:
    """`path`, once a file of that name and kind can be written there; a ValueError says why it cannot."""
    if path.suffix.lower() != suffix:
        raise ValueError(f"{path}: the name must end in {suffix}.")
    if not path.parent.is_dir():
        raise ValueError(f"{path}: there is no folder {path.parent}. Make it first.")
    if path.is_dir():
        raise ValueError(f"{path} is a folder: give the name of a file.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.exists():
            with open(path, "ab"):
                pass
    except OSError as error:
        raise ValueError(f"{path} cannot be written ({error.strerror or error}): choose another place.") from error
    return path


def places(out: Path, resume: bool) -> tuple[Path, Path, Path]:
    """(weights, log, checkpoint) of a training that is to write `out`; refuses to overwrite what is not its own."""
    weights = writable(out, ".safetensors")
    log, saved = out.with_suffix(".csv"), out.with_suffix(".checkpoint")
    if log.exists() and _first_row(writable(log, ".csv")) not in (HEADER, []):
        raise ValueError(f"{log} is not a log of a training and would be overwritten: choose another --out.")
    if saved.exists() and not resume:
        raise ValueError(f"{saved} is of an unfinished training: add --resume to go on, or remove it to start again.")
    return weights, log, writable(saved, ".checkpoint")


def follow(start: Callable[..., Any], out: Path, steps: int, resume: bool, rank: int = 0) -> str:
    """Take all records of `start(resume=…)`, a training of so many steps; write the averaged network to `out`.

    Returns a sentence about it. Processes of another rank than 0 train along, write and say nothing. ConnectionError
    when one of several processes has ended before its time, and says how to go on.
    """
    weights, log, saved = places(out, resume or rank > 0)
    going_on = resume and saved.exists()
    try:
        records = start(resume=checkpoints.load_run(saved) if going_on else None)
    except ValueError as error:
        raise ValueError(f"{saved if going_on else out}: {error}") from error
    if torch.distributed.is_initialized():  # a launcher tells those that are left to stop
        signal.signal(signal.SIGTERM, _stopped)
    try:
        rows, record = _taken(records, log, saved, steps, going_on, rank)
    except (RuntimeError, InterruptedError) as error:
        if not isinstance(error, (InterruptedError, torch.distributed.DistError)) and "gloo" not in str(error):
            raise
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # which follows, and finds us ending
        raise ConnectionError(_lost(saved, error)) from error
    if record is None:
        raise ValueError(f"{saved} is of a training that has taken its {steps} steps: give more --steps, or remove it.")
    if rank > 0:
        return ""
    _write_log(log, rows)
    checkpoints.save_model(weights, record.ema)
    saved.unlink(missing_ok=True)
    return f"{out}: {record.step} training steps on {record.machine}; the loss was {rows[-1][1] if rows else '?'}."


def _taken(
    records: Iterable[Any], log: Path, saved: Path, steps: int, going_on: bool, rank: int
) -> tuple[list[list[str]], Any]:
    """The rows of the log, and the last of all records, once they have been taken."""
    rows, last_saved = _read_log(log) if going_on else [], time.monotonic()
    total, count, record = 0.0, 0, None
    with tqdm(total=steps, unit="step", disable=rank > 0) as bar:
        for record in records:
            bar.update(record.step - bar.n)
            total, count = total + record.loss, count + 1  # on the device: reading it would make the device wait
            if rank > 0 or (record.step % LOG_EVERY and record.step < steps):
                continue
            loss, total, count = float(total) / count, 0.0, 0
            rows = [row for row in rows if int(row[0]) < record.step]
            rows.append([str(record.step), f"{loss:.5f}"])
            bar.set_postfix_str(f"loss {loss:.4f}, {record.machine}")
            if record.step < steps and time.monotonic() - last_saved > SAVE_EVERY:
                _write_log(log, rows)
                checkpoints.save_run(saved, record.run.state())
                last_saved = time.monotonic()
    return rows, record


def _stopped(*_: Any) -> None:
    raise InterruptedError("told to stop")


def _lost(saved: Path, error: Exception) -> str:
    """What to do when the processes of a training have lost each other."""
    kept = f"{saved} is kept: the same command with --resume goes on from it, with as many processes as you like"
    nothing = f"there is no {saved} yet: start again"
    reason = str(error).split("] ", 1)[-1].split(". ")[0]  # without the place in the source of gloo, and advice on it
    return f"another process of this training has ended, so it stops ({reason}); {kept if saved.exists() else nothing}."


def _first_row(path: Path) -> list[str]:
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        return next(csv.reader(file), [])


def _read_log(path: Path) -> list[list[str]]:
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [row for row in list(csv.reader(file))[1:] if len(row) == len(HEADER) and row[0].isdigit()]


def _write_log(path: Path, rows: list[list[str]]) -> None:
    beside = path.with_name(f"{path.name}.part")
    with open(beside, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *rows])
    os.replace(beside, path)
