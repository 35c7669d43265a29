// Runs of the network, at most one at a time: a new one ends the one before it.

/** @import {Engine} from "./engine.js" */
/** @import {Request, Run, Scores, StepPixels} from "./types.js" */

/** What draws and scores images. */
export class Drawing {
  /** @param {Engine} engine */
  constructor(engine) {
    this.engine = engine;
    /** @type {(() => void) | null} ends the run that is on its way */
    this.end = null;
  }

  /** Whether a run is on its way. */
  get isBusy() {
    return this.end !== null;
  }

  /**
   * Draw images; end the run that is on its way.
   * @param {Request} request
   * @param {(step: StepPixels) => void} onStep
   * @returns {Promise<Run | null>} null if it was ended before its last step
   */
  async draw(request, onStep) {
    this.stop();
    let isOver = false;
    const {done, stop} = this.engine.generate(request, (step) => {
      if (!isOver) onStep(step);
    });
    /** @type {Promise<null>} */
    const ended = new Promise((resolve) => {
      this.end = () => {
        isOver = true;
        stop();
        resolve(null);
      };
    });
    const end = this.end;
    try {
      return await Promise.race([done, ended]);
    } finally {
      if (this.end === end) this.end = null;
    }
  }

  /** End the run that is on its way, if there is one. */
  stop() {
    this.end?.();
    this.end = null;
  }

  /**
   * Score images.
   * @param {Uint8Array} images [count, H, W(, 3)]
   * @param {number} count
   * @param {number[] | null} labels the requested classes, for the quality scores
   * @returns {Promise<Scores>}
   */
  score(images, count, labels) {
    return this.engine.score(images, count, labels);
  }
}
