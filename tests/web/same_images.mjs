// Draws requests with the static site's networks in Node, as its worker does. Arguments: the site's
// folder, the address where it is served, and the file for the images; the requests come as JSON on
// the standard input, and the seconds of each go as JSON to the standard output.

import {readFileSync, writeFileSync} from "node:fs";
import path from "node:path";
import {pathToFileURL} from "node:url";
import {gunzipSync} from "node:zlib";

const [folder, address, file] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.resolve(folder, "js", name)).href);
const site = JSON.parse(String(gunzipSync(readFileSync(path.join(folder, "data", "site.json.gz")))));
const {checkRequest, networkFor} = await load("settings/generate_request.js");
const {loadFile, loadManifest} = await load("runtime/model_files.js");
const {networkPredictor} = await load("runtime/onnx_network.js");
const {startRuntime} = await load("runtime/onnx_runtime.js");
const {denoise, toUint8} = await load("diffusion/sampling.js");

const manifest = await loadManifest(address);
const runtime = await startRuntime(manifest, {base: address});
const predictors = {};
for (const [name, network] of Object.entries(site.networks)) {
  const content = await loadFile(network.file, manifest, () => {}, address);
  predictors[name] = networkPredictor(await runtime.load(content), site.kind);
}

const parts = [];
const seconds = [];
for (const values of JSON.parse(readFileSync(0, "utf8"))) {
  const request = checkRequest(values, site);
  const begin = performance.now();
  for await (const {clean} of denoise(predictors[networkFor(request, site)], request, site)) {
    parts.push(toUint8(clean, site.kind)); // of each step; the last ones are the images
  }
  seconds.push((performance.now() - begin) / 1000);
}
writeFileSync(file, Buffer.concat(parts));
process.stdout.write(JSON.stringify(seconds), () => process.exit(0));
