// The start of onnxruntime: on WebGPU where the browser has it, otherwise on WASM.

import {ModelFileError, SITE_ROOT, loadFile} from "./model_files.js";
import {OnnxRuntime, fallbackNote} from "./onnx_model.js";

/** @import {Ort} from "./onnx_model.js" */
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

/** A function with an instruction of WASM SIMD, which onnxruntime needs. */
const SIMD_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11,
]);

/** The smallest model, y = x, in base64: with it the runtime starts while a network is loading. */
const SMALLEST_MODEL =
  "CAg6NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEBI=";

/** Networks cannot run in this browser; its message is one sentence for the visitor. */
export class BrowserError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "BrowserError";
  }
}

/**
 * @typedef {object} RuntimeOptions
 * @property {"webgpu" | "wasm"} [provider] what to use; without it WebGPU if a real GPU is there
 * @property {OnProgress} [onProgress]
 * @property {(runtime: Runtime) => void} [onChange] called when WebGPU failed and WASM replaced it
 * @property {string} [base] the site's folder
 */

/**
 * Load onnxruntime, and try whether it runs.
 * @param {Manifest} manifest
 * @param {RuntimeOptions} [options]
 * @returns {Promise<OnnxRuntime>}
 * @throws {BrowserError} this browser cannot run it
 * @throws {ModelFileError} a file is missing or damaged, or cannot be reached
 */
export async function startRuntime(manifest, options = {}) {
  checkBrowser();
  const provider = options.provider ?? (await hasGpu() ? "webgpu" : "wasm");
  if (provider === "wasm") return startBuild("wasm", manifest, options);
  try {
    return await startBuild("webgpu", manifest, options);
  } catch (error) {
    if (error instanceof ModelFileError) throw error;
    const runtime = await startBuild("wasm", manifest, options);
    runtime.note = fallbackNote(error);
    return runtime;
  }
}

/** Throw if this browser cannot run onnxruntime at all. */
function checkBrowser() {
  if (typeof WebAssembly === "undefined") {
    throw new BrowserError(
      "This browser has no WebAssembly, or it is switched off (as in a lockdown mode): allow it "
        + "for this site, or use another browser.",
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
async function startBuild(provider, manifest, {onProgress, onChange, base}) {
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
  const runtime = new OnnxRuntime(ort, provider, threads, onChange);
  await runtime.load(Uint8Array.from(atob(SMALLEST_MODEL), (letter) => letter.charCodeAt(0)));
  return runtime;
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
