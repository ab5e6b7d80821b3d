"""widgets.js alone, against a small stand-in for Jupyter: what no JupyterLab here can show.

A front end that cannot look up the slider, the older controls of ipywidgets 7, and what is left behind.
"""

import pathlib

import numpy as np
import pytest
from ipywidgets.embed import dependency_state, embed_data

import diffusion_course
from diffusion_course.lab.widgets import dissolve
from diffusion_course.schedule import linear

SCRIPT = pathlib.Path(diffusion_course.__file__).with_name("widgets.js")
STAND_IN = """async ([script, saved, joinable]) => {
  class Model {
    constructor(state) { this.state = state; this.heard = []; this.sent = []; }
    get(name) { return this.state[name] ?? (name === "value" ? 0 : undefined); }
    set(name, value) {
      this.state[name] = value;
      this.heard.filter(([event]) => event === `change:${name}`).forEach(([, act]) => act());
    }
    on(event, act) { this.heard.push([event, act]); }
    off(event, act) { this.heard = this.heard.filter((one) => one[0] !== event || one[1] !== act); }
    save_changes() {}
    send(message) { this.sent.push(message); }
  }
  window.models = Object.fromEntries(Object.entries(saved).map(([id, { state, buffers = [] }]) => {
    for (const { path, data } of buffers) {  // as the page's own widget manager does it
      const last = path.pop(), bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
      path.reduce((inner, key) => inner[key], state)[last] = new DataView(bytes.buffer);
    }
    return [id, new Model(state)];
  }));
  const all = Object.values(models);
  window.picture = all.find((model) => model.get("pictures"));
  [window.t, window.play, window.back] = ["slider", "play", "back"].map(
    (name) => models[picture.get(name).replace("IPY_MODEL_", "")]);
  picture.widget_manager = {
    get_model: async (id) => { if (joinable) return models[id]; throw new Error("not here"); },
  };
  const blob = new Blob([script], { type: "text/javascript" });
  const { default: widget } = await import(URL.createObjectURL(blob));
  const el = document.querySelector("#view");
  window.cleanUp = await widget.render({ model: picture, el });
}"""
# What ipywidgets 7 draws: the handle is jQuery UI's, which has no role, name or value of its own.
PAGE = """<div class="diffusion-course"><div class="widget-slider"><div class="widget-label">t</div>
  <span tabindex="0" class="ui-slider-handle">o</span><div class="widget-readout">0</div></div>
  <div class="widget-play"><button><i class="fa fa-pause"></i></button></div><div id="view"></div></div>"""
GREY = """() => [...document.querySelector("canvas").getContext("2d").getImageData(0, 0, 4, 3).data]"""
LISTENERS = "() => [picture, t, play, back].map((model) => model.heard.length)"


@pytest.fixture(params=[True, False], ids=["joined by the browser", "joined by the kernel"])
def joined(request):
    return request.param


@pytest.fixture
def setting(new_page, joined):
    """A page with the script at work; x0, eps and the schedule it was given."""
    rng, schedule = np.random.default_rng(0), linear()
    x0, eps = {"dots": rng.uniform(-1, 1, (1, 3, 4))}, {"dots": rng.standard_normal((1, 3, 4))}
    panel = dissolve(x0, eps, schedule)
    saved = embed_data(views=[panel], state=dependency_state([panel]))["manager_state"]["state"]
    with new_page() as page:
        page.set_content(PAGE)
        page.evaluate(STAND_IN, [SCRIPT.read_text(encoding="utf-8"), saved, joined])
        yield page, x0["dots"], eps["dots"], schedule.alpha_bar


def agrees(setting, t):
    page, x0, eps, alpha_bar = setting
    xt = alpha_bar[t] ** 0.5 * x0 + (1 - alpha_bar[t]) ** 0.5 * eps
    grey = np.array(page.evaluate(GREY)).reshape(3, 4, 4)
    assert (grey[..., 3] == 255).all()
    return np.abs(grey[..., :3] - np.clip(127.5 * (xt[0] + 1), 0, 255)[..., None]).max() <= 1


def test_whoever_joins_them_the_picture_follows(setting, joined):
    page = setting[0]
    assert agrees(setting, 0)
    page.evaluate("joined => (joined ? t : picture).set(joined ? 'value' : 't', 420)", joined)
    assert agrees(setting, 420)
    assert page.evaluate("() => picture.sent") == ([] if joined else [{"join": "kernel"}])


@pytest.mark.parametrize("joined", [True], indirect=True)  # else Python moves it: test_widgets.py
def test_play_and_backwards_move_the_slider(setting):
    page = setting[0]
    page.evaluate("() => play.set('value', 300)")
    assert page.evaluate("() => t.get('value')") == 300
    page.evaluate("() => back.set('value', true)")
    assert page.evaluate("() => [t.get('value'), play.get('value')]") == [300, 700]
    page.evaluate("() => play.set('value', 1000)")
    assert page.evaluate("() => t.get('value')") == 0
    assert agrees(setting, 0)


def test_older_controls_get_names_and_keys(setting):
    page = setting[0]
    handle = page.get_by_role("slider", name="t")
    handle.wait_for()
    assert handle.get_attribute("data-lm-suppress-shortcuts") == "true"
    assert handle.get_attribute("aria-valuetext") == "t = 0 of 1000, signal 1.00, noise 0.00"
    pause = page.get_by_role("button", name="Pause")
    pause.locator("i").evaluate("icon => { icon.className = 'fa fa-play'; }")
    page.get_by_role("button", name="Play").wait_for()


def test_a_closed_view_leaves_no_listener(setting):
    page = setting[0]
    assert sum(page.evaluate(LISTENERS)) > 0
    page.evaluate("() => cleanUp()")
    assert page.evaluate(LISTENERS) == [0, 0, 0, 0]
