// prompt_box.py's half: words go to Python, pictures come back after every sampling step.

const LIMITS = { scale: [0, 8, 0.5], steps: [2, 50, 1], n: [1, 4, 8, 16] };

function form(stage, { prompt, settings, styles, examples }, ask) {
  const node = add(stage, "form", { class: "dc-ask" });
  const words = add(node, "input", { type: "text", "aria-label": "prompt", value: prompt, spellcheck: "false",
    placeholder: examples[0] ?? "", autocomplete: "off" });
  const send = add(node, "button", { type: "submit", class: "dc-button dc-play" }, "draw");
  const asked = { ...settings }, go = () => ask({ ...asked, prompt: words.value });
  node.addEventListener("submit", (event) => { event.preventDefault(); go(); });
  const say = (text) => { words.value = text; go(); };
  if (examples.length) {
    const row = controls(stage);
    for (const one of examples) button(row, one, () => say(one)).classList.add("dc-example");
  }
  const row = controls(stage);
  if (styles.length) {
    const box = add(row, "label", { class: "dc-range" }, "style");
    const menu = add(box, "select", { class: "dc-button", "aria-label": "style" });
    for (const one of ["any", ...styles]) add(menu, "option", { value: one === "any" ? "" : one }, one);
    menu.addEventListener("change", () => { asked.style = menu.value || null; });
  }
  for (const name of ["scale", "steps"]) {
    const [min, max, step] = LIMITS[name];
    range(row, { label: name, min, max: Math.max(max, asked[name]), step, value: asked[name] }, (value) => { asked[name] = value; });
  }
  const many = [...new Set([...LIMITS.n, asked.n])].sort((a, b) => a - b);
  add(row, "span", { class: "dc-word" }, "pictures");
  choice(row, "pictures", many.map((n) => [n, String(n), String(n)]), asked.n, (n) => { asked.n = n; });
  const box = add(row, "label", { class: "dc-range dc-seed" }, "seed");
  const seed = add(box, "input", { type: "number", min: 0, max: 999999, step: 1, value: asked.seed, "aria-label": "seed" });
  seed.addEventListener("change", () => { asked.seed = Math.max(0, Math.round(+seed.value) || 0); seed.value = asked.seed; });
  button(row, "other pictures", () => { asked.seed += 1; seed.value = asked.seed; go(); }, "the next seed");
  return { words, send, say };
}

function mount(stage, { told, send, hear }) {
  let busy = false, waiting = null;
  const { words, send: submit, say } = form(stage, told, ask);
  const progress = add(stage, "progress", { max: 1, value: 0, "aria-label": "sampling steps" });
  const status = add(stage, "p", { class: "dc-note", role: "status" });
  const refusal = add(stage, "div", { role: "alert" });
  const sheet = add(stage, "div", { class: "dc-sheet" });
  if (told.caption) add(stage, "p", { class: "dc-note" }, told.caption);

  function ask(request) { // one at a time; of those that come meanwhile, the last
    if (busy) { waiting = request; return; }
    busy = true;
    submit.textContent = "drawing …";
    refusal.replaceChildren();
    refusal.className = "";
    send({ draw: request });
  }

  function show([n, channels, height, width], pixels, prompt) {
    sheet.style.setProperty("--columns", Math.min(n, 4));
    while (sheet.children.length > n) sheet.lastChild.remove();
    while (sheet.children.length < n) add(sheet, "canvas", { role: "img" });
    const area = height * width;
    [...sheet.children].forEach((canvas, k) => {
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      put(canvas, "aria-label", `picture ${k + 1} of ${n}: ${prompt || "anything"}`);
      const context = canvas.getContext("2d"), image = context.createImageData(width, height);
      image.data.fill(255);
      for (let i = 0; i < area; i++)
        for (let c = 0; c < 3; c++)
          image.data[4 * i + c] = pixels[(k * channels + (channels === 3 ? c : 0)) * area + i];
      context.putImageData(image, 0, 0);
    });
  }

  function ended(text) {
    busy = false;
    submit.textContent = "draw";
    status.textContent = text;
    const next = waiting;
    waiting = null;
    if (next) ask(next);
  }

  hear((message, buffers) => {
    if (message.step !== undefined) {
      sheet.classList.remove("dc-old");
      show(message.shape, numbers({ type: "u1", data: buffers[0] }), message.prompt);
      progress.max = message.of;
      progress.value = message.step;
      status.textContent = `step ${message.step} of ${message.of}`;
    } else if (message.done) ended(message.done);
    else if (message.refused) {
      refusal.className = "dc-alert";
      add(refusal, "div", {}, message.refused);
      const row = message.near.length || message.rest ? controls(refusal) : null;
      for (const [wrong, nearest] of message.near)
        for (const right of nearest) button(row, `${wrong} → ${right}`, () => say(words.value.replace(wrong, right)), `use ${right} for ${wrong}`);
      if (message.rest) button(row, `only “${message.rest}”`, () => say(message.rest), "leave out what is not known");
      sheet.classList.add("dc-old"); // these pictures are not of this prompt
      progress.value = 0;
      ended("");
    }
  });
  if (told.last.pixels) {
    show(told.last.pixels.shape, numbers(told.last.pixels), told.prompt);
    progress.value = 1;
    status.textContent = told.last.note;
  }
}

function render({ model, el }) {
  el.classList.add("diffusion-course");
  const told = Object.fromEntries(["prompt", "settings", "styles", "examples", "caption", "last"].map((name) => [name, model.get(name)]));
  const hear = (act) => model.on("msg:custom", act);
  const send = (message) => {
    model.set("asked", model.get("asked") + 1); // a change, at which panel.js looks whether there still is a kernel
    model.send(message);
  };
  enliven(el, { told, hear, send }, mount);
}

export default { render };
