// Renders the icons of six open sets on white: `node render.mjs FOLDER` writes emoji.rgb (n x 32 x 32 x 3 bytes) and
// emoji.json (for each: style, concept, name and tags, all in plain words).
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, json } from "./words.mjs";

const SIDE = 32;
const ZOOM = 4; // drawn larger first, then averaged: thin lines keep their weight
const SETS = {
  noto: "noto",
  "noto-v1": "blob",
  fxemoji: "firefox",
  "fluent-emoji-flat": "fluent",
  twemoji: "twemoji",
  emojione: "emojione",
}; // package -> the word that names its style

async function draw(icon, set) {
  const { left = 0, top = 0, body } = icon;
  const width = icon.width ?? set.width;
  const height = icon.height ?? set.height;
  const size = `width="${SIDE * ZOOM}" height="${SIDE * ZOOM}" viewBox="${left} ${top} ${width} ${height}"`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size}>${body}</svg>`;
  const large = await sharp(Buffer.from(svg)).flatten({ background: "white" }).removeAlpha().raw().toBuffer();
  const small = Buffer.alloc(SIDE * SIDE * 3);
  for (let i = 0; i < small.length; i++) {
    const [row, column, channel] = [Math.floor(i / 3 / SIDE), Math.floor(i / 3) % SIDE, i % 3];
    let sum = 0;
    for (let dy = 0; dy < ZOOM; dy++) {
      for (let dx = 0; dx < ZOOM; dx++) {
        sum += large[3 * ((row * ZOOM + dy) * SIDE * ZOOM + column * ZOOM + dx) + channel];
      }
    }
    small[i] = Math.round(sum / ZOOM ** 2);
  }
  return small;
}

const pictures = new Map(); // pixels -> words, so that equal pictures meet
const unknown = {};
for (const [folder, style] of Object.entries(SETS)) {
  const set = json(`@iconify-json/${folder}/icons.json`);
  const codes = Object.entries(json(`@iconify-json/${folder}/chars.json`)).map(([code, icon]) => [icon, code]);
  const codeOf = new Map(codes);
  unknown[style] = [];
  for (const name of Object.keys(set.icons).sort()) {
    const words = describe(name, codeOf.get(name));
    if (!words) {
      unknown[style].push(name);
      continue;
    }
    const pixels = (await draw(set.icons[name], set)).toString("latin1");
    if (!pictures.has(pixels)) pictures.set(pixels, { style, ...words });
  }
}
writeFileSync(join(process.argv[2], "emoji.rgb"), Buffer.from([...pictures.keys()].join(""), "latin1"));
writeFileSync(join(process.argv[2], "emoji.json"), JSON.stringify([...pictures.values()]));
const counts = Object.entries(unknown).map(([style, names]) => `${style} ${names.length}`);
console.log(`${pictures.size} pictures; left out as skin tones, flags or unknown names: ${counts.join(", ")}`);
if (process.env.LIST) console.log(unknown.firefox.join(" "));
