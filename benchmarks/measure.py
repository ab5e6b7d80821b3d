"""What the benchmarks share: times taken in turn, tables, curves, and on what all of it was measured.

Times are seconds of processor time of one thread, which other work on the machine hardly changes; what is compared
takes turns, so that what still changes falls on all alike, and ratios are medians over the turns.
"""

import argparse
import os
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch

from diffusion_course.base.figure import Figure

PICTURES = Path(__file__).parent.parent / "build" / "benchmarks"
clock = time.process_time


def in_turn(calls, rounds, limit=float("inf"), clock=clock):
    """Name → seconds (rounds,) of each of `calls` (name → function); after `limit` seconds no more rounds begin."""
    for call in calls.values():
        call()  # the first one prepares much
    taken, until = {name: [] for name in calls}, time.monotonic() + limit
    for done in range(rounds):
        if done and time.monotonic() > until:
            break
        for name, call in calls.items():
            began = clock()
            call()
            taken[name].append(clock() - began)
    return {name: np.array(seconds) for name, seconds in taken.items()}


def times_ours(taken, name, ours="ours"):
    """How many times as long as ours that one takes: the median over the turns."""
    return float(np.median(taken[name] / taken[ours]))


def table(*columns):
    """Prints the head of a table; the function that comes back prints a row of it."""
    widths = [max(len(column), 26 if not i else 9) for i, column in enumerate(columns)]

    def row(*cells):
        words = [f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells]
        pairs = zip(words[1:], widths[1:], strict=False)
        print("  ".join([words[0].ljust(widths[0]), *(word.rjust(width) for word, width in pairs)]), flush=True)

    row(*columns)
    return row


def main(about, parts, packages=(), options=None):
    """Runs the `parts` (name → function of the arguments) that the command line asks for, all by default.

    `packages` are those of others, whose versions are said; `options` are further switches and what they do.
    """
    parser = argparse.ArgumentParser(description=about.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="only what `make bench` measures")
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    for option, meaning in (options or {}).items():
        parser.add_argument(option, action="store_true", help=meaning)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    there = [f"{name} {installed(name)}" for name in ("torch", "numpy", *packages) if installed(name)]
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"{time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} cores{load}, one thread unless it says "
        f"otherwise; Python {platform.python_version()}, {', '.join(there)}",
        flush=True,
    )
    for name in packages:
        if not installed(name):
            print(f"{name} is not installed (pip install -c constraints.txt -e '.[bench]'): its rows are left out.")
    for name in arguments.parts:
        print(f"\n-- {name}", flush=True)
        parts[name](arguments)


def installed(name):
    """The version of a package, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def processor():
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def slope(x, y):
    """The power p of y ~ x^p that fits best on logarithmic axes."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def draw(name, panels):
    """Draws panels, title → (x label, y label, {curve: (x, y)}), on logarithmic axes, into build/benchmarks/.

    A curve with "slope" in its name is one to compare with: dashed.
    """
    figure = Figure(5 * len(panels), 4)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, (title, (x_label, y_label, curves)) in zip(axes, panels.items(), strict=True):
        for label, (x, y) in curves.items():
            style = {"linestyle": "--", "color": "grey"} if "slope" in label else {"marker": "o"}
            ax.plot(x, y, label=label, **style)
        ax.set(xscale="log", yscale="log", xlabel=x_label, ylabel=y_label, title=title)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("{x:g}")
        ax.grid(alpha=0.3)
        ax.legend()
    PICTURES.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURES / f"{name}.png", dpi=120, bbox_inches="tight")
    print(f"drawn: {(PICTURES / name).relative_to(PICTURES.parents[1])}.png", file=sys.stderr)
