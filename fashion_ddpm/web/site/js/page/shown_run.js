// A run as the page shows it: with its scores, and those of each step of the images looked at.

import {decodeBase64} from "../pictures/pixels.js";

/** @import {Gallery, Run, Scores} from "../types.js" */

/** A finished run and what is known of its images. */
export class ShownRun {
  /** @param {Run} run */
  constructor(run) {
    this.run = run;
    /** @type {Scores | null} of the finished images; null while they are not known */
    this.scores = null;
    /** @type {Promise<Scores> | null} on its way */
    this.scoring = null;
    /** @type {Map<number, Float32Array>} image → label scores of its steps, [K · classes] */
    this.stepScores = new Map();
  }

  /** The finished images: [B, H, W(, 3)]. */
  get images() {
    return this.run.clean[this.run.clean.length - 1];
  }

  /**
   * Return one image at every step, predicted clean: [K, H, W(, 3)].
   * @param {number} index
   * @returns {Uint8Array}
   */
  stepsOf(index) {
    const size = this.images.length / this.run.request.num_images;
    const steps = new Uint8Array(this.run.clean.length * size);
    this.run.clean.forEach((batch, step) => {
      steps.set(batch.subarray(index * size, (index + 1) * size), step * size);
    });
    return steps;
  }
}

/**
 * Return the bundled images as a run.
 * @param {Gallery} gallery
 * @returns {ShownRun}
 */
export function readGallery(gallery) {
  const numSteps = gallery.alpha_bar.length;
  /** @param {string} text */
  const batches = (text) => {
    const bytes = decodeBase64(text);
    const size = bytes.length / numSteps;
    return gallery.alpha_bar.map((_, step) => bytes.subarray(step * size, (step + 1) * size));
  };
  const {request, model, alpha_bar: alphaBars} = gallery;
  const [noisy, clean] = [batches(gallery.noisy), batches(gallery.clean)];
  const shown = new ShownRun({request, model, alphaBars, noisy, clean, ms: 0, msPerStep: 0});
  if (!gallery.label_scores.length || !gallery.label_scores[0][0]?.length) return shown;
  const labels = Float32Array.from(gallery.label_scores[numSteps - 1].flat());
  shown.scores = {labels, quality: Float32Array.from(gallery.quality_scores.flat())};
  for (let index = 0; index < request.num_images; index++) {
    const steps = gallery.label_scores.flatMap((batch) => batch[index]);
    shown.stepScores.set(index, Float32Array.from(steps));
  }
  return shown;
}
