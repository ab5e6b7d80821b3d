"""How long a slider waits for its picture: `python benchmarks/redraws.py`.

Lessons draw all positions of a slider beforehand (`flip`), and the browser turns them over. What asks Python is
`explore`; here it draws each kind of figure, at each of 20 positions. Told are the median and the longest time from the
new value to the HTML that is sent, in milliseconds of the processor; 150 are allowed.
"""

import sys
import time

import numpy as np

from diffusion_course import data, plots
from diffusion_course.lab.widgets import explore

ALLOWED = 150
FACES = data.faces("test").x0
POINTS = np.random.default_rng(0).standard_normal((2000, 2))
X = np.arange(1001)
DRAW = {
    "three pictures": lambda n: plots.images({f"n = {n}, {i}": FACES[n + i] for i in range(3)}),
    "a sheet of 24": lambda n: plots.sheet(FACES[n : n + 24], f"from {n}"),
    "three curves": lambda n: plots.lines(X, {f"{i}": np.sin(X * i * n / 1000) for i in (1, 2, 3)}, "x", f"n is {n}"),
    "three histograms": lambda n: plots.histograms({f"{i}, n = {n}": POINTS[:, 0] * i + n for i in (1, 2, 3)}, "x"),
    "three clouds": lambda n: plots.clouds({f"{i}, n = {n}": POINTS * i / n for i in (1, 2, 3)}, limit=3),
}


def redraws(panel):
    """Milliseconds of each redraw of `panel`."""
    took = []
    for value in range(1, 21):
        if value != panel.controls["n"].value:
            start = time.process_time()
            panel.controls["n"].value = value
            took.append(1000 * (time.process_time() - start))
    return took


def main():
    slow = []
    for kind, draw in DRAW.items():
        took = redraws(explore(draw, n=(1, 20)))
        print(f"{kind:18} median {np.median(took):4.0f}, longest {max(took):4.0f} ms", flush=True)
        slow += [kind] if np.median(took) > ALLOWED else []
    sys.exit(f"Slower than {ALLOWED} ms: {', '.join(slow)}." if slow else 0)


if __name__ == "__main__":
    main()
