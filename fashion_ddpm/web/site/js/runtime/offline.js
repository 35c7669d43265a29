// Has the service worker keep the site's files, so that the next visit needs no network.

import {loadManifest} from "./model_files.js";
import {buildFiles} from "./onnx_runtime.js";

/** @import {OnProgress, Runtime} from "../types.js" */

/** The site's files in this browser: at first those that are loaded anyway, then all. */
export class OfflineCopy {
  /** Register the service worker; without one (over http, in some frames) nothing is kept. */
  constructor() {
    /** @type {Runtime["provider"] | null} */
    this.provider = null;
    this.hasDrawn = false;
    /** @type {Set<string>} files that are here */
    this.loaded = new Set();
    const {serviceWorker} = /** @type {{serviceWorker?: ServiceWorkerContainer}} */ (navigator);
    const script = new URL("../../service_worker.js", import.meta.url);
    this.registered = serviceWorker?.register(script).then(() => serviceWorker.ready);
    this.registered?.catch(() => {}); // the site works without it
  }

  /** @type {OnProgress} */
  noteProgress({file, loaded, total}) {
    if (loaded === total) this.loaded.add(file);
  }

  /**
   * Keep the page and what it has loaded.
   * @param {Runtime} runtime
   */
  keepFirst({provider}) {
    this.provider = provider;
    return this.keep();
  }

  /** Keep the rest, too; called after a run, so that nobody waits for it. */
  keepRest() {
    if (this.hasDrawn) return Promise.resolve();
    this.hasDrawn = true;
    return this.keep();
  }

  async keep() {
    const registration = await this.registered?.catch(() => null);
    if (!registration || !this.provider) return;
    const {connection} = /** @type {{connection?: {saveData?: boolean}}} */ (navigator);
    const withRest = this.hasDrawn && !connection?.saveData;
    const manifest = await loadManifest().catch(() => null); // offline, there is nothing to keep
    if (!manifest) return;
    const unused = buildFiles(this.provider === "wasm" ? "webgpu" : "wasm");
    const paths = Object.keys(manifest.files).filter((path) => {
      const isLater = path.startsWith("models/") && !this.loaded.has(path);
      return !unused.includes(path) && (withRest || !isLater);
    });
    registration.active?.postMessage({type: "keep", paths});
  }
}
