"""The widgets without a browser: what is sent, what is refused, what stands in where nothing moves."""

import base64
import sys

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from diffusion_course import plots
from diffusion_course.lab import PixelEditor, PromptBox, designer
from diffusion_course.lab.panel import pack
from diffusion_course.lab.widgets import dissolve, flip, play_paths, play_pictures, play_points, statue
from diffusion_course.schedule import linear

WIDGET = "application/vnd.jupyter.widget-view+json"
# The ipywidgets classes that 7.7.1, Google Colab's, knows; `Stack` and others came with 8.
IN_VERSION_7 = {"VBox", "HBox", "HTML"}
RNG = np.random.default_rng(0)


def unpack(packed):
    return np.frombuffer(base64.b64decode(packed["data"]), "<" + packed["type"]).reshape(packed["shape"])


def pictures(seed=0):
    rng = np.random.default_rng(seed)
    x0 = {"dots": rng.uniform(-1, 1, (1, 1, 4, 5)), "sky": rng.uniform(-1, 1, (3, 6, 2))}
    return x0, {name: rng.standard_normal(x.shape) for name, x in x0.items()}


def draw(n, kind="a"):
    figure = plots.lines([0, 1], {kind: [0, 1 / n]}, "x", "y")
    figure.alt = f'n = {n}, kind "{kind}"'
    return figure


def outputs(panel):
    InteractiveShell.instance()
    with capture_output() as captured:
        panel._ipython_display_()
    return [output.data for output in captured.outputs]


# ---- dissolve -------------------------------------------------------------------------------------


def test_pictures_and_noise_arrive_to_the_grey_level():
    x0, eps = pictures()
    drawing = dissolve(x0, eps, linear())
    for sent in drawing.data["pictures"]:
        name, shape = sent["name"], sent["shape"]
        clean, noise = unpack(sent["x0"]) / 127.5 - 1, unpack(sent["eps"]) * sent["unit"]
        assert np.abs(clean - x0[name].reshape(shape)).max() <= 0.5 / 127.5 + 1e-12
        assert np.abs(noise - eps[name].reshape(shape)).max() <= 0.5 * sent["unit"] + 1e-12
    assert (unpack(drawing.data["alpha_bar"]) == linear().alpha_bar).all()


def test_silent_noise_is_allowed():
    sent = dissolve({"dot": np.ones((1, 1, 1))}, {"dot": np.zeros((1, 1, 1))}, linear())
    assert unpack(sent.data["pictures"][0]["eps"]) == [[[0]]]


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
    with pytest.raises(ValueError, match="must be a Schedule, such as"):
        dissolve(*pictures(), linear().alpha_bar)


# ---- flip -----------------------------------------------------------------------------------------


def test_flip_draws_every_position_beforehand():
    sent = flip(draw, n=[1, 2.5, 4]).data
    assert sent["told"] == ["1", "2.5", "4"]
    assert sent["alts"][2] == 'n = 4, kind "a"'
    assert all(base64.b64decode(page).startswith(b"\x89PNG") for page in sent["pictures"])
    for control, message in [({}, r"not \[\]"), ({"n": []}, "0 values"), ({"n": range(1, 99)}, "98 values")]:
        with pytest.raises(ValueError, match=message):
            flip(draw, **control)
    with pytest.raises(ValueError, match="NoneType"):
        flip(lambda n: None, n=[1])
    assert flip(draw, n=[1, 2]).still.alt == 'n = 1, kind "a"'
    assert flip(draw, still=draw(7), n=[1, 2]).still.alt == 'n = 7, kind "a"'


# ---- all: the page without widgets, the older ipywidgets ----------------------------------------------


@pytest.mark.parametrize(
    ("make", "alt"),
    [
        (lambda: dissolve(*pictures(), linear()), "Pictures, left to right: dots, t = 0; dots, t = 100;"),
        (lambda: statue(), "Pure noise flows into a drawing (heart) as t falls."),
        (lambda: play_points(RNG.normal(size=(2, 3, 2)), alt="Three points."), "Three points. Point clouds"),
        (lambda: play_pictures(np.zeros((2, 3, 1, 4, 4)), alt="Grey."), "Grey. 3 pictures: frame 1 of 2"),
        (lambda: play_paths(np.zeros((2, 3)), alt="Still."), "Still. 3 paths; spread 0.00"),
    ],
)
def test_a_live_drawing_is_one_output_that_holds_its_still(make, alt):
    shown = make()._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"} and shown["text/plain"].startswith(alt)
    before, script = shown["text/html"].split("<script>")
    assert f'<img alt="{alt}' in before.split('class="dc-still"')[1] and "data:image/png" in before
    assert script.endswith("</script>") and script.count("</script>") == 1
    assert "http:" not in script.replace("http://www.w3.org/2000/svg", "") and "https:" not in script


def test_names_cannot_break_out_of_the_script():
    shown = dissolve({"</script><b>": np.ones((1, 1, 1))}, {"</script><b>": np.ones((1, 1, 1))}, linear()).html()
    assert shown.count("</script>") == 1


def test_a_panel_has_its_still_in_an_output_of_its_own(monkeypatch):
    panel = PixelEditor(["ab", "ba"])
    still, widget = outputs(panel)
    assert set(widget) == {WIDGET} and widget[WIDGET]["model_id"] == panel.model_id
    assert still["text/plain"].startswith("Pictures, left to right: your drawing") and "<img alt=" in still["text/html"]
    assert f'data-for="{panel.alive.key}"' in still["text/html"] and ":has(" in still["text/html"]
    monkeypatch.setitem(sys.modules, "google.colab", sys)  # shows both, one below the other: there, one output
    (both,) = outputs(panel)
    assert set(both) == {WIDGET, "text/html", "text/plain"}


def test_only_what_ipywidgets_7_knows():
    made = [PixelEditor(["ab"]), designer(), PromptBox(lambda prompt, n=2, **_: iter([np.ones((n, 3, 4, 4))]))]
    while made:
        widget = made.pop()
        made += getattr(widget, "children", ())
        if widget._model_module.startswith("@jupyter-widgets"):
            assert widget._model_name.removesuffix("Model") in IN_VERSION_7


def test_pack_refuses_what_does_not_fit():
    assert (unpack(pack([[-5, 300]], "i2")) == [[-5, 300]]).all()
    for kind, values in (("u1", [256]), ("u1", [-1]), ("i2", [np.nan])):
        with pytest.raises(ValueError, match=f"{kind} holds"):
            pack(values, kind)
