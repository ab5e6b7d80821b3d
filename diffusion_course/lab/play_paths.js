// The browser's half of `play.play_paths`: numbers that move with time fan out to the right, and pile up beside.

const BINS = 36;

function mount(stage, data) {
  const { count, frames, limit, unit, names, bell, label } = data, values = numbers(data.paths);
  const groups = data.groups ? numbers(data.groups) : new Uint8Array(count), kinds = Math.max(...groups) + 1;
  const sizes = new Array(kinds).fill(0);
  groups.forEach((kind) => sizes[kind]++);
  const size = (2 * limit) / BINS, ends = sharesOf(values.slice((frames - 1) * count));
  const last = ends[0].map((_, bin) => ends.reduce((sum, shares) => sum + shares[bin], 0)); // under the bell
  let place = 0;
  if (names) {
    const legend = add(stage, "div", { class: "dc-legend" });
    const fresh = ["blue", "red", "green", "purple", "orange", "sky", "ink"];
    names.forEach((name, k) => add(legend, "span", { style: `--dc-key: var(--dc-${fresh[k % 7]})` }, name));
  }
  const view = surface(stage, { width: 720, ratio: innerWidth < 520 ? 0.8 : 0.52 }, (context, w, h, c) => {
    const pile = Math.max(w * 0.2, 70), left = bell === "start" ? 30 + 0.7 * pile : 30;
    const right = w - pile - 8, bottom = h - 24, palette = groupColours(c);
    const X = (i) => left + ((right - left) * i) / (frames - 1), Y = (x) => 7 + ((bottom - 7) * (1 - x / limit)) / 2;
    drawFrame(context, X, Y, w, h, c, left, right, bottom);
    const now = lerp(values, count, place), whole = Math.floor(place);
    for (let kind = 0; kind < kinds; kind++) {
      context.strokeStyle = context.fillStyle = palette[kind % palette.length];
      context.globalAlpha = Math.min(Math.max(25 / count, 0.12), 0.8);
      context.lineWidth = count > 48 ? 1 : 1.6;
      context.beginPath();
      for (let j = 0; j < count; j++) {
        if (groups[j] !== kind) continue;
        context.moveTo(X(0), Y(values[j] * unit));
        for (let i = 1; i <= whole; i++) context.lineTo(X(i), Y(values[i * count + j] * unit));
        context.lineTo(X(place), Y(now[j] * unit));
      }
      context.stroke();
      if (data.stops[kind]) drawStops(context, X, Y, kind, whole);
      Object.assign(context, { globalAlpha: 0.9, lineWidth: 1 });
      for (let j = 0; j < count; j++)
        if (groups[j] === kind) context.fillRect(X(place) - 1.4, Y(now[j] * unit) - 1.4, 2.8, 2.8);
    }
    if (data.dots) drawDots(context, now, right, Y, palette);
    else drawPile(context, now, right + 10, w - 4, Y, palette, c, bottom, bell === true, last);
    if (bell === "start") drawPile(context, values.slice(0, count), 4, left - 30, Y, palette, c, bottom, true, []);
    context.globalAlpha = 1;
  });

  function drawFrame(context, X, Y, w, h, c, left, right, bottom) {
    Object.assign(context, { strokeStyle: c.line, fillStyle: c.ink, font: font(12), textAlign: "right", globalAlpha: 1 });
    context.strokeRect(left, 7.5, right - left, bottom - 8);
    for (let x = -Math.floor(limit); x <= limit; x += Math.ceil(limit / 4))
      context.fillText(String(x).replace("-", "−"), left - 6, Y(x) + 4);
    context.textAlign = "left";
    const last = data.ends.length - 1;
    data.ends.forEach((text, i) => {
      context.textAlign = i === 0 ? "left" : i === last ? "right" : "center";
      context.fillText(text, left + ((right - left) * i) / last, h - 7);
    });
    context.textAlign = "center";
    context.fillText(label, left + ((right - left) * (last > 1 ? 0.75 : 0.5)), h - 7);
    context.textAlign = "left";
    context.fillText("xₜ", left + 6, 21);
  }

  function drawStops(context, X, Y, kind, whole) {
    for (let i = 0; i <= whole; i += data.stops[kind])
      for (let j = 0; j < count; j++) {
        if (groups[j] !== kind) continue;
        context.beginPath();
        context.arc(X(i), Y(values[i * count + j] * unit), 2.6, 0, 7);
        context.fill();
      }
  }

  function drawDots(context, now, from, Y, palette) {
    now.forEach((x, j) => {
      context.fillStyle = palette[groups[j] % palette.length];
      context.beginPath();
      context.arc(from + 14 + 18 * groups[j], Y(x * unit), 4, 0, 7);
      context.fill();
    });
  }

  function sharesOf(now) {
    const shares = Array.from({ length: kinds }, () => new Array(BINS).fill(0));
    for (let j = 0; j < count; j++) {
      const bin = Math.floor((now[j] * unit + limit) / size);
      if (bin >= 0 && bin < BINS) shares[groups[j]][bin] += 1 / (bell ? count : sizes[groups[j]]);
    }
    return shares;
  }

  function drawPile(context, now, from, to, Y, palette, c, bottom, curve, most) {
    const high = (bottom - 7) / BINS, below = new Array(BINS).fill(0), shares = sharesOf(now);
    const scale = (to - from) / Math.max(0.45 * size, ...(bell ? most : shares.flat())); // a density of 0.45 fills it
    for (let kind = kinds - 1; kind >= 0; kind--) {
      const colour = palette[kind % palette.length];
      Object.assign(context, { fillStyle: colour, strokeStyle: colour, lineWidth: 1.5, globalAlpha: bell ? 0.65 : 1 });
      context.beginPath();
      shares[kind].forEach((share, bin) => { // on each other under the bell, else an outline each
        const x = from + below[bin] * scale, wide = Math.min(share * scale, Math.max(to - x, 0));
        const top = Y((bin + 1) * size - limit);
        if (bell) {
          context.fillRect(x, top + 0.5, wide, high - 1);
          below[bin] += share;
        } else if (share) { // no line where there is nothing
          if (!shares[kind][bin - 1]) context.moveTo(x, top + high);
          context.lineTo(x + wide, top + high);
          context.lineTo(x + wide, top);
          if (!shares[kind][bin + 1]) context.lineTo(x, top);
        }
      });
      context.stroke();
      context.lineWidth = 1;
    }
    if (!curve) return;
    Object.assign(context, { strokeStyle: c.ink, globalAlpha: 0.9, lineWidth: 1.6 });
    context.beginPath();
    for (let i = 0; i <= 100; i++) {
      const x = limit * (i / 50 - 1), density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
      context[i ? "lineTo" : "moveTo"](from + scale * size * density, Y(x));
    }
    context.stroke();
    context.lineWidth = 1;
  }

  view.canvas.classList.add("dc-bare");
  const told = (i) => view.describe(`${data.alt} ${data.captions[i]}`);
  player(stage, data, (at) => { place = at; view.redraw(); }, told, frames - 1); // the paths whole, as in a book
}
