// The noise levels that a sampling schedule visits: the same numbers as
// fashion_ddpm/diffusion/schedules.py.

import {interpolate, logSnr, visitedLevels} from "../shared/schedule_math.js";

/** @import {Constants, Site} from "../types.js" */

/**
 * Return the levels that K steps visit, noisiest first, each with the timestep of that log-SNR in
 * the schedule that the network was trained on.
 * @param {string} schedule one of site.schedules
 * @param {number} numSteps K, from 1 up
 * @param {Pick<Site, "schedules" | "alpha_bars" | "constants">} site
 * @returns {{alphaBar: Float64Array, timesteps: Float64Array}} both [K]; alphaBar rises in (0, 1)
 */
export function noiseLevels(schedule, numSteps, site) {
  const levels = site.schedules[schedule];
  if (levels === undefined) {
    const known = Object.keys(site.schedules).join(", ");
    throw new RangeError(`schedule is ${schedule}; it must be one of ${known}.`);
  }
  const visited = levels
    ? visitedLevels(levels, numSteps, site.constants.min_alpha_bar).map((level) => level.alphaBar)
    : spaceBySigma(schedule, numSteps, site.alpha_bars[0], site.constants);
  return {alphaBar: Float64Array.from(visited), timesteps: toTimesteps(visited, site.alpha_bars)};
}

/**
 * Map levels, by log-SNR, to timesteps of a noise schedule.
 * @param {number[]} visited alpha-bar of each level
 * @param {number[]} alphaBars of the noise schedule, falling
 */
function toTimesteps(visited, alphaBars) {
  const known = alphaBars.map((alphaBar) => -logSnr(alphaBar));
  const timesteps = alphaBars.map((_, index) => index);
  return Float64Array.from(visited, (level) => interpolate(-logSnr(level), known, timesteps));
}

/**
 * Space K levels by sigma = sqrt(1 / alpha-bar - 1), as _space_by_sigma in schedules.py.
 * @param {string} schedule "karras", "exponential" or "cosine-midpoint"
 * @param {number} numSteps
 * @param {number} cleanest alpha-bar of the least noisy level of the noise schedule
 * @param {Constants} constants
 */
function spaceBySigma(schedule, numSteps, cleanest, constants) {
  const {max_sigma: highest, karras_rho: rho, min_alpha_bar: noisiest} = constants;
  const lowest = toSigma(cleanest);
  return Array.from({length: numSteps}, (_, index) => {
    const share = index / Math.max(numSteps - 1, 1);
    const between = (/** @type {number} */ first, /** @type {number} */ last) =>
      first + share * (last - first);
    let sigma;
    if (schedule === "karras") {
      sigma = between(highest ** (1 / rho), lowest ** (1 / rho)) ** rho;
    } else if (schedule === "cosine-midpoint") {
      const last = Math.max(Math.PI / 2 / numSteps / 2, Math.atan(lowest));
      sigma = Math.tan(between(Math.atan(toSigma(noisiest)), last));
    } else {
      sigma = Math.exp(between(Math.log(highest), Math.log(lowest)));
    }
    return 1 / (1 + sigma ** 2);
  });
}

/** @param {number} alphaBar */
function toSigma(alphaBar) {
  return Math.sqrt(1 / alphaBar - 1);
}
