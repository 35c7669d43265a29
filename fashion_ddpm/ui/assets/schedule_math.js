// Noise schedules in the browser: the same numbers as fashion_ddpm/diffusion/schedules.py.
// Pure functions without a page; tests/test_story_page.py compares them with Python's.
// alpha-bar is a share of power; its square root is the share of amplitude.

/**
 * Betas that a visitor gave; linear: what made them, if three numbers did.
 * @typedef {object} Schedule
 * @property {number[]} betas
 * @property {{numLevels: number, first: number, last: number} | null} linear
 */

/**
 * Return T betas that rise evenly from the first to the last.
 * @param {number} numLevels T
 * @param {number} firstBeta
 * @param {number} lastBeta
 */
export function linearBetas(numLevels, firstBeta, lastBeta) {
  const step = (lastBeta - firstBeta) / (numLevels - 1);
  return Array.from({length: numLevels}, (_, index) => firstBeta + index * step);
}

/**
 * Return alpha-bar_t, the share of the image's power left at each level: prod(1 - beta).
 * @param {number[]} betas
 */
export function alphaBars(betas) {
  let product = 1;
  return betas.map((beta) => (product *= 1 - beta));
}

/**
 * Return log(alpha-bar / (1 - alpha-bar)); infinite where alpha-bar is 0 or 1.
 * @param {number} alphaBar
 */
export function logSnr(alphaBar) {
  return Math.log(alphaBar) - Math.log1p(-alphaBar);
}

const LOWEST_LOG = -700; // instead of -Infinity, which cannot be interpolated

/** @param {number} value */
export function sigmoid(value) {
  return 1 / (1 + Math.exp(-value));
}

/**
 * Return y at x on the line through (xs, ys), as numpy.interp: xs rise, the ends are held.
 * @param {number} x
 * @param {ArrayLike<number>} xs
 * @param {ArrayLike<number>} ys
 */
export function interpolate(x, xs, ys) {
  if (x <= xs[0]) return ys[0];
  const last = xs.length - 1;
  if (x >= xs[last]) return ys[last];
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle;
  }
  const share = (x - xs[low]) / (xs[high] - xs[low]);
  return share ? ys[low] + share * (ys[high] - ys[low]) : ys[low]; // 0 times infinity is no number
}

/**
 * Return what K sampling steps visit, noisiest first: [{time: t / T, alphaBar}].
 * @param {number[]} levels alpha-bar of the schedule, falling
 * @param {number} numSteps K
 * @param {number} minAlphaBar the noisiest level that is visited
 */
export function visitedLevels(levels, numSteps, minAlphaBar) {
  const total = levels.length;
  const floor = logSnr(minAlphaBar);
  const logs = levels.map((level) => Math.max(logSnr(level), LOWEST_LOG));
  const timesteps = logs.map((_, index) => index);
  const noisiest = interpolate(-floor, logs.map((log) => -log), timesteps);
  const last = Math.min(Math.max(total / numSteps - 1, 0), noisiest);
  return Array.from({length: numSteps}, (_, index) => {
    const timestep = noisiest + (index * (last - noisiest)) / Math.max(numSteps - 1, 1);
    const log = interpolate(timestep, timesteps, logs);
    return {time: timestep / (total - 1), alphaBar: sigmoid(log)};
  });
}

/**
 * Return the last beta with which T levels from a first beta end at an alpha-bar; at most 1.
 * @param {number} numLevels T
 * @param {number} firstBeta
 * @param {number} alphaBar
 */
export function requiredLastBeta(numLevels, firstBeta, alphaBar) {
  // The integral of -log(1 - x) is (1 - x) log(1 - x) + x; the sum over T betas adds half the ends.
  const integral = (/** @type {number} */ x) => (1 - x) * Math.log1p(-x) + x;
  const noiseAdded = (/** @type {number} */ last) => {
    const mean = (integral(last) - integral(firstBeta)) / (last - firstBeta);
    return (numLevels - 1) * mean - (Math.log1p(-firstBeta) + Math.log1p(-last)) / 2;
  };
  let [low, high] = [firstBeta, 1 - 1e-9];
  for (let round = 0; round < 40; round++) {
    const middle = (low + high) / 2;
    if (noiseAdded(middle) < -Math.log(alphaBar)) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Return the positions of `count` levels, evenly from the first to the last.
 * @param {number} total
 * @param {number} count
 */
export function evenPositions(total, count) {
  return Array.from({length: count}, (_, index) => Math.round((index * (total - 1)) / (count - 1)));
}

/**
 * Return a share as "0.63 %", or as "less than 0.01 %".
 * @param {number} share
 */
export function formatPercent(share) {
  return share >= 1e-4 ? `${(100 * share).toFixed(2)} %` : "less than 0.01 %";
}

/**
 * Return a share as "60 %", or with two decimals where it is small.
 * @param {number} share
 */
export function percentText(share) {
  return share >= 0.1 ? `${(100 * share).toFixed(0)} %` : formatPercent(share);
}

/**
 * Return a beta with at most three digits that count: "0.0001", "0.0205".
 * @param {number} beta
 */
export function formatBeta(beta) {
  return String(Number(beta.toPrecision(3)));
}

/**
 * Return {good, alphaBar, amplitude, text} of a schedule's noisiest level.
 * @param {number[]} levels
 * @param {number} maxTerminalAlphaBar
 */
export function checkLevels(levels, maxTerminalAlphaBar) {
  const alphaBar = levels.reduce((least, level) => Math.min(least, level), 1);
  const amplitude = Math.sqrt(alphaBar);
  const good = alphaBar <= maxTerminalAlphaBar;
  const only = amplitude >= 1e-4 ? "only " : "";
  const text = good
    ? `${only}${formatPercent(amplitude)} of the image's amplitude is left at the noisiest level, so sampling can start from pure noise.`
    : `at the noisiest level ${percentText(amplitude)} of the image's amplitude is left, but sampling starts from pure noise, which the network never saw at this level.`;
  return {good, alphaBar, amplitude, text};
}

/**
 * Return the pixels, 0 to 255, of sqrt(alpha-bar) x + sqrt(1 - alpha-bar) noise.
 * @param {number[]} pixels 0 to 255
 * @param {number[]} noise standard normal
 * @param {number} alphaBar
 */
export function noisedPixels(pixels, noise, alphaBar) {
  const signal = Math.sqrt(alphaBar);
  const rest = Math.sqrt(1 - alphaBar);
  return noise.map((value, index) => {
    const mixed = signal * (pixels[index] / 127.5 - 1) + rest * value;
    return Math.round(Math.min(Math.max((mixed + 1) * 127.5, 0), 255));
  });
}

/**
 * Return the betas that a text lists, or that T, the first and the last beta make.
 * @param {string} text
 * @param {number} maxLevels
 * @returns {Schedule}
 * @throws {Error} its message is a sentence for the visitor
 */
export function parseSchedule(text, maxLevels) {
  const cleaned = text // also as tensor([…], dtype=…) or DDPMScheduler(beta_start=…)
    .replace(/\b(dtype|device)\s*=\s*[\w.:'"]+/g, " ")
    .replace(/[A-Za-z_][\w.]*\s*[=(]/g, " ");
  const words = cleaned.split(/[\s,;()[\]]+/).filter((word) => word !== "");
  const values = words.map((word) => {
    const value = Number(word);
    if (!Number.isFinite(value)) throw new Error(`“${word.slice(0, 30)}” is not a number.`);
    return value;
  });
  const count = (/** @type {number} */ number) => number.toLocaleString("en");
  if (values.length === 3 && values[0] > 1) {
    const [numLevels, first, last] = values;
    if (!Number.isInteger(numLevels) || numLevels > maxLevels) {
      throw new Error(`T is ${numLevels}; it must be a whole number from 2 to ${count(maxLevels)}.`);
    }
    if (!(first > 0 && first <= last && last < 1)) {
      throw new Error(`The betas go from ${first} to ${last}; they must rise between 0 and 1.`);
    }
    return {betas: linearBetas(numLevels, first, last), linear: {numLevels, first, last}};
  }
  if (values.length < 2) throw new Error("Give at least two betas, or T, β₁ and β_T.");
  if (values.length > maxLevels) {
    throw new Error(`These are ${count(values.length)} betas; at most ${count(maxLevels)} can be checked.`);
  }
  const wrong = values.findIndex((value) => !(value > 0 && value <= 1));
  if (wrong >= 0) {
    throw new Error(`Beta number ${count(wrong + 1)} is ${values[wrong]}; each must be above 0 and at most 1.`);
  }
  return {betas: values, linear: null};
}

/**
 * Return two lines of Python, each of which builds a repaired schedule of the same length.
 * @param {Schedule} schedule
 */
export function repairLines(schedule) {
  const tail = 'prediction_type="v_prediction", timestep_spacing="trailing")';
  const {linear, betas} = schedule;
  const own = linear
    ? `num_train_timesteps=${linear.numLevels}, beta_start=${linear.first}, beta_end=${linear.last}`
    : `num_train_timesteps=${betas.length}, trained_betas=betas`;
  return {
    rescaled: `DDPMScheduler(${own}, rescale_betas_zero_snr=True, ${tail}`,
    cosine: `DDPMScheduler(num_train_timesteps=${betas.length}, beta_schedule="squaredcos_cap_v2", ${tail}`,
  };
}
