// What a request costs in this browser, whether its schedule works, and whether more steps would help
// (demo/request_note.py).

import {numEvaluations, networkFor} from "../settings/generate_request.js";
import {noiseLevels} from "../diffusion/noise_levels.js";
import {checkLevels} from "../shared/schedule_math.js";
import {formatSeconds, quantity, sigmaText} from "./wording.js";

/** @import {Request, Run, Site} from "../types.js" */

/** How long the networks take in this browser, learned from finished runs. */
export class CostMeter {
  /** @param {Site} site */
  constructor(site) {
    this.site = site;
    /** @type {Map<string, number>} network and images of a run → ms for one evaluation of one image */
    this.measured = new Map();
    /** @type {Map<string, string>} network → key of its newest run */
    this.newest = new Map();
  }

  /** @param {Run} run */
  learn({request, ms}) {
    const network = networkFor(request, this.site);
    const key = `${network} ${request.num_images}`;
    this.measured.set(key, ms / numEvaluations(request, this.site));
    this.newest.set(network, key);
  }

  /**
   * Return the expected time of a request in milliseconds; null before the first run.
   * @param {Request} request
   * @returns {number | null}
   */
  estimate(request) {
    const network = networkFor(request, this.site);
    const key = `${network} ${request.num_images}`;
    const ms = this.measured.get(key) ?? this.measured.get(this.newest.get(network) ?? "");
    if (ms === undefined) return null;
    return ms * numEvaluations(request, this.site);
  }
}

/**
 * Return all that is said of a request before it is generated: paragraphs of [text, is bold] parts.
 * @param {Request} request
 * @param {Site} site
 * @param {CostMeter} cost
 * @returns {[string, boolean][][]}
 */
export function describeRequest(request, site, cost) {
  const ms = cost.estimate(request);
  const images = quantity(request.num_images, "image");
  const evaluations = numEvaluations(request, site) / request.num_images;
  const work = `${images} × ${quantity(evaluations, "network evaluation")}`;
  /** @type {[string, boolean][]} */
  const price =
    ms === null
      ? [[`${work}; the first run shows how long they take in your browser.`, false]]
      : [["About ", false], [formatSeconds(ms), true], [`: ${work}`, false]];
  const {guidance_scale: scale, guidance_low: low, guidance_high: high} = request;
  const notes = [price];
  if (scale !== 1 && (low !== 0 || high !== 1)) {
    notes.push([[`Guidance acts from ${low} to ${high} of the noise levels, and not outside.`, false]]);
  }
  notes.push(describeSchedule(request, site));
  const advice = adviseSteps(request, site);
  if (site.quality && advice) {
    notes.push([[`${advice} Measured on ${site.quality.schedule}.`, false]]);
  }
  return notes;
}

/**
 * Return whether more steps would help, on the measured schedule; "" on others (demo/quality.py, advice).
 * @param {Request} request
 * @param {Site} site
 * @returns {string}
 */
export function adviseSteps({sampler, num_inference_steps: steps, schedule, guidance_scale: scale}, site) {
  const enough = site.quality?.enough_steps[sampler];
  if (enough === undefined || schedule !== site.quality?.schedule || scale !== 1) return "";
  const {most_steps: most} = site.quality;
  if (enough === null) {
    return steps < most
      ? `${sampler}: more steps still improve the images, at least up to ${most}.`
      : `${sampler}: not measured beyond ${most} steps, up to which more were better.`;
  }
  if (steps < enough) return `${sampler}: more steps improve the images, up to about ${enough}.`;
  if (steps === enough) return `${sampler}: hardly better after ${enough} steps, so these are enough.`;
  return `${sampler}: hardly better after ${enough} steps; more only take longer.`;
}

/**
 * Return the noise levels of a request and the verdict on its schedule.
 * @param {Request} request
 * @param {Site} site
 * @returns {[string, boolean][]}
 */
function describeSchedule({schedule, num_inference_steps: steps}, site) {
  const visited = Array.from(noiseLevels(schedule, steps, site).alphaBar);
  const levels = site.schedules[schedule] ?? visited;
  const check = checkLevels(levels, site.constants.max_terminal_alpha_bar);
  const sigmas = sigmaText(visited[0]) + (steps > 1 ? ` → ${sigmaText(visited[steps - 1])}` : "");
  return [
    [site.schedules[schedule] ? `${schedule} (T = ${levels.length})` : schedule, true],
    [`: noise-to-signal ratio σ ${sigmas} in ${quantity(steps, "step")}. `, false],
    [check.good ? "Good" : "Broken", true],
    [`: ${check.text}`, false],
  ];
}
