// Renders distinct 16x16 portraits: `node render.mjs FOLDER COUNT` writes faces.rgb
// (COUNT x 16 x 16 x 3 bytes) and faces.json (the attributes of each face, in order).
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAvatar } from "@dicebear/core";
import * as pixelArt from "@dicebear/pixel-art";
import { Resvg } from "@resvg/resvg-js";
import { HAIR_COLOURS, BACKGROUNDS, PARTS, STYLE } from "./style.mjs";

const SIDE = 16;
const ZOOM = 4; // every face is also drawn 4 times larger, to prove that no pixel is a blend

const nameOf = (palette, hex) => Object.keys(palette).find((name) => `#${palette[name]}` === hex);

// The design masks a beard by the brightness of its own hair colour, so that dark beards all but
// vanish. A white mask draws every beard at the same strength.
const solidBeard = (svg) =>
  svg.replace(/<mask id="beard.*?<\/mask>/s, (mask) => mask.replace(/fill="#\w+"/, 'fill="#fff"'));

function draw(options, side = SIDE) {
  const svg = solidBeard(createAvatar(pixelArt, options).toString());
  const size = { fitTo: { mode: "width", value: side }, font: { loadSystemFonts: false } };
  const rgba = new Resvg(svg, size).render().pixels;
  return rgba.filter((_, i) => i % 4 < 3); // opaque background: alpha is 255 everywhere
}

function assertExact(rgb, options) {
  const large = draw(options, SIDE * ZOOM);
  for (let i = 0; i < large.length; i++) {
    const pixel = Math.floor(i / 3);
    const row = Math.floor(pixel / (SIDE * ZOOM) / ZOOM);
    const column = Math.floor((pixel % (SIDE * ZOOM)) / ZOOM);
    if (large[i] !== rgb[3 * (row * SIDE + column) + (i % 3)]) {
      throw new Error(`${options.seed}: row ${row}, column ${column} is not one flat cell`);
    }
  }
}

// How many pixels change by at least `contrast` of 255 levels when one option is replaced.
function visible(rgb, options, replacement, contrast = 32) {
  const other = draw({ ...options, ...replacement });
  let count = 0;
  for (let i = 0; i < rgb.length; i += 3) {
    const step = (k) => Math.abs(rgb[i + k] - other[i + k]);
    count += Math.max(step(0), step(1), step(2)) >= contrast;
  }
  return count;
}

function attributesOf(options) {
  const parts = createAvatar(pixelArt, options).toJson().extra;
  return {
    hat: Boolean(parts.hat),
    glasses: Boolean(parts.glasses),
    beard: Boolean(parts.beard),
    long_hair: parts.hair.startsWith("long"),
    happy: parts.mouth.startsWith("happy"),
    hair_colour: nameOf(HAIR_COLOURS, parts.hairColor),
    background: nameOf(BACKGROUNDS, parts.primaryBackgroundColor),
  };
}

// A label that cannot be seen cannot be learned: each part must show in at least so many pixels.
function shows(rgb, options) {
  return PARTS.every(({ attribute, without, pixels }) => {
    const present = attribute ? attributesOf(options)[attribute] : true;
    return !present || visible(rgb, options, without) >= pixels;
  });
}

const [folder, count] = [process.argv[2], Number(process.argv[3])];
const faces = new Map(); // pixels -> attributes, so that equal pictures meet
let tried = 0;
let hidden = 0;
while (faces.size < count) {
  const options = { ...STYLE, seed: `face ${tried++}` };
  const rgb = draw(options);
  const key = Buffer.from(rgb).toString("latin1");
  if (faces.has(key)) continue;
  if (!shows(rgb, options)) {
    hidden++;
    continue;
  }
  assertExact(rgb, options);
  faces.set(key, attributesOf(options));
}
writeFileSync(join(folder, "faces.rgb"), Buffer.from([...faces.keys()].join(""), "latin1"));
writeFileSync(join(folder, "faces.json"), JSON.stringify([...faces.values()]));
const twins = tried - hidden - count;
console.log(`${count} faces from ${tried} seeds; ${hidden} with a hidden part, ${twins} twins left out`);
