"""Every figure that a lesson shows, the stills of widgets too: its text can be read, its lines can be seen."""

import itertools
import sys

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.text import Text

from diffusion_course import lab, plots, schedule
from diffusion_course.run import quality

RNG = np.random.default_rng(0)
LINEAR = schedule.linear()
POINTS = RNG.standard_normal((6, 30, 2))
PICTURES = RNG.uniform(-1, 1, (6, 4, 1, 8, 8))
CAPTIONS = [f"after {10**n:,} training steps" for n in range(6)]
ARROWS = (POINTS[0], 0.1 * POINTS[0])
STAGES = [(name, (80, 8, 8)) for name in ("x_t", "stem", "before", "down", "middle", "up", "join", "after")]
FIGURES = {
    "images": lambda: plots.images({caption: PICTURES[0, 0] for caption in CAPTIONS}),
    "sheet": lambda: plots.sheet(PICTURES[0], "four", columns=2, rows=["clean", "noisy"], tops=["a", "b"]),
    "lines": lambda: plots.lines([0, 1], {str(i): [0, i] for i in range(7)}, "x", "y", marker=0.5),
    "histograms": lambda: plots.histograms({name: POINTS[0] for name in "abc"}, "x", density=plots.normal),
    "clouds": lambda: plots.clouds(dict(zip(CAPTIONS[2:], POINTS, strict=False)), reference=POINTS[0]),
    "network": lambda: lab.network(STAGES, skip=("before", "join")),
    "landscape": lambda: lab.landscape({name: np.eye(5) for name in "abc"}, 2.0),
    "field": lambda: lab.field({name: (POINTS, *ARROWS) for name in "abcd"}),
    "dissolve": lambda: lab.dissolve({"a": PICTURES[0, 0]}, {"a": PICTURES[1, 0]}, LINEAR).still,
    "designer": lambda: sys.modules["diffusion_course.lab.designer"]._still(PICTURES[0, 0]),
    "arrow": lambda: lab.arrow().still,
    "statue": lambda: lab.statue().still,
    "points": lambda: lab.play_points(POINTS, CAPTIONS).still,
    "trails": lambda: lab.play_points(POINTS, CAPTIONS, trails=3, groups="start", field=ARROWS).still,
    "axes": lambda: lab.play_points(POINTS[:, :2], CAPTIONS, axes=("θ", "ψ"), marks={"goal": (0, 0)}).still,
    "guesses": lambda: lab.guesses([-1, 1], {name: [-1, 1] for name in "abcd"}, POINTS[0, :, 0]),
    "suspects": lambda: lab.suspects(0.4, 0.5, [-1, 1]),
    "side by side": lambda: lab.side_by_side({"on its way": PICTURES, "guess": PICTURES}, CAPTIONS),
    "panels": lambda: lab.play_points({"a": POINTS, "b": POINTS}, CAPTIONS, trails=3, groups=np.arange(30)).still,
    "pictures": lambda: lab.play_pictures(PICTURES, CAPTIONS, columns=2, rows=["1000 evaluations", "50"]).still,
    "wide pictures": lambda: lab.play_pictures(PICTURES, CAPTIONS, columns=4, rows=["one"]).still,
    "paths": lambda: lab.play_paths(None, groups={name: POINTS[:, :, 0] for name in "abcde"}).still,
    "quality": lambda: quality.figure(quality.table()),
}


@pytest.fixture(scope="module", params=FIGURES)
def figure(request):
    made = FIGURES[request.param]()
    made.png()  # which lays it out
    return made


def contrast(colour, opacity):
    """Of a line with the white paper it is drawn on, by WCAG 2."""
    *rgb, alpha = to_rgba(colour)
    alpha = alpha if opacity is None else opacity
    rgb = [alpha * c + 1 - alpha for c in rgb]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 1.05 / (np.dot(linear, [0.2126, 0.7152, 0.0722]) + 0.05)


def texts(figure):
    return [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]


def test_text_is_as_large_as_the_pages(figure):
    assert min([text.get_fontsize() for text in texts(figure)], default=11) >= 11  # 72 dots an inch: points are pixels
    assert figure.get_figwidth() <= plots.WIDTH + 1e-9


def test_titles_are_on_the_page_and_do_not_run_into_each_other(figure):
    titles = [ax.title.get_window_extent() for ax in figure.axes if ax.get_title()]
    width, height = figure.bbox.size
    assert all(box.x0 > -1 and box.y0 > -1 and box.x1 < width + 1 and box.y1 < height + 1 for box in titles)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(titles, 2))


def test_every_line_can_be_seen(figure):
    for ax in figure.axes:
        grid = {line for axis in (ax.xaxis, ax.yaxis) for line in axis.get_gridlines()}
        for line in set(ax.findobj(Line2D)) - grid:
            if line.get_visible() and line.get_linestyle() != "None":
                assert contrast(line.get_color(), line.get_alpha()) >= 3
        for lines in ax.findobj(LineCollection):
            assert all(contrast(colour, None) >= 3 for colour in lines.get_colors())
