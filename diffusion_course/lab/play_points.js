// The browser's half of `play.play_points`: clouds in the plane, side by side, each with its tails.

function membersOf(groups, cloud, count, c) { // [colour, [indices]], …
  if (groups === "start") return byDirection(cloud, count).map((one, i) => [hue(i / HUES, c), one]);
  const palette = groupColours(c), members = palette.map(() => []);
  for (let i = 0; i < count; i++) members[groups ? groups[i] % palette.length : 0].push(2 * i);
  return members.map((one, k) => [palette[k], one]);
}

function panel(parent, { title, count, cloud }, data) {
  const { limit, unit, trails, radius, axes } = data, values = Float32Array.from(numbers(cloud), (x) => x * unit);
  const behind = data.behind && numbers(data.behind), field = data.field && numbers(data.field);
  const groups = data.groups?.data ? numbers(data.groups) : data.groups;
  const figure = add(parent, "figure");
  if (title) add(figure, "figcaption", {}, title);
  const view = surface(figure, { width: 480 }, (context, w, h, c) => {
    const X = (x) => (w * (x / limit + 1)) / 2, Y = (y) => (h * (1 - y / limit)) / 2;
    const size = radius * Math.min(1, Math.max(w / 320, 0.6));
    context.fillStyle = c.paper;
    context.fillRect(0, 0, w, h);
    if (axes) drawAxes(context, w, h, c, data, X, Y);
    if (field) drawField(context, fieldNow(), unit, X, Y, c);
    if (behind) {
      context.fillStyle = c.faint;
      context.globalAlpha = 0.5;
      for (let j = 0; j < behind.length; j += 2)
        context.fillRect(X(behind[j] * unit) - 1.1, Y(behind[j + 1] * unit) - 1.1, 2.2, 2.2);
    }
    const now = lerp(values, 2 * count, view.place ?? 0), first = values.subarray(0, 2 * count);
    const parts = membersOf(groups, first, count, c).filter(([, members]) => members.length);
    for (const [i, [colour, members]] of parts.entries()) {
      const large = axes ? (parts.length - i) * 2 * size : size; // so that a point on another does not hide it
      context.strokeStyle = context.fillStyle = colour;
      if (trails) drawTails(context, members, now, X, Y);
      context.globalAlpha = 0.9;
      context.beginPath();
      for (const j of members) {
        context.moveTo(X(now[j]) + large, Y(now[j + 1]));
        context.arc(X(now[j]), Y(now[j + 1]), large, 0, 7);
      }
      context.fill();
    }
    context.globalAlpha = 1;
  });

  function fieldNow() { // one for all frames, or one for each
    const [many, m] = data.field.shape, i = many > 1 ? Math.round(view.place ?? 0) : 0;
    return field.subarray(4 * m * i, 4 * m * (i + 1));
  }

  function drawTails(context, members, now, X, Y) { // from `trails` frames ago to now
    const end = view.place ?? 0, begin = Math.max(end - trails, 0), whole = [];
    for (let i = Math.floor(begin) + 1; i < end; i++) whole.push(values.subarray(2 * count * i, 2 * count * (i + 1)));
    const start = lerp(values, 2 * count, begin);
    context.globalAlpha = members.length > 40 ? 0.35 : 0.7;
    context.lineWidth = members.length > 40 ? 1 : 1.8;
    context.beginPath();
    for (const j of members) {
      context.moveTo(X(start[j]), Y(start[j + 1]));
      for (const frame of whole) context.lineTo(X(frame[j]), Y(frame[j + 1]));
      context.lineTo(X(now[j]), Y(now[j + 1]));
    }
    context.stroke();
    context.lineWidth = 1;
  }

  return {
    draw(place) { view.place = place; view.redraw(); },
    describe: (text) => view.describe(title ? `${title}: ${text}` : text),
  };
}

function drawAxes(context, w, h, c, { axes: [right, up], marks, names, limit }, X, Y) {
  context.strokeStyle = c.line;
  context.beginPath();
  context.moveTo(0, h / 2); context.lineTo(w, h / 2);
  context.moveTo(w / 2, 0); context.lineTo(w / 2, h);
  Object.assign(context, { fillStyle: c.ink, font: font(12), textAlign: "center" });
  for (let k = Math.ceil(0.2 - limit); k < limit - 0.2; k++) {
    if (!k) continue;
    const told = String(k).replace("-", "−");
    context.moveTo(X(k), h / 2 - 3); context.lineTo(X(k), h / 2 + 3);
    context.fillText(told, X(k), h / 2 + 21);
    context.moveTo(w / 2 - 3, Y(k)); context.lineTo(w / 2 + 3, Y(k));
    context.fillText(told, w / 2 - 12, Y(k) + 4);
  }
  context.stroke();
  Object.assign(context, { strokeStyle: c.ink, font: font(14, "600"), textAlign: "right" });
  for (const [name, x, y] of marks) {
    context.beginPath();
    context.arc(X(x), Y(y), 9, 0, 7);
    context.stroke();
    context.fillText(name, X(x) - 9, Y(y) - 9);
  }
  context.textAlign = "left";
  for (const [i, name] of names.entries()) {
    context.fillStyle = groupColours(c)[i];
    context.fillText(name, 8, 20 + 18 * i);
  }
  Object.assign(context, { fillStyle: c.ink, font: font(14, "italic"), textAlign: "right" });
  context.fillText(right, w - 8, h / 2 + 38);
  context.textAlign = "left";
  context.fillText(up, w / 2 + 7, 18);
}

function drawField(context, field, unit, X, Y, c) { // x, y, dx, dy each
  context.strokeStyle = c.faint;
  context.beginPath();
  for (let j = 0; j < field.length; j += 4) {
    const [x, y, dx, dy] = [0, 1, 2, 3].map((k) => field[j + k] * unit);
    traceArrow(context, X(x), Y(y), X(x + dx), Y(y + dy), 4.5);
  }
  context.stroke();
}

function mount(stage, data) {
  const row = add(stage, "div", { class: "dc-row" });
  const panels = data.panels.map((one) => panel(row, one, data));
  const draw = (place) => panels.forEach((one) => one.draw(place));
  player(stage, data, draw, (i) => panels.forEach((one) => one.describe(`${data.alt} ${data.captions[i]}`)));
}
