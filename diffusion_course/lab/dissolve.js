// The browser's half of `widgets.dissolve`: paints x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε under a slider over t.

const WIDTH = 340, HEIGHT = 190; // of the frame the two curves are drawn in
const RUN = 9; // seconds that Play takes from one end to the other

function picture(parent, { name, shape: [channels, height, width], x0, eps, unit }) {
  const figure = add(parent, "figure");
  add(figure, "figcaption", {}, name);
  const canvas = add(figure, "canvas", { width, height, role: "img" });
  canvas.style.width = `${width * Math.max(1, Math.round(240 / Math.max(width, height)))}px`;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  const clean = numbers(x0), noise = numbers(eps), area = width * height;
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

function curves(parent, levels) {
  const T = levels.length - 1, figure = add(parent, "figure", { class: "dc-curves" });
  const x = (t) => (WIDTH * t) / T, y = (level) => HEIGHT * (1 - level);
  const svg = add(figure, "svg", { viewBox: `-28 -9 ${WIDTH + 46} ${HEIGHT + 34}`, role: "img" });
  add(svg, "path", { class: "axes", d: `M0 0V${HEIGHT}H${WIDTH}` });
  for (const level of [0, 0.5, 1]) add(svg, "text", { x: -6, y: y(level) + 4, "text-anchor": "end" }, level);
  for (const [t, label] of [[0, 0], [T / 2, "t"], [T, T]])
    add(svg, "text", { x: x(t), y: HEIGHT + 18, "text-anchor": t === T ? "end" : "middle" }, label);
  const marker = add(svg, "path", { class: "marker" });
  const dots = ["signal", "noise"].map((name, k) => {
    const points = levels.map((pair, t) => `${x(t).toFixed(1)} ${y(pair[k]).toFixed(1)}`);
    add(svg, "path", { class: name, d: `M${points.join("L")}` });
    return add(svg, "circle", { class: name, r: 5.5 });
  });
  const legend = add(figure, "figcaption");
  legend.innerHTML = "<span class='signal'>picture √<u>ᾱ<sub>t</sub></u> = <b></b></span>" +
    "<span class='noise'>noise √<u>1−ᾱ<sub>t</sub></u> = <b></b></span><span><i>t</i> = <b></b></span>";
  const cells = legend.querySelectorAll("b");
  return {
    paint(signal, sigma, t) {
      put(marker, "d", `M${x(t)} 0V${HEIGHT}`);
      dots.forEach((dot, k) => { put(dot, "cx", x(t)); put(dot, "cy", y([signal, sigma][k])); });
      [signal.toFixed(3), sigma.toFixed(3), t].forEach((text, k) => { cells[k].textContent = text; });
    },
    describe: (state) => put(svg, "aria-label", `Curves of picture and noise over t; ${state}`),
  };
}

function mount(stage, data) {
  const levels = [...numbers(data.alpha_bar)].map((power) => [Math.sqrt(power), Math.sqrt(1 - power)]);
  const T = levels.length - 1, bar = controls(stage), row = add(stage, "div", { class: "dc-row dc-dissolve" });
  const pictures = add(row, "div", { class: "dc-pictures" });
  const parts = [...data.pictures.map((one) => picture(pictures, one)), curves(row, levels)];

  const state = (t) => `t = ${t} of ${T}, picture ${levels[t][0].toFixed(2)}, noise ${levels[t][1].toFixed(2)}`;
  let t = 0, rest;
  const paint = (at) => { // `at` may lie between two steps while it plays
    t = at;
    const step = Math.round(at);
    for (const part of parts) part.paint(...levels[step], step);
    clearTimeout(rest); // tell a screen reader only where the slider comes to rest
    rest = setTimeout(() => parts.forEach((part) => part.describe(state(step))), 200);
  };
  const motion = ticker(stage, (passed) => {
    const way = back.checked ? -1 : 1, next = Math.min(Math.max(t + (way * passed * T) / RUN, 0), T);
    paint(next);
    slider.value = Math.round(next);
    if (next === (back.checked ? 0 : T)) motion.pause();
  }, { changed: (on) => play.show(on) });
  const play = playButton(bar, () => {
    if (!motion.playing && Math.round(t) === (back.checked ? 0 : T)) paint(back.checked ? T : 0);
    motion.toggle();
  });
  const key = Math.max(1, Math.round(T / 100));
  const slider = range(bar, { label: "t", max: T, key, tell: state, typed: true, wide: true }, (to) => {
    motion.pause();
    paint(to);
  });
  const back = checkbox(bar, "backwards", false, () => {});
  paint(0);
  parts.forEach((part) => part.describe(state(0)));
}
