// What the page says about itself: a run's status, errors, the runtime and files on their way.

import {bringIntoView, find, make, setText} from "./elements.js";
import {megabytes} from "./wording.js";

/** @import {Run, Runtime} from "../types.js" */

/** Part of a file's path → what it is. */
const FILE_NAMES = /** @type {const} */ ([
  ["wasm", "the runtime"],
  ["unet", "the network"],
  ["turbo", "the distilled network"],
  ["clip", "the scorer"],
]);

/** The lines of text at the top of the results. */
export class Status {
  constructor() {
    this.status = find("#status");
    this.notice = find("#notice");
    this.alert = find("#alert");
    this.runtimeLine = find("#runtime");
    this.progressLine = find("#loading");
    this.bar = /** @type {HTMLProgressElement} */ (find("#loading progress"));
    /** @type {Map<string, {loaded: number, total: number}>} files on their way */
    this.files = new Map();
    this.runtime = "";
    this.runtimeNote = "";
    this.speed = "";
    this.isMistake = false; // the visitor's own, which the alert tells
  }

  /**
   * Say what happens or happened; errors go away.
   * @param {string} text
   */
  say(text) {
    setText(this.status, text);
    this.alert.hidden = true;
  }

  /**
   * Say something beside the status, until the next note.
   * @param {string} text
   */
  note(text) {
    setText(this.notice, text);
  }

  /**
   * Say why something cannot be done; no file is on its way any more.
   * @param {string} sentence
   */
  fail(sentence) {
    this.files.clear();
    this.progressLine.hidden = true;
    this.alert.replaceChildren(make("p", {}, sentence));
    this.alert.hidden = false;
    this.isMistake = false;
  }

  /**
   * Say which setting is wrong, until a setting is changed.
   * @param {string} sentence
   */
  failSetting(sentence) {
    this.fail(sentence);
    this.isMistake = true;
    bringIntoView(this.alert);
  }

  /** A setting was changed. */
  forgetSetting() {
    if (this.isMistake) this.alert.hidden = true;
  }

  /** @param {Runtime} runtime */
  showRuntime({provider, threads, note = ""}) {
    const count = threads === 1 ? "one thread" : `${threads} threads`;
    this.runtime = provider === "webgpu" ? "WebGPU" : `WebAssembly, ${count}`;
    this.runtimeNote = note;
    this.showRuntimeLine();
  }

  /** @param {Run} run */
  showSpeed({request, msPerStep}) {
    const ms = msPerStep < 10 ? msPerStep.toFixed(1) : msPerStep.toFixed(0);
    const images = request.num_images === 1 ? "one image" : `${request.num_images} images`;
    this.speed = `${ms} ms a step for ${images}`;
    this.showRuntimeLine();
  }

  showRuntimeLine() {
    const parts = [`Runs in this browser: ${this.runtime}`, this.speed];
    const text = parts.filter(Boolean).join(" · ");
    setText(this.runtimeLine, this.runtimeNote ? `${text}. ${this.runtimeNote}` : text);
  }

  /**
   * Show how much of the files on their way has arrived.
   * @param {{file: string, loaded: number, total: number}} progress
   */
  showProgress({file, loaded, total}) {
    this.files.set(file, {loaded, total});
    const under = [...this.files];
    const isOver = under.every(([, each]) => each.loaded >= each.total);
    this.progressLine.hidden = isOver;
    if (isOver) return this.files.clear();
    const arrived = under.reduce((sum, [, each]) => sum + each.loaded, 0);
    const all = under.reduce((sum, [, each]) => sum + each.total, 0);
    const names = under.map(([path]) => FILE_NAMES.find(([part]) => path.includes(part))?.[1] ?? path);
    const text = `Loading ${[...new Set(names)].join(" and ")}: ${megabytes(arrived)} of ${megabytes(all)} MB`;
    setText(find("span", this.progressLine), text);
    this.bar.max = all;
    this.bar.value = arrived;
  }
}
