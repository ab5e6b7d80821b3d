// Which parts of the pixel-art style are used, and how often: every attribute independent of the
// others, and visible. Skin tone varies freely and is never a label.
export const HAIR_COLOURS = {
  black: "28150a",
  brown: "6b3e16",
  blond: "f2c53d",
  red: "c8401a",
  blue: "009bbd",
  green: "6fb515",
};
export const BACKGROUNDS = {
  blue: "a9cdf0",
  green: "b9e3b4",
  purple: "cbb6ea",
  grey: "d6d6d6",
};

const variants = (prefix, ...numbers) => numbers.map((n) => prefix + String(n).padStart(2, "0"));

export const STYLE = {
  backgroundColor: Object.values(BACKGROUNDS),
  hairColor: Object.values(HAIR_COLOURS),
  // Hair that stays in sight under every hat below.
  hair: [
    ...variants("long", 1, 2, 3, 7, 9, 12, 13, 20),
    ...variants("short", 1, 2, 13, 14, 15, 17, 18, 22),
  ],
  hat: variants("variant", 2, 3, 5, 6, 7, 8), // the hats that leave row 4 free
  hatProbability: 40,
  hatColor: ["2663a3", "3d8a6b", "cc6192", "614f8a", "a62116"],
  glasses: [...variants("dark", 1, 2, 3, 5, 6, 7), ...variants("light", 1, 2, 3, 5, 6, 7)],
  glassesProbability: 40,
  glassesColor: ["191919", "43677d", "a04b5d"],
  beard: variants("variant", 1, 3, 5, 6, 7, 8), // all but a tuft on the chin
  beardProbability: 35,
  // Smiles: both corners or one up. The others: straight, or a corner down.
  mouth: [...variants("happy", 6, 7, 8, 9, 12), ...variants("sad", 1, 4, 6, 8, 9)],
  mouthColor: ["de0f0d", "a3123a"],
  eyes: variants("variant", 1, 6, 7, 8, 9, 11),
  accessoriesProbability: 0,
  clothing: variants("variant", 1, 2, 3, 4, 5, 6, 8, 11, 13, 14, 23),
};

// What must be seen of a face that has the part: pixels that change when it is taken away.
export const PARTS = [
  { attribute: "hat", without: { hatProbability: 0 }, pixels: 12 },
  { attribute: "glasses", without: { glassesProbability: 0 }, pixels: 6 },
  { attribute: "beard", without: { beardProbability: 0 }, pixels: 8 },
  { without: { mouth: [] }, pixels: 2 },
  { without: { hair: [] }, pixels: 4 },
];
