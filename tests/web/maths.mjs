// Runs the static site's mathematics in Node. Arguments: the site's folder and a task; its values
// come as JSON on the standard input, and its result goes as JSON to the standard output.

import {readFileSync, writeFileSync} from "node:fs";
import path from "node:path";
import {pathToFileURL} from "node:url";
import {gunzipSync} from "node:zlib";

const [folder, task] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.resolve(folder, "js", name)).href);
const site = JSON.parse(String(gunzipSync(readFileSync(path.join(folder, "data", "site.json.gz")))));
const fromBase64 = (text) => new Uint8Array(Buffer.from(text, "base64"));
const toBase64 = (bytes) => Buffer.from(bytes).toString("base64");

// Return what a function returns, or {error: the message}.
async function attempt(call) {
  try {
    return await call();
  } catch (error) {
    return {error: error.message};
  }
}

const tasks = {
  // [[schedule, steps]] → [{alphaBar, timesteps}].
  async levels(cases) {
    const {noiseLevels} = await load("diffusion/noise_levels.js");
    return cases.map(([schedule, steps]) => {
      const {alphaBar, timesteps} = noiseLevels(schedule, steps, site);
      return {alphaBar: [...alphaBar], timesteps: [...timesteps]};
    });
  },

  // {seeds, counts} → for each seed, the numbers of consecutive calls.
  async noise({seeds, counts}) {
    const {TorchGenerator} = await load("diffusion/torch_generator.js");
    return seeds.map((seed) => {
      const generator = new TorchGenerator(seed);
      return counts.map((count) => [...generator.randn(count)]);
    });
  },

  // Denoises with a network that a formula replaces; writes x_t and the predicted clean images of
  // every step of every request as float32 numbers to a file.
  async trajectories({requests, kind, predictionType, file}) {
    const [{checkRequest}, {denoise}] = await Promise.all(
      ["settings/generate_request.js", "diffusion/sampling.js"].map(load)
    );
    for (const network of Object.values(site.networks)) network.prediction_type = predictionType;
    Object.assign(site.kind, kind);
    const size = kind.channels * kind.image_size ** 2;
    const predict = async (noisy, timestep, labels) =>
      noisy.map((value, index) => {
        const label = labels[Math.floor(index / size)];
        return Math.tanh(0.3 * value + Math.sin(0.01 * timestep + label + (index % size)));
      });
    const parts = [];
    for (const request of requests) {
      for await (const {noisy, clean} of denoise(predict, checkRequest(request, site), site)) {
        parts.push(Buffer.from(noisy.buffer), Buffer.from(clean.buffer));
      }
    }
    writeFileSync(file, Buffer.concat(parts));
    return null;
  },

  // {values, kind} → pixels of the network's images.
  async pixels({values, kind}) {
    const {toUint8} = await load("diffusion/sampling.js");
    return [...toUint8(Float32Array.from(values), kind)];
  },

  // {queries, classNames, samplers} → the settings of each, null, or {error}.
  async links({queries, classNames, samplers}) {
    const {parseLink} = await load("settings/share_link.js");
    if (classNames) site.kind.class_names = classNames;
    if (samplers) site.samplers = samplers;
    return Promise.all(queries.map((query) => attempt(() => parseLink(query, site))));
  },

  // [[request, scorer]] → the query of each.
  async queries(cases) {
    const {checkRequest} = await load("settings/generate_request.js");
    const {toQuery} = await load("settings/share_link.js");
    return cases.map(([request, scorer]) => toQuery(checkRequest(request, site), site, scorer));
  },

  // Requests → the labels, seeds, network and evaluations of each.
  async requests(requests) {
    const module = await load("settings/generate_request.js");
    return requests.map((values) => {
      const request = module.checkRequest(values, site);
      return {
        labels: module.requestLabels(request, site),
        seeds: module.requestSeeds(request),
        images: request.num_images > 1 ? module.selectImage(request, 1, site) : request,
        evaluations: module.numEvaluations(request, site),
        network: module.networkFor(request, site),
      };
    });
  },

  // [{pixels, width, height, channels, request, scorer}] → PNG files.
  async writePictures(pictures) {
    const {checkRequest} = await load("settings/generate_request.js");
    const {encodePng} = await load("pictures/png_settings.js");
    const {sharedSettings} = await load("settings/share_link.js");
    const files = pictures.map(({pixels, width, height, channels, request, scorer}) => {
      const settings = sharedSettings(checkRequest(request, site), site, scorer);
      return encodePng(fromBase64(pixels), width, height, channels, settings);
    });
    return (await Promise.all(files)).map(toBase64);
  },

  // PNG files → the settings of each, or {error}.
  async readPictures(files) {
    const {parsePicture} = await load("settings/share_link.js");
    return Promise.all(files.map((file) => attempt(() => parsePicture(fromBase64(file), site))));
  },

  // {noisy, clean, kind}, each step in base64 → a GIF file.
  async gif({noisy, clean, kind}) {
    const {encodeGif} = await load("pictures/trajectory_gif.js");
    return toBase64(encodeGif({noisy: noisy.map(fromBase64), clean: clean.map(fromBase64)}, kind));
  },
};

const result = await tasks[task](JSON.parse(readFileSync(0, "utf8")));
process.stdout.write(JSON.stringify(result));
