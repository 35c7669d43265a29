// The samplers between any noise levels: the numbers of fashion_ddpm/diffusion/samplers.py, where
// diffusers' solvers step. Each next x_t is a sum of the present one, the predicted clean images,
// those of the step before, and new noise.

/**
 * What a step multiplies its parts by.
 * @typedef {object} Weights
 * @property {number} noisy of x_t
 * @property {number} clean of the predicted clean images
 * @property {number} [earlier] of the clean images predicted a step before
 * @property {number} [noise] of new noise
 */

/**
 * A step between two levels: alpha-bar of the present one, of the next one, and of the one before
 * (null at the first step).
 * @typedef {{now: number, next: number, before: number | null}} Levels
 */

/** Sampler → the weights of a step. @type {Record<string, (levels: Levels) => Weights>} */
const WEIGHTS = {
  "dpm++2m": dpmSolver,
  "dpm++2m-sde": dpmSolverSde,
  ddim,
  ddpm,
  euler: ddim, // Euler's method in x_t / sqrt(alpha-bar) is DDIM
  turbo: ({next}) => ({noisy: 0, clean: Math.sqrt(next), noise: Math.sqrt(1 - next)}),
};

/**
 * Return a sampler that steps between these levels; it keeps the last step's prediction.
 * @param {string} name one of the site's samplers
 * @param {ArrayLike<number>} alphaBar [K], rising
 */
export function buildSampler(name, alphaBar) {
  const weigh = WEIGHTS[name];
  if (!weigh) {
    const known = Object.keys(WEIGHTS).join(", ");
    throw new RangeError(`sampler is ${name}; it must be one of ${known}.`);
  }
  const levels = name === "turbo" ? Float64Array.from(alphaBar) : roundLikeDiffusers(alphaBar);
  /** @type {Float32Array | null} */
  let earlier = null;
  return {
    /**
     * Return the next x_t; after the last step that is the predicted clean images.
     * @param {number} index of the step, 0 … K − 1
     * @param {Float32Array} clean the predicted clean images
     * @param {Float32Array} noisy x_t
     * @param {() => Float32Array} drawNoise standard normal, as many numbers as noisy has
     * @returns {Float32Array}
     */
    step(index, clean, noisy, drawNoise) {
      if (index === levels.length - 1) return clean;
      const before = index ? levels[index - 1] : null;
      const weights = weigh({now: levels[index], next: levels[index + 1], before});
      const parts = {noisy, clean, earlier, noise: weights.noise ? drawNoise() : null};
      earlier = clean;
      return addUp(parts, weights);
    },
  };
}

/**
 * @param {{noisy: Float32Array, clean: Float32Array, earlier: Float32Array | null,
 *   noise: Float32Array | null}} parts
 * @param {Weights} weights
 */
function addUp(parts, weights) {
  const {noisy, clean} = parts;
  const next = new Float32Array(noisy.length);
  for (let index = 0; index < next.length; index++) {
    let value = weights.noisy * noisy[index] + weights.clean * clean[index];
    if (parts.earlier && weights.earlier) value += weights.earlier * parts.earlier[index];
    if (parts.noise && weights.noise) value += weights.noise * parts.noise[index];
    next[index] = value;
  }
  return next;
}

/**
 * Return the levels as diffusers' solvers hold them: products of float32 numbers.
 * @param {ArrayLike<number>} alphaBar rising
 */
function roundLikeDiffusers(alphaBar) {
  const levels = new Float64Array(alphaBar.length);
  let product = 1;
  for (let index = levels.length - 1, before = 1; index >= 0; index--) {
    const beta = Math.fround(1 - alphaBar[index] / before);
    product *= Math.fround(1 - beta);
    levels[index] = Math.fround(product);
    before = alphaBar[index];
  }
  return levels;
}

/**
 * DDIM without noise (Song et al., 2021, equation 12), also the first order of DPM-Solver++.
 * @param {Levels} levels
 * @returns {Weights}
 */
function ddim({now, next}) {
  const noisy = Math.sqrt((1 - next) / (1 - now));
  return {noisy, clean: Math.sqrt(next) - noisy * Math.sqrt(now)};
}

/**
 * DDPM with the posterior's variance, diffusers' "fixed_small" (Ho et al., 2020, equations 6, 7).
 * Where neighbouring levels are close, their difference is rounded as in diffusers.
 * @param {Levels} levels
 * @returns {Weights}
 */
function ddpm({now, next}) {
  const alpha = Math.fround(now / next);
  const share = Math.fround(1 - next) / Math.fround(1 - now);
  return {
    noisy: Math.sqrt(alpha) * share,
    clean: (Math.sqrt(next) * Math.fround(1 - alpha)) / Math.fround(1 - now),
    noise: Math.sqrt(Math.max(share * (1 - alpha), 1e-20)),
  };
}

/** Half of log-SNR. @param {number} alphaBar */
const lambda = (alphaBar) => (Math.log(alphaBar) - Math.log(1 - alphaBar)) / 2;

/**
 * Return the weights with a second order: a share of the clean images moves along the line through
 * the last two predictions (DPM-Solver++, Lu et al., 2022, algorithm 2; diffusers' "midpoint").
 * @param {Levels} levels
 * @param {Weights} weights of the first order
 * @param {number} gain of the clean images
 * @returns {Weights}
 */
function extrapolate({now, next, before}, weights, gain) {
  if (before === null) return weights;
  const slope = (gain / 2) * ((lambda(next) - lambda(now)) / (lambda(now) - lambda(before)));
  return {...weights, clean: weights.clean + slope, earlier: -slope};
}

/**
 * DPM-Solver++ of second order (2M).
 * @param {Levels} levels
 * @returns {Weights}
 */
function dpmSolver(levels) {
  const weights = ddim(levels);
  return extrapolate(levels, weights, weights.clean);
}

/**
 * The same for the stochastic differential equation: sde-dpmsolver++.
 * @param {Levels} levels
 * @returns {Weights}
 */
function dpmSolverSde(levels) {
  const {now, next} = levels;
  const left = Math.exp(-2 * (lambda(next) - lambda(now))); // share of variance that stays
  const clean = Math.sqrt(next) * (1 - left);
  const noisy = Math.sqrt(((1 - next) / (1 - now)) * left);
  return extrapolate(levels, {noisy, clean, noise: Math.sqrt((1 - next) * (1 - left))}, clean);
}
