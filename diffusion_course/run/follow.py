"""Seeing a training through, as the command line does: a bar, a log, checkpoints, and at the end the weights."""

import csv
import time

import click
import numpy as np
from tqdm import tqdm

from ..run import checkpoints

LOG_EVERY = 50  # steps over which the loss is averaged for the log
SAVE_EVERY = 60  # seconds between checkpoints


def follow(start, out, steps, resume, rank=0):
    """Take all records of `start(resume=…)`, a training of so many steps; write the averaged network to `out`.

    Beside it stand the log (.csv) and, until the end, the checkpoint (.checkpoint) from which `resume` goes on.
    Processes of another rank than 0 train along and write nothing.
    """
    saved, log = out.with_suffix(".checkpoint"), out.with_suffix(".csv")
    going_on = saved if resume and saved.exists() else None
    rows, window, last_saved = _read_log(log) if going_on else [], [], time.monotonic()
    with tqdm(total=steps, unit="step", disable=rank > 0) as bar:
        for record in start(resume=going_on):
            bar.update(record.step - bar.n)
            window.append(record.loss.item())
            if rank > 0 or (record.step % LOG_EVERY and record.step < steps):
                continue
            rows = [row for row in rows if int(row[0]) < record.step]
            rows.append((record.step, f"{np.mean(window):.5f}"))
            bar.set_postfix_str(f"loss {np.mean(window):.4f}, {record.machine}")
            window.clear()
            if record.step < steps and time.monotonic() - last_saved > SAVE_EVERY:
                _write_log(log, rows)
                record.save(saved)
                last_saved = time.monotonic()
    if rank == 0:
        _write_log(log, rows)
        checkpoints.save_model(out, record.ema)
        saved.unlink(missing_ok=True)
        click.echo(f"{out}: {out.stat().st_size:,} bytes after {record.step} steps on {record.machine}.")


def _read_log(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))[1:]


def _write_log(path, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("step", "loss"), *rows])
