// The steps of a run that are shown, and pictures of them: fashion_ddpm/demo/trajectory.py and
// core/images.py.

import {roundHalfToEven} from "../diffusion/sampling.js";

/** @import {Kind, Run} from "../types.js" */

const MAX_SIDE = 64; // longest side of a frame, in pixels; larger images are shown reduced
const MAX_BYTES = 4_000_000; // of all frames; of large images there are fewer
const GRID_GAP = 2; // pixels between the images of a grid
const PREVIEW_COLUMNS = 10;

/**
 * The steps of a run that are shown: all of them, or evenly spaced ones.
 * @typedef {object} Frames
 * @property {number[]} steps indices, rising; the last one is the run's last
 * @property {Uint8Array[]} noisy x_t before each of these steps, [B, side, side(, 3)]
 * @property {Uint8Array[]} clean the clean images predicted there, of the same shape
 * @property {number} side of an image, in pixels
 */

/**
 * A picture in memory.
 * @typedef {object} Picture
 * @property {Uint8Array} pixels [height, width(, 3)]
 * @property {number} width
 * @property {number} height
 * @property {number} channels
 */

/**
 * Return a run's frames, reduced to MAX_SIDE and thinned out to MAX_BYTES.
 * @param {Pick<Run, "noisy" | "clean">} run
 * @param {Pick<Kind, "image_size" | "channels">} kind
 * @param {number} maxSteps
 * @returns {Frames}
 */
export function selectFrames(run, kind, maxSteps) {
  const factor = Math.ceil(kind.image_size / MAX_SIDE);
  const side = Math.floor(kind.image_size / factor);
  const stepBytes = (2 * run.noisy[0].length * side ** 2) / kind.image_size ** 2;
  const last = run.noisy.length - 1;
  const most = Math.min(last + 1, maxSteps, Math.max(2, Math.floor(MAX_BYTES / stepBytes)));
  const steps = Array.from({length: most}, (_, index) =>
    roundHalfToEven(last - (index * last) / Math.max(most - 1, 1))
  ).reverse();
  const reduce = (/** @type {Uint8Array} */ images) => shrink(images, kind, factor);
  return {
    steps,
    noisy: steps.map((step) => reduce(run.noisy[step])),
    clean: steps.map((step) => reduce(run.clean[step])),
    side,
  };
}

/**
 * Return images at a smaller size, each pixel the mean of its area.
 * @param {Uint8Array} images [B, S, S(, 3)]
 * @param {Pick<Kind, "image_size" | "channels">} kind
 * @param {number} factor
 */
function shrink(images, {image_size: side, channels}, factor) {
  if (factor === 1) return images;
  const small = Math.floor(side / factor);
  const bounds = Array.from({length: small}, (_, index) => [
    Math.floor((index * side) / small),
    Math.ceil(((index + 1) * side) / small),
  ]);
  const count = images.length / (side * side * channels);
  const result = new Uint8Array(count * small * small * channels);
  let place = 0;
  for (let image = 0; image < count; image++) {
    for (const [top, bottom] of bounds) {
      for (const [left, right] of bounds) {
        for (let channel = 0; channel < channels; channel++) {
          let sum = 0;
          for (let y = top; y < bottom; y++) {
            for (let x = left; x < right; x++) {
              sum += images[((image * side + y) * side + x) * channels + channel];
            }
          }
          result[place++] = roundHalfToEven(sum / ((bottom - top) * (right - left)));
        }
      }
    }
  }
  return result;
}

/**
 * Return x_t in the upper rows and the predicted clean images in the lower ones.
 * @param {Uint8Array} noisy [B, side, side(, 3)]
 * @param {Uint8Array} clean of the same shape
 * @param {number} side
 * @param {number} channels
 * @param {number} scale factor of enlargement
 * @returns {Picture}
 */
export function previewPicture(noisy, clean, side, channels, scale) {
  const size = side * side * channels;
  const count = noisy.length / size;
  const rows = Math.ceil(count / PREVIEW_COLUMNS);
  const columns = Math.ceil(count / rows);
  const images = Array(2 * rows * columns).fill(null);
  for (let index = 0; index < count; index++) {
    images[index] = noisy.subarray(index * size, (index + 1) * size);
    images[rows * columns + index] = clean.subarray(index * size, (index + 1) * size);
  }
  return enlarge(makeGrid(images, columns, side, channels), scale);
}

/**
 * Lay images out in rows with gaps of GRID_GAP.
 * @param {(Uint8Array | null)[]} images each [side, side(, 3)]; null is black
 * @param {number} columns
 * @param {number} side
 * @param {number} channels
 * @returns {Picture}
 */
export function makeGrid(images, columns, side, channels) {
  const pitch = side + GRID_GAP;
  const width = columns * pitch - GRID_GAP;
  const height = Math.ceil(images.length / columns) * pitch - GRID_GAP;
  const pixels = new Uint8Array(width * height * channels);
  images.forEach((image, index) => {
    if (!image) return;
    const [top, left] = [Math.floor(index / columns) * pitch, (index % columns) * pitch];
    for (let y = 0; y < side; y++) {
      const row = image.subarray(y * side * channels, (y + 1) * side * channels);
      pixels.set(row, ((top + y) * width + left) * channels);
    }
  });
  return {pixels, width, height, channels};
}

/**
 * Enlarge a picture without interpolation.
 * @param {Picture} picture
 * @param {number} scale
 * @returns {Picture}
 */
export function enlarge({pixels, width, height, channels}, scale) {
  const large = new Uint8Array(pixels.length * scale ** 2);
  const length = width * scale * channels;
  for (let y = 0; y < height * scale; y++) {
    const source = Math.floor(y / scale) * width;
    for (let x = 0; x < width * scale; x++) {
      const from = (source + Math.floor(x / scale)) * channels;
      for (let channel = 0; channel < channels; channel++) {
        large[y * length + x * channels + channel] = pixels[from + channel];
      }
    }
  }
  return {pixels: large, width: width * scale, height: height * scale, channels};
}
