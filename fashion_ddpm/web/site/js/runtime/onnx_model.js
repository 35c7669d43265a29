// onnxruntime with its models, which go on with WASM where WebGPU fails.

import {canVerify} from "./model_files.js";

/** @import {Runtime} from "../types.js" */

const UNVERIFIED =
  "The files' checksums could not be compared, because this page was not loaded over https.";

/**
 * What is used of the package onnxruntime-web.
 * @typedef {Float32Array | BigInt64Array} InputData
 * @typedef {{data: Float32Array}} OutputTensor
 * @typedef {{run(feeds: object): Promise<Record<string, OutputTensor>>, outputNames: string[],
 *   release(): Promise<void>}} Session
 * @typedef {object} Ort
 * @property {{logLevel: string, wasm: Record<string, unknown>}} env
 * @property {new (type: string, data: InputData, shape: number[]) => object} Tensor
 * @property {{create(content: Uint8Array, options: object): Promise<Session>}} InferenceSession
 */

/**
 * Return a sentence for the visitor.
 * @param {unknown} error why WebGPU cannot be used
 */
export function fallbackNote(error) {
  const [reason] = String(error instanceof Error ? error.message : error).split("\n");
  return `WebGPU failed here (${reason}), so the networks run on WASM.`;
}

/** onnxruntime with its models. It runs one at a time: neither WASM nor JSPI can do two. */
export class OnnxRuntime {
  /**
   * @param {Ort} ort
   * @param {Runtime["provider"]} provider
   * @param {number} threads
   * @param {(runtime: Runtime) => void} [onChange]
   */
  constructor(ort, provider, threads, onChange = () => {}) {
    this.ort = ort;
    this.provider = provider;
    this.threads = threads;
    this.note = canVerify() ? "" : UNVERIFIED;
    this.onChange = onChange;
    /** @type {Promise<unknown>} */
    this.last = Promise.resolve();
  }

  /** @returns {Runtime} */
  describe() {
    const {provider, threads, note} = this;
    return {provider, threads, ...(note ? {note} : {})};
  }

  /**
   * Load a model.
   * @param {Uint8Array} content of an ONNX file
   */
  async load(content) {
    const model = new OnnxModel(this, content);
    await this.inTurn(() => model.open());
    return model;
  }

  /**
   * Do something once all that was asked before is done.
   * @template T
   * @param {() => Promise<T>} action
   * @returns {Promise<T>}
   */
  inTurn(action) {
    const done = this.last.then(action);
    this.last = done.catch(() => {});
    return done;
  }

  /** @param {unknown} error why WebGPU cannot be used any more */
  useWasm(error) {
    if (this.provider === "wasm") return;
    this.provider = "wasm";
    this.note = fallbackNote(error);
    this.onChange(this.describe());
  }
}

/** A model of an ONNX file with one output, float32. */
export class OnnxModel {
  /**
   * @param {OnnxRuntime} runtime
   * @param {Uint8Array} content
   */
  constructor(runtime, content) {
    this.runtime = runtime;
    /** @type {Uint8Array | null} */
    this.content = content;
    /** @type {Session | null} */
    this.session = null;
    this.provider = runtime.provider;
  }

  /** Make it ready; on WASM if WebGPU refuses it. */
  async open() {
    this.provider = this.runtime.provider;
    try {
      await this.create();
    } catch (error) {
      if (this.provider === "wasm") throw error;
      await this.reopen(error);
    }
    if (this.provider === "wasm") this.content = null; // the memory is needed elsewhere
  }

  async create() {
    const content = /** @type {Uint8Array} */ (this.content);
    const options = {
      executionProviders: [this.provider],
      graphOptimizationLevel: this.provider === "wasm" ? "basic" : "all", // the rest gains nothing
      logSeverityLevel: 3,
    };
    this.session = await this.runtime.ort.InferenceSession.create(content, options);
  }

  /**
   * Go on with WASM.
   * @param {unknown} error why WebGPU cannot be used any more
   */
  async reopen(error) {
    this.runtime.useWasm(error);
    this.session?.release().catch(() => {});
    this.provider = "wasm";
    await this.create();
    this.content = null;
  }

  /**
   * Return the output for inputs.
   * @param {Record<string, {data: InputData, shape: number[]}>} inputs
   * @returns {Promise<Float32Array>}
   */
  run(inputs) {
    return this.runtime.inTurn(async () => {
      if (this.provider === "wasm") return this.compute(inputs);
      try {
        const output = await this.compute(inputs);
        if (output.every(Number.isFinite)) return output;
        throw new Error("its output was not finite");
      } catch (error) {
        await this.reopen(error);
        return this.compute(inputs);
      }
    });
  }

  /** @param {Record<string, {data: InputData, shape: number[]}>} inputs */
  async compute(inputs) {
    const {Tensor} = this.runtime.ort;
    const session = /** @type {Session} */ (this.session);
    const feeds = Object.entries(inputs).map(([name, {data, shape}]) => {
      const type = data instanceof BigInt64Array ? "int64" : "float32";
      return [name, new Tensor(type, data, shape)];
    });
    const outputs = await session.run(Object.fromEntries(feeds));
    return outputs[session.outputNames[0]].data;
  }
}
