// arrow.py's half: one pair (x_0, ε) as a point of the plane, read off by two fixed axes or by two turned ones.

const EDGE = { low: -1.3, high: 2.1 }; // of the plane that is drawn
const REACH = { low: -1.1, high: 1.9 }; // where the point may be put
const QUARTER = Math.PI / 2;

// x_t and v of the pair (x_0, ε), with the axes turned by φ: √ᾱ = cos φ, √(1−ᾱ) = sin φ.
function turned(x0, eps, phi) {
  const signal = Math.cos(phi), noise = Math.sin(phi);
  return { signal, noise, xt: signal * x0 + noise * eps, v: signal * eps - noise * x0 };
}

const shown = (value) => (Math.abs(value) < 0.005 ? 0 : value).toFixed(2).replace("-", "−");

function head(context, colour, [x, y], angle) { // of an arrow
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x, y);
  for (const turn of [0.42, -0.42]) context.lineTo(x - 13 * Math.cos(angle + turn), y + 13 * Math.sin(angle + turn));
  context.fill();
}

function drawPlane(context, w, h, c, { x0, eps, phi }) {
  const scale = w / (EDGE.high - EDGE.low);
  const at = (x, y) => [(x - EDGE.low) * scale, (EDGE.high - y) * scale];
  const { signal, noise, xt, v } = turned(x0, eps, phi);
  const write = (text, colour, [x, y], dx, dy, align = "left") => {
    context.font = font(13, "italic bold");
    context.textAlign = align;
    context.lineWidth = 4;
    context.strokeStyle = c.paper;
    context.strokeText(text, x + dx, y + dy);
    context.fillStyle = colour;
    context.fillText(text, x + dx, y + dy);
  };
  trace(context, c.faint, 1, [at(EDGE.low, 0), at(EDGE.high, 0)]);
  trace(context, c.faint, 1, [at(0, EDGE.low), at(0, EDGE.high)]);
  const far = 6;
  trace(context, c.line, 1.5, [at(-far * signal, -far * noise), at(far * signal, far * noise)]);
  trace(context, c.line, 1.5, [at(far * noise, -far * signal), at(-far * noise, far * signal)]);
  context.strokeStyle = c.faint; // the quarter circle
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(...at(0, 0), scale, -QUARTER, 0);
  context.stroke();
  // all pairs with this x_t
  const foot = [xt * signal, xt * noise];
  trace(context, c.blue, 2, [at(foot[0] + far * noise, foot[1] - far * signal),
    at(foot[0] - far * noise, foot[1] + far * signal)], [6, 5]);
  // the four numbers, from the origin
  trace(context, c.green, 4, [at(0, 0), at(x0, 0)]);
  trace(context, c.green, 1, [at(x0, 0), at(x0, eps)], [2, 4]);
  trace(context, c.orange, 4, [at(0, 0), at(0, eps)]);
  trace(context, c.orange, 1, [at(0, eps), at(x0, eps)], [2, 4]);
  const beside = [0.07 * noise, -0.07 * signal]; // so that neither this bar nor the arrow hides the other
  trace(context, c.blue, 4, [at(...beside), at(foot[0] + beside[0], foot[1] + beside[1])]);
  const side = [-v * noise, v * signal];
  trace(context, c.purple, 4, [at(0, 0), at(...side)]);
  trace(context, c.purple, 1, [at(...side), at(x0, eps)], [2, 4]);
  trace(context, c.red, 2.5, [at(0, 0), at(signal, noise)]);
  head(context, c.red, at(signal, noise), phi);
  context.strokeStyle = c.red; // the angle
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(...at(0, 0), 0.6 * scale, -phi, 0);
  context.stroke();
  write("x₀", c.green, at(x0, 0), 0, eps < 0 ? -8 : 18, "center");
  write("ε", c.orange, at(0, eps), x0 < 0 ? 8 : -8, 4, x0 < 0 ? "left" : "right");
  write("xₜ", c.blue, at(...foot), 10, 22);
  if (phi > 0.25) write("φ", c.red, at(0.7 * Math.cos(phi / 2), 0.7 * Math.sin(phi / 2)), 0, 4, "center");
  write("1", c.faint, at(1, 0), 0, 16, "center"); // the length of the arrow
  write("v", c.purple, at(...side), -8, -6, "right");
  write("(√ᾱ, √(1−ᾱ))", c.red, at(signal, noise), phi > 0.9 ? 12 : 14, phi > 0.9 ? -10 : 24);
  const low = -Math.min(1.05, (foot[1] - EDGE.low - 0.12) / (signal + 1e-9)); // along the dashed line, still in sight
  if (noise > 0.1) write("same xₜ", c.blue, at(foot[0] - low * noise, foot[1] + low * signal), -10, 0, "right");
  write("(x₀, ε)", c.ink, at(x0, eps), x0 > 1.4 ? -14 : 14, -12, x0 > 1.4 ? "right" : "left");
}

function drawPicture(canvas, values) {
  const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height);
  values.forEach((value, i) => {
    image.data.fill(127.5 * (value + 1), 4 * i, 4 * i + 3); // rounds and clips by itself
    image.data[4 * i + 3] = 255;
  });
  context.putImageData(image, 0, 0);
}

function mount(stage, { x0, eps, picture, noise, size }) {
  const state = { x0, eps, phi: 0.6 }, degree = QUARTER / 90;
  const clean = [...numbers(picture)].map((byte) => byte / 127.5 - 1), grain = [...numbers(noise)];
  const row = add(stage, "div", { class: "dc-row" });
  const board = add(row, "div", { class: "dc-board dc-plane" });
  const plane = surface(board, { width: 460 }, (context, w, h, c) => drawPlane(context, w, h, c, state));
  const side = add(row, "div", { class: "dc-side" });
  const bar = controls(side);
  const play = playButton(bar, () => motion.toggle());
  const angle = range(bar, { label: "turn", max: 90, value: 34, wide: true, tell: (one) => `${one}°` },
    (one) => { motion.pause(); move({ phi: one * degree }); });
  const two = controls(side);
  const limits = { min: REACH.low, max: REACH.high, step: 0.05, tell: shown };
  const sliders = {
    x0: range(two, { label: "x₀", value: x0, ...limits }, (one) => move({ x0: one })),
    eps: range(two, { label: "ε", value: eps, ...limits }, (one) => move({ eps: one })),
  };
  const words = add(side, "div", { class: "dc-four" });
  const entry = (kind, term) => {
    add(words, "b", { class: kind }, term);
    return add(words, "span");
  };
  const told = { levels: entry("red", "√ᾱ, √(1−ᾱ)"), xt: entry("blue", "xₜ"), v: entry("purple", "v"),
    radius: entry("", "length²") };
  const tiles = add(side, "div", { class: "dc-tiles" });
  const tile = (name) => {
    const figure = add(tiles, "figure");
    const canvas = add(figure, "canvas", { width: size, height: size, role: "img", "aria-label": name });
    add(figure, "figcaption", {}, name);
    return canvas;
  };
  const [first, , middle, last] = ["x₀", "ε", "xₜ", "v"].map(tile);
  drawPicture(first, clean);
  drawPicture(tiles.querySelectorAll("canvas")[1], grain);
  add(side, "p", { class: "dc-note" }, "Every pair on the dashed line gives the same xₜ: the arrow cannot tell them " +
    "apart. Any one of x₀, ε, v says which it is. Drag the point or the arrow's tip, or use the sliders; the " +
    "pictures turn by the same arrow.");

  const coordinate = (x, y) => [EDGE.low + x * (EDGE.high - EDGE.low), EDGE.high - y * (EDGE.high - EDGE.low)];
  const share = (x, y) => [(x - EDGE.low) / (EDGE.high - EDGE.low), (EDGE.high - y) / (EDGE.high - EDGE.low)];
  const tip = knob(board, { label: "arrow: turn from signal to noise", kind: "red" }, {
    drag(x, y) {
      const [a, b] = coordinate(x, y);
      motion.pause();
      move({ phi: within(Math.atan2(b, a), a < 0 && b < 0 ? (a < b ? QUARTER : 0) : 0, QUARTER) });
    },
    nudge: (dx, dy) => { motion.pause(); move({ phi: state.phi + (dy - dx) * 2 * degree }); },
  });
  const point = knob(board, { label: "the pair x₀, ε", kind: "ink" }, {
    drag(x, y) { const [a, b] = coordinate(x, y); move({ x0: a, eps: b }); },
    nudge: (dx, dy) => move({ x0: state.x0 + 0.05 * dx, eps: state.eps + 0.05 * dy }),
  });

  function move(change) {
    Object.assign(state, change);
    state.phi = within(state.phi, 0, QUARTER);
    for (const name of ["x0", "eps"]) state[name] = within(state[name], REACH.low, REACH.high);
    const { signal, noise: sigma, xt, v } = turned(state.x0, state.eps, state.phi);
    angle.value = Math.round(state.phi / degree);
    sliders.x0.value = Math.round(state.x0 * 20) / 20;
    sliders.eps.value = Math.round(state.eps * 20) / 20;
    told.levels.textContent = `${shown(signal)}, ${shown(sigma)}   (ᾱ = ${shown(signal * signal)})`;
    told.xt.textContent = `√ᾱ x₀ + √(1−ᾱ) ε = ${shown(xt)}`;
    told.v.textContent = `√ᾱ ε − √(1−ᾱ) x₀ = ${shown(v)}`;
    told.radius.textContent = `x₀² + ε² = xₜ² + v² = ${shown(xt * xt + v * v)}`;
    tip.place(...share(signal, sigma));
    tip.tell(`${Math.round(state.phi / degree)} degrees, ᾱ = ${shown(signal * signal)}`, Math.round(state.phi / degree), 0, 90);
    point.place(...share(state.x0, state.eps));
    point.tell(`x₀ = ${shown(state.x0)}, ε = ${shown(state.eps)}`, shown(state.x0).replace("−", "-"), REACH.low, REACH.high);
    drawPicture(middle, clean.map((x, i) => signal * x + sigma * grain[i]));
    drawPicture(last, clean.map((x, i) => signal * grain[i] - sigma * x));
    plane.describe(`The pair x₀ = ${shown(state.x0)}, ε = ${shown(state.eps)}; arrow at ` +
      `${Math.round(state.phi / degree)} degrees; xₜ = ${shown(xt)}, v = ${shown(v)}.`);
    plane.redraw();
  }

  let clock = 0;
  const motion = ticker(board, (seconds) => { // there and back in eight seconds
    clock += seconds * QUARTER / 4;
    const place = clock % (2 * QUARTER);
    move({ phi: place < QUARTER ? place : 2 * QUARTER - place });
  }, { changed: (on) => { if (on) clock = state.phi; play.show(on); } });
  move({});
}
