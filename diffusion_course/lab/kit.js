// What every drawing of this folder needs of a browser. `panel.py` puts this file before each drawing's own script.

const REDUCED = matchMedia("(prefers-reduced-motion: reduce)");
const DARK = matchMedia("(prefers-color-scheme: dark)");
const SVG = "http://www.w3.org/2000/svg";
// Okabe and Ito's colours, each at least 3 : 1 against the page: darker by day, lighter by night.
const PALETTES = {
  light: { ink: "#1f2328", faint: "#6b7178", line: "#d5d9de", paper: "#ffffff", blue: "#0072b2", red: "#d55e00",
    orange: "#b57900", green: "#00855f", purple: "#b0548c", sky: "#2f8fc9" },
  dark: { ink: "#e8eaed", faint: "#9aa2ab", line: "#454b53", paper: "#16191d", blue: "#56b4e9", red: "#ff8a4c",
    orange: "#f0b429", green: "#2fc79a", purple: "#e39ac4", sky: "#7cc7f2" },
};

// ---- elements ------------------------------------------------------------------------------------

function add(parent, tag, attributes = {}, text = "") {
  const svg = tag === "svg" || parent.namespaceURI === SVG;
  const node = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(name, value);
  if (text !== "") node.textContent = text;
  return parent.appendChild(node);
}

function put(node, name, value) { // sets an attribute only where it changes
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

// The numbers that `panel.pack` has packed. Bytes of a widget's buffer lie at any offset: so copy.
function numbers({ type, data }) {
  const bytes = typeof data === "string" ? Uint8Array.from(atob(data), (c) => c.charCodeAt(0))
    : new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
  const Type = { u1: Uint8Array, i2: Int16Array, i4: Int32Array, f4: Float32Array, f8: Float64Array }[type];
  return new Type(bytes.buffer);
}

// ---- light and dark ------------------------------------------------------------------------------

// Says the page so itself? Else: light text means a dark page.
function themeOf(node) {
  const told = document.body.dataset.jpThemeLight, html = document.documentElement;
  if (told) return told === "false" ? "dark" : "light";
  for (const name of [html.dataset.theme, html.getAttribute("theme")])
    if (name === "dark" || name === "light") return name;
  if (/vscode-(dark|high-contrast)(\s|$)/.test(document.body.className)) return "dark";
  const [r, g, b] = (getComputedStyle(node).color.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
  return 0.3 * r + 0.6 * g + 0.1 * b > 140 ? "dark" : "light";
}

const colours = (node) => PALETTES[node.closest(".diffusion-course")?.dataset.theme ?? "light"];

// Sets data-theme on `root`, now and whenever the page's theme changes. It does not keep a removed root in memory.
function followTheme(root) {
  const weak = new WeakRef(root), watch = new MutationObserver(look);
  function stop() { watch.disconnect(); DARK.removeEventListener("change", look); }
  function look() {
    const node = weak.deref();
    if (node) put(node, "data-theme", themeOf(node.parentElement ?? node)); else stop();
  }
  const attributeFilter = ["class", "theme", "data-theme", "data-jp-theme-light", "data-jp-theme-name"];
  for (const node of [document.documentElement, document.body])
    watch.observe(node, { attributes: true, attributeFilter });
  DARK.addEventListener("change", look);
  look();
  return stop;
}

// A colour of the wheel, `share` of the way round; all are equally bright, so all can be told from the page.
const hue = (share, c) => (c === PALETTES.dark ? `oklch(0.79 0.15 ${360 * share})` : `oklch(0.6 0.18 ${360 * share})`);

// ---- a canvas that is always sharp, as wide as it may be, and redrawn when needed -----------------------------

// `draw(context, width, height, colours)` gets CSS pixels. `ratio` is height / width, `width` the most it may be.
// Text on it: `context.font = font(12)`. `redraw()` draws with the next frame, however often it is called.
function surface(parent, { width = 480, ratio = 1, label = "", keys = false }, draw) {
  const canvas = add(parent, "canvas", { class: "dc-canvas", role: "img", "aria-label": label });
  Object.assign(canvas.style, { maxWidth: `${width}px`, aspectRatio: `1 / ${ratio}` });
  if (keys) canvas.tabIndex = 0;
  const context = canvas.getContext("2d");
  let asked = 0;
  const paint = () => {
    asked = 0;
    const w = canvas.clientWidth, h = canvas.clientHeight, dense = Math.min(devicePixelRatio || 1, 3);
    if (!w || !h) return;
    if (canvas.width !== Math.round(w * dense)) canvas.width = Math.round(w * dense);
    if (canvas.height !== Math.round(h * dense)) canvas.height = Math.round(h * dense);
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, w, h);
    draw(context, w, h, colours(canvas));
  };
  const redraw = () => { asked ||= requestAnimationFrame(paint); };
  new ResizeObserver(redraw).observe(canvas);
  const root = parent.closest(".diffusion-course");
  if (root) new MutationObserver(redraw).observe(root, { attributes: true, attributeFilter: ["data-theme"] });
  // where a pointer is, in shares of width and height: 0 … 1 from the left, 0 … 1 from the top
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  return { canvas, context, redraw, paint, at, describe: (text) => put(canvas, "aria-label", text) };
}

const HUES = 24; // colours for where a point began, by its direction from the middle

// The indices 2 i of the points (x, y) of a flat cloud, grouped by that direction into the HUES.
function byDirection(cloud, count) {
  const members = Array.from({ length: HUES }, () => []);
  for (let j = 0; j < 2 * count; j += 2)
    members[Math.floor((Math.atan2(cloud[j + 1], cloud[j]) / (2 * Math.PI) + 1) * HUES) % HUES].push(j);
  return members;
}

// Adds an arrow from (x, y) to (tipX, tipY) to the path; each side of its head is `head` pixels long.
function traceArrow(context, x, y, tipX, tipY, head) {
  const turn = Math.atan2(tipY - y, tipX - x);
  context.moveTo(x, y);
  context.lineTo(tipX, tipY);
  for (const side of [2.6, -2.6]) {
    context.moveTo(tipX, tipY);
    context.lineTo(tipX + head * Math.cos(turn + side), tipY + head * Math.sin(turn + side));
  }
}

const font = (size, style = "") => `${style} ${Math.max(size, 11)}px system-ui, sans-serif`;

// ---- motion --------------------------------------------------------------------------------------

// Calls `tick(seconds since the last call)` in every frame while it plays and can be seen. With `auto` it begins
// to play when it first comes into sight, but never by itself for those who have asked for less motion.
function ticker(node, tick, { auto = false, changed = () => {} } = {}) {
  let playing = false, seen = false, last = 0, frame = 0, touched = false;
  const step = (now) => {
    frame = 0;
    const passed = last ? Math.min((now - last) / 1000, 0.1) : 0;
    last = now;
    if (!playing || !seen) return;
    tick(passed);
    go();
  };
  const go = () => { if (playing && seen && !frame) frame = requestAnimationFrame(step); };
  const set = (on) => { playing = on; last = 0; changed(on); go(); };
  new IntersectionObserver((entries) => {
    seen = entries.at(-1).isIntersecting;
    last = 0;
    if (seen && auto && !touched && !REDUCED.matches) { touched = true; set(true); } else go();
  }).observe(node);
  return {
    get playing() { return playing; },
    play() { touched = true; set(true); },
    pause() { touched = true; set(false); },
    toggle() { touched = true; set(!playing); },
  };
}

// ---- controls: ordinary elements, so that mouse, touch, keyboard and screen reader all know them --------------------

const controls = (parent) => add(parent, "div", { class: "dc-controls" });

function button(parent, text, act, label) {
  const node = add(parent, "button", { type: "button", class: "dc-button", "aria-label": label, title: label }, text);
  node.addEventListener("click", act);
  return node;
}

// The button of a ticker made with `changed: (on) => play.show(on)`; its name changes with what it does.
function playButton(parent, act) {
  const node = button(parent, "", act);
  node.classList.add("dc-play");
  node.show = (on) => {
    node.textContent = on ? "❚❚" : "▶";
    for (const name of ["aria-label", "title"]) put(node, name, on ? "Pause" : "Play");
  };
  node.show(false);
  return node;
}

// A slider with its value beside it. `act(value)` on every move; arrow keys go by `key` (else `step`; with Shift by
// `step`). `tell(value)` is the text shown and read out; `typed` makes a field of it, to type a number in.
// `node.value = 3` moves it without calling `act`.
function range(parent, given, act) {
  const { label, min = 0, max = 1, step = 1, value = min, key = step, tell = String, typed, wide } = given;
  const box = add(parent, "div", { class: wide ? "dc-range dc-wide" : "dc-range" });
  add(box, "span", {}, label);
  const input = add(box, "input", { type: "range", min, max, step, "aria-label": label });
  const output = typed ? add(box, "input", { type: "number", min, max, step, "aria-label": `${label}, type a number` })
    : add(box, "output");
  output.classList.add("dc-value");
  const show = () => {
    const text = tell(+input.value);
    if (!typed) output.textContent = text; else if (document.activeElement !== output) output.value = input.value;
    put(input, "aria-valuetext", text);
  };
  const move = (to) => { input.value = to; show(); act(+input.value); };
  input.value = value;
  show();
  input.addEventListener("input", () => move(input.value));
  input.addEventListener("pointerdown", () => move(input.value)); // whoever takes hold of it where it is, acts, too
  input.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 }[event.key];
    const to = { Home: +input.min, End: +input.max }[event.key] ?? +input.value + way * (event.shiftKey ? step : key);
    if (Number.isNaN(to)) return;
    event.preventDefault();
    move(to);
  });
  if (typed) {
    output.addEventListener("input", () => { if (output.value !== "") move(output.value); });
    output.addEventListener("blur", show);
  }
  return {
    input, box, output, show,
    get value() { return +input.value; },
    set value(to) { if (+input.value !== to) { input.value = to; show(); } },
  };
}

// One of several, as radio buttons that look like a row of keys. `options`: [[value, text], …].
let asked = 0;
function choice(parent, label, options, value, act) {
  const box = add(parent, "div", { class: "dc-choice", role: "radiogroup", "aria-label": label });
  const name = `dc-${asked++}-${Math.random().toString(36).slice(2)}`;
  const inputs = options.map(([one, text, told]) => {
    const item = add(box, "label", { title: told });
    const input = add(item, "input", { type: "radio", name, "aria-label": told });
    input.checked = one === value;
    input.addEventListener("change", () => act(one));
    add(item, "span", {}, text);
    return input;
  });
  return { box, set value(one) { inputs.forEach((input, i) => { input.checked = options[i][0] === one; }); } };
}

function checkbox(parent, label, value, act) {
  const box = add(parent, "label", { class: "dc-check" });
  const input = add(box, "input", { type: "checkbox" });
  input.checked = value;
  add(box, "span", {}, label);
  input.addEventListener("change", () => act(input.checked));
  return input;
}

// ---- to life -------------------------------------------------------------------------------------

const KEPT = new WeakSet(); // nodes that `keepKeys` has met
const commanded = (event) => event.ctrlKey || event.metaKey;

// Keys that belong to `node` do not reach JupyterLab, but while Ctrl or ⌘ is held they do: Ctrl+S still saves.
// JupyterLab looks at a key before `node` does, so the attribute must go when Ctrl itself is pressed.
function keepKeys(node) {
  if (KEPT.has(node)) return;
  KEPT.add(node);
  const decide = (event) => {
    if (commanded(event)) node.removeAttribute("data-lm-suppress-shortcuts");
    else put(node, "data-lm-suppress-shortcuts", "true");
  };
  for (const event of ["keydown", "keyup", "focusin"]) node.addEventListener(event, decide);
  decide({});
}

// `mount(stage, data)` draws; only when it has succeeded does the still beside it go.
function enliven(root, data, mount) {
  root.dataset.alive = "yes";
  keepKeys(root);
  root.addEventListener("keydown", (event) => commanded(event) || event.stopPropagation());
  followTheme(root);
  const stage = add(root, "div", { class: "dc-stage" });
  try {
    mount(stage, data);
    root.querySelector(":scope > .dc-still")?.remove();
  } catch (error) {
    stage.remove();
    console.error("diffusion_course: the still stays, as the drawing failed:", error);
  }
}
