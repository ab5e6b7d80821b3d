// At work in every panel (panel.py): hides the still that stands in for it, and says when there is no kernel to ask.

const GONE = "The kernel behind this picture is gone, so the controls change nothing. Run the notebook again.";

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
  }, 50);
  undo.push(() => clearInterval(wait));
  return () => undo.forEach((act) => act());
}

export default { render };
