"""Pictures are pure: they show what they say, touch nothing, and refuse what cannot be shown."""

import base64
import html
import inspect
import itertools
import pickle
import re
import struct
import subprocess
import sys

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from diffusion_course import forward, plots, schedule
from diffusion_course.base.figure import DPI, as_rgb

RNG = np.random.default_rng(0)
LINEAR = schedule.linear()
POWER = LINEAR.alpha_bar
PICTURE = RNG.uniform(-1, 1, (3, 8, 6))
GREY = RNG.uniform(-1, 1, (1, 1, 8, 6))
POINTS = RNG.standard_normal((50, 2)) + np.array([2.0, -1.0])
NUMBERS = RNG.standard_normal(200)


def noised(x, t):
    return forward.add_noise(x, LINEAR.alpha_bar[t], np.ones_like(x))


# How each function is drawn at step t, the number of its axes, and words of its text alternative.
DRAWN = {
    "images": (
        lambda t: ({f"clean\nt = {t}": noised(PICTURE, t), "grey": GREY, "third": PICTURE}, 2),
        4,
        "Pictures, left to right: clean, t = {t}; grey; third.",
    ),
    "sheet": (
        lambda t: (noised(np.stack([PICTURE] * 5), t), f"Faces at {t}", 3),
        1,
        "Faces at {t}: 5 pictures in 2 rows.",
    ),
    "lines": (
        lambda t: (np.arange(1001), {"kept": POWER, "gone": 1 - POWER}, "t", "power", t),
        1,
        "power over t, from 0 to 1000. kept: 1 first, 0.0786 halfway, 4.04e-05 last. gone: 0 first, 0.921 "
        "halfway, 1 last. A line marks t = {t}.",
    ),
    "histograms": (
        lambda t: ({f"t = {t}": noised(NUMBERS, t), "clean": NUMBERS}, "x", lambda x: np.exp(-(x**2) / 2)),
        2,
        f"Histograms of x: t = {{t}} (mean {{mean:.2f}}, spread {{spread:.2f}}); clean "
        f"(mean {NUMBERS.mean():.2f}, spread {NUMBERS.std():.2f})",
    ),
    "clouds": (
        lambda t: ({f"t = {t}": noised(POINTS, t), "clean": POINTS}, POINTS),
        2,
        f"clean (50 points, mean ({POINTS[:, 0].mean():.2f}, {POINTS[:, 1].mean():.2f}), "
        f"spread {POINTS.std(0).mean():.2f})",
    ),
}


def test_every_picture_is_tested_here():
    public = {
        name
        for name, value in vars(plots).items()
        if getattr(value, "__module__", "") == plots.__name__
        and inspect.isfunction(value)
        and inspect.signature(value).return_annotation == "Figure"
    }
    assert public == set(DRAWN)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("t", [0, 500, 1000])
@pytest.mark.parametrize("name", DRAWN)
def test_drawn_at_ends_and_middle(name, t):
    arguments, axes, alt = DRAWN[name]
    given = arguments(t)
    before = pickle.dumps([g for g in given if not callable(g)])
    figure = getattr(plots, name)(*given)
    assert isinstance(figure, plots.Figure)
    assert len(figure.axes) == axes
    x = noised(NUMBERS, t)
    assert alt.format(t=t, mean=x.mean(), spread=x.std()) in figure.alt
    assert pickle.dumps([g for g in given if not callable(g)]) == before  # nothing given was changed
    png = figure.png()
    width, height = struct.unpack(">II", png[16:24])
    assert abs(width - figure.get_figwidth() * DPI) <= 1 and height > 100


@pytest.mark.parametrize("name", DRAWN)
def test_same_data_same_picture(name):
    first, second = (getattr(plots, name)(*DRAWN[name][0](500)) for _ in range(2))
    assert first.png() == second.png()


def test_tensors_are_drawn_as_arrays_are():
    def figures(of):
        yield plots.images({"a": of(PICTURE)})
        yield plots.sheet(of(PICTURE[None]), "a")
        yield plots.clouds({"a": of(POINTS)}, reference=of(POINTS))
        yield plots.histograms({"a": of(NUMBERS)}, "x")
        yield plots.lines(of(np.arange(200)), {"a": of(NUMBERS)}, "x", "y")

    tensors = figures(lambda x: torch.tensor(x, requires_grad=x.dtype.kind == "f"))
    for array, tensor in zip(figures(np.asarray), tensors, strict=True):
        assert array.png() == tensor.png() and array.alt == tensor.alt


def test_pixels_are_the_values():
    picture = np.array([[[-1.0, 1.0], [0.0, 3.0]]])
    np.testing.assert_array_equal(as_rgb(picture)[..., 0], [[0, 1], [0.5, 1]])
    np.testing.assert_array_equal(as_rgb(picture[None]), as_rgb(picture))
    shown = plots.images({"a": picture}).axes[0].images[0].get_array()
    np.testing.assert_array_equal(shown, as_rgb(picture))
    page = plots.sheet([picture, -picture], "two", columns=2).axes[0].images[0].get_array()
    np.testing.assert_array_equal(page[1:3, 1:3], as_rgb(picture))
    np.testing.assert_array_equal(page[1:3, 4:6], as_rgb(-picture))


def test_infinite_log_snr_is_a_gap_not_an_error():
    figure = plots.lines(np.arange(1001), {"log-SNR": LINEAR.log_snr}, "t", "log-SNR")
    assert "log-SNR: inf first" in figure.alt


@pytest.mark.filterwarnings("error")
def test_collapsed_samples_can_be_shown():
    plots.histograms({"all equal": np.full(10, 2.0)}, "x").png()


def test_histograms_have_the_reference_as_an_outline_on_the_same_bars():
    figure = plots.histograms({"a": [0.0, 1.0], "b": [0.0, 0.0]}, "x", bins=4, outline={"c": [-1.0, 3.0]})
    for ax in figure.axes:
        (outline,) = [patch for patch in ax.patches if not patch.get_fill()]
        assert outline.get_xy()[:, 0].min() == -1 and outline.get_xy()[:, 0].max() == 3
        assert outline.get_xy()[:, 1].max() == 0.5  # half of the numbers in a bar of width 1
    assert figure.alt.endswith("outline: c (mean 1.00, spread 2.00)")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["outline: c"]
    plots.clouds({"all at 0": np.zeros((10, 2))}).png()


NAN = np.full((3, 8, 6), np.nan)
REFUSED = [
    (lambda: plots.images({}), "pictures is empty: give at least one"),
    (
        lambda: plots.images({"a": np.zeros((2, 3, 8, 8))}),
        r"shape (c, h, w) with c = 1 or 3, not (2, 3, 8, 8)",
    ),
    (lambda: plots.images({"a": np.zeros((8, 8))}), "not (8, 8)"),
    (lambda: plots.images({"a": np.zeros((8, 8, 3))}), "not (8, 8, 3)"),
    (lambda: plots.images({"a": NAN}), "a picture with NaN or infinity cannot be shown"),
    (lambda: plots.images({"a": np.inf * PICTURE}), "a picture with NaN or infinity cannot be shown"),
    (lambda: plots.sheet([], "none"), "pictures is empty"),
    (lambda: plots.sheet(NAN[None], "none"), "a picture with NaN"),
    (lambda: plots.lines([0, 1], {}, "x", "y"), "series is empty"),
    (lambda: plots.lines([0, 1], {"a": [1, 2, 3]}, "x", "y"), "'a' has shape (3,), but (2,) is needed"),
    (lambda: plots.lines([0, 1], {"a": [1, np.nan]}, "x", "y"), "'a' holds nan"),
    (lambda: plots.histograms({}, "x"), "samples is empty"),
    (lambda: plots.histograms({"a": []}, "x"), "'a' has shape (0,), but (n,) is needed"),
    (lambda: plots.histograms({"a": [1, np.inf]}, "x"), "'a' holds inf"),
    (lambda: plots.clouds({}), "panels is empty"),
    (lambda: plots.clouds({"a": np.zeros((5, 3))}), "'a' has shape (5, 3), but (n, 2) is needed"),
    (lambda: plots.clouds({"a": np.zeros((0, 2))}), "'a' has shape (0, 2)"),
    (lambda: plots.clouds({"a": np.full((5, 2), np.nan)}), "'a' holds nan"),
    (lambda: plots.clouds({"a": POINTS}, reference=NUMBERS), "'reference' has shape (200,)"),
    (lambda: plots.images({"a": 255 * np.ones((3, 8, 6))}), "like pictures of 0…255"),
    (lambda: plots.images([PICTURE]), "pictures must be a dict"),
    (lambda: plots.images({"a": [1]}), "a picture has shape (c, h, w)"),
    (lambda: plots.images({"a": PICTURE}, columns=0), "columns is 0"),
    (lambda: plots.sheet([GREY], columns=0), "columns is 0"),
    (lambda: plots.lines([], {"a": []}, "x", "y"), "'x' has shape (0,)"),
    (lambda: plots.histograms({"a": NUMBERS}, "x", bins=0), "bins is 0"),
    (lambda: plots.clouds({"a": POINTS}, reference={"b": POINTS}), "'reference a' has shape (0,)"),
    (lambda: plots.sheet([GREY, GREY], columns=1, rows=["one"]), "rows names 1, but there are 2 rows"),
    (lambda: plots.sheet([GREY, GREY], columns=2, tops=["one"]), "tops names 1, but there are 1 rows and 2 columns"),
]


@pytest.mark.parametrize(("draw", "message"), REFUSED, ids=lambda x: x if isinstance(x, str) else "")
def test_refused(draw, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        draw()


def test_html_is_an_image_with_its_text():
    figure = plots.images({'<b>"x & y"</b>': PICTURE})
    source = figure.html()
    assert re.fullmatch(r'<div[^>]+><img alt="[^"<>]*" src="data:image/png;base64,[^"]+" style="[^"]+"></div>', source)
    alt, data = re.search(r'<img alt="(.*?)" src="data:image/png;base64,(.*?)"', source).groups()
    assert html.unescape(alt) == figure.alt == 'Pictures, left to right: <b>"x & y"</b>.'
    assert base64.b64decode(data).startswith(b"\x89PNG")
    assert figure._repr_mimebundle_() == {"text/html": source, "text/plain": figure.alt}


def test_pyplot_is_not_touched():
    code = (
        "import sys; from diffusion_course import plots; plots.lines([0, 1], {'a': [0, 1]}, 'x', 'y').png();"
        "sys.exit('matplotlib.pyplot' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def luminance(colour):
    """Relative luminance of WCAG 2."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(parts, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("colour", plots.COLOURS)
def test_every_colour_stands_out_from_the_paper(colour):
    """Contrast 3 at least; the paper is white in a dark page too."""
    assert 1.05 / (luminance(colour) + 0.05) >= 3
    assert to_rgb(plots.Figure(1, 1).get_facecolor()) == (1, 1, 1)


# Viénot, Brettel, Mollon 1999: linear RGB as those see it who lack the long or the medium cones.
BLIND = {
    "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


@pytest.mark.parametrize("eye", BLIND)
def test_the_first_four_colours_differ_for_the_colour_blind(eye):
    seen = [np.array(BLIND[eye]) @ np.array(to_rgb(colour)) ** 2.2 for colour in plots.COLOURS[:4]]
    for a, b in itertools.combinations(seen, 2):
        assert np.abs(np.clip(a, 0, 1) ** (1 / 2.2) - np.clip(b, 0, 1) ** (1 / 2.2)).max() > 0.1


@pytest.mark.parametrize("name", DRAWN)
def test_text_is_as_large_as_the_page_s_and_no_figure_wider_than_a_column(name):
    figure = getattr(plots, name)(*DRAWN[name][0](500))
    shown = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    assert all(text.get_fontsize() >= 11 for text in shown)  # 72 dots an inch: points are pixels
    assert figure.get_figwidth() <= plots.WIDTH


def test_rows_are_named_where_they_are():
    figure = plots.sheet([GREY, GREY, GREY, GREY], columns=2, rows=["clean", "noisy"])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["clean", "noisy"]
    assert "clean, noisy" in figure.alt


def test_columns_are_named_above_them():
    figure = plots.sheet(6 * [GREY], columns=3, tops=["t = 0", "t = 1", "t = 2"])
    ticks = figure.axes[0].xaxis.get_major_ticks()
    assert [tick.label2.get_text() for tick in ticks] == ["t = 0", "t = 1", "t = 2"]
    assert all(tick.label2.get_visible() and not tick.label1.get_visible() for tick in ticks)
    wide = figure.axes[0].images[0].get_array().shape[1] / 3
    assert [int(tick.get_loc() // wide) for tick in ticks] == [0, 1, 2] and "columns: t = 0, t = 1" in figure.alt


def test_curves_differ_in_more_than_colour():
    figure = plots.lines([0, 1], {str(i): [0, i] for i in range(7)}, "x", "y")
    drawn = [(line.get_linestyle(), line.get_color()) for line in figure.axes[0].get_lines()]
    assert len(set(drawn)) == 7 and all(a[0] != b[0] for a, b in itertools.pairwise(drawn))


def test_a_marker_may_say_what_it_marks():
    figure = plots.lines([0, 1], {"a": [0, 1]}, "x", "y", marker=0.5, note="best")
    assert [text.get_text().strip() for text in figure.axes[0].texts] == ["best"] and "x = 0.5 (best)" in figure.alt


def test_dashes_say_what_solid_curves_should_be():
    figure = plots.lines([0, 1], {"a": [0, 1], "b": [1, 3]}, "x", "y", dashed={"exact": [[0, 2], [1, 4]]})
    lines = figure.axes[0].get_lines()
    assert [line.get_linestyle() for line in lines] == ["-", "-", "--", "--"]
    assert [list(line.get_ydata()) for line in lines[2:]] == [[0, 2], [1, 4]]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["a", "b", "exact"]
