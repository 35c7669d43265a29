// The page's side of the worker: asks it to draw and to score, and notices when it is gone.

import {networkFor} from "../settings/generate_request.js";
import {SITE_ROOT} from "./model_files.js";

/** @import {OnProgress, Request, Run, Runtime, Scores, Site} from "../types.js" */
/** @import {StepPixels, WorkerOrder, WorkerReply} from "../types.js" */

const WORKER_GONE =
  "The browser has ended what draws the images, probably for want of memory: try again, with fewer "
  + "images or fewer tabs.";
const WORKER_FILE_FAILED =
  "js/runtime/worker.js could not be loaded, or this browser is too old for it: check the connection, or "
  + "use Chrome 91, Firefox 114, Safari 16.4 or newer.";

/** Nothing can be drawn or scored; its message is one sentence for the visitor. */
export class EngineError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "EngineError";
  }
}

/** A run was ended, by stop() or by a newer one. */
export class Stopped extends Error {
  constructor() {
    super("The run was stopped.");
    this.name = "Stopped";
  }
}

/**
 * A request to the worker that has not been answered.
 * @typedef {object} Pending
 * @property {(reply: WorkerReply) => void} take
 * @property {(error: Error) => void} fail
 */

/**
 * @typedef {object} EngineOptions
 * @property {(runtime: Runtime) => void} [onRuntime] called when it is ready or has changed
 * @property {() => void} [onRun] called after each finished run
 * @property {"webgpu" | "wasm"} [provider] instead of the best one
 */

/** Draws and scores images in a worker; start() begins anew after a failure. */
export class Engine {
  /**
   * @param {Site} site
   * @param {OnProgress} [onProgress] called while files load
   * @param {EngineOptions} [options]
   */
  constructor(site, onProgress = () => {}, options = {}) {
    this.site = site;
    this.onProgress = onProgress;
    this.onRuntime = options.onRuntime ?? (() => {});
    this.onRun = options.onRun ?? (() => {});
    this.provider = options.provider;
    this.lastId = 0;
    /** @type {Map<number, Pending>} */
    this.pending = new Map();
    /** @type {number | null} id of the run that is on its way */
    this.running = null;
    /** @type {Worker | null} */
    this.worker = null;
    /** @type {Promise<Runtime> | null} */
    this.started = null;
    /** @type {(runtime: Runtime) => void} */
    this.onReady = () => {};
    /** @type {(error: Error) => void} */
    this.onFailure = () => {};
  }

  /**
   * Load the runtime and the network, unless that is done or under way.
   * @returns {Promise<Runtime>}
   * @throws {EngineError}
   */
  start() {
    if (this.started) return this.started;
    this.started = new Promise((resolve, reject) => {
      this.onReady = resolve;
      this.onFailure = reject;
    });
    this.started.catch(() => {}); // said by whoever waits for it
    this.launch();
    return this.started;
  }

  launch() {
    const worker = (this.worker = new Worker(new URL("./worker.js", import.meta.url), {
      type: "module",
    }));
    const lock = `fashion-ddpm worker ${crypto.getRandomValues(new Uint32Array(2)).join(" ")}`;
    let hasAnswered = false;
    worker.onmessage = ({data}) => {
      if (worker !== this.worker) return;
      if (!hasAnswered) this.watch(worker, lock);
      hasAnswered = true;
      this.take(data);
    };
    worker.onerror = (event) => {
      event.preventDefault(); // said on the page
      if (worker !== this.worker) return;
      this.end(new EngineError(hasAnswered ? WORKER_GONE : WORKER_FILE_FAILED));
    };
    this.send({type: "start", base: SITE_ROOT, lock, provider: this.provider});
  }

  /**
   * Notice when a worker is gone: no event says so, but its lock is free.
   * @param {Worker} worker that holds the lock
   * @param {string} lock
   */
  watch(worker, lock) {
    const {locks} = /** @type {{locks?: LockManager}} */ (navigator); // not over http
    const watched = locks?.request(lock, () => {
      if (worker === this.worker) this.end(new EngineError(WORKER_GONE));
    });
    watched?.catch(() => {}); // denied, as it is to the worker
  }

  /**
   * End the worker and whatever was asked of it.
   * @param {Error} error
   */
  end(error) {
    this.worker?.terminate();
    this.worker = null;
    this.started = null;
    this.running = null;
    this.onFailure(error);
    const pending = [...this.pending.values()];
    this.pending.clear();
    for (const {fail} of pending) fail(error);
  }

  /**
   * @param {WorkerOrder} order
   * @param {Transferable[]} [transfer]
   */
  send(order, transfer = []) {
    this.worker?.postMessage(order, {transfer});
  }

  /** @param {WorkerReply} reply */
  take(reply) {
    if (reply.type === "progress") return this.onProgress(reply);
    if (reply.type === "ready") {
      const {type, ...runtime} = reply;
      this.onReady(runtime);
      return this.onRuntime(runtime);
    }
    if (reply.type === "error" && reply.id === null) {
      return this.end(new EngineError(reply.message));
    }
    return this.pending.get(Number(reply.id))?.take(reply);
  }

  /**
   * Draw images; a run that is on its way is ended.
   * @param {Request} request
   * @param {(step: StepPixels) => void} [onStep]
   * @returns {{done: Promise<Run>, stop: () => void}} done fails with Stopped after stop()
   */
  generate(request, onStep = () => {}) {
    if (this.running !== null) this.stop(this.running);
    this.start();
    const id = ++this.lastId;
    this.running = id;
    const steps = /** @type {StepPixels[]} */ ([]);
    /** @type {Promise<Run>} */
    const done = this.ask(id, (reply, answer) => {
      if (reply.type === "step") {
        steps.push(reply);
        onStep(reply);
      } else if (reply.type === "done") {
        answer(toRun(request, this.site, steps, reply.ms));
        this.onRun();
      }
    });
    const clear = () => {
      if (this.running === id) this.running = null;
    };
    done.then(clear, clear);
    this.send({type: "generate", id, request});
    return {done, stop: () => this.stop(id)};
  }

  /**
   * Score images.
   * @param {Uint8Array} images [B, H, W(, 3)]
   * @param {number[] | null} [labels] the classes of the quality prompts; null for none
   * @returns {Promise<Scores>}
   * @throws {EngineError}
   */
  score(images, labels = null) {
    this.start();
    const id = ++this.lastId;
    /** @type {Promise<Scores>} */
    const scores = this.ask(id, (reply, answer) => {
      if (reply.type === "scores") answer({labels: reply.labels, quality: reply.quality});
    });
    this.send({type: "score", id, images, labels});
    return scores;
  }

  /**
   * Return what the worker answers to a request.
   * @template T
   * @param {number} id
   * @param {(reply: WorkerReply, answer: (value: T) => void) => void} take called with its replies
   * @returns {Promise<T>}
   */
  ask(id, take) {
    return new Promise((resolve, reject) => {
      const answer = (/** @type {T} */ value) => {
        this.pending.delete(id);
        resolve(value);
      };
      const fail = (/** @type {Error} */ error) => {
        this.pending.delete(id);
        reject(error);
      };
      this.pending.set(id, {
        fail,
        take: (reply) => {
          if (reply.type === "error") fail(new EngineError(reply.message));
          else take(reply, answer);
        },
      });
    });
  }

  /** @param {number} id of a run */
  stop(id) {
    this.send({type: "stop", id});
    this.pending.get(id)?.fail(new Stopped());
  }
}

/**
 * @param {Request} request
 * @param {Site} site
 * @param {StepPixels[]} steps
 * @param {number} ms
 * @returns {Run}
 */
function toRun(request, site, steps, ms) {
  const network = site.networks[networkFor(request, site)] ?? site.networks.base;
  return {
    request,
    model: network.model,
    alphaBars: steps.map(({alphaBar}) => alphaBar),
    noisy: steps.map(({noisy}) => noisy),
    clean: steps.map(({clean}) => clean),
    ms,
    msPerStep: ms / steps.length,
  };
}
