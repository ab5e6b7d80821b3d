"""Does a slider that asks Python wait too long for its picture? `python benchmarks/redraws.py`.

Lessons draw all positions of a slider beforehand (`flip`), and the browser turns them over. What asks Python is
`explore`; here it draws each kind of figure, at each of 20 positions. A machine that draws one plain curve with
matplotlib in 25 ms may take 150 ms for a redraw. On a slower or a busier one both take longer, so they take turns, and
what is judged is their ratio: six are allowed. Milliseconds are those of the processor, here and now.
"""

import sys
from io import BytesIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import measure
from diffusion_course import data, plots
from diffusion_course.lab.widgets import explore

ALLOWED = 6  # plain curves: 150 ms
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


def plain_curve():
    """The unit: a figure of matplotlib's own size and layout, as a PNG."""
    figure = Figure()
    FigureCanvasAgg(figure)
    figure.subplots().plot(X, np.sin(X / 50))
    figure.savefig(BytesIO(), format="png")


def redraws(panel):
    """Moves the slider of `panel` on by one, back to 1 after 20; to be called again and again."""
    slider = panel.controls["n"]
    slider.value = slider.value % 20 + 1


def main():
    slow = []
    for kind, draw in DRAW.items():
        panel = explore(draw, n=(1, 20))
        taken = measure.in_turn({"ours": plain_curve, "redraw": lambda panel=panel: redraws(panel)}, 18)
        ratio = measure.times_ours(taken, "redraw")
        told = f"median {1000 * np.median(taken['redraw']):4.0f} ms, {ratio:.1f} plain curves"
        print(f"{kind:18} {told}", flush=True)
        slow += [kind] if ratio > ALLOWED else []
    sys.exit(f"More than {ALLOWED} plain curves: {', '.join(slow)}." if slow else 0)


if __name__ == "__main__":
    main()
