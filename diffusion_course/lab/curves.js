// The mathematics of designer.js: the presets, and a curve of log-SNR (at t = 1 … T) that can be bent.

const T = 1000, KNOBS = 7;
const TOP = 12, FLOOR = -20; // of the curve that can be drawn; a last value at the floor is ᾱ_T = 0 exactly
const VISIBLE = 0.1; // √ᾱ_T above this is worth a warning: schedule.VISIBLE

const grid = Array.from({ length: T + 1 }, (_, t) => t);

function fromBeta(beta) { // β_1 … β_T
  let product = 1;
  return [1, ...beta.map((one) => (product *= 1 - one))];
}

const fromCurve = (curve) => fromBeta(grid.slice(1).map((t) => Math.min(1 - curve[t] / curve[t - 1], 0.999)));

function sigmoidCurve(t) {
  const last = 1 / (1 + Math.exp(3));
  return 1 / (1 + Math.exp(-3 + (6 * t) / T)) - last;
}

function zeroTerminal(alphaBar) { // √ᾱ shifted and stretched so that √ᾱ_T = 0 and √ᾱ_1 stays
  const first = Math.sqrt(alphaBar[1]), last = Math.sqrt(alphaBar[T]);
  return alphaBar.map((one, t) => (t ? ((Math.sqrt(one) - last) * first / (first - last)) ** 2 : 1));
}

const linear = () => fromBeta(grid.slice(1).map((t) => 1e-4 + ((0.02 - 1e-4) * (t - 1)) / (T - 1)));
const PRESETS = {
  linear,
  cosine: () => fromCurve(grid.map((t) => Math.cos((t / T + 0.008) / 1.008 * Math.PI / 2) ** 2)),
  sigmoid: () => fromCurve(grid.map(sigmoidCurve)),
  "zero terminal SNR": () => zeroTerminal(linear()),
  "straight log-SNR": () => alphaBarOf(grid.slice(1).map((t) => 9 - (19 * (t - 1)) / (T - 1))),
};

const logSnrOf = (alphaBar) => alphaBar.slice(1).map((one) => Math.log(one) - Math.log1p(-one)); // t = 1 … T
const alphaBarOf = (curve) => [1, ...curve.map((one, i) => (i === T - 1 && one <= FLOOR ? 0 : 1 / (1 + Math.exp(-one))))];

// The rising curve through the points (x, y), both rising, without overshoot (Fritsch and Butland 1984); straight
// beyond the ends. Through points on the diagonal it is the diagonal.
function through(x, y) {
  const n = x.length, slope = x.slice(1).map((one, i) => (y[i + 1] - y[i]) / (one - x[i]));
  const lean = x.map((_, i) => (i === 0 ? slope[0] : i === n - 1 ? slope[n - 2]
    : 2 / (1 / Math.max(slope[i - 1], 1e-12) + 1 / Math.max(slope[i], 1e-12))));
  return (at) => {
    if (at <= x[0]) return y[0] + lean[0] * (at - x[0]);
    if (at >= x[n - 1]) return y[n - 1] + lean[n - 1] * (at - x[n - 1]);
    let i = 0;
    while (at > x[i + 1]) i++;
    const width = x[i + 1] - x[i], u = (at - x[i]) / width, w = 1 - u;
    return y[i] * (1 + 2 * u) * w * w + width * lean[i] * u * w * w
      + y[i + 1] * u * u * (3 - 2 * u) - width * lean[i + 1] * u * u * w;
  };
}

const knobTimes = Array.from({ length: KNOBS }, (_, k) => Math.round(((T - 1) * k) / (KNOBS - 1))); // places in `curve`

// `base`, a falling curve, bent so that it takes the values `heights` at the knobs: it stays falling and smooth.
function bent(base, heights) {
  const from = knobTimes.map((i) => Math.max(base[i], FLOOR)).reverse();
  const bend = through(from, [...heights].reverse());
  return base.map((one) => bend(Math.max(one, FLOOR)));
}

function verdict(alphaBar) {
  const left = Math.sqrt(alphaBar[T]), share = `${(100 * left).toFixed(left < 0.01 ? 2 : 0)} %`;
  const low = alphaBar.findIndex((one) => one < 0.1);
  const half = alphaBar.findIndex((one) => one <= 0.5);
  const told = half < 0 ? "Signal outweighs noise to the very end." : `Noise outweighs signal from t = ${half}` +
    (low < 0 ? "; ᾱ never falls below 0.1." : `; ᾱ < 0.1 from t = ${low}.`);
  if (left > VISIBLE)
    return { warns: true, told, text: `TerminalSNRWarning: √ᾱ_T = ${left.toFixed(3)}, so ${share} of the signal's ` +
      "amplitude is left at t = T and x_T is not pure noise. Sampling would start from the wrong distribution. " +
      `Pull the last handle down (allowed: √ᾱ_T ≤ ${VISIBLE}).` };
  if (left === 0)
    return { warns: false, told, text: "√ᾱ_T = 0 exactly: zero terminal SNR. x_T is pure noise; the network must " +
      "predict v or x₀, for x₀ cannot be computed from ε there." };
  return { warns: false, told, text: `√ᾱ_T = ${left.toPrecision(2)}: ${share} of the signal's amplitude is left at ` +
    "t = T. No warning." };
}
