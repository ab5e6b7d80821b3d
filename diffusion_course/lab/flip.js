// The browser's half of `widgets.flip`: pictures drawn beforehand, turned over by a slider.

function mount(stage, { label, told, alts, pictures, width, start }) {
  const bar = controls(stage), last = pictures.length - 1;
  const images = pictures.map((data, i) => {
    const image = add(stage, "img", { alt: alts[i], src: `data:image/png;base64,${data}`, class: "dc-page" });
    image.style.width = `${width}px`;
    return image;
  });
  const turn = (to) => images.forEach((image, i) => { image.hidden = i !== to; });
  range(bar, { label, max: last, value: start, tell: (i) => told[i], wide: true }, turn);
  turn(start);
}
