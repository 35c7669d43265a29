// The checked request: what to generate and how, with the rules and sentences of
// fashion_ddpm/core/requests.py and the limits of the page.

import {noiseLevels} from "../diffusion/noise_levels.js";
import {generalText, safeRepr, withCommas} from "./python_text.js";

/** @import {Kind, Request, Settings, Site} from "../types.js" */

export const ALL_CLASSES = "all";
export const TURBO = "turbo";

/** Fields of a request that are floats in Python. */
export const FLOAT_FIELDS = ["guidance_scale", "guidance_low", "guidance_high"];

const MORE_HINT = " (the command generate takes more)";

/** A request that cannot be drawn; its message is a sentence for the visitor. */
export class RequestError extends Error {
  /**
   * @param {string} sentence if a setting is given, without its name at the start
   * @param {string} setting the wrong field of the request, or ""
   * @param {Record<string, string>} names field → its name in the message
   */
  constructor(sentence, setting = "", names = {}) {
    super(`${names[setting] ?? setting} ${sentence}`.trimStart());
    this.name = "RequestError";
    this.sentence = sentence;
    this.setting = setting;
  }
}

/**
 * Return a checked request; a class given by number or in other capitals is stored by its name.
 * @param {Partial<Record<keyof Settings, unknown>>} values field → value, perhaps a wrong one
 * @param {Site} site
 * @returns {Request}
 * @throws {RequestError} a value has the wrong type or is out of bounds
 */
export function checkRequest(values, site) {
  const {limits} = site;
  const check = new Checks(values, site);
  check.integer("num_images", 1, limits.max_images, MORE_HINT);
  check.integer("num_inference_steps", 1, limits.max_steps, MORE_HINT);
  const className = check.className();
  check.choice("schedule", Object.keys(site.schedules));
  check.sampler();
  check.number("guidance_scale", 1, limits.max_guidance);
  const scale = Number(values.guidance_scale);
  if (values.sampler === TURBO && scale !== 1) {
    const is = `is ${generalText(scale)}; the ${TURBO} sampler has none: it must be 1.`;
    throw check.error(is, "guidance_scale");
  }
  check.number("guidance_low", 0, 1);
  check.number("guidance_high", Number(values.guidance_low), 1);
  check.integer("seed", 0, limits.max_seed - Number(values.num_images) + 1);
  return Object.freeze({.../** @type {Settings} */ (pick(values)), class_name: className});
}

/**
 * Return the fields of a request alone, in their order.
 * @param {Partial<Record<keyof Settings, unknown>>} values
 */
function pick(values) {
  const {class_name, num_images, schedule, sampler, num_inference_steps} = values;
  const {guidance_scale, guidance_low, guidance_high, seed} = values;
  return {
    class_name, num_images, schedule, sampler, num_inference_steps, guidance_scale, guidance_low,
    guidance_high, seed,
  };
}

/** The checks of a request's values; each throws a RequestError. */
class Checks {
  /**
   * @param {Partial<Record<keyof Settings, unknown>>} values
   * @param {Site} site
   */
  constructor(values, site) {
    this.values = values;
    this.site = site;
  }

  /**
   * @param {string} sentence
   * @param {keyof Settings} setting
   */
  error(sentence, setting) {
    return new RequestError(sentence, setting, this.site.setting_names);
  }

  /**
   * Return the error of a value.
   * @param {keyof Settings} setting
   * @param {string} allowed
   */
  wrong(setting, allowed) {
    const value = this.values[setting] ?? null;
    const shown = value === null ? "empty" : safeRepr(value, FLOAT_FIELDS.includes(setting));
    return this.error(`is ${shown}; it must be ${allowed}.`, setting);
  }

  /**
   * @param {keyof Settings} setting
   * @param {number} low
   * @param {number} high
   * @param {string} hint
   */
  integer(setting, low, high, hint = "") {
    const value = this.values[setting];
    if (typeof value !== "number" || !Number.isInteger(value) || value < low || value > high) {
      const range = `from ${withCommas(low)} to ${withCommas(high)}`;
      throw this.wrong(setting, `a whole number ${range}${hint}`);
    }
  }

  /**
   * @param {keyof Settings} setting
   * @param {number} low
   * @param {number} high
   */
  number(setting, low, high) {
    const value = this.values[setting];
    if (typeof value !== "number" || !(value >= low && value <= high)) {
      throw this.wrong(setting, `a number from ${generalText(low)} to ${generalText(high)}`);
    }
  }

  /**
   * @param {keyof Settings} setting
   * @param {string[]} choices
   */
  choice(setting, choices) {
    const value = this.values[setting];
    if (typeof value !== "string" || !choices.includes(value)) {
      throw this.wrong(setting, `one of ${choices.join(", ")}`);
    }
  }

  sampler() {
    const {samplers} = this.site;
    if (this.values.sampler === TURBO && !samplers.includes(TURBO)) {
      const missing = `is ${TURBO}, whose network this site does not have`;
      throw this.error(`${missing}; it must be one of ${samplers.join(", ")}.`, "sampler");
    }
    this.choice("sampler", samplers);
  }

  /** Return the class's name, or "all". */
  className() {
    const {class_name: value} = this.values;
    const {class_names: names} = this.site.kind;
    if (value === ALL_CLASSES) return ALL_CLASSES;
    if (typeof value !== "string") throw this.wrong("class_name", "the name of a class");
    const label = classLabel(value, names);
    if (label !== null) return names[label];
    const numbers = numbersName(names) ? `a number from 0 to ${names.length - 1}, ` : "";
    throw this.wrong("class_name", `one of ${names.join(", ")}, ${numbers}or ${ALL_CLASSES}`);
  }
}

/**
 * Return the label of a class given by name, in any case, or by number; null if there is none.
 * @param {string} className
 * @param {string[]} classNames
 */
function classLabel(className, classNames) {
  const name = normalizeName(className);
  const label = classNames.map(normalizeName).indexOf(name);
  if (label >= 0) return label;
  const isNumber = numbersName(classNames) && /^[0-9]+$/.test(name);
  return isNumber && Number(name) < classNames.length ? Number(name) : null;
}

/**
 * Return whether numbers are labels: not if a class's name is a number.
 * @param {string[]} classNames
 */
function numbersName(classNames) {
  return !classNames.some((name) => /^\p{Nd}+$/u.test(normalizeName(name)));
}

/**
 * Return a class name in lower case and in Unicode's composed form, for comparisons.
 * @param {string} name
 */
function normalizeName(name) {
  return name.trim().toLowerCase().normalize("NFC");
}

/**
 * Return the label of each image.
 * @param {Request} request
 * @param {{kind: Pick<Kind, "class_names">}} site
 * @returns {number[]}
 */
export function requestLabels(request, {kind: {class_names: names}}) {
  return Array.from({length: request.num_images}, (_, index) =>
    request.class_name === ALL_CLASSES ? index % names.length : names.indexOf(request.class_name)
  );
}

/**
 * Return the seed of each image.
 * @param {Request} request
 * @returns {number[]}
 */
export function requestSeeds(request) {
  return Array.from({length: request.num_images}, (_, index) => request.seed + index);
}

/**
 * Return a request for one of the images.
 * @param {Request} request
 * @param {number} index
 * @param {{kind: Pick<Kind, "class_names">}} site
 * @returns {Request}
 */
export function selectImage(request, index, site) {
  const class_name = site.kind.class_names[requestLabels(request, site)[index]];
  return Object.freeze({...request, class_name, num_images: 1, seed: request.seed + index});
}

/**
 * Return which network draws a request.
 * @param {Pick<Request, "sampler">} request
 * @param {Pick<Site, "networks">} site
 * @returns {"turbo" | "base"}
 */
export function networkFor(request, site) {
  return request.sampler === TURBO && site.networks.turbo ? "turbo" : "base";
}

/**
 * Return whether guidance acts at a timestep of the noise schedule.
 * @param {Request} request
 * @param {number} timestep
 * @param {Pick<Site, "alpha_bars">} site
 */
export function isGuided(request, timestep, site) {
  const share = timestep / (site.alpha_bars.length - 1);
  const {guidance_scale: scale, guidance_low: low, guidance_high: high} = request;
  return scale !== 1 && low <= share && share <= high;
}

/**
 * Return the network evaluations of a request, summed over its images: one a step, two where
 * guidance acts.
 * @param {Request} request
 * @param {Site} site
 */
export function numEvaluations(request, site) {
  const {timesteps} = noiseLevels(request.schedule, request.num_inference_steps, site);
  const guided = timesteps.filter((timestep) => isGuided(request, timestep, site)).length;
  return request.num_images * (timesteps.length + guided);
}
