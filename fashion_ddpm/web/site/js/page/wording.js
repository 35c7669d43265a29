// Numbers and names as text, as in fashion_ddpm/core/wording.py: small numbers do not become 0.

import {selectImage} from "../settings/generate_request.js";
import {withCommas} from "../settings/python_text.js";
import {roundHalfToEven} from "../diffusion/sampling.js";

/** @import {Request, Site} from "../types.js" */

/**
 * Return "1 image" or "1,600 images".
 * @param {number} count
 * @param {string} noun
 * @returns {string}
 */
export function quantity(count, noun) {
  return `${withCommas(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Return milliseconds as "2.3 s", or "< 0.1 s".
 * @param {number} ms
 * @returns {string}
 */
export function formatSeconds(ms) {
  return ms >= 100 ? `${(ms / 1000).toFixed(1)} s` : "< 0.1 s";
}

/**
 * Return a probability as "97 %".
 * @param {number} share
 * @returns {string}
 */
export function wholePercent(share) {
  return `${roundHalfToEven(100 * share)}\u00a0%`;
}

/**
 * Return a positive number with three digits and no exponent: "159", "0.143".
 * @param {number} value
 * @returns {string}
 */
export function formatNumber(value) {
  if (value < 0.001) return "less than 0.001";
  const digits = Math.max(2 - Math.floor(Math.log10(value)), 0);
  const text = value.toFixed(digits);
  return digits ? text : withCommas(Number(text));
}

/**
 * Return bytes as megabytes: "8.0".
 * @param {number} bytes
 * @returns {string}
 */
export function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}

/**
 * Return the noise-to-signal ratio σ at a noise level, with three digits.
 * @param {number} alphaBar
 * @returns {string}
 */
export function sigmaText(alphaBar) {
  return formatNumber(Math.sqrt(Math.max(1 / alphaBar - 1, 0)));
}

/**
 * Return one image's class and seed: "bag, seed 3".
 * @param {Request} request
 * @param {number} index of the image
 * @param {Site} site
 * @returns {string}
 */
export function caption(request, index, site) {
  const {class_name: name, seed} = selectImage(request, index, site);
  return `${name}, seed ${seed}`;
}

/**
 * Return the seeds of a request: "seed 7" or "seeds 0–7".
 * @param {Request} request
 * @returns {string}
 */
export function seedRange({seed, num_images: count}) {
  return count === 1 ? `seed ${seed}` : `seeds ${seed}–${seed + count - 1}`;
}

/**
 * Return [name, value] of how images are sampled, as the page shows it.
 * @param {Request} request
 * @param {Site} site
 * @returns {[string, string][]}
 */
export function samplingInWords(request, site) {
  const {guidance_scale: scale, guidance_low: low, guidance_high: high} = request;
  const interval = low === 0 && high === 1 ? "" : ` from ${low} to ${high}`;
  return [
    [site.labels.schedule, request.schedule],
    [site.labels.sampler, request.sampler],
    [site.labels.num_inference_steps, String(request.num_inference_steps)],
    [site.labels.guidance_scale, scale === 1 ? "1 (off)" : scale + interval],
  ];
}

/**
 * Return the name of a file, with special characters replaced: "ankle-boot-seed-0.gif".
 * @param {string} stem
 * @param {string} ending
 * @returns {string}
 */
export function fileName(stem, ending) {
  return stem.replace(/[^\p{L}\p{N}_.+-]+/gu, "-") + ending;
}

/**
 * Return the sentence of an error.
 * @param {unknown} error
 * @returns {string}
 */
export function errorSentence(error) {
  return error instanceof Error ? error.message : String(error);
}
