// An animated GIF of a run, with the timing and the layout of the Gradio page
// (fashion_ddpm/demo/trajectory.py).

import {GIFEncoder, applyPalette, quantize} from "../../vendor/gifenc.js";
import {previewPicture, selectFrames} from "./gif_frames.js";

/** @import {Kind, Run} from "../types.js" */
/** @import {Picture} from "./gif_frames.js" */

const SIDE = 56; // images are enlarged to about so many pixels
const MAX_STEPS = 40; // noise cannot be compressed: each step takes 3 kB an image
const TOTAL_MS = 4000;
const LAST_MS = 2000;
const FRAME_MS = [100, 400]; // shortest and longest duration of another frame
const TICK_MS = 10; // the unit of a GIF
const KEEP = 1; // GIF's disposal method: the next frame is drawn over this one
const NUM_COLOURS = 256;
const GREYS = Array.from({length: NUM_COLOURS}, (_, level) => [level, level, level]);

/**
 * Return an animated GIF of a run: x_t in the upper rows, the predicted clean images below.
 * @param {Pick<Run, "noisy" | "clean">} run
 * @param {Pick<Kind, "image_size" | "channels">} kind
 * @returns {Uint8Array}
 */
export function encodeGif(run, kind) {
  const {steps, noisy, clean, side} = selectFrames(run, kind, MAX_STEPS);
  const scale = Math.max(1, Math.floor(SIDE / side));
  const [shortest, longest] = FRAME_MS;
  const even = Math.floor(TOTAL_MS / steps.length / TICK_MS) * TICK_MS;
  const duration = Math.min(Math.max(even, shortest), longest);
  const encoder = GIFEncoder();
  steps.forEach((_, index) => {
    const picture = previewPicture(noisy[index], clean[index], side, kind.channels, scale);
    const {pixels, palette} = toIndexed(picture);
    encoder.writeFrame(pixels, picture.width, picture.height, {
      // A palette of greys serves all frames; one of colours serves its own.
      palette: index && kind.channels === 1 ? undefined : palette,
      delay: index === steps.length - 1 ? LAST_MS : duration,
      dispose: KEEP,
    });
  });
  encoder.finish();
  return encoder.bytes();
}

/**
 * Return a picture's pixels as indices of a palette.
 * @param {Picture} picture
 */
function toIndexed({pixels, width, height, channels}) {
  if (channels === 1) return {pixels, palette: GREYS};
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgba.set(pixels.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
  }
  // Of noise: the time is the square of the number of colours, of which this format has 4,096.
  const palette = quantize(rgba, NUM_COLOURS, {format: "rgb444"});
  return {pixels: applyPalette(rgba, palette), palette};
}
