// The browser's half of `statue.statue`: draw a shape, and pure noise flows into it. The mathematics is diffusion.js.

const SECONDS = 7; // that Play takes from pure noise to the drawing
const REST = 2.5; // seconds it stays there before new noise begins
const BUDGET = 12; // milliseconds a frame may spend on computing further steps
const NOTE = "Each particle starts as pure noise. At every step it asks: of which drawn points could I be a noisy copy? " +
  "It moves a little towards their average, weighted by how likely each one is. Its colour tells where it began.";

// Points inside the letters of a word, `count` of them, at most `half` from the middle.
function pointsOfWord(word, count, half) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 900, height: 260 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  Object.assign(context, { font: "bold 150px system-ui, sans-serif", textAlign: "center", textBaseline: "middle" });
  context.scale(Math.min(1, 880 / context.measureText(word).width), 1);
  context.setTransform(context.getTransform().a, 0, 0, context.getTransform().a, 450, 130);
  context.fillText(word, 0, 0);
  const { data, width } = context.getImageData(0, 0, 900, 260), inside = [];
  for (let i = 0; i < data.length / 4; i++) if (data[4 * i + 3] > 127) inside.push([i % width, Math.floor(i / width)]);
  if (!inside.length) return null;
  const random = uniform(7), [left, right] = [Math.min, Math.max].map((f) => inside.reduce((m, p) => f(m, p[0]), 450));
  const [top, low] = [Math.min, Math.max].map((f) => inside.reduce((m, p) => f(m, p[1]), 130));
  const size = Math.min((2 * half) / (right - left), half / (low - top)), points = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) { // one from each of `count` equal parts of the ink, column by column in effect
    const [x, y] = inside[Math.floor(((k + random()) / count) * inside.length)];
    points[2 * k] = (x - (left + right) / 2) * size;
    points[2 * k + 1] = ((top + low) / 2 - y) * size;
  }
  return points;
}

function mount(stage, data) {
  const { limit, particles } = data, alphaBar = numbers(data.alpha_bar), T = alphaBar.length - 1;
  const shapes = Object.entries(data.shapes).map(([name, packed]) => [name, numbers(packed)]);
  const preset = (name) => Float64Array.from(shapes.find(([one]) => one === name)[1], (x) => x * data.unit);
  const counts = [5, 12, 20, 100, 400].filter((n) => n <= T);
  const now = { name: data.start, points: preset(data.start), steps: counts.at(-2) ?? T, arrows: false,
    guesses: false, seed: 1, place: 0, rest: 0, strokes: null, run: null, xT: null, hues: [] };
  stage.classList.add("dc-statue");

  // ---- the run ----

  function renew(seed = now.seed) { // the same noise again, or new noise; back to pure noise
    now.seed = seed;
    now.xT = normals(2 * particles, uniform(seed));
    now.hues = byDirection(now.xT, particles);
    const { points, steps, xT } = now;
    now.run = points && flow({ alphaBar, points, steps, xT });
    go(0);
  }

  function go(place) {
    now.place = Math.min(Math.max(place, 0), now.steps);
    now.rest = 0;
    slider.input.max = now.steps;
    slider.value = Math.floor(now.place);
    slider.show();
    view.redraw();
  }

  function restart(seed) {
    renew(seed);
    if (!REDUCED.matches && now.run) motion.play(); else motion.pause();
  }

  const motion = ticker(stage, (passed) => {
    if (!now.run) return;
    if (now.place < now.steps) {
      const ahead = now.place + (passed * now.steps) / SECONDS;
      now.place = Math.min(ahead, now.run.known + 1, now.steps); // a slow machine takes longer, it skips nothing
      slider.value = Math.floor(now.place);
    } else if ((now.rest += passed) > REST) renew(now.seed + 1);
    view.paint();
  }, { auto: true, changed: (on) => play.show?.(on) });

  // ---- what is seen ----

  const shapeBar = add(stage, "div", { class: "dc-controls dc-shapes" });
  const options = [...shapes.map(([name]) => [name, name]), ["own", "✎ draw", "draw your own"]];
  const shape = choice(shapeBar, "shape", options, now.name, (name) => {
    word.value = "";
    now.strokes = name === "own" ? [] : null;
    use(name === "own" ? "your drawing" : name, name === "own" ? null : preset(name));
  });
  const word = add(shapeBar, "input", { type: "text", class: "dc-word", maxlength: 10, placeholder: "or type a word",
    "aria-label": "a word to draw", autocomplete: "off", spellcheck: "false" });
  word.addEventListener("input", () => {
    const points = pointsOfWord(word.value.trim(), 2 * data.points, 0.88 * limit);
    now.strokes = null;
    shape.value = points ? null : data.start;
    use(points ? `the word ${word.value.trim()}` : data.start, points ?? preset(data.start));
  });

  function use(name, points) {
    Object.assign(now, { name, points });
    view.canvas.classList.toggle("dc-drawing", Boolean(now.strokes));
    restart();
  }

  const view = surface(stage, { width: 500, label: "particles in the plane" }, (context, w, h, c) => {
    const X = (x) => (w * (x / limit + 1)) / 2, Y = (y) => (h * (1 - y / limit)) / 2;
    if (now.run) {
      const stop = performance.now() + BUDGET;
      while (now.run.known < now.place && performance.now() < stop) now.run.next();
      if (now.run.known < now.place) view.redraw();
    }
    context.fillStyle = c.paper;
    context.fillRect(0, 0, w, h);
    const place = now.run ? Math.min(now.place, now.run.known) : 0, k = Math.floor(place);
    if (now.points) drawDots(context, now.points, X, Y, c.faint, now.points.length > 900 ? 0.45 : 0.6);
    if (now.strokes) drawStrokes(context, now.strokes, X, Y, c);
    if (now.run && now.arrows) drawArrows(context, Math.min(k, now.steps - 1), X, Y, c);
    const between = (p) => {
      const i = Math.floor(p), share = p - i, a = now.run.at(i);
      return share ? a.map((x, j) => x + share * (now.run.at(i + 1)[j] - x)) : a;
    };
    const x = now.run ? between(place) : now.xT;
    const before = now.run ? between(Math.max(place - Math.max(now.steps / 40, 0.4), 0)) : x;
    now.hues.forEach((members, i) => {
      context.strokeStyle = context.fillStyle = hue(i / HUES, c);
      context.globalAlpha = 0.3;
      context.beginPath();
      for (const j of members) {
        context.moveTo(X(before[j]), Y(before[j + 1]));
        context.lineTo(X(x[j]), Y(x[j + 1]));
      }
      context.stroke();
      context.globalAlpha = now.strokes && !now.run ? 0.35 : 0.9;
      context.beginPath();
      for (const j of members) {
        context.moveTo(X(x[j]) + 1.7, Y(x[j + 1]));
        context.arc(X(x[j]), Y(x[j + 1]), 1.7, 0, 7);
      }
      context.fill();
    });
    context.globalAlpha = 1;
    if (now.run && now.guesses) drawDots(context, now.run.guess(Math.min(k, now.steps - 1)), X, Y, c.ink, 1, 1.3);
    context.fillStyle = c.ink;
    if (now.strokes && !now.strokes.length) {
      Object.assign(context, { font: font(19, "600"), textAlign: "center" });
      context.fillText("Draw here", w / 2, h / 2);
      context.textAlign = "left";
    }
    context.font = font(13);
    context.fillText(now.run ? `t = ${now.run.times[k]}` : "pure noise", 10, 20);
    clearTimeout(view.told);
    view.told = setTimeout(() => view.describe(told(k)), 300);
  });

  const told = (k) => now.run
    ? `${particles} particles of pure noise flow into ${now.name}: step ${k} of ${now.steps}, t = ${now.run.times[k]}`
    : "Pure noise; nothing is drawn yet. The other shapes and the field for a word need no pointer.";

  function drawDots(context, points, X, Y, colour, alpha, radius = 1.1) {
    Object.assign(context, { fillStyle: colour, globalAlpha: alpha });
    for (let j = 0; j < points.length; j += 2)
      context.fillRect(X(points[j]) - radius, Y(points[j + 1]) - radius, 2 * radius, 2 * radius);
    context.globalAlpha = 1;
  }

  function drawStrokes(context, strokes, X, Y, c) {
    Object.assign(context, { strokeStyle: c.faint, lineWidth: 6, lineCap: "round", lineJoin: "round", globalAlpha: 0.35 });
    context.beginPath();
    for (const stroke of strokes) stroke.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](X(x), Y(y + (i ? 0 : 1e-6))));
    context.stroke();
    Object.assign(context, { lineWidth: 1, globalAlpha: 1 });
  }

  function drawArrows(context, k, X, Y, c) {
    const places = [];
    for (let i = 0.5; i < 13; i++) for (let j = 0.5; j < 13; j++) places.push(limit * (i / 6.5 - 1), limit * (j / 6.5 - 1));
    const guess = idealGuess(places, now.points, alphaBar[now.run.times[k]]);
    Object.assign(context, { strokeStyle: c.ink, fillStyle: c.ink, globalAlpha: 0.55, lineWidth: 1.2 });
    for (let j = 0; j < places.length; j += 2) {
      const dx = guess[j] - places[j], dy = guess[j + 1] - places[j + 1], far = Math.hypot(dx, dy) || 1;
      const size = Math.min(0.3 * far, 0.36) / far, x = X(places[j]), y = Y(places[j + 1]);
      context.beginPath();
      traceArrow(context, x, y, X(places[j] + size * dx), Y(places[j + 1] + size * dy), 5);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  // ---- drawing: a mouse or a pen at any time; a finger after "draw", for else it scrolls the page ----

  let stroke = null;
  const here = (event) => view.at(event).map((share, i) => limit * (i ? 1 - 2 * share : 2 * share - 1));
  view.canvas.addEventListener("pointerdown", (event) => {
    if (event.button || (event.pointerType === "touch" && !now.strokes)) return;
    event.preventDefault();
    view.canvas.setPointerCapture(event.pointerId);
    word.value = "";
    shape.value = "own";
    stroke = [here(event)];
    now.strokes = [...(now.strokes ?? []), stroke];
    Object.assign(now, { name: "your drawing", points: null });
    motion.pause();
    renew();
  });
  view.canvas.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    stroke.push(here(event));
    view.redraw();
  });
  for (const end of ["pointerup", "pointercancel"])
    view.canvas.addEventListener(end, () => {
      if (!stroke) return;
      stroke = null;
      use("your drawing", alongStrokes(now.strokes, data.points));
    });

  // ---- controls ----

  const bar = controls(stage);
  const onwards = () => { // whoever wants less motion goes on by clicks, a tenth of the way each
    if (now.place >= now.steps) renew(now.seed + 1); else go(now.place + Math.max(now.steps / 10, 1));
  };
  const play = REDUCED.matches ? button(bar, "Next ▸", onwards, "the next steps") : playButton(bar, () => motion.toggle());
  play.classList.add("dc-play");
  const slider = range(bar, { label: "time", max: now.steps, wide: true,
    tell: (k) => `t = ${now.run ? now.run.times[k] : T}` }, (k) => { motion.pause(); go(k); });
  const more = controls(stage);
  add(more, "span", {}, "steps");
  choice(more, "number of steps", counts.map((n) => [n, String(n)]), now.steps, (n) => { now.steps = n; restart(); });
  button(more, "new noise", () => restart(now.seed + 1));
  checkbox(more, "arrows to the best guess", false, (on) => { now.arrows = on; view.redraw(); });
  checkbox(more, "best guesses", false, (on) => { now.guesses = on; view.redraw(); });
  add(stage, "p", { class: "dc-note" }, NOTE);
  renew();
}
