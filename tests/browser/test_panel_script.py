"""panel.js alone, against a small stand-in for Jupyter: what no JupyterLab here can show.

A front end that cannot look up models, and what a closed view leaves behind.
"""

import pytest

from diffusion_course.lab.panel import script

PAGE = """<div class="dc-still" data-for="k1">still</div><div class="dc-panel"><div id="view"></div></div>"""
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
        page.wait_for_selector(".dc-panel[data-theme]", state="attached")
        assert not page.get_by_text("still").is_visible()
        page.known = request.param
        yield page


def test_a_lost_kernel_is_told_where_it_can_be_known(page):
    page.evaluate("() => { asked.comm_live = false; heard.forEach(([, act]) => act()); }")
    assert page.get_by_role("status").count() == (1 if page.known else 0)


def test_a_closed_view_leaves_no_listener_and_its_still(page):
    page.evaluate("() => cleanUp()")
    assert page.evaluate("() => heard.length") == 0 and page.get_by_text("still").is_visible()
