// Plays motion that Python has computed: play, pause, scrub, loop. The drawing itself comes from who calls `player`.

const HOLD = 1.5; // seconds that the last frame stays before it begins again

// `draw(place)` paints the moment `place`, 0 … frames − 1, also between two frames. `told(i)` describes frame i.
// Whoever wants less motion sees the frame `still` first.
function player(stage, { frames, captions, seconds }, draw, told, still = 0) {
  stage.classList.add("dc-player");
  const last = frames - 1, bar = controls(stage);
  let place = REDUCED.matches ? still : 0, rest = 0, telling;
  const show = () => {
    slider.value = Math.round(place);
    draw(place);
    clearTimeout(telling);
    telling = setTimeout(() => told(Math.round(place)), 300);
  };
  const motion = ticker(stage, (passed) => {
    if (place < last) place = Math.min(place + (passed * last) / seconds, last);
    else if ((rest += passed) > HOLD) place = rest = 0;
    show();
  }, { auto: true, changed: (on) => play.show?.(on) });
  const onwards = () => { // whoever wants less motion goes on by clicks, a tenth of the way each
    place = place >= last ? 0 : Math.min(place + Math.max(last / 10, 1), last);
    show();
  };
  const play = REDUCED.matches ? button(bar, "Next ▸", onwards, "go on") : playButton(bar, () => motion.toggle());
  play.classList.add("dc-play");
  const slider = range(bar, { label: "", max: last, wide: true, tell: (i) => captions[i] }, (i) => {
    motion.pause();
    place = i;
    show();
  });
  put(slider.input, "aria-label", "time");
  const longest = Math.max(...captions.map((text) => text.length));
  slider.output.style.minWidth = `${0.58 * longest}em`; // else the slider breathes with its caption
  show();
  told(place);
}

const lerp = (values, width, place) => { // rows of `width` numbers, interpolated at row `place`
  const i = Math.min(Math.floor(place), values.length / width - 1), share = place - i, from = i * width;
  if (!share) return values.subarray(from, from + width);
  const between = new Float32Array(width);
  for (let j = 0; j < width; j++) between[j] = values[from + j] * (1 - share) + values[from + width + j] * share;
  return between;
};

const groupColours = (c) => [c.blue, c.red, c.green, c.purple, c.orange, c.sky, c.ink];
