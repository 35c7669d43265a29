// All frames of a run in one picture, for the player (demo/trajectory.py, Frames.sprite).

import {context, pictureOf, toImageData} from "../pictures/pixels.js";

/** @import {Frames} from "../pictures/gif_frames.js" */

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
