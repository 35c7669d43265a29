// Runs the static site's networks, scorer and files in Node. Arguments: the site's folder, the
// address where it is served, and a task; its values come as JSON on the standard input, and its
// result goes as JSON to the standard output.

import {readFileSync} from "node:fs";
import path from "node:path";
import {pathToFileURL} from "node:url";
import {gunzipSync} from "node:zlib";

const [folder, address, task] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.resolve(folder, "js", name)).href);
const site = JSON.parse(String(gunzipSync(readFileSync(path.join(folder, "data", "site.json.gz")))));
const {loadFile, loadManifest} = await load("runtime/model_files.js");
const {startRuntime} = await load("runtime/onnx_runtime.js");
const {networkPredictor} = await load("runtime/onnx_network.js");
const {ClipScorer} = await load("runtime/clip_scorer.js");

// Return the runtime and a model of the site.
async function openModel(file) {
  const manifest = await loadManifest(address);
  const runtime = await startRuntime(manifest, {base: address});
  return {runtime, model: await runtime.load(await loadFile(file, manifest, () => {}, address))};
}

const tasks = {
  // {network, batches: [{noisy, timestep, labels}]} → {runtime, outputs, calls}.
  async predict({network, batches}) {
    const {runtime, model} = await openModel(site.networks[network].file);
    let calls = 0;
    const predict = networkPredictor(model, site.kind, async () => void (calls += 1));
    const outputs = [];
    for (const {noisy, timestep, labels} of batches) {
      outputs.push([...(await predict(Float32Array.from(noisy), timestep, labels))]);
    }
    return {runtime: runtime.describe(), outputs, calls};
  },

  // {images, labels} → {labels, quality}.
  async score({images, labels}) {
    const {model} = await openModel(site.scorer.file);
    const scorer = new ClipScorer(model, site.scorer, site.kind);
    const scores = await scorer.scores(Uint8Array.from(images), labels);
    return {labels: [...scores.labels], quality: scores.quality && [...scores.quality]};
  },

  // {images, kind, scorer} → pixels as CLIP takes them.
  async pixels({images, kind, scorer}) {
    const {toPixels} = await load("runtime/clip_scorer.js");
    return [...toPixels(Uint8Array.from(images), kind, scorer)];
  },

  // [path] → for each the bytes of its content and its last progress, or {error}.
  async files(paths) {
    const manifest = await loadManifest(address);
    const load = async (file) => {
      let last = null;
      const content = await loadFile(file, manifest, (progress) => (last = progress), address);
      return {content: Buffer.from(content).toString("base64"), last};
    };
    return Promise.all(paths.map((file) => load(file).catch(({name, message}) => ({name, message}))));
  },

  // The sentence of a manifest that cannot be used.
  manifest: () => loadManifest(address).catch(({name, message}) => ({name, message})),
};

const values = JSON.parse(readFileSync(0, "utf8") || "null");
process.stdout.write(JSON.stringify(await tasks[task](values)), () => process.exit(0));
