// A run of the network whose end before its last step is no error.

import {Stopped} from "../runtime/engine.js";

/** @import {Engine} from "../runtime/engine.js" */
/** @import {Request, Run, StepPixels} from "../types.js" */

/**
 * Draw images; a run that is on its way is ended.
 * @param {Engine} engine
 * @param {Request} request
 * @param {(step: StepPixels) => void} onStep
 * @returns {{run: Promise<Run | null>, stop: () => void}} null: it was ended before its last step
 */
export function draw(engine, request, onStep) {
  const {done, stop} = engine.generate(request, onStep);
  const run = done.catch((error) => {
    if (error instanceof Stopped) return null;
    throw error;
  });
  return {run, stop};
}
