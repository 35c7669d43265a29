// The sampling loop: from a request to images, as an iterator over denoising steps; the same as
// fashion_ddpm/diffusion/sampling.py.

import {isGuided, networkFor, requestLabels, requestSeeds} from "../settings/generate_request.js";
import {noiseLevels} from "./noise_levels.js";
import {buildSampler} from "./samplers.js";
import {TorchGenerator} from "./torch_generator.js";

/** @import {DenoisingStep, Kind, Network, Predict, Request, Site} from "../types.js" */

/**
 * Yield each denoising step; image i depends only on its label and its seed.
 * @param {Predict} predict the network that networkFor names
 * @param {Request} request
 * @param {Site} site
 * @param {AbortSignal} [signal] once it is aborted, no further step begins: its reason is thrown
 * @returns {AsyncGenerator<DenoisingStep, void, void>}
 */
export async function* denoise(predict, request, site, signal) {
  const labels = requestLabels(request, site);
  const drawNoise = noiseSource(requestSeeds(request), site);
  const {alphaBar, timesteps} = noiseLevels(request.schedule, request.num_inference_steps, site);
  const sampler = buildSampler(request.sampler, alphaBar);
  const network = site.networks[networkFor(request, site)] ?? site.networks.base;
  /** @type {Float32Array} */
  let noisy = drawNoise();
  for (let index = 0; index < alphaBar.length; index++) {
    signal?.throwIfAborted();
    const output = isGuided(request, timesteps[index], site)
      ? await guidedOutput(predict, noisy, timesteps[index], labels, request, site)
      : await predict(noisy, timesteps[index], labels);
    const clean = toClean(network.prediction_type, noisy, output, alphaBar[index]);
    yield {index, alphaBar: alphaBar[index], noisy, clean};
    noisy = sampler.step(index, clean, noisy, drawNoise);
  }
}

/**
 * Return what draws noise for a batch, each image's from a generator of its own.
 * @param {number[]} seeds
 * @param {Site} site
 */
function noiseSource(seeds, {kind}) {
  const size = kind.channels * kind.image_size ** 2;
  const generators = seeds.map((seed) => new TorchGenerator(seed));
  return () => {
    const noise = new Float32Array(size * generators.length);
    generators.forEach((generator, index) => noise.set(generator.randn(size), index * size));
    return noise;
  };
}

/**
 * Return the network's output with classifier-free guidance: uncond + scale (cond - uncond).
 * @param {Predict} predict
 * @param {Float32Array} noisy
 * @param {number} timestep
 * @param {number[]} labels
 * @param {Request} request
 * @param {Site} site
 */
async function guidedOutput(predict, noisy, timestep, labels, request, site) {
  const size = noisy.length;
  const twice = new Float32Array(2 * size);
  twice.set(noisy);
  twice.set(noisy, size);
  const nullLabels = labels.map(() => site.kind.null_label);
  const output = await predict(twice, timestep, [...labels, ...nullLabels]);
  return Float32Array.from({length: size}, (_, index) => {
    const unconditional = output[size + index];
    return unconditional + request.guidance_scale * (output[index] - unconditional);
  });
}

/**
 * Convert the network's output to x_0, given x_t = sqrt(ᾱ) x_0 + sqrt(1 − ᾱ) ε; clamped.
 * @param {Network["prediction_type"]} predictionType
 * @param {Float32Array} noisy
 * @param {Float32Array} output
 * @param {number} alphaBar
 */
function toClean(predictionType, noisy, output, alphaBar) {
  const alpha = Math.sqrt(alphaBar);
  const sigma = Math.sqrt(1 - alphaBar);
  const convert = {
    v_prediction: (/** @type {number} */ x, /** @type {number} */ v) => alpha * x - sigma * v,
    epsilon: (/** @type {number} */ x, /** @type {number} */ noise) => (x - sigma * noise) / alpha,
    sample: (/** @type {number} */ _, /** @type {number} */ clean) => clean,
  }[predictionType];
  return noisy.map((x, index) => Math.min(Math.max(convert(x, output[index]), -1), 1));
}

/**
 * Convert the network's images to stored ones; values outside [−1, 1] are clamped.
 * @param {Float32Array} values [B, C, S, S]
 * @param {Pick<Kind, "channels" | "image_size">} kind
 * @returns {Uint8Array} [B, S, S] grey, or [B, S, S, 3] in colour
 */
export function toUint8(values, {channels, image_size: side}) {
  const area = side ** 2;
  const pixels = new Uint8Array(values.length);
  values.forEach((value, index) => {
    const [plane, place] = [Math.floor(index / area), index % area];
    const [image, channel] = [Math.floor(plane / channels), plane % channels];
    const level = roundHalfToEven(Math.fround(Math.fround(value + 1) * 127.5));
    pixels[(image * area + place) * channels + channel] = Math.min(Math.max(level, 0), 255);
  });
  return pixels;
}

/**
 * Round as torch and numpy do: halves go to the even neighbour.
 * @param {number} value
 */
export function roundHalfToEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  return rest === 0.5 ? below + (below % 2 ? 1 : 0) : Math.round(value);
}
