// The browser's half of `widgets.flip`: pictures drawn beforehand, turned over by a slider.

function mount(stage, { label, told, alts, pictures, style }) {
  const bar = controls(stage), last = pictures.length - 1;
  const frame = add(stage, "div", { class: "dc-figure", style: "overflow-x: auto" });
  const images = pictures.map((data, i) =>
    add(frame, "img", { alt: alts[i], src: `data:image/png;base64,${data}`, class: "dc-page", style }));
  const turn = (to) => images.forEach((image, i) => { image.hidden = i !== to; });
  range(bar, { label, max: last, tell: (i) => told[i], wide: true }, turn);
  turn(0);
}
