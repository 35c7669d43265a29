// The settings of a request, the buttons that start and stop a run, and the presets.

import {numberField, radioField, rangeField, selectField} from "./control_parts.js";
import {enable, find, make, onPress, setText} from "./elements.js";
import {ALL_CLASSES, RequestError, TURBO, checkRequest} from "../settings/generate_request.js";
import {noiseLevels} from "../diffusion/noise_levels.js";
import {describeRequest} from "./request_note.js";
import {addShape} from "../shared/svg.js";
import {errorSentence} from "./wording.js";

/** @import {Field} from "./control_parts.js" */
/** @import {CostMeter} from "./request_note.js" */
/** @import {Preset, Request, Settings, Site} from "../types.js" */

const REPORT = "report";
const MAX_CLASS_BUTTONS = 20; // with more classes, a menu replaces the radio buttons
const CURVE_STEPS = 24;
const GENERATE = "Generate";

/** @type {Record<string, string>} */
const HINTS = {
  schedule: "Which noise levels sampling steps through. The curve shows how the image emerges.",
  num_inference_steps: "Network evaluations per image: more are slower, up to a point better.",
  sampler: "The solver that steps between noise levels; ddpm and sde add new noise.",
  guidance_scale: "1 = off; not with turbo. Higher follows the class more, at twice the cost.",
  guidance_low: "Share of the noise levels, 0 = no noise.",
  guidance_high: "1 = pure noise. Outside, guidance is off.",
  num_images: "Generated together, each from its own seed.",
  seed: "The noise that the first image starts from; the same seed gives the same image.",
};

/**
 * Return the sentence of an error, with the setting's name on the page.
 * @param {unknown} error
 * @param {Site} site
 * @returns {string}
 */
export function settingSentence(error, {labels}) {
  if (!(error instanceof RequestError) || !error.setting) return errorSentence(error);
  return `${labels[error.setting] ?? error.setting} ${error.sentence}`;
}

/** The settings of the page. */
export class Controls {
  /**
   * @param {Site} site
   * @param {CostMeter} cost
   * @param {{generate: () => void, stop: () => void, change: () => void}} handlers
   */
  constructor(site, cost, {generate, stop, change}) {
    this.site = site;
    this.cost = cost;
    this.change = change;
    this.form = /** @type {HTMLFormElement} */ (find("#settings"));
    this.generateButton = /** @type {HTMLButtonElement} */ (find("#generate"));
    this.stopButton = /** @type {HTMLButtonElement} */ (find("#stop"));
    this.randomSeed = make("input", {type: "checkbox", id: "random-seed"});
    /** @type {Record<string, Field>} */
    this.fields = this.build();
    this.buildPresets();
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.generateButton.getAttribute("aria-disabled") !== "true") generate();
    });
    onPress(this.stopButton, stop);
    this.form.addEventListener("input", () => this.onChange());
    this.show(site.page_defaults);
    this.showIdle();
  }

  /**
   * Lay out the fields.
   * @returns {Record<string, Field>}
   */
  build() {
    const {limits, labels, samplers} = this.site;
    /** @param {string} name */
    const describe = (name) => ({name, label: labels[name], hint: HINTS[name]});
    const share = {min: 0, max: 1, step: 0.05};
    const fields = {
      class_name: this.classMenu(),
      schedule: this.scheduleMenu(describe("schedule")),
      num_inference_steps: rangeField(describe("num_inference_steps"), {min: 1, max: limits.max_steps, step: 1}),
      sampler: selectField(describe("sampler"), samplers.map((name) => [name, name])),
      guidance_scale: rangeField(describe("guidance_scale"), {min: 1, max: limits.max_guidance, step: 0.1}),
      guidance_low: numberField(describe("guidance_low"), share),
      guidance_high: numberField(describe("guidance_high"), share),
      num_images: rangeField(describe("num_images"), {min: 1, max: limits.max_images, step: 1}),
      seed: numberField(describe("seed"), {min: 0, max: limits.max_seed, step: 1}),
    };
    const {class_name: className, guidance_low: low, guidance_high: high, ...others} = fields;
    find("#class-field").replaceWith(className.element);
    const interval = make("details", {class: "block"}, make("summary", {}, "Guidance interval"));
    interval.append(make("div", {class: "pair"}, low.element, high.element));
    const random = make("label", {class: "check"}, this.randomSeed, "New random seed each time");
    const elements = Object.values(others).map((field) => field.element);
    find("#sampling-fields").append(...elements, random);
    fields.guidance_scale.element.after(interval);
    return fields;
  }

  /** @returns {Field} */
  classMenu() {
    const {kind, labels, class_pictures: pictures} = this.site;
    const hint = pictures ? "What to generate; the pictures are real examples." : "What to generate.";
    const description = {name: "class_name", label: labels.class_name, hint};
    const names = [...kind.class_names, ALL_CLASSES];
    /** @param {string} name */
    const text = (name) => (name === ALL_CLASSES ? "one of each" : name);
    if (names.length > MAX_CLASS_BUTTONS) {
      return selectField(description, names.map((name) => [name, text(name)]));
    }
    return radioField(
      description,
      names.map((name, label) => {
        const source = pictures?.[label];
        return [name, text(name), source ? make("img", {src: source, alt: "", width: 28, height: 28}) : null];
      }),
    );
  }

  /**
   * @param {import("./control_parts.js").Description} description
   * @returns {Field}
   */
  scheduleMenu(description) {
    /** @param {string} name */
    const text = (name) => (name === REPORT ? `${REPORT} (broken on purpose)` : name);
    const names = this.site.offered_schedules;
    return radioField(description, names.map((name) => [name, text(name), this.curve(name)]));
  }

  /**
   * Return a picture of a schedule: from left to right the steps, upwards the image's amplitude.
   * @param {string} schedule
   * @returns {Element}
   */
  curve(schedule) {
    const {alphaBar} = noiseLevels(schedule, CURVE_STEPS, this.site);
    const points = Array.from(alphaBar, (level, step) => {
      const x = 1 + (38 * step) / (CURVE_STEPS - 1);
      return `${x.toFixed(1)},${(20 - 18 * Math.sqrt(level)).toFixed(1)}`;
    });
    const holder = make("span", {class: "curve", "aria-hidden": "true"});
    const svg = addShape(holder, "svg", {viewBox: "0 0 40 22", width: 40, height: 22});
    addShape(svg, "polyline", {points: points.join(" "), class: "rise"});
    addShape(svg, "path", {d: "M1 21H39", class: "base"});
    return holder;
  }

  buildPresets() {
    find("#presets").append(
      ...this.site.presets.map((preset) => {
        const text = `${preset.name} · ${preset.num_inference_steps}`;
        const button = make("button", {type: "button", class: "small"}, text);
        button.addEventListener("click", () => this.showPreset(preset));
        return button;
      }),
    );
  }

  /** @param {Preset} preset */
  showPreset({schedule, sampler, num_inference_steps: steps}) {
    this.fields.schedule.show(schedule);
    this.fields.sampler.show(sampler);
    this.fields.num_inference_steps.show(steps);
    this.onChange();
  }

  /**
   * Show the settings of a request.
   * @param {Settings} settings
   */
  show(settings) {
    for (const [name, field] of Object.entries(this.fields)) {
      field.show(settings[/** @type {keyof Settings} */ (name)]);
    }
    this.randomSeed.checked = false;
    this.onChange();
  }

  /** The settings were changed: a run may be restarted with them. */
  onChange() {
    const isTurbo = this.fields.sampler.read() === TURBO;
    const off = {guidance_scale: 1, guidance_low: 0, guidance_high: 1};
    for (const [name, value] of Object.entries(off)) {
      if (isTurbo) this.fields[name].show(value);
      this.fields[name].enable(!isTurbo);
    }
    enable(this.generateButton, true);
    this.showNote();
    this.change();
  }

  /** Say what the request costs, and whether its schedule works; mark a number that is wrong. */
  showNote() {
    const note = find("#note");
    let wrong = "";
    try {
      const parts = describeRequest(this.request(), this.site, this.cost);
      note.replaceChildren(
        ...parts.map((part) => make("p", {}, ...part.map(([text, bold]) => (bold ? make("b", {}, text) : text)))),
      );
    } catch (error) {
      note.replaceChildren(make("p", {}, settingSentence(error, this.site)));
      if (error instanceof RequestError) wrong = error.setting;
    }
    for (const input of this.form.querySelectorAll("input[type=number]")) {
      input.setAttribute("aria-invalid", String(input.id === wrong));
    }
  }

  /**
   * Return the request that the settings make.
   * @returns {Request}
   */
  request() {
    const values = Object.entries(this.fields).map(([name, field]) => [name, field.read()]);
    return checkRequest(Object.fromEntries(values), this.site);
  }

  /** Choose a new seed if each run is to have one. */
  drawSeed() {
    if (!this.randomSeed.checked) return;
    const {max_seed: most, max_images: images} = this.site.limits;
    this.fields.seed.show(Math.floor(Math.random() * (most - images + 1)));
    this.onChange();
  }

  /**
   * @param {number} step
   * @param {number} steps
   */
  showProgress(step, steps) {
    setText(this.generateButton, `Generating ${step}/${steps} …`);
  }

  showRunning() {
    setText(this.generateButton, "Generating …");
    enable(this.generateButton, false);
    enable(this.stopButton, true);
  }

  showIdle() {
    setText(this.generateButton, GENERATE);
    enable(this.generateButton, true);
    enable(this.stopButton, false);
  }
}
