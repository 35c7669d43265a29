// The images of a run at one step, and a run that is kept as A beside the one in the player, B.

/** @import {Sprite} from "./trajectory_sprite.js" */

/**
 * What the player shows of a run (ui/trajectory.py, _player_value).
 * @typedef {object} PlayerData
 * @property {{url: string}} sprite the picture of all frames
 * @property {number[]} steps of the frames, counted from 1
 * @property {number} num_steps of the run
 * @property {string[]} sigmas of the frames
 * @property {string[]} captions of the images
 * @property {string} id of the run
 * @property {[name: string, value: string][]} settings
 * @property {number} selected index of the image
 * @property {{class_name: string, scores: number[]}[]} curves the requested class first
 * @property {string} chart what the curves show, for screen readers
 * @property {string} decision
 */

/** @typedef {{data: PlayerData, sprite: Sprite}} ShownRun a run and its frames */

/** @type {Record<string, string>} */
const STATES = {noisy: "noisy image", clean: "predicted clean image"};

/**
 * Write a text where it differs.
 * @param {Element} target
 * @param {string} text
 */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Return "step 3 of 10".
 * @param {PlayerData} data
 * @param {number} frame
 */
export const nameStep = (data, frame) => "step " + data.steps[frame] + " of " + data.num_steps;

/**
 * Keep "seed 3" on one line.
 * @param {string} caption
 */
export const keepSeed = (caption) => caption.replace(/ (?=[0-9]+$)/, "\u00a0");

/** @param {string} text */
const capitalize = (text) => text[0].toUpperCase() + text.slice(1);

/**
 * Return the index of the frame that is nearest to a step.
 * @param {PlayerData} data
 * @param {number} step counted from 1
 */
export function nearestFrame(data, step) {
  const distances = data.steps.map((each) => Math.abs(each - step));
  return distances.indexOf(Math.min(...distances));
}

// One image of a run: noisy and predicted clean, with its name, its settings and its step.
export class Side {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.subject = "";
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement}
   */
  find(selector) {
    return /** @type {HTMLElement} */ (this.root.querySelector(selector));
  }

  /**
   * Name the shown image.
   * @param {string} letter "A", "B", or "" where there is no other run
   * @param {PlayerData} data
   * @param {number} image
   */
  name(letter, data, image) {
    this.subject = (letter ? letter + ": " : "") + data.captions[image];
    setText(this.find(".subject"), keepSeed(this.subject));
  }

  /**
   * @param {ShownRun} run
   * @param {number} image
   * @param {number} frame
   */
  paint({data, sprite}, image, frame) {
    const step = nameStep(data, frame);
    for (const canvas of this.root.querySelectorAll("canvas")) {
      const kind = canvas.dataset.row ?? "";
      sprite.paint(canvas, image, frame, kind);
      canvas.setAttribute("aria-label", this.subject + ", " + step + ": " + STATES[kind]);
    }
    const sigma = " · noise-to-signal ratio σ = " + data.sigmas[frame];
    setText(this.find(".readout"), capitalize(step) + sigma);
  }

  /**
   * Name the settings of a run; those that differ from another run's are bold.
   * @param {PlayerData["settings"]} settings
   * @param {PlayerData["settings"]} others
   */
  listSettings(settings, others) {
    const parts = settings.map(([name, value], index) => {
      const part = document.createElement(value === others[index][1] ? "span" : "b");
      part.textContent = name + " " + value;
      return part;
    });
    this.find(".settings").replaceChildren(...parts.flatMap((part) => [part, "\u00a0· "]).slice(0, -1));
  }
}

// The run that is kept as A: one side before that of B, and all its images before those of B.
export class KeptRun {
  /**
   * @param {ShownRun} run
   * @param {Side} sideOfB
   * @param {HTMLElement} cellsOfB
   */
  constructor(run, sideOfB, cellsOfB) {
    this.run = run;
    this.sideOfB = sideOfB;
    this.side = new Side(/** @type {HTMLElement} */ (sideOfB.root.cloneNode(true)));
    this.image = 0; // index of the shown image
    this.frame = 0; // index of the shown frame
    this.cells = document.createElement("div");
    this.cells.className = "kept-cells";
    this.cells.setAttribute("role", "group");
    this.cells.setAttribute("aria-label", "A: all images of the kept run");
    for (const caption of run.data.captions) {
      const cell = this.cells.appendChild(document.createElement("div"));
      cell.append(document.createElement("canvas"), keepSeed(caption));
    }
    sideOfB.root.before(this.side.root);
    cellsOfB.before(this.cells);
  }

  /**
   * Return whether the player shows another run than this one.
   * @param {PlayerData} data
   */
  isBeside(data) {
    return data.id !== this.run.data.id;
  }

  /**
   * Name the settings that differ from the run in the player.
   * @param {PlayerData} data of that run
   */
  show(data) {
    const isBeside = this.isBeside(data);
    this.side.root.hidden = this.cells.hidden = !isBeside;
    if (!isBeside) return this.sideOfB.find(".settings").replaceChildren();
    this.image = Math.min(data.selected, this.run.data.captions.length - 1);
    this.side.name("A", this.run.data, this.image);
    this.side.listSettings(this.run.data.settings, data.settings);
    this.sideOfB.listSettings(data.settings, this.run.data.settings);
  }

  /**
   * Show the frame at a share of the trajectory.
   * @param {number} progress
   */
  seek(progress) {
    const {data} = this.run;
    this.frame = nearestFrame(data, progress * data.num_steps);
    this.side.paint(this.run, this.image, this.frame);
  }

  /** @param {string} kind "noisy" or "clean" */
  paintCells(kind) {
    this.cells.querySelectorAll("canvas").forEach((canvas, image) => {
      this.run.sprite.paint(canvas, image, this.frame, kind);
    });
  }

  remove() {
    this.side.root.remove();
    this.cells.remove();
    this.sideOfB.find(".settings").replaceChildren();
  }
}
