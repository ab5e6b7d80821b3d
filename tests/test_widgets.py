"""widgets.py without a browser: what is sent, what is refused, what Python joins and draws by itself."""

import warnings

import ipywidgets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from diffusion_course import plots
from diffusion_course.lab.widgets import dissolve, explore
from diffusion_course.schedule import Schedule, linear

WIDGET = "application/vnd.jupyter.widget-view+json"
# The ipywidgets classes that 7.7.1, Google Colab's, knows; `Stack` and others came with 8.
IN_VERSION_7 = {"VBox", "HBox", "IntSlider", "FloatSlider", "Play", "Checkbox", "Dropdown", "HTML"}


def pictures(seed=0):
    rng = np.random.default_rng(seed)
    x0 = {"dots": rng.uniform(-1, 1, (1, 1, 4, 5)), "sky": rng.uniform(-1, 1, (3, 6, 2))}
    return x0, {name: rng.standard_normal(x.shape) for name, x in x0.items()}


@pytest.fixture
def panel():
    return dissolve(*pictures(), linear())


def draw(n, kind="a"):
    figure = plots.lines([0, 1], {kind: [0, 1 / n]}, "x", "y")
    figure.alt = f'n = {n}, kind "{kind}"'
    return figure


def bundle(panel):
    InteractiveShell.instance()
    with capture_output() as captured:
        panel._ipython_display_()
    return captured.outputs[0].data


# ---- dissolve: what the browser gets --------------------------------------------------------------


def test_pictures_and_noise_arrive_to_the_grey_level(panel):
    x0, eps = pictures()
    for sent in panel.children[1].pictures:
        name, shape = sent["name"], sent["shape"]
        clean = np.frombuffer(sent["x0"], "u1").reshape(shape) / 127.5 - 1
        noise = np.frombuffer(sent["eps"], "<i2").reshape(shape) * sent["unit"]
        assert np.abs(clean - x0[name].reshape(shape)).max() <= 0.5 / 127.5 + 1e-12
        assert np.abs(noise - eps[name].reshape(shape)).max() <= 0.5 * sent["unit"] + 1e-12
    assert (np.frombuffer(panel.children[1].alpha_bar) == linear().alpha_bar).all()


def test_silent_noise_is_allowed():
    sent = dissolve({"dot": np.ones((1, 1, 1))}, {"dot": np.zeros((1, 1, 1))}, linear())
    assert np.frombuffer(sent.children[1].pictures[0]["eps"], "<i2") == [0]


@settings(max_examples=25)
@given(T=st.integers(1, 3000))
def test_keys_and_play_reach_both_ends(T):
    dot = {"dot": np.ones((1, 1, 1))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        controls = dissolve(dot, dot, Schedule(np.linspace(1, 0, T + 1))).controls
    t, play = controls["t"], controls["play"]
    assert (t.min, t.max, play.min, play.max) == (0, T, 0, T)
    assert t.step == play.step and T % t.step == 0
    assert t.step <= max(1, T / 100)


def test_play_takes_about_nine_seconds(panel):
    play = panel.controls["play"]
    assert play.interval * play.max / play.step == 9000


@pytest.mark.parametrize(
    ("x0", "eps", "message"),
    [
        ({}, {}, "at least one"),
        ({"a": np.zeros((1, 2, 2))}, {"b": np.zeros((1, 2, 2))}, r"\['a'\] and \['b'\]"),
        ({"a": np.zeros((1, 2, 2))}, {"a": np.zeros((1, 2, 3))}, r"\(1, 2, 3\), x0 \(1, 2, 2\)"),
        ({"a": np.zeros((2, 2))}, {"a": np.zeros((2, 2))}, r"not \(2, 2\)"),
        ({"a": np.zeros((2, 2, 2))}, {"a": np.zeros((2, 2, 2))}, r"not \(2, 2, 2\)"),
        ({"a": np.zeros((2, 1, 2, 2))}, {"a": np.zeros((2, 1, 2, 2))}, r"not \(2, 1, 2, 2\)"),
        ({"a": np.zeros((1, 0, 2))}, {"a": np.zeros((1, 0, 2))}, r"not \(1, 0, 2\)"),
        ({"a": np.full((1, 2, 2), np.nan)}, {"a": np.zeros((1, 2, 2))}, "NaN"),
        ({"a": np.zeros((1, 2, 2))}, {"a": np.full((1, 2, 2), np.inf)}, "infinity"),
        ({"a": np.full((1, 2, 2), 255)}, {"a": np.zeros((1, 2, 2))}, r"allowed is \[−1, 1\]"),
    ],
)
def test_bad_pictures_are_refused(x0, eps, message):
    with pytest.raises(ValueError, match=message):
        dissolve(x0, eps, linear())


def test_a_bare_array_is_no_schedule():
    with pytest.raises(ValueError, match=r"must be a Schedule, not ndarray: Schedule\(alpha_bar\)"):
        dissolve(*pictures(), linear().alpha_bar)


# ---- dissolve: where the browser cannot join slider and picture, Python does --------------------------


def test_nothing_is_joined_until_the_browser_asks(panel):
    panel.controls["t"].value = 300
    assert (panel.children[1].t, panel.controls["play"].value) == (0, 0)


def test_python_joins_slider_play_and_picture(panel):
    t, play, back, picture = *(panel.controls[name] for name in ("t", "play", "back")), panel.children[1]
    t.value = 50
    picture._handle_custom_msg({"join": "kernel"}, [])
    assert (picture.t, play.value) == (50, 50)
    t.value = 300
    assert (picture.t, play.value) == (300, 300)
    play.value = 310
    assert (picture.t, t.value) == (310, 310)
    back.value = True
    assert (picture.t, t.value, play.value) == (310, 310, 690)
    play.value = 1000
    assert (picture.t, t.value) == (0, 0)


def test_two_panels_do_not_touch_each_other(panel):
    other = dissolve(*pictures(1), linear())
    for one in (panel, other):
        one.children[1]._handle_custom_msg({"join": "kernel"}, [])
    panel.controls["t"].value = 300
    assert (other.controls["t"].value, other.children[1].t) == (0, 0)


# ---- explore --------------------------------------------------------------------------------------


def test_each_move_draws_a_described_picture():
    panel = explore(draw, n=(1, 5), kind=["a", "<b>"])
    panel.controls["n"].value = 4
    panel.controls["kind"].value = "<b>"
    shown = panel.children[1].value
    assert shown.startswith('<img alt="n = 4, kind &quot;&lt;b&gt;&quot;" src="data:image/png;base64,')
    assert panel.controls["n"].description == "n"


def test_own_widgets_keep_their_value_and_label():
    slider = ipywidgets.FloatSlider(value=2.5, min=1, max=5, description="how many")
    panel = explore(draw, n=slider)
    assert panel.children[1].value.startswith('<img alt="n = 2.5')
    assert panel.controls["n"] is slider and slider.description == "how many"


def test_the_error_of_a_later_drawing_is_shown_and_passes():
    panel = explore(draw, n=(-2, 4))
    panel.controls["n"].value = 0
    assert panel.children[1].value == "<pre role='alert'>ZeroDivisionError: division by zero\n</pre>"
    panel.controls["n"].value = 3
    assert panel.children[1].value.startswith('<img alt="n = 3')


def test_an_error_message_is_text_and_not_html():
    def refuse(n):
        if n == 3:
            raise ValueError("1 < n & n < 3")
        return draw(n)

    panel = explore(refuse, n=(1, 3))
    panel.controls["n"].value = 3
    assert "ValueError: 1 &lt; n &amp; n &lt; 3" in panel.children[1].value


def test_the_error_of_the_first_drawing_is_the_cells():
    with pytest.raises(ZeroDivisionError):
        explore(draw, n=(-1, 1))


def test_what_explore_cannot_use_is_refused():
    with pytest.raises(ValueError, match="n=3j makes no control"):
        explore(draw, n=3j)
    with pytest.raises(ValueError, match=r"plots\.Figure, not NoneType"):
        explore(lambda n: None, n=(0, 3))


# ---- both: the page without widgets, the older ipywidgets ---------------------------------------------


@pytest.mark.parametrize(
    ("make", "alt"),
    [
        (lambda: dissolve(*pictures(), linear()), "Pictures, left to right: dots, t = 0; dots, t = 200;"),
        (lambda: explore(draw, n=(1, 3)), 'n = 2, kind "a"'),
    ],
)
def test_one_output_serves_pages_with_and_without_widgets(make, alt):
    panel = make()
    shown = bundle(panel)
    assert shown[WIDGET]["model_id"] == panel.model_id
    assert shown["text/plain"].startswith(alt)
    assert shown["text/html"].startswith("<img alt=") and "data:image/png" in shown["text/html"]


def test_only_what_ipywidgets_7_knows():
    made = [dissolve(*pictures(), linear()), explore(draw, n=(1.0, 3.0), kind=["a", "b"])]
    while made:
        widget = made.pop()
        made += getattr(widget, "children", ())
        if widget._model_module.startswith("@jupyter-widgets"):
            assert widget._model_name.removesuffix("Model") in IN_VERSION_7
