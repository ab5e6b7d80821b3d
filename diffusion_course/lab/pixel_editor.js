// pixel_editor.py's half: one canvas to draw on with mouse, finger or keys. `codes` are places in the palette.

const WAYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const HELP = "Arrow keys move, Space paints, Escape leaves.";

// The pixels on the way from one to another, ends included.
function between([row, column], [toRow, toColumn]) {
  const n = Math.max(Math.abs(toRow - row), Math.abs(toColumn - column), 1);
  return Array.from({ length: n + 1 }, (_, i) =>
    [Math.round(row + ((toRow - row) * i) / n), Math.round(column + ((toColumn - column) * i) / n)]);
}

function mount(stage, { codes, width, palette, brushes, report }) {
  const height = codes.length / width, names = palette.map(([name]) => name), shades = palette.map(([, shade]) => shade);
  const start = [...codes], past = [];
  let now = [...codes], colour = names.indexOf("black"), brush = 1, place = [0, 0], last = null;

  const colours = choice(controls(stage), "colour", names.map((name, i) => [i, "", name]), colour, (i) => {
    colour = i;
    chosen.textContent = names[i];
  });
  colours.box.classList.add("dc-palette");
  colours.box.querySelectorAll("span").forEach((swatch, i) => { swatch.style.background = shades[i]; });
  const chosen = add(colours.box.parentElement, "span", { class: "dc-note" }, names[colour]);
  choice(controls(stage), "brush", brushes.map(([name, size]) => [size, name, name]), brush,
    (size) => { brush = size; });
  const sheet = surface(stage, { width: 22 * width, ratio: height / width, keys: true }, draw);
  const { canvas } = sheet;
  put(canvas, "role", "application");
  sheet.describe(`Drawing, ${height} rows of ${width} pixels. ${HELP}`);
  canvas.style.touchAction = "none";
  const bar = controls(stage);
  button(bar, "undo", () => { if (past.length) change(past.pop()); });
  button(bar, "start again", () => { past.push(now); change([...start]); });
  const words = add(bar, "span", { class: "dc-note", role: "status" }, HELP);

  function draw(context, w, h, c) {
    const side = w / width;
    now.forEach((code, i) => {
      context.fillStyle = shades[code];
      const x = Math.round((i % width) * side), y = Math.round(Math.floor(i / width) * side);
      context.fillRect(x, y, Math.ceil(side), Math.ceil(side));
    });
    context.strokeStyle = "#8886";
    context.lineWidth = 1;
    context.beginPath();
    for (let i = 1; i < width; i++) { context.moveTo(Math.round(i * side) + 0.5, 0); context.lineTo(Math.round(i * side) + 0.5, h); }
    for (let i = 1; i < height; i++) { context.moveTo(0, Math.round(i * side) + 0.5); context.lineTo(w, Math.round(i * side) + 0.5); }
    context.stroke();
    if (document.activeElement !== canvas) return;
    const [row, column] = place;
    for (const [shade, thick] of [["#000", 5], ["#fff", 2]]) { // seen on every colour
      context.strokeStyle = shade;
      context.lineWidth = thick;
      context.strokeRect(column * side + 1, row * side + 1, side - 2, side - 2);
    }
  }

  function change(codes) {
    now = codes;
    sheet.redraw();
    report(now);
  }

  const tell = () => {
    const [row, column] = place;
    words.textContent = `row ${row + 1}, column ${column + 1}: ${names[now[row * width + column]]}`;
  };

  function paint(places) { // each place paints the block of the brush that holds it
    const next = [...now];
    for (const [row, column] of places) {
      const top = Math.floor(row / brush) * brush, left = Math.floor(column / brush) * brush;
      for (let y = top; y < Math.min(top + brush, height); y++)
        for (let x = left; x < Math.min(left + brush, width); x++) next[y * width + x] = colour;
    }
    change(next);
    tell();
  }

  const under = (event) => {
    const [x, y] = sheet.at(event);
    const whole = (share, n) => Math.min(Math.max(Math.floor(share * n), 0), n - 1);
    return [whole(y, height), whole(x, width)];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    past.push(now);
    place = last = under(event);
    paint([place]);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    place = under(event);
    paint(between(last, place));
    last = place;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
  for (const event of ["focus", "blur"]) canvas.addEventListener(event, sheet.redraw);
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return canvas.blur();
    if (event.key === " " || event.key === "Enter") {
      past.push(now);
      paint([place]);
    } else if (WAYS[event.key]) {
      place = place.map((one, i) => Math.min(Math.max(one + WAYS[event.key][i], 0), [height, width][i] - 1));
      sheet.redraw();
      tell();
    } else return;
    event.preventDefault();
  });
}

function render({ model, el }) {
  el.classList.add("diffusion-course");
  const told = Object.fromEntries(["codes", "width", "palette", "brushes"].map((name) => [name, model.get(name)]));
  enliven(el, { ...told, report: (codes) => { model.set("codes", codes); model.save_changes(); } }, mount);
}

export default { render };
