// At work in every panel of widgets (panel.py): hides the still that stands in for it, gives the ordinary ipywidgets
// controls the names and keys that a keyboard and a screen reader need, and says when there is no kernel to ask.

const BUTTONS = { "fa-play": "Play", "fa-pause": "Pause", "fa-stop": "Back to the start" };
const GONE = "The kernel behind this picture is gone, so the controls change nothing. Run the notebook again.";

function mend(root) {
  for (const slider of root.querySelectorAll(".widget-slider")) {
    const name = slider.querySelector(".widget-label")?.textContent.trim() || "value";
    const readout = slider.querySelector(".widget-readout");
    const value = readout?.textContent.trim() ?? "";
    for (const handle of slider.querySelectorAll(".noUi-handle, .ui-slider-handle")) {
      put(handle, "role", "slider");
      put(handle, "aria-label", name);
      put(handle, "aria-valuetext", value);
      if (handle.matches(".ui-slider-handle")) put(handle, "aria-valuenow", parseFloat(value) || 0);
      keepKeys(handle); // else Jupyter moves to the next cell
    }
    if (readout?.isContentEditable) {
      put(readout, "role", "textbox");
      put(readout, "aria-label", `${name}, type a number`);
    }
  }
  for (const node of root.querySelectorAll(".widget-play button"))
    for (const [icon, name] of Object.entries(BUTTONS))
      if (node.querySelector(`.${icon}`)) {
        put(node, "aria-label", name);
        put(node, "title", name);
        keepKeys(node);
      }
}

// ipywidgets redraws its controls whenever it likes, so mend them whenever they change.
function keepMended(root, undo) {
  const observer = new MutationObserver(() => mend(root));
  const attributeFilter = ["class", "aria-valuetext", "aria-valuenow"];
  observer.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter });
  undo.push(() => observer.disconnect());
  mend(root);
}

function hideStill(key, undo) {
  const still = document.querySelector(`.dc-still[data-for="${key}"]`);
  if (!still) return;
  still.hidden = true;
  undo.push(() => { still.hidden = false; });
}

// Front ends with JupyterLab's widget manager know of every model whether a kernel still listens to it: `comm_live`
// after a restart, the disposed channel after a shutdown, which is told to nobody, so it is looked at on every move.
async function watchKernel(model, el, undo) {
  const id = model.get("asks")?.replace("IPY_MODEL_", "");
  const asked = id && await model.widget_manager?.get_model?.(id);
  if (!asked || asked.comm_live === undefined) return;
  const say = () => {
    const gone = !asked.comm_live || asked.comm?.jsServicesComm?.isDisposed === true;
    if (gone !== Boolean(el.firstChild)) el.replaceChildren(...(gone ? [notice()] : []));
  };
  asked.on("comm_live_update", say);
  asked.on("change", say);
  undo.push(() => { asked.off("comm_live_update", say); asked.off("change", say); });
  say();
}

function notice() {
  const node = document.createElement("div");
  node.setAttribute("role", "status");
  node.className = "dc-alert";
  node.textContent = GONE;
  return node;
}

function render({ model, el }) {
  const undo = [];
  hideStill(model.get("key"), undo);
  watchKernel(model, el, undo).catch((error) => console.info("diffusion_course:", error.message));
  const wait = setInterval(() => { // the view is put into its box some time after `render`
    const root = el.closest(".dc-panel");
    if (!root) return;
    clearInterval(wait);
    undo.push(followTheme(root));
    keepMended(root, undo);
  }, 50);
  undo.push(() => clearInterval(wait));
  return () => undo.forEach((act) => act());
}

export default { render };
