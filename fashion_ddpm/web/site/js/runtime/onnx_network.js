// A denoising network as a function of noisy images, over its ONNX file.

/** @import {OnnxModel} from "./onnx_model.js" */
/** @import {Kind, Predict} from "../types.js" */

/** Rows of a call: larger calls are no faster, take more memory, and cannot be stopped inside. */
const ROWS_PER_CALL = {wasm: 4, webgpu: 16};

/**
 * Return a network as a function.
 * @param {OnnxModel} model of an ONNX file with the inputs noisy, timestep and class_label
 * @param {Kind} kind the images that it draws
 * @param {() => Promise<void>} [beforeCall] awaited before each call; what it throws ends the work
 * @returns {Predict}
 */
export function networkPredictor(model, kind, beforeCall = async () => {}) {
  const {channels, image_size: side} = kind;
  const size = channels * side ** 2;
  return async (noisy, timestep, labels) => {
    const output = new Float32Array(noisy.length);
    for (let start = 0; start < labels.length; ) {
      await beforeCall();
      const rows = Math.min(ROWS_PER_CALL[model.provider], labels.length - start);
      const shape = [rows, channels, side, side];
      const part = await model.run({
        noisy: {data: noisy.subarray(start * size, (start + rows) * size), shape},
        timestep: {data: new Float32Array(rows).fill(timestep), shape: [rows]},
        class_label: {
          data: BigInt64Array.from(labels.slice(start, start + rows), BigInt),
          shape: [rows],
        },
      });
      output.set(part, start * size);
      start += rows;
    }
    return output;
  };
}
