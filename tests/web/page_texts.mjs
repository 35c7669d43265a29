// Runs the functions behind the static site's page in Node. Arguments: the site's folder and a task;
// its values come as JSON on the standard input, and its result goes as JSON to the standard output.

import {readFileSync} from "node:fs";
import path from "node:path";
import {pathToFileURL} from "node:url";
import {gunzipSync} from "node:zlib";

const [folder, task] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.resolve(folder, "js", name)).href);
const site = JSON.parse(String(gunzipSync(readFileSync(path.join(folder, "data", "site.json.gz")))));

const tasks = {
  // [[function, argument, …]] → [text].
  async words(calls) {
    const wording = await load("page/wording.js");
    return calls.map(([name, ...values]) => wording[name](...values));
  },

  // Requests → [[name, value] of how they are sampled].
  async settings(requests) {
    const {samplingInWords} = await load("page/wording.js");
    return requests.map((request) => samplingInWords(request, site));
  },

  // [{scores: [K][classes], label}] → what is said of each.
  async trajectories(cases) {
    const {decision, describeCurves, scoreCurves} = await load("page/trajectory_texts.js");
    const names = site.kind.class_names;
    return cases.map(({scores, label}) => {
      const flat = Float32Array.from(scores.flat());
      const curves = scoreCurves(flat, label, names);
      return {curves, chart: describeCurves(curves), decision: decision(flat, label, names)};
    });
  },

  // Requests → what is said of each before anything was drawn, as one text.
  async notes(requests) {
    const {CostMeter, describeRequest} = await load("page/request_note.js");
    const texts = (request) =>
      describeRequest(request, site, new CostMeter(site)).map((parts) => parts.map(([text]) => text).join(""));
    return requests.map((request) => texts(request));
  },

  // {quality, requests} → the advice on the steps of each request.
  async advice({quality, requests}) {
    const {adviseSteps} = await load("page/request_note.js");
    return requests.map((request) => adviseSteps(request, {...site, quality}));
  },

  // {runs: [{request, ms}], requests} → the estimate for each request after these runs.
  async estimates({runs, requests}) {
    const {CostMeter} = await load("page/request_note.js");
    const cost = new CostMeter(site);
    for (const run of runs) cost.learn(run);
    return requests.map((request) => cost.estimate(request));
  },

  // [{steps, images, kind}] → the steps that the player shows, and the side of their images.
  async frames(cases) {
    const {selectFrames} = await load("pictures/gif_frames.js");
    return cases.map(({steps, images, kind}) => {
      const batch = new Uint8Array(images * kind.image_size ** 2 * kind.channels);
      const batches = Array(steps).fill(batch);
      const run = {request: {num_images: images}, noisy: batches, clean: batches};
      const frames = selectFrames(run, kind, steps);
      return [frames.steps, frames.side];
    });
  },
};

const values = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(await tasks[task](values)));
