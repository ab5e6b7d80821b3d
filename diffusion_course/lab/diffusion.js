// Diffusion in the plane, as pure functions on flat arrays x = [x_0, y_0, x_1, y_1, …]. They are denoisers.py's
// IdealDenoiser and samplers.py's steps once more, and are tested against them.

// The n+1 falling times T … 0 of n even steps. Halves go to the even neighbour, as in NumPy.
function evenSteps(T, n) {
  const rounded = (x) => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
  return Array.from({ length: n + 1 }, (_, i) => rounded(((n - i) * T) / n));
}

// x̂_0 = E[x_0 | x_t] for data drawn evenly from `points`: their average with weights
// w_i ∝ exp(−‖x_t − √ᾱ x_i‖² / (2 (1−ᾱ))), computed with the largest exponent taken out.
function idealGuess(x, points, alphaBar) {
  const n = points.length / 2, signal = Math.sqrt(alphaBar), power = 1 - alphaBar;
  const guess = new Float64Array(x.length), logit = new Float64Array(n);
  for (let k = 0; k < x.length; k += 2) {
    const a = (signal * x[k]) / power, b = (signal * x[k + 1]) / power, c = alphaBar / (2 * power);
    let most = -Infinity;
    for (let i = 0, j = 0; i < n; i++, j += 2) {
      const p = points[j], q = points[j + 1], value = a * p + b * q - c * (p * p + q * q);
      logit[i] = value;
      if (value > most) most = value;
    }
    let total = 0, sumX = 0, sumY = 0;
    for (let i = 0, j = 0; i < n; i++, j += 2) {
      const below = logit[i] - most;
      if (below < -40) continue; // e^−40 is below what a float64 sum can notice
      const weight = Math.exp(below);
      total += weight;
      sumX += weight * points[j];
      sumY += weight * points[j + 1];
    }
    guess[k] = sumX / total;
    guess[k + 1] = sumY / total;
  }
  return guess;
}

// One step of DDIM with η = 0, from ᾱ_t to ᾱ_s: √ᾱ_s x̂_0 + √(1−ᾱ_s) ε̂.
function ddimStep(x, guess, powerT, powerS) {
  const signalT = Math.sqrt(powerT), noiseT = Math.sqrt(1 - powerT);
  const signalS = Math.sqrt(powerS), noiseS = Math.sqrt(1 - powerS);
  return x.map((value, k) => signalS * guess[k] + (noiseS * (value - signalT * guess[k])) / noiseT);
}

// Numbers in [0, 1) from a seed (mulberry32), and standard normal ones from those (Box and Muller).
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
}

function normals(count, random) {
  const z = new Float64Array(count);
  for (let k = 0; k < count; k += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random())), angle = 2 * Math.PI * random();
    z[k] = radius * Math.cos(angle);
    if (k + 1 < count) z[k + 1] = radius * Math.sin(angle);
  }
  return z;
}

// `count` points at even distances along all strokes together, each stroke a list of [x, y].
function alongStrokes(strokes, count) {
  const pieces = [];
  let length = 0;
  for (const stroke of strokes)
    for (let i = 0; i < Math.max(stroke.length - 1, 1); i++) {
      const from = stroke[i], to = stroke[i + 1] ?? stroke[i];
      const size = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1e-9; // a dot is a very short stroke
      pieces.push({ from, to, start: length, size });
      length += size;
    }
  const points = new Float64Array(2 * count);
  for (let k = 0, i = 0; k < count; k++) {
    const place = ((k + 0.5) / count) * length;
    while (i < pieces.length - 1 && pieces[i + 1].start <= place) i++;
    const { from, to, start, size } = pieces[i], share = Math.min((place - start) / size, 1);
    points[2 * k] = from[0] + share * (to[0] - from[0]);
    points[2 * k + 1] = from[1] + share * (to[1] - from[1]);
  }
  return points;
}

// The whole way from pure noise, computed as far as it is asked for: `at(k)` are the particles after k steps,
// `guess(k)` what the denoiser believes there.
function flow({ alphaBar, points, steps, xT }) {
  const times = evenSteps(alphaBar.length - 1, steps);
  const states = [xT], guesses = [];
  const guess = (k) => (guesses[k] ??= idealGuess(states[k], points, alphaBar[times[k]]));
  const next = () => {
    const k = states.length - 1, [powerT, powerS] = [alphaBar[times[k]], alphaBar[times[k + 1]]];
    const x = states[k], x0 = guess(k);
    states.push(ddimStep(x, x0, powerT, powerS));
  };
  return { times, steps, next, guess, at: (k) => states[k], get known() { return states.length - 1; } };
}
