// onnxruntime in this page or worker: on WebGPU where the browser has it, otherwise on WASM; and
// models that it runs.

import {ModelFileError, SITE_ROOT, canVerify, loadFile} from "./model_files.js";

/** @import {Manifest, OnProgress, Runtime} from "../types.js" */

/** Module, WASM binary and what loads it; only the build for JSPI knows WebGPU. */
const BUILDS = {
  webgpu: {
    module: "ort.jspi.min.mjs",
    loader: "ort-wasm-simd-threaded.jspi.mjs",
    binary: "ort-wasm-simd-threaded.jspi.wasm.gz",
  },
  wasm: {
    module: "ort.wasm.min.mjs",
    loader: "ort-wasm-simd-threaded.mjs",
    binary: "ort-wasm-simd-threaded.wasm.gz",
  },
};
const FOLDER = "vendor/onnxruntime/";
const MAX_THREADS = 4;
const UNVERIFIED =
  "The files' checksums could not be compared, because this page was not loaded over https.";

/** A function with an instruction of WASM SIMD, which onnxruntime needs. */
const SIMD_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11,
]);

/** Networks cannot run in this browser; its message is one sentence for the visitor. */
export class BrowserError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "BrowserError";
  }
}

/**
 * What is used of the package onnxruntime-web.
 * @typedef {{data: Float32Array}} OutputTensor
 * @typedef {{run(feeds: object): Promise<Record<string, OutputTensor>>, outputNames: string[],
 *   release(): Promise<void>}} Session
 * @typedef {object} Ort
 * @property {{logLevel: string, wasm: Record<string, unknown>}} env
 * @property {new (type: string, data: Float32Array | BigInt64Array, dims: number[]) => object} Tensor
 * @property {{create(content: Uint8Array, options: object): Promise<Session>}} InferenceSession
 */

/**
 * @typedef {object} RuntimeOptions
 * @property {"webgpu" | "wasm"} [provider] what to use; without it WebGPU if a real GPU is there
 * @property {OnProgress} [onProgress]
 * @property {(runtime: Runtime) => void} [onChange] called when WebGPU failed and WASM replaced it
 * @property {string} [base] the site's folder
 */

/**
 * Load onnxruntime.
 * @param {Manifest} manifest
 * @param {RuntimeOptions} [options]
 * @returns {Promise<OnnxRuntime>}
 * @throws {BrowserError} this browser cannot run it
 * @throws {ModelFileError} a file is missing or damaged, or cannot be reached
 */
export async function startRuntime(manifest, options = {}) {
  checkBrowser();
  const provider = options.provider ?? (await hasGpu() ? "webgpu" : "wasm");
  if (provider === "wasm") return loadBuild("wasm", manifest, options);
  try {
    return await loadBuild("webgpu", manifest, options);
  } catch (error) {
    if (error instanceof ModelFileError) throw error;
    const runtime = await loadBuild("wasm", manifest, options);
    runtime.note = fallbackNote(error);
    return runtime;
  }
}

/** Throw if this browser cannot run onnxruntime at all. */
function checkBrowser() {
  if (typeof WebAssembly === "undefined") {
    throw new BrowserError(
      "This browser has no WebAssembly, or it is switched off (as in a lockdown mode): allow it for "
        + "this site, or use another browser.",
    );
  }
  if (!WebAssembly.validate(SIMD_MODULE)) {
    throw new BrowserError(
      "This browser's WebAssembly is too old (it has no SIMD): update it, or use Chrome 91, "
        + "Firefox 89, Safari 16.4 or newer.",
    );
  }
}

/** Whether a GPU can be used: with WebGPU, JSPI, and no software in its place. */
async function hasGpu() {
  const {gpu} = /** @type {{gpu?: GpuEntry}} */ (globalThis.navigator ?? {});
  if (!gpu || !("Suspending" in WebAssembly)) return false;
  const adapter = await gpu.requestAdapter().catch(() => null);
  return Boolean(adapter) && !adapter?.info?.isFallbackAdapter;
}

/**
 * @typedef {{info?: {isFallbackAdapter?: boolean}}} GpuAdapter
 * @typedef {{requestAdapter(): Promise<GpuAdapter | null>}} GpuEntry
 */

/**
 * Return the files of a build.
 * @param {Runtime["provider"]} provider
 */
export function buildFiles(provider) {
  return Object.values(BUILDS[provider]).map((name) => FOLDER + name);
}

/**
 * @param {Runtime["provider"]} provider
 * @param {Manifest} manifest
 * @param {RuntimeOptions} options
 */
async function loadBuild(provider, manifest, {onProgress, onChange, base}) {
  const {module, loader, binary} = BUILDS[provider];
  const [ort, wasmBinary] = await Promise.all([
    importModule(module),
    loadFile(FOLDER + binary, manifest, onProgress, base),
  ]);
  const cores = globalThis.navigator?.hardwareConcurrency ?? 1;
  const threads = globalThis.crossOriginIsolated ? Math.min(MAX_THREADS, cores) : 1;
  ort.env.logLevel = "error";
  const wasmPaths = {mjs: new URL(FOLDER + loader, SITE_ROOT).href};
  Object.assign(ort.env.wasm, {numThreads: threads, proxy: false, wasmBinary, wasmPaths});
  return new OnnxRuntime(ort, provider, threads, onChange);
}

/**
 * @param {string} name
 * @returns {Promise<Ort>}
 */
async function importModule(name) {
  try {
    return await import(new URL(FOLDER + name, SITE_ROOT).href);
  } catch {
    throw new ModelFileError(
      `${FOLDER}${name} could not be loaded: check the connection and reload the page.`,
    );
  }
}

/** @param {unknown} error */
function fallbackNote(error) {
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
    const options = {executionProviders: [this.provider], logSeverityLevel: 3};
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
   * @param {Record<string, {data: Float32Array | BigInt64Array, shape: number[]}>} inputs
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

  /** @param {Record<string, {data: Float32Array | BigInt64Array, shape: number[]}>} inputs */
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
