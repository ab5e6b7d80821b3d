// The browser's half of widgets.py: paints x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε without asking Python, and gives
// the ordinary ipywidgets controls beside it the names and keys that a keyboard and a screen reader need.

const ROOT = ".diffusion-course"; // the box of controls and picture, one element a view
const BUTTONS = { "fa-play": "Play", "fa-pause": "Pause", "fa-stop": "Back to the start" };
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 320, HEIGHT = 200; // of the frame the two curves are drawn in

function add(parent, tag, attributes = {}, html = "") {
  const node = parent.namespaceURI === SVG || tag === "svg"
    ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.innerHTML = html;
  return parent.appendChild(node);
}

// Bytes arrive at any offset of a larger buffer, and typed arrays want theirs aligned: so copy.
function numbers(bytes, Type) {
  return new Type(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

// ---- the pictures ------------------------------------------------------------------------------

function picture(parent, { name, shape: [channels, height, width], x0, eps, unit }) {
  const figure = add(parent, "figure");
  add(figure, "figcaption").textContent = name;
  const canvas = add(figure, "canvas", { width, height, role: "img" });
  canvas.style.width = `${width * Math.max(1, Math.round(256 / Math.max(width, height)))}px`;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  const clean = numbers(x0, Uint8Array), noise = numbers(eps, Int16Array), area = width * height;
  image.data.fill(255);
  return {
    paint(signal, sigma) {
      for (let i = 0; i < area; i++)
        for (let k = 0; k < 3; k++) {
          const j = i + (channels === 3 ? k * area : 0);
          const x = signal * (clean[j] / 127.5 - 1) + sigma * unit * noise[j];
          image.data[4 * i + k] = 127.5 * (x + 1); // this kind of array rounds and clips by itself
        }
      context.putImageData(image, 0, 0);
    },
    describe: (state) => put(canvas, "aria-label", `${name} at ${state}`),
  };
}

// ---- the curves, with a marker at t --------------------------------------------------------------

function curves(parent, levels) {
  const T = levels.length - 1, figure = add(parent, "figure", { class: "curves" });
  const x = (t) => (WIDTH * t) / T, y = (level) => HEIGHT * (1 - level);
  const svg = add(figure, "svg", { viewBox: `-26 -8 ${WIDTH + 46} ${HEIGHT + 44}`, role: "img" });
  add(svg, "path", { class: "axes", d: `M0 0V${HEIGHT}H${WIDTH}` });
  for (const level of [0, 0.5, 1])
    add(svg, "text", { x: -6, y: y(level) + 4, "text-anchor": "end" }, String(level));
  for (const [t, label] of [[0, "0"], [T / 2, "t"], [T, String(T)]])
    add(svg, "text", { x: x(t), y: HEIGHT + 17, "text-anchor": "middle" }, label);
  const marker = add(svg, "path", { class: "marker" });
  const dots = ["signal", "noise"].map((name, k) => {
    const points = levels.map((pair, t) => `${x(t).toFixed(1)} ${y(pair[k]).toFixed(1)}`);
    add(svg, "path", { class: name, d: `M${points.join("L")}` });
    return add(svg, "circle", { class: name, r: 5 });
  });
  const legend = add(figure, "figcaption", {},
    "<span class='signal'>signal √<u>ᾱ<sub>t</sub></u> = <b></b></span><span><i>t</i> = <b></b></span>" +
    "<span class='noise'>noise √<u>1−ᾱ<sub>t</sub></u> = <b></b></span>" +
    "<span>SNR = ᾱ<sub>t</sub> ∕ (1−ᾱ<sub>t</sub>) = <b></b></span>");
  const cells = legend.querySelectorAll("b");
  return {
    paint(signal, sigma, t) {
      const snr = (signal / sigma) ** 2;
      put(marker, "d", `M${x(t)} 0V${HEIGHT}`);
      dots.forEach((dot, k) => { put(dot, "cx", x(t)); put(dot, "cy", y([signal, sigma][k])); });
      const texts = [signal.toFixed(3), t, sigma.toFixed(3), sigma ? snr.toPrecision(2) : "∞"];
      cells.forEach((cell, k) => { cell.textContent = texts[k]; });
    },
    describe: (state) => put(svg, "aria-label", `Curves of signal and noise over t; ${state}`),
  };
}

// ---- names and keys of the controls ------------------------------------------------------------------

function put(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

function mend(root, describe) {
  for (const slider of root.querySelectorAll(".widget-slider")) {
    const name = slider.querySelector(".widget-label")?.textContent.trim() || "value";
    const readout = slider.querySelector(".widget-readout");
    const value = readout?.textContent.trim() ?? "";
    for (const handle of slider.querySelectorAll(".noUi-handle, .ui-slider-handle")) {
      put(handle, "role", "slider");
      put(handle, "aria-label", name);
      put(handle, "aria-valuetext", describe() || value);
      if (handle.matches(".ui-slider-handle")) put(handle, "aria-valuenow", parseFloat(value) || 0);
      put(handle, "data-lm-suppress-shortcuts", "true"); // else Jupyter moves to the next cell
    }
    if (readout?.isContentEditable) {
      put(readout, "role", "textbox");
      put(readout, "aria-label", `${name}, type a number`);
    }
  }
  for (const button of root.querySelectorAll(".widget-play button"))
    for (const [icon, name] of Object.entries(BUTTONS))
      if (button.querySelector(`.${icon}`)) {
        put(button, "aria-label", name);
        put(button, "title", name);
        put(button, "data-lm-suppress-shortcuts", "true");
      }
}

// ipywidgets redraws its controls whenever it likes, so mend them whenever they change. The view is put
// into its box some time after `render`, hence the wait.
function keepMended(el, describe, undo) {
  const wait = setInterval(() => {
    const root = el.closest(ROOT);
    if (!root) return;
    clearInterval(wait);
    const observer = new MutationObserver(() => mend(root, describe));
    const attributeFilter = ["class", "aria-valuetext", "aria-valuenow"];
    observer.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter });
    undo.push(() => observer.disconnect());
    mend(root, describe);
  }, 50);
  undo.push(() => clearInterval(wait));
}

// ---- joining slider, Play and picture ------------------------------------------------------------

async function find(model, name) {
  const found = await model.widget_manager.get_model(model.get(name).replace("IPY_MODEL_", ""));
  if (!found) throw new Error(`this front end cannot look up the ${name}`);
  return found;
}

function move(model, value) {
  if (model.get("value") === value) return;
  model.set("value", value);
  model.save_changes();
}

// Play counts 0 … T whichever way it goes; "backwards" turns its count into T − t.
function joinPlay(play, slider, back, listen) {
  const turn = (t) => (back.get("value") ? slider.get("max") - t : t);
  listen(play, "change:value", () => move(slider, turn(play.get("value"))));
  for (const model of [slider, back])
    listen(model, "change:value", () => move(play, turn(slider.get("value"))));
}

async function render({ model, el }) {
  const undo = [], cleanUp = () => undo.forEach((act) => act());
  const listen = (target, event, act) => {
    target.on(event, act);
    undo.push(() => target.off(event, act));
  };
  if (!model.get("pictures")) {
    keepMended(el, () => "", undo); // controls whose picture Python draws
    return cleanUp;
  }

  const alphaBar = [...numbers(model.get("alpha_bar"), Float64Array)];
  const levels = alphaBar.map((power) => [Math.sqrt(power), Math.sqrt(1 - power)]);
  const stage = add(el, "div", { class: "dissolve" });
  const parts = [...model.get("pictures").map((one) => picture(stage, one)), curves(stage, levels)];

  let read = () => model.get("t") ?? 0, timer; // a saved page may leave out what is 0
  const describe = () => {
    const t = read(), [signal, sigma] = levels[t].map((level) => level.toFixed(2));
    return `t = ${t} of ${levels.length - 1}, signal ${signal}, noise ${sigma}`;
  };
  const paint = () => {
    const t = read();
    for (const part of parts) part.paint(...levels[t], t);
    clearTimeout(timer); // tell a screen reader only where the slider comes to rest
    timer = setTimeout(() => parts.forEach((part) => part.describe(describe())), 250);
  };
  undo.push(() => clearTimeout(timer));
  paint();
  parts.forEach((part) => part.describe(describe()));
  keepMended(el, describe, undo);

  try {
    const names = ["slider", "play", "back"];
    const [slider, play, back] = await Promise.all(names.map((name) => find(model, name)));
    read = () => slider.get("value");
    listen(slider, "change:value", paint);
    joinPlay(play, slider, back, listen);
  } catch (error) {
    console.info("diffusion_course: the kernel joins slider and picture:", error.message);
    listen(model, "change:t", paint);
    model.send({ join: "kernel" });
  }
  paint();
  return cleanUp;
}

export default { render };
