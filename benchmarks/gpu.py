"""What a GPU makes of the course, beside `diffusers` on the same card: `python benchmarks/gpu.py`, eight minutes.

One table: what was measured, the number, the goal. Each part (`gpu_parts.py`) runs in a process of its own and has a
time limit; one that fails or runs out of time says so in its row, and the others go on. Every row is written to
build/benchmarks/gpu.jsonl (`--out`) as it comes, so a run that is cut off loses nothing.

    training    steps a second, ours plain and captured, and of diffusers' network and loop; emoji; spiral, card and CPU
    sampling    milliseconds of 50 steps of DDIM for 1 and 64 faces
    quality     the full recipe of the faces: seconds, and its Fréchet distance beside that of the weights that ship
    lessons     seconds of each notebook's code cells
    agreement   captured losses beside plain ones for 100 steps; the same samples on the card and on its CPU
    estimate    lesson 4 on the common free card, by counted operations
    formats     Fréchet distance of a short training in each number format, three seeds

`--write` then puts the lessons' seconds from that file into their openings. `--tiny` makes all of it so small that a
CPU shows in a minute or two that it runs; its numbers say nothing.
"""

import argparse
import json
import operator
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT, PARTS = Path(__file__).parent.parent, Path(__file__).with_name("gpu_parts.py")
LIMITS = {  # seconds of each part, on a card
    "training": 110, "sampling": 40, "quality": 100, "lessons": 320, "agreement": 40, "estimate": 40, "formats": 90
}  # fmt: skip
SIGNS = {"≥": operator.ge, "≤": operator.le}


def rows_of(part, tiny, seconds):
    """The rows of one part, as its process makes them; it is ended after so many seconds."""
    command = [sys.executable, PARTS, part, str(seconds), *["--tiny"] * tiny]
    cut = threading.Event()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as child:
        timer = threading.Timer(seconds, lambda: (cut.set(), child.kill()))
        timer.start()
        try:
            for line in child.stdout:
                yield json.loads(line)
        finally:
            timer.cancel()
            child.kill()
    if cut.is_set():
        yield {"what": "the rest", "failed": f"left out after {seconds:.0f} seconds"}
    elif child.returncode:
        yield {"what": "the rest", "failed": f"the process ended with {child.returncode}; see above"}


def told(row):
    """A row of the table, in words."""
    if "number" not in row:
        return f"{row['part']:10} {row['what']}: {row.get('failed', '')}".rstrip(": ")
    goal = ""
    if "goal" in row:
        sign, bound = row["goal"]
        goal = f"{sign} {bound:<4g} {'reached' if SIGNS[sign](row['number'], bound) else 'missed'}"
    return f"{row['part']:10} {row['what']:68} {row['number']:8.4g} {row['unit']:8} {goal}".rstrip()


def measure(parts, tiny, minutes, out):
    """Print the table and write its rows to `out`, for at most so many minutes."""
    began = time.monotonic()
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8") as file:
        for part in parts:
            left = 60 * minutes - (time.monotonic() - began)
            rows = rows_of(part, tiny, min(left, 600 if tiny else LIMITS[part]))
            for row in rows if left > 10 else [{"what": "left out", "failed": f"{minutes:g} minutes are over"}]:
                row = {"part": part, **row}
                print(json.dumps(row), file=file, flush=True)
                print(told(row), flush=True)
    print(f"{(time.monotonic() - began) / 60:.1f} minutes; {out}")


def write(rows, folder=ROOT / "notebooks"):
    """Put the lessons' seconds into their openings; ValueError unless all of it was measured on a GPU."""
    import course

    lessons = [row for row in rows if row["part"] == "lessons" and "number" in row and row.get("notebook")]
    if not lessons or not all(row["gpu"] and not row["tiny"] for row in lessons):
        raise ValueError("these rows hold no lessons that ran on a GPU: measure there first, without --tiny.")
    for row in lessons:
        path = folder / row["notebook"]
        path.write_text(course.said(path.read_text(encoding="utf-8"), row["number"], gpu=True), encoding="utf-8")
        print(f"{row['notebook']}: {row['number']:.0f} seconds with a GPU")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="so small that a CPU shows that all of it runs")
    parser.add_argument("--parts", nargs="+", choices=LIMITS, default=list(LIMITS))
    parser.add_argument("--minutes", type=float, default=7.8)
    parser.add_argument("--out", type=Path, default=ROOT / "build/benchmarks/gpu.jsonl", help="where rows are written")
    parser.add_argument("--write", action="store_true", help="measure nothing: write --out's seconds into the lessons")
    arguments = parser.parse_args()
    if arguments.write:
        write([json.loads(line) for line in arguments.out.read_text(encoding="utf-8").splitlines()])
    else:
        measure(arguments.parts, arguments.tiny, arguments.minutes, arguments.out)


if __name__ == "__main__":
    main()
