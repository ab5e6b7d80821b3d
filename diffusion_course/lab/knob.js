// A thing to drag on a canvas, and the line it moves.

// A knob on `board` (an element that holds a canvas) which mouse, finger and arrow keys move. `drag(x, y)` gets shares
// of the board's width and height, `nudge(dx, dy)` the keys' ±1 (±5 with Page keys), right and up being positive.
function knob(board, { label, kind = "" }, { drag, nudge }) {
  const node = add(board, "div", { class: `dc-knob ${kind}`, role: "slider", tabindex: 0, "aria-label": label });
  const at = (event) => {
    const box = board.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  let offset = null; // between the pointer and the knob's middle, kept while it is dragged
  node.addEventListener("pointerdown", (event) => {
    const box = node.getBoundingClientRect(), whole = board.getBoundingClientRect();
    offset = [(event.clientX - (box.left + box.right) / 2) / whole.width,
      (event.clientY - (box.top + box.bottom) / 2) / whole.height];
    node.setPointerCapture(event.pointerId);
    node.focus({ preventScroll: true });
    event.preventDefault();
  });
  node.addEventListener("pointermove", (event) => {
    if (!offset) return;
    const [x, y] = at(event);
    drag(x - offset[0], y - offset[1]);
  });
  for (const end of ["pointerup", "pointercancel"]) node.addEventListener(end, () => { offset = null; });
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
    PageUp: [0, 5], PageDown: [0, -5] };
  node.addEventListener("keydown", (event) => {
    if (!ways[event.key]) return;
    event.preventDefault();
    nudge(...ways[event.key]);
  });
  return {
    node,
    place(x, y) { node.style.left = `${100 * x}%`; node.style.top = `${100 * y}%`; },
    tell(text, now, min, max) {
      put(node, "aria-valuetext", text);
      put(node, "aria-valuenow", now);
      put(node, "aria-valuemin", min);
      put(node, "aria-valuemax", max);
    },
  };
}

// A line through the points [x, y] of a canvas.
function trace(context, colour, width, points, dash = []) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
  context.setLineDash([]);
}

const within = (value, low, high) => Math.min(Math.max(value, low), high);
