// The browser's half of `play.play_pictures`: a sheet of pictures, all frames of which lie in one image.

function mount(stage, data) {
  const { columns, rows, count, shape: [height, width], across, labels } = data;
  const [lines, gap, line] = [Math.ceil(count / columns), 4, labels ? 20 : 0];
  const image = new Image();
  let place = 0;
  const most = Math.min(columns * Math.max(width * Math.round(84 / width), width), 760);
  const side = (w) => (w - gap * (columns - 1)) / columns; // of one picture on a page of that width
  const tall = (w) => lines * ((side(w) * height) / width + gap + line);
  const view = surface(stage, { width: most, ratio: tall(most) / most }, (context, w, h, c) => {
    if (!image.complete) return;
    const wide = side(w), high = (wide * height) / width;
    context.imageSmoothingEnabled = width > 64;
    const first = Math.floor(place), share = place - first;
    for (const [frame, alpha] of [[first, 1], [first + 1, share]]) {
      if (!alpha) continue;
      context.globalAlpha = alpha;
      const left = (frame % across) * columns * width, top = Math.floor(frame / across) * lines * height;
      for (let i = 0; i < count; i++) {
        const x = i % columns, y = Math.floor(i / columns);
        context.drawImage(image, left + x * width, top + y * height, width, height,
          x * (wide + gap), y * (high + gap + line) + line, wide, high);
      }
    }
    context.globalAlpha = 1;
    Object.assign(context, { fillStyle: c.ink, font: font(13) });
    labels?.forEach((text, y) => context.fillText(text, 0, y * (high + gap + line) + 14));
  });
  view.canvas.classList.add("dc-bare");
  if (labels) new ResizeObserver(([{ contentRect: { width: w } }]) => { // letters do not shrink with the page
    view.canvas.style.aspectRatio = `${w} / ${tall(w)}`;
  }).observe(view.canvas);
  image.onload = view.redraw;
  image.src = `data:image/png;base64,${data.sprites}`;
  player(stage, data, (at) => { place = at; view.redraw(); }, (i) => view.describe(`${data.alt} ${data.captions[i]}`));
}
