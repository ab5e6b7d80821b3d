// Which words belong to which icon: the name and keywords of emojibase-data, found by the icon's name or code point.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
export const json = (path) => JSON.parse(readFileSync(require.resolve(path), "utf8"));

const COMPONENTS = 2; // emojibase's groups that are left out: skin tones and hair by themselves, and flags
const FLAGS = 9;
const STOP = new Set("a an and at in of on or s the to with without not no for by".split(" "));
const SHORTCODES = ["cldr", "emojibase", "github", "iamcal", "joypixels"];

const plain = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f’'.“”]/g, "").toLowerCase();
export const wordsOf = (text) => plain(text).split(/[^a-z0-9]+/).filter((word) => word && !STOP.has(word));
const joined = (text) => plain(text).replace(/[^a-z0-9]+/g, "");
const bare = (hexcode) => hexcode.toLowerCase().replaceAll("-fe0f", "");

const emoji = json("emojibase-data/en/data.json").filter(
  ({ group }) => group !== undefined && group !== COMPONENTS && group !== FLAGS,
);
const byCode = new Map(emoji.map((entry) => [bare(entry.hexcode), entry]));
const byName = new Map(); // every spelling that somebody gave it, without spaces; the first one wins
const remember = (name, entry) => byName.has(joined(name)) || byName.set(joined(name), entry);
for (const entry of emoji) remember(entry.label, entry);
for (const kind of SHORTCODES) {
  const codes = json(`emojibase-data/en/shortcodes/${kind}.json`);
  for (const entry of emoji) for (const name of [codes[entry.hexcode] ?? []].flat()) remember(name, entry);
}
const unicode = json("emojibase-data/meta/unicode-names.json");
for (const entry of emoji) if (unicode[entry.hexcode]) remember(unicode[entry.hexcode], entry);

const known = new Set(emoji.flatMap(({ label }) => wordsOf(label)).filter((word) => word.length > 2));

// "foxgrin" → ["fox", "grin"]: the fewest known words that make up the name, or nothing.
function taken(name) {
  const best = [[]]; // best[i]: words that make up the first i letters
  for (let end = 1; end <= name.length; end++) {
    for (let start = 0; start < end; start++) {
      const word = name.slice(start, end);
      if (!best[start] || !(known.has(word) || STOP.has(word))) continue;
      if (!best[end] || best[start].length + 1 < best[end].length) best[end] = [...best[start], word];
    }
  }
  const words = best[name.length]?.filter((word) => !STOP.has(word));
  return words?.length ? words : undefined;
}

// What Mozilla's names mean where no table tells; "side" is an animal seen from the side.
const MEANT = {
  bride: "person with veil",
  bunnyside: "rabbit",
  chilipepper: "hot pepper",
  construct: "construction worker",
  controlknob: "control knobs",
  flexbicep: "flexed biceps",
  frown: "frowning face",
  gma: "old woman",
  gpa: "old man",
  grineyes: "grinning face with smiling eyes",
  grinsquint: "grinning squinting face",
  grinsweat: "grinning face with sweat",
  grintears: "face with tears of joy",
  grinwide: "grinning face with big eyes",
  hampster: "hamster",
  harddisk: "computer disk",
  heels: "high-heeled shoe",
  lockandkey: "locked with key",
  makeupbag: "clutch bag",
  okgesture: "person gesturing OK",
  pigsnout: "pig nose",
  present: "wrapped gift",
  ringingbell: "bell",
  sleuthspy: "detective",
  spurtingwhale: "spouting whale",
  telephonereceiver2: "telephone receiver",
  tie: "necktie",
  tongueoutwink: "winking face with tongue",
  toykotower: "Tokyo tower",
  videocasette: "videocassette",
};
const meant = (icon) => byName.get(joined(MEANT[icon] ?? icon)) ?? byName.get(icon.replace(/side$/, ""));

const SKIN = /(^|-)(light|medium|dark)(-skin-tone)?(-|$)|-tone\d/;
const LEFT_OUT = /flag|regional|ideograph|^(letter|digit|keycap)-/;

// {concept, name, tags} of an icon, or undefined where it is a skin tone, a flag, or nobody knows what it shows.
export function describe(icon, code) {
  const entry = byCode.get(bare(code ?? "")) ?? meant(icon);
  if (entry) {
    const name = wordsOf(entry.label);
    const tags = [...new Set((entry.tags ?? []).flatMap(wordsOf))].filter((word) => !name.includes(word));
    return { concept: name.join(" "), name, tags };
  }
  if (LEFT_OUT.test(icon) || SKIN.test(icon)) return undefined;
  const name = taken(joined(icon));
  return name && { concept: name.join(" "), name, tags: [] };
}
