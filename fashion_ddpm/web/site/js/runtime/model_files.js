// The site's files, verified: fetched with progress, unpacked if gzipped, compared with the
// checksums in manifest.json, and fetched anew once if they are damaged or incomplete.

/** @import {Manifest, OnProgress} from "../types.js" */

/** The site's folder; paths in the manifest are relative to it. */
export const SITE_ROOT = new URL("../../", import.meta.url).href;

const MANIFEST = "manifest.json";
const GZIP_MAGIC = [0x1f, 0x8b];
const COPY_AGAIN = "ask whoever runs this site to copy its folder again";

/** A file of the site that cannot be used; its message is one sentence for the visitor. */
export class ModelFileError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "ModelFileError";
  }
}

/** Whether checksums can be computed: only over https, or from this machine. */
export const canVerify = () => Boolean(globalThis.crypto?.subtle);

/**
 * Return the list of the site's files.
 * @param {string} [base] the site's folder
 * @returns {Promise<Manifest>}
 * @throws {ModelFileError} it is missing or damaged, or cannot be reached
 */
export async function loadManifest(base = SITE_ROOT) {
  const response = await request(MANIFEST, base, {cache: "no-cache"});
  const manifest = await response.json().catch(() => null);
  if (manifest?.version && manifest.files) return manifest;
  throw new ModelFileError(`${MANIFEST} is damaged: reload the page, or ${COPY_AGAIN}.`);
}

/**
 * Return a file of the site.
 * @param {string} path as in the manifest
 * @param {Manifest} manifest
 * @param {OnProgress} [onProgress] called with bytes of the file as it is stored
 * @param {string} [base] the site's folder
 * @returns {Promise<Uint8Array<ArrayBuffer>>} its content; of a .gz file, what is inside
 * @throws {ModelFileError} it is missing or damaged, or cannot be reached
 */
export async function loadFile(path, manifest, onProgress = () => {}, base = SITE_ROOT) {
  try {
    return await loadOnce(path, manifest, onProgress, base, {});
  } catch (error) {
    if (!(error instanceof ModelFileError)) throw error;
  }
  try {
    // Past the browser's cache and the service worker's, which keep the new content.
    return await loadOnce(path, manifest, onProgress, base, {cache: "reload"});
  } catch (error) {
    const newest = await loadManifest(base).catch(() => manifest);
    if (newest.version === manifest.version) throw error;
    throw new ModelFileError("This site has a new version: reload the page.");
  }
}

/**
 * Return a JSON file of the site.
 * @param {string} path as in the manifest
 * @param {Manifest} manifest
 * @param {string} [base] the site's folder
 * @returns {Promise<any>}
 * @throws {ModelFileError} it is missing or damaged, or cannot be reached
 */
export async function loadJson(path, manifest, base = SITE_ROOT) {
  return JSON.parse(new TextDecoder().decode(await loadFile(path, manifest, () => {}, base)));
}

/**
 * Return a text of the site, before the manifest is there: the page opens with it.
 * @param {string} path
 * @returns {Promise<string>}
 * @throws {ModelFileError} it is missing or damaged, or cannot be reached
 */
export async function loadText(path) {
  const response = await request(path, SITE_ROOT, {});
  const content = await unpack(await toBytes(await response.blob()), path);
  return new TextDecoder().decode(content);
}

/**
 * @param {string} path
 * @param {Manifest} manifest
 * @param {OnProgress} onProgress
 * @param {string} base
 * @param {RequestInit} options of fetch
 */
async function loadOnce(path, manifest, onProgress, base, options) {
  const entry = manifest.files[path];
  if (!entry) throw new ModelFileError(`${path} is not a file of this site: reload the page.`);
  const response = await request(path, base, options);
  const stored = await readBody(response, path, entry.bytes, onProgress);
  const content = path.endsWith(".gz") ? await unpack(stored, path) : stored;
  const isWhole = canVerify()
    ? (await sha256(content)) === entry.sha256
    : path.endsWith(".gz") || content.length === entry.bytes; // a .gz file has a sum of its own
  if (isWhole) return content;
  throw damaged(path);
}

/**
 * @param {string} path
 * @param {string} base
 * @param {RequestInit} options of fetch
 */
async function request(path, base, options) {
  const response = await fetch(new URL(path, base), options).catch(() => {
    const cause = globalThis.navigator?.onLine === false
      ? "this browser is offline" : "the site cannot be reached";
    throw new ModelFileError(
      `${path} could not be loaded, because ${cause}: check the connection and try again.`,
    );
  });
  if (response.ok) return response;
  const advice = response.status < 500 ? COPY_AGAIN : "try again later";
  throw new ModelFileError(
    `${path} could not be loaded, because the server answered ${response.status}: ${advice}.`,
  );
}

/**
 * @param {Response} response
 * @param {string} path
 * @param {number} total bytes of the file as it is stored
 * @param {OnProgress} onProgress
 */
async function readBody(response, path, total, onProgress) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  let loaded = 0;
  onProgress({file: path, loaded, total});
  try {
    const body = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body);
    const reader = body.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      parts.push(read.value);
      loaded += read.value.length;
      // A server that sends the content unpacked sends more than is stored.
      onProgress({file: path, loaded: Math.min(loaded, total), total});
    }
  } catch {
    const [got, all] = [loaded, total].map((bytes) => (bytes / 1e6).toFixed(1));
    throw new ModelFileError(
      `${path} arrived incomplete (${got} of ${all} MB): check the connection and try again.`,
    );
  }
  return toBytes(new Blob(parts));
}

/**
 * Return what is inside a gzip file; what a server has already unpacked is returned as it is.
 * @param {Uint8Array<ArrayBuffer>} stored
 * @param {string} path
 */
async function unpack(stored, path) {
  if (GZIP_MAGIC.some((byte, index) => stored[index] !== byte)) return stored;
  if (typeof DecompressionStream === "undefined") {
    throw new ModelFileError(
      "This browser cannot unpack the site's files: update it, or use Chrome 80, Firefox 113, "
        + "Safari 16.4 or newer.",
    );
  }
  const unpacked = new Blob([stored]).stream().pipeThrough(new DecompressionStream("gzip"));
  return toBytes(unpacked).catch(() => {
    throw damaged(path);
  });
}

/** @param {Blob | ReadableStream} source */
async function toBytes(source) {
  return new Uint8Array(await new Response(source).arrayBuffer());
}

/** @param {Uint8Array<ArrayBuffer>} content */
async function sha256(content) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} path */
function damaged(path) {
  return new ModelFileError(
    `${path} is damaged, its checksum is not the manifest's: check the connection and try again, `
      + `or ${COPY_AGAIN}.`,
  );
}
