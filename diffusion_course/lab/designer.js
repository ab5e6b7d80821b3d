// designer.py's half: a noise schedule that is bent by hand, after curves.js and knob.js.

const STILLS = 8, TICKS = 40;
const GAP = 0.2; // between the heights of two knobs, at least

// ---- drawing -------------------------------------------------------------------------------------

const MARGIN = { left: 46, right: 24, top: 14, bottom: 34 };
const minus = (value) => String(value).replace("-", "−");

function framed(context, w, h, c, { low, high, marks, name }) {
  const x = (t) => MARGIN.left + ((w - MARGIN.left - MARGIN.right) * t) / T;
  const y = (value) => MARGIN.top + ((h - MARGIN.top - MARGIN.bottom) * (high - value)) / (high - low);
  context.font = font(12);
  context.lineWidth = 1;
  for (const mark of marks) {
    context.strokeStyle = c.line;
    context.beginPath();
    context.moveTo(x(0), y(mark));
    context.lineTo(x(T), y(mark));
    context.stroke();
    context.fillStyle = c.ink;
    context.textAlign = "right";
    context.fillText(minus(mark), x(0) - 6, y(mark) + 4);
  }
  context.textAlign = "center";
  for (const t of [0, 250, 500, 750, 1000]) context.fillText(t, x(t), h - 16);
  context.fillText("step t", (x(0) + x(T)) / 2, h - 2);
  context.textAlign = "right";
  context.font = font(13, "bold");
  context.fillText(name, x(T), MARGIN.top + 14);
  return { x, y };
}

function drawCircle(context, w, h, c, alphaBar) {
  const radius = w - 60, ox = 44, oy = h - 34;
  const at = (power, reach = 1) => [ox + reach * radius * Math.sqrt(power), oy - reach * radius * Math.sqrt(1 - power)];
  trace(context, c.line, 1, [[ox, oy - radius - 8], [ox, oy], [ox + radius + 8, oy]]);
  trace(context, c.faint, 1.5, Array.from({ length: 91 }, (_, i) => at(Math.cos((i * Math.PI) / 180) ** 2)));
  for (let k = 0; k <= TICKS; k++) {
    const t = Math.round((k * T) / TICKS), long = k % 10 === 0;
    trace(context, long ? c.red : c.blue, long ? 2.5 : 1.5, [at(alphaBar[t], long ? 0.9 : 0.94), at(alphaBar[t], 1.03)]);
  }
  context.font = font(12);
  context.fillStyle = c.ink;
  context.textAlign = "center";
  context.fillText("signal √ᾱ →", ox + radius / 2, oy + 20);
  context.save();
  context.translate(ox - 14, oy - radius / 2);
  context.rotate(-Math.PI / 2);
  context.fillText("noise √(1−ᾱ) →", 0, 0);
  context.restore();
  context.textAlign = "right";
  context.fillText("t = 0", ox + 0.88 * radius, oy - 5);
}

function seeded(seed) { // standard normal numbers, the same on every machine
  let state = seed;
  const uniform = () => { // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

// The picture at eight even times; `paint(alphaBar)` blends them.
function filmstrip(parent) {
  const strip = add(parent, "div", { class: "dc-strip" });
  const frames = Array.from({ length: STILLS }, (_, k) => {
    const figure = add(strip, "figure"), canvas = add(figure, "canvas", { role: "img" });
    const t = Math.round((k * T) / (STILLS - 1));
    add(figure, "figcaption", {}, `t = ${t}`);
    return { canvas, t };
  });
  let clean, noise, channels;
  return {
    load({ name, x0 }) {
      let height, width;
      [channels, height, width] = x0.shape;
      clean = [...numbers(x0)].map((byte) => byte / 127.5 - 1);
      const draw = seeded(1);
      noise = clean.map(draw);
      for (const { canvas, t } of frames) {
        Object.assign(canvas, { width, height });
        put(canvas, "aria-label", `${name} at t = ${t}`);
      }
    },
    paint(alphaBar) {
      const area = clean.length / channels;
      for (const { canvas, t } of frames) {
        const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height);
        const signal = Math.sqrt(alphaBar[t]), sigma = Math.sqrt(1 - alphaBar[t]);
        image.data.fill(255);
        for (let i = 0; i < area; i++)
          for (let k = 0; k < 3; k++) {
            const j = channels === 3 ? i + k * area : i;
            image.data[4 * i + k] = 127.5 * (signal * clean[j] + sigma * noise[j] + 1); // rounds and clips by itself
          }
        context.putImageData(image, 0, 0);
      }
    },
  };
}

// ---- the toy -------------------------------------------------------------------------------------

function mount(stage, { pictures, report = () => {} }) {
  let base, heights, curve, alphaBar, view = "log-SNR", told = 0;
  const reference = PRESETS.linear();
  const bar = controls(stage);
  const preset = choice(bar, "start from", Object.keys(PRESETS).map((name) => [name, name, name]), "linear", start);
  const row = add(stage, "div", { class: "dc-row" });
  const left = add(row, "div", { class: "dc-curve" });
  const board = add(left, "div", { class: "dc-board" });
  const span = () => (view === "ᾱ" ? [0, 1] : [FLOOR, TOP]);
  const seen = (power, i) => (view === "ᾱ" ? power[i + 1] : Math.max(logSnr(power[i + 1]), FLOOR));
  const logSnr = (power) => Math.log(power) - Math.log1p(-power);
  let frame = null, size = [1, 1];
  const plot = surface(board, { width: 560, ratio: 0.62 }, (context, w, h, c) => {
    const [low, high] = span();
    size = [w, h];
    const marks = view === "ᾱ" ? [0, 0.5, 1] : [-20, -10, 0, 10];
    frame = framed(context, w, h, c, { low, high, marks, name: view === "ᾱ" ? "ᾱ, signal power" : "log-SNR" });
    const points = (power) => grid.slice(1).map((t, i) => [frame.x(t), frame.y(seen(power, i))]);
    trace(context, c.faint, 1, points(reference), [4, 4]);
    trace(context, c.blue, 3, points(alphaBar));
    for (const [k, one] of knobs.entries())
      one.place(frame.x(knobTimes[k] + 1) / w, frame.y(seen(alphaBar, knobTimes[k])) / h);
  });
  const looks = controls(left);
  choice(looks, "curve shown", [["log-SNR", "log-SNR", "log-SNR"], ["ᾱ", "ᾱ", "ᾱ"]], view, (one) => { view = one; plot.redraw(); });
  const right = add(row, "div", { class: "dc-quarter" });
  const circle = surface(right, { width: 240 }, (context, w, h, c) => drawCircle(context, w, h, c, alphaBar));
  add(right, "p", { class: "dc-note" }, "A tick every 25 steps, red every 250. Crowded ticks: many steps for one look.");
  const strip = filmstrip(left);
  const names = pictures.map(({ name }) => [name, name, name]);
  choice(looks, "picture", names, names[0][0], (name) => {
    strip.load(pictures.find((one) => one.name === name));
    strip.paint(alphaBar);
  });
  add(left, "p", { class: "dc-note" }, "Drag a handle, or focus it and press ↑ ↓. Dashed: linear.");
  const words = add(left, "p", { class: "dc-verdict", role: "status" });
  const knobs = knobTimes.map((i, k) => knob(board, { label: `log-SNR at t = ${i + 1}` }, {
    drag(_, y) {
      const value = span()[1] - ((y * size[1] - MARGIN.top) / (size[1] - MARGIN.top - MARGIN.bottom)) * (span()[1] - span()[0]);
      lift(k, view === "ᾱ" ? logSnr(within(value, 1e-9, 1 - 1e-6)) : value);
    },
    nudge: (_, dy) => lift(k, heights[k] + 0.5 * dy),
  }));

  function lift(k, value) { // a knob pushes its neighbours along, so the curve keeps falling
    heights[k] = within(value, FLOOR + GAP * (KNOBS - 1 - k), TOP - GAP * k);
    for (let j = k - 1; j >= 0; j--) heights[j] = Math.max(heights[j], heights[j + 1] + GAP);
    for (let j = k + 1; j < KNOBS; j++) heights[j] = Math.min(heights[j], heights[j - 1] - GAP);
    preset.value = "";
    curve = bent(base, heights);
    alphaBar = alphaBarOf(curve);
    show();
  }

  function start(name) {
    alphaBar = PRESETS[name]();
    base = logSnrOf(alphaBar);
    curve = base;
    heights = knobTimes.map((i) => Math.max(base[i], FLOOR));
    show();
  }

  function show() {
    const { warns, told: when, text } = verdict(alphaBar);
    words.classList.toggle("warns", warns);
    knobs.forEach((one, k) => one.tell(`log-SNR ${minus(heights[k].toFixed(1))}, ᾱ ${alphaBar[knobTimes[k] + 1].toPrecision(2)}`,
      heights[k].toFixed(1), FLOOR, TOP));
    plot.describe(`The schedule's curve from log-SNR ${minus(heights[0].toFixed(1))} at t = 1 to ` +
      `${alphaBar[T] ? minus(heights[KNOBS - 1].toFixed(1)) : "minus infinity"} at t = ${T}.`);
    circle.describe(`Quarter circle of signal and noise with the schedule's ticks. ${when}`);
    plot.redraw();
    circle.redraw();
    strip.paint(alphaBar);
    clearTimeout(told); // a screen reader is told, and Python, where the hand comes to rest
    told = setTimeout(() => { words.textContent = `${warns ? "⚠ " : ""}${text} ${when}`; report(alphaBar); }, 150);
  }

  strip.load(pictures[0]);
  start("linear");
}
