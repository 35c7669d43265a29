// Has the service worker keep the site's files, so that the next visit needs no network.

import {loadManifest} from "./model_files.js";
import {buildFiles} from "./onnx_runtime.js";

/** @import {Manifest, Runtime, Site} from "./types.js" */

/** Register the service worker; without one (over http, in some frames) nothing is kept. */
export async function registerServiceWorker() {
  const {serviceWorker} = /** @type {{serviceWorker?: ServiceWorkerContainer}} */ (navigator);
  await serviceWorker?.register(new URL("../service_worker.js", import.meta.url)).catch(() => {});
}

/**
 * Keep what the page has loaded; once it has drawn images, keep the rest, too.
 * @param {Site} site
 * @param {Runtime} runtime
 * @param {boolean} hasDrawn
 */
export async function keepFiles(site, {provider}, hasDrawn) {
  const {connection} = /** @type {{connection?: {saveData?: boolean}}} */ (navigator);
  const {serviceWorker} = /** @type {{serviceWorker?: ServiceWorkerContainer}} */ (navigator);
  if (!serviceWorker || !(await serviceWorker.getRegistration())) return;
  const withRest = hasDrawn && !connection?.saveData;
  const paths = filesToKeep(await loadManifest(), site, provider, withRest);
  const {active} = await serviceWorker.ready;
  active?.postMessage({type: "keep", paths});
}

/**
 * Return the files that a visit needs.
 * @param {Manifest} manifest
 * @param {Site} site
 * @param {Runtime["provider"]} provider
 * @param {boolean} withRest whether the distilled network and the scorer are among them
 */
export function filesToKeep(manifest, site, provider, withRest) {
  const unused = buildFiles(provider === "wasm" ? "webgpu" : "wasm");
  const first = site.networks.base.file;
  return Object.keys(manifest.files).filter((path) => {
    const isLater = path.startsWith("models/") && path !== first;
    return !unused.includes(path) && (withRest || !isLater);
  });
}
