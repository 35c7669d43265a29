// All frames of a run in one picture, for the player (demo/trajectory.py, select_frames).

import {selectFrames} from "./gif_frames.js";
import {context, pictureOf, toImageData} from "./pixels.js";

/** @import {Frames} from "./gif_frames.js" */
/** @import {Kind, Run} from "./types.js" */

const MAX_SIDE = 64; // longest side of a frame, in pixels; larger images are shown reduced
const MAX_SPRITE_BYTES = 4_000_000; // before compression; of large images it holds fewer steps

/**
 * Return the frames of a run that the player shows: all of them, or evenly spaced ones.
 * @param {Run} run
 * @param {Kind} kind
 * @returns {Frames}
 */
export function playerFrames(run, kind) {
  const factor = Math.ceil(kind.image_size / MAX_SIDE);
  const side = Math.floor(kind.image_size / factor);
  const stepBytes = 2 * run.request.num_images * side * side * kind.channels;
  return selectFrames(run, kind, Math.max(2, Math.floor(MAX_SPRITE_BYTES / stepBytes)));
}

/**
 * Paint frames: a column for each step; x_t above, the predicted clean images below.
 * @param {Frames} frames
 * @param {number} count images of the run
 * @param {number} channels
 * @returns {HTMLCanvasElement}
 */
export function paintSprite({steps, noisy, clean, side}, count, channels) {
  const canvas = document.createElement("canvas");
  canvas.width = steps.length * side;
  canvas.height = 2 * count * side;
  const target = context(canvas);
  steps.forEach((_, place) => {
    [noisy[place], clean[place]].forEach((batch, half) => {
      for (let index = 0; index < count; index++) {
        const picture = pictureOf(batch, index, {image_size: side, channels});
        target.putImageData(toImageData(picture), place * side, (half * count + index) * side);
      }
    });
  });
  return canvas;
}
