"""panel.js alone, against a small stand-in for Jupyter: what no JupyterLab here can show.

The older controls of ipywidgets 7, a front end that cannot look up models, and what a closed view leaves behind.
"""

import pytest

from diffusion_course.lab.panel import script

# What ipywidgets 7 draws: the handle is jQuery UI's, which has no role, name or value of its own.
PAGE = """<div class="dc-still" data-for="k1">still</div><div class="diffusion-course dc-panel">
  <div class="widget-slider"><div class="widget-label">t</div>
  <span tabindex="0" class="ui-slider-handle">o</span><div class="widget-readout">7</div></div>
  <div class="widget-play"><button><i class="fa fa-pause"></i></button></div><div id="view"></div></div>"""
START = """async ([script, known]) => {
  window.heard = [];
  window.asked = {
    comm_live: true,
    on(event, act) { heard.push([event, act]); },
    off(event, act) { window.heard = heard.filter((one) => one[1] !== act || one[0] !== event); },
  };
  const model = { get: (name) => ({ key: "k1", asks: "IPY_MODEL_m" })[name] };
  if (known) model.widget_manager = { get_model: async (id) => (id === "m" ? asked : undefined) };
  const blob = new Blob([script], { type: "text/javascript" });
  const { default: widget } = await import(URL.createObjectURL(blob));
  window.cleanUp = await widget.render({ model, el: document.querySelector("#view") });
}"""


@pytest.fixture(params=[True, False], ids=["models can be looked up", "they cannot"])
def page(request, new_page):
    with new_page() as page:
        page.set_content(PAGE)
        page.evaluate(START, [script("panel"), request.param])
        page.get_by_role("slider", name="t").wait_for()
        page.known = request.param
        yield page


def test_older_controls_get_names_and_the_still_makes_room(page):
    handle = page.get_by_role("slider", name="t")
    assert handle.get_attribute("data-lm-suppress-shortcuts") == "true"
    assert handle.get_attribute("aria-valuenow") == "7"
    pause = page.get_by_role("button", name="Pause")
    pause.locator("i").evaluate("icon => { icon.className = 'fa fa-play'; }")
    page.get_by_role("button", name="Play").wait_for()
    assert not page.get_by_text("still").is_visible()


def test_a_lost_kernel_is_told_where_it_can_be_known(page):
    page.evaluate("() => { asked.comm_live = false; heard.forEach(([, act]) => act()); }")
    assert page.get_by_role("status").count() == (1 if page.known else 0)


def test_a_closed_view_leaves_no_listener_and_its_still(page):
    page.evaluate("() => cleanUp()")
    assert page.evaluate("() => heard.length") == 0 and page.get_by_text("still").is_visible()
