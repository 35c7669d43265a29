// The service worker: keeps the site's files so that it works offline, and adds the headers with which
// the page may use threads, where the host does not send them. Each version has a copy of its own. The
// one before stays until the newest has all that the page asked to keep: if the host is gone by then,
// it serves again.

/**
 * @typedef {{bytes: number, unpacked_bytes?: number, sha256: string}} Entry
 * @typedef {{version: string, files: Record<string, Entry>, isComplete?: boolean}} Manifest isComplete: of
 *   a copy that has all that the page asked to keep
 * @typedef {{name: string, cache: Cache, manifest: Manifest}} Copy the files of a version
 */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const SCOPE = worker.registration.scope;

/** Of the names of caches: other sites of this host have caches, too. */
const PREFIX = `fashion-ddpm ${SCOPE} `;

const MANIFEST = "manifest.json";
const PAGE = "index.html";
/** The page is known by its script: hosts may add to it, as static Spaces do. */
const PAGE_PATTERN = /src="js\/page\/page\.js"[^]*<\/html>\s*$/;
const MANIFEST_MS = 5000; // after that the kept files serve, if there are any

/** Only with these has a page SharedArrayBuffer, and so threads; other sites may frame it, as Spaces do. */
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "cross-origin",
};

/** @param {string} path in the site */
const toUrl = (path) => new URL(path, SCOPE).href;

/** @type {Promise<boolean>} */
let lastUpdate = Promise.resolve(true);

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));

worker.addEventListener("activate", (event) => {
  event.waitUntil(Promise.allSettled([worker.clients.claim(), update()]));
});

worker.addEventListener("message", (event) => {
  if (event.data?.type === "keep") event.waitUntil(keep(event.data.paths));
});

worker.addEventListener("fetch", (event) => {
  const {request} = event;
  const [address] = request.url.split(/[?#]/);
  if (request.method !== "GET" || !address.startsWith(SCOPE)) return;
  if (request.headers.has("range")) return;
  const path = address.slice(SCOPE.length) || PAGE;
  if (path === PAGE) event.respondWith(answerPage(event));
  else if (path === MANIFEST) event.respondWith(answerManifest(request));
  else event.respondWith(answerFile(event, path));
});

/**
 * Answer with the page of the host's version, or of the complete copy if the host does not say its own.
 * @param {FetchEvent} event
 */
async function answerPage(event) {
  if (!await update()) {
    const complete = (await readCopies()).find(({manifest}) => manifest.isComplete);
    if (complete) await keepOnly([complete.name]);
  }
  return answerFile(event, PAGE);
}

/** @param {Request} request */
async function answerManifest(request) {
  await update();
  const copy = await openCopy();
  return copy ? isolate(toResponse(copy.manifest)) : fetch(request);
}

/**
 * Answer with the kept file, or keep what the host answers.
 * @param {FetchEvent} event
 * @param {string} path
 */
async function answerFile(event, path) {
  const {request} = event;
  const copy = await openCopy();
  if (!copy?.manifest.files[path]) return isolate(await fetch(request));
  const isAnew = request.cache === "reload" || request.cache === "no-store"; // it was damaged
  if (isAnew) await copy.cache.delete(toUrl(path));
  const kept = await copy.cache.match(toUrl(path));
  if (kept) return isolate(kept);
  const response = await fetch(toUrl(path), {cache: isAnew ? "reload" : "no-cache"});
  if (response.ok) event.waitUntil(store(copy, path, response.clone()).catch(() => {}));
  return isolate(response);
}

/**
 * Keep files that are not kept yet; with all of them this version can do without the one before.
 * @param {string[]} paths
 */
async function keep(paths) {
  await lastUpdate; // before the first one there is no copy
  const copy = await openCopy();
  if (!copy) return;
  const isKept = (/** @type {string} */ path) => copy.cache.match(toUrl(path));
  for (const path of paths) {
    if (!copy.manifest.files[path] || await isKept(path)) continue;
    const response = await fetch(toUrl(path), {cache: "no-cache"}).catch(() => null);
    if (response?.ok) await store(copy, path, response).catch(() => {});
  }
  const all = await Promise.all(paths.map(isKept));
  const newest = await openCopy(); // another one may have come meanwhile, or this one was dropped
  if (!all.every(Boolean) || newest?.name !== copy.name) return;
  await copy.cache.put(toUrl(MANIFEST), toResponse({...copy.manifest, isComplete: true}));
  await keepOnly([copy.name]);
}

/**
 * Keep a file if it is whole; the page checks the content of a .gz file itself.
 * @param {Copy} copy
 * @param {string} path
 * @param {Response} response
 */
async function store({cache, manifest}, path, response) {
  const {headers} = response;
  const content = await response.arrayBuffer();
  if (await isWhole(new Uint8Array(content), manifest.files[path], path)) {
    await cache.put(toUrl(path), new Response(content, {headers}));
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} content
 * @param {Entry} entry
 * @param {string} path
 */
async function isWhole(content, entry, path) {
  if (path === PAGE) return PAGE_PATTERN.test(new TextDecoder().decode(content));
  if (path.endsWith(".gz")) {
    const isPacked = content[0] === 0x1f && content[1] === 0x8b;
    return content.length === (isPacked ? entry.bytes : entry.unpacked_bytes);
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return sha256 === entry.sha256;
}

/** @returns {Promise<string[]>} the names of the versions' caches, the oldest first */
async function listCaches() {
  const names = await caches.keys().catch(() => []);
  return names.filter((name) => name.startsWith(PREFIX));
}

/** @returns {Promise<Copy[]>} the versions' copies, the oldest first; none without storage */
async function readCopies() {
  const copies = [];
  for (const name of await listCaches()) {
    const cache = await caches.open(name);
    const manifest = await cache.match(toUrl(MANIFEST));
    if (manifest) copies.push({name, cache, manifest: await manifest.json()});
  }
  return copies;
}

/**
 * Drop all copies but some.
 * @param {string[]} names
 */
async function keepOnly(names) {
  const others = (await listCaches()).filter((name) => !names.includes(name));
  await Promise.all(others.map((name) => caches.delete(name)));
}

/**
 * Return the copy of the newest version that was seen; null before the first, or without storage.
 * @returns {Promise<Copy | null>}
 */
async function openCopy() {
  return (await readCopies()).at(-1) ?? null;
}

/** Ask the host for its version, one call after the other; return whether it answered. */
function update() {
  lastUpdate = lastUpdate.then(fetchManifest).then(() => true, () => false);
  return lastUpdate;
}

async function fetchManifest() {
  const signal = AbortSignal.timeout(MANIFEST_MS);
  const response = await fetch(toUrl(MANIFEST), {cache: "no-cache", signal});
  /** @type {Manifest} */
  const manifest = await response.json();
  if (!response.ok || !manifest.version || !manifest.files) throw new Error("This is no manifest.");
  const name = PREFIX + manifest.version;
  const copies = await readCopies();
  const old = copies.at(-1);
  if (old?.name === name) return;
  const cache = await caches.open(name);
  if (old) await copySameFiles(old, cache, manifest);
  await cache.put(toUrl(MANIFEST), toResponse(manifest));
  const complete = copies.filter(({manifest: {isComplete}}) => isComplete);
  await keepOnly([name, ...complete.map((copy) => copy.name)]);
}

/** @param {Manifest} manifest */
function toResponse(manifest) {
  return new Response(JSON.stringify(manifest), {headers: {"Content-Type": "application/json"}});
}

/**
 * Take over the files that a new version has not changed.
 * @param {Copy} old
 * @param {Cache} cache
 * @param {Manifest} manifest
 */
async function copySameFiles(old, cache, manifest) {
  for (const [path, {sha256}] of Object.entries(manifest.files)) {
    if (old.manifest.files[path]?.sha256 !== sha256) continue;
    const kept = await old.cache.match(toUrl(path));
    if (kept) await cache.put(toUrl(path), kept);
  }
}

/**
 * Return a response with the headers of an isolated page, where the host does not send them.
 * @param {Response} response
 */
function isolate(response) {
  const {status, statusText} = response;
  if (!status) return response; // a redirection, or hidden from scripts
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) {
    if (!headers.has(name)) headers.set(name, value);
  }
  return new Response(response.body, {status, statusText, headers});
}
