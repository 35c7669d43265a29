// The worker: loads the networks and the scorer, and runs them off the page. What it is told and
// what it answers: WorkerOrder and WorkerReply in types.js.

import {ClipScorer} from "./clip_scorer.js";
import {RequestError, networkFor} from "../settings/generate_request.js";
import {ModelFileError, loadFile, loadJson, loadManifest} from "./model_files.js";
import {networkPredictor} from "./onnx_network.js";
import {BrowserError, startRuntime} from "./onnx_runtime.js";
import {denoise, toUint8} from "../diffusion/sampling.js";

/** @import {OnnxModel, OnnxRuntime} from "./onnx_model.js" */
/** @import {DenoisingStep, Manifest, OnProgress, Request, Runtime, Site} from "../types.js" */
/** @import {WorkerOrder, WorkerReply} from "../types.js" */

/**
 * @typedef {Extract<WorkerOrder, {type: "start"}>} StartOrder
 * @typedef {Extract<WorkerOrder, {type: "generate"}>} GenerateOrder
 * @typedef {Extract<WorkerOrder, {type: "score"}>} ScoreOrder
 * @typedef {object} Setup
 * @property {string} base the site's folder
 * @property {Manifest} manifest
 * @property {Site} site
 * @property {Promise<OnnxRuntime>} runtime
 */

/**
 * @param {WorkerReply} reply
 * @param {Transferable[]} [transfer]
 */
const post = (reply, transfer = []) => self.postMessage(reply, {transfer});

/** @type {OnProgress} */
const postProgress = (progress) => post({type: "progress", ...progress});

/**
 * Let messages come in that have arrived meanwhile; a timer would wait for 4 ms.
 * @returns {Promise<void>}
 */
const readMessages = () => new Promise((resolve) => {
  const {port1, port2} = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(null);
});

/** The networks and the scorer, and the run that is on its way. */
class NetworkWorker {
  constructor() {
    /** @type {Promise<Setup> | null} */
    this.setup = null;
    /** @type {Map<string, Promise<OnnxModel>>} file → model */
    this.models = new Map();
    /** @type {{id: number, request: Request, controller: AbortController} | null} */
    this.current = null;
    this.isReady = false;
  }

  /**
   * Load what the first image needs: of two networks the one that is asked for.
   * @param {StartOrder} order
   */
  async start(order) {
    this.setup = prepare(order, (changed) => {
      if (this.isReady) post({type: "ready", ...changed});
    });
    const {site, runtime} = await this.setup;
    const {file} = this.current ? findNetwork(this.current.request, site) : site.networks.base;
    const model = await this.load(file);
    this.isReady = true;
    post({type: "ready", ...(await runtime).describe()});
    await readMessages();
    if (!this.current) await warmUp(model, site);
  }

  /** @returns {Promise<Setup>} */
  prepared() {
    return this.setup ?? Promise.reject(new Error("the first order must be start"));
  }

  /**
   * Return a model; it is loaded once, and again if that failed.
   * @param {string} file
   */
  load(file) {
    const loading = this.models.get(file) ?? this.open(file);
    this.models.set(file, loading);
    loading.catch(() => this.models.delete(file));
    return loading;
  }

  /** @param {string} file */
  async open(file) {
    const {base, manifest, runtime} = await this.prepared();
    try {
      const loading = loadFile(file, manifest, postProgress, base);
      const [content, ort] = await Promise.all([loading, runtime]);
      return await ort.load(content);
    } catch (error) {
      postProgress({file, loaded: 0, total: 0}); // it is not on its way any more
      throw error;
    }
  }

  /**
   * Draw images; the run before is ended between two steps.
   * @param {GenerateOrder} order
   */
  async generate({id, request}) {
    this.current?.controller.abort();
    const controller = new AbortController();
    const current = (this.current = {id, request, controller});
    try {
      await this.draw(id, request, controller.signal);
    } catch (error) {
      if (!controller.signal.aborted) throw error;
      post({type: "stopped", id});
    } finally {
      if (this.current === current) this.current = null;
    }
    this.loadRest().catch(() => {}); // why is said when they are asked for
  }

  /**
   * @param {number} id
   * @param {Request} request
   * @param {AbortSignal} signal
   */
  async draw(id, request, signal) {
    const {site} = await this.prepared();
    const model = await this.load(findNetwork(request, site).file);
    const predict = networkPredictor(model, site.kind, async () => {
      await readMessages();
      signal.throwIfAborted();
    });
    const begin = performance.now();
    let last = begin;
    for await (const step of denoise(predict, request, site, signal)) {
      const now = performance.now();
      postStep(id, step, site, now - last);
      last = now;
    }
    post({type: "done", id, ms: performance.now() - begin});
  }

  /** Load the scorer and the other network while nothing is drawn. */
  async loadRest() {
    const {connection} = /** @type {{connection?: {saveData?: boolean}}} */ (navigator);
    if (connection?.saveData) return;
    const {site} = await this.prepared();
    const {base, turbo} = site.networks;
    for (const each of [site.scorer, base, turbo]) {
      if (this.current) return;
      if (each) await this.load(each.file);
    }
  }

  /**
   * Score images.
   * @param {ScoreOrder} order
   */
  async score({id, images, labels}) {
    const {site} = await this.prepared();
    if (!site.scorer) throw new RequestError("This site has no scorer for its images.");
    const model = await this.load(site.scorer.file);
    const scorer = new ClipScorer(model, site.scorer, site.kind, readMessages);
    post({type: "scores", id, ...(await scorer.scores(images, labels))});
  }

  /** @param {number} id */
  stop(id) {
    if (this.current?.id === id) this.current.controller.abort();
  }
}

/**
 * @param {Request} request
 * @param {Site} site
 */
function findNetwork(request, {networks}) {
  return networks[networkFor(request, {networks})] ?? networks.base;
}

/**
 * Run a network once: the browser compiles what it needs, and the first image does not wait for it.
 * @param {OnnxModel} model
 * @param {Site} site
 */
async function warmUp(model, {kind}) {
  const noise = new Float32Array(kind.channels * kind.image_size ** 2);
  await networkPredictor(model, kind)(noise, 0, [kind.null_label]);
}

/**
 * Begin to load the runtime; return what else every order needs.
 * @param {StartOrder} order
 * @param {(runtime: Runtime) => void} onChange called when WASM replaced WebGPU
 * @returns {Promise<Setup>}
 */
async function prepare({base, lock, provider}, onChange) {
  await holdLock(lock);
  const manifest = await loadManifest(base);
  const options = {base, provider, onProgress: postProgress, onChange};
  const runtime = startRuntime(manifest, options);
  runtime.catch(() => {}); // said by whoever waits for it
  return {base, manifest, site: await loadJson("data/site.json.gz", manifest, base), runtime};
}

/**
 * Hold a lock as long as this worker lives: the page sees that it is gone when it gets the lock.
 * @param {string} name
 * @returns {Promise<void>}
 */
function holdLock(name) {
  const {locks} = /** @type {{locks?: LockManager}} */ (navigator); // not over http
  return new Promise((resolve) => {
    if (!locks) return resolve();
    const held = locks.request(name, () => {
      resolve();
      return new Promise(() => {});
    });
    return held.catch(() => resolve()); // browsers may deny it in a frame on another site
  });
}

/**
 * @param {number} id
 * @param {DenoisingStep} step
 * @param {Site} site
 * @param {number} ms
 */
function postStep(id, {index, alphaBar, noisy, clean}, {kind}, ms) {
  const pixels = {noisy: toUint8(noisy, kind), clean: toUint8(clean, kind)};
  const buffers = [pixels.noisy.buffer, pixels.clean.buffer];
  post({type: "step", id, index, alphaBar, ...pixels, ms}, buffers);
}

/**
 * Post why something failed; without an id if this worker cannot go on.
 * @param {unknown} error
 * @param {number | null} id
 */
function postError(error, id) {
  if (error instanceof ModelFileError || error instanceof RequestError) {
    return post({type: "error", id, message: error.message});
  }
  const message = error instanceof BrowserError ? error.message : crashSentence(error);
  return post({type: "error", id: null, message});
}

/**
 * Return what to say after an error inside the runtime, whose memory may be broken.
 * @param {unknown} error
 */
function crashSentence(error) {
  const [reason] = String(error).split("\n");
  if (/memory|alloc/i.test(reason)) {
    return "This device has too little memory for that: close other tabs or ask for fewer images, "
      + "and try again.";
  }
  return `The network failed (${reason}): try again, or use another browser.`;
}

const worker = new NetworkWorker();

self.addEventListener("message", async (/** @type {MessageEvent<WorkerOrder>} */ {data: order}) => {
  try {
    if (order.type === "start") await worker.start(order);
    else if (order.type === "generate") await worker.generate(order);
    else if (order.type === "score") await worker.score(order);
    else worker.stop(order.id);
  } catch (error) {
    postError(error, "id" in order ? order.id : null);
  }
});
