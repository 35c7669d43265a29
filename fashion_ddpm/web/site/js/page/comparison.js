// The student's mistake: the same class and seeds with the student's noise schedule and with cosine.

import {draw} from "./drawing.js";
import {find, setText} from "./elements.js";
import {makeGrid} from "../pictures/gif_frames.js";
import {checkRequest, requestLabels} from "../settings/generate_request.js";
import {decodeBase64, paint, pictureOf} from "../pictures/pixels.js";
import {meanOfRows} from "./scores.js";
import {errorSentence, quantity, seedRange, wholePercent} from "./wording.js";

/** @import {Engine} from "../runtime/engine.js" */
/** @import {Mistake, Request, Run, Scores, Site} from "../types.js" */

/**
 * What is shown of a schedule.
 * @typedef {{request: Request, images: Uint8Array, score: string}} Side
 */

const SCHEDULES = ["report", "cosine"];
const NUM_IMAGES = 4;
const COLUMNS = 2;
const CLEAR_PROMPT = 1; // of the three quality prompts

/** The comparison's part of the page. */
export class Comparison {
  /**
   * @param {Site} site
   * @param {Engine} engine
   * @param {{chosen: () => Request, finished: (run: Run) => void}} page the settings that are
   *   chosen, and what is called after each run
   */
  constructor(site, engine, {chosen, finished}) {
    this.site = site;
    this.engine = engine;
    this.stop = () => {}; // ends the run that is on its way
    this.chosen = chosen;
    this.finished = finished;
    this.button = /** @type {HTMLButtonElement} */ (find("#compare"));
    this.status = find("#mistake-status");
    find("#mistake").hidden = SCHEDULES.some((name) => !site.offered_schedules.includes(name));
    this.name = this.button.textContent ?? "";
    this.isDrawing = false;
    /** @type {Side[]} both that were finished last */
    this.pair = site.mistake ? this.readyMade(site.mistake) : [];
    this.showPair();
    this.button.addEventListener("click", () => {
      if (this.isDrawing) this.stop();
      else this.draw();
    });
  }

  /**
   * @param {Mistake} mistake
   * @returns {Side[]}
   */
  readyMade({images, ...settings}) {
    return SCHEDULES.map((schedule) => {
      const request = checkRequest({...this.site.page_defaults, ...settings, schedule}, this.site);
      return {request, images: decodeBase64(images[schedule]), score: ""};
    });
  }

  /** Show both that were finished last. */
  showPair() {
    for (const {request, images, score} of this.pair) {
      this.showImages(request, images);
      setText(this.parts(request.schedule).score, score);
      this.describe(request);
    }
  }

  /**
   * Show what was there before a comparison that was not finished.
   * @param {string} text why
   */
  fallBack(text) {
    this.showPair();
    setText(this.status, this.pair.length ? `${text} Below: the images before.` : text);
  }

  /**
   * Say what both have in common.
   * @param {Request} request
   */
  describe(request) {
    const steps = quantity(request.num_inference_steps, "step");
    const settings = `${request.sampler} in ${steps}, ${seedRange(request)}`;
    const both = `Both: ${request.class_name}, ${settings}.`;
    setText(this.status, `${both} Only the noise schedule is different.`);
  }

  /**
   * Show the finished images of one of them.
   * @param {Request} request
   * @param {Uint8Array} images
   */
  showImages(request, images) {
    const {figure, canvas} = this.parts(request.schedule);
    this.paint(canvas, images);
    const what = `${request.class_name}, ${seedRange(request)}, with the schedule ${request.schedule}`;
    canvas.setAttribute("aria-label", `${quantity(request.num_images, "image")} of ${what}`);
    figure.dataset.state = "finished";
  }

  /** Draw both, one after the other, and score them. */
  async draw() {
    this.isDrawing = true;
    setText(this.button, "Stop");
    try {
      const {class_name, seed} = this.chosen();
      const common = {...this.site.page_defaults, class_name, seed, num_images: NUM_IMAGES};
      const requests = SCHEDULES.map((schedule) => checkRequest({...common, schedule}, this.site));
      for (const request of requests) this.clear(request);
      /** @type {Side[]} */
      const pair = [];
      for (const request of requests) {
        const run = await this.drawOne(request); // nothing else between them: a newer run ends both
        if (!run) return this.fallBack("Stopped.");
        pair.push({request, images: run.clean[run.clean.length - 1], score: ""});
      }
      this.pair = pair;
      this.describe(requests[0]);
      this.score(pair);
    } catch (error) {
      this.fallBack(errorSentence(error));
    } finally {
      this.isDrawing = false;
      setText(this.button, this.name);
    }
  }

  /**
   * Return the parts of the page that show one of the schedules.
   * @param {string} schedule
   */
  parts(schedule) {
    const figure = find(`#mistake-${schedule}`);
    return {
      figure,
      canvas: /** @type {HTMLCanvasElement} */ (find("canvas", figure)),
      score: find(".score-text", figure),
    };
  }

  /** @param {Request} request */
  clear({schedule}) {
    const {figure, canvas, score} = this.parts(schedule);
    setText(score, "");
    canvas.width = canvas.width + 0; // an assignment empties it
    figure.dataset.state = "empty";
  }

  /**
   * Draw one of them.
   * @param {Request} request
   * @returns {Promise<Run | null>} null: it was ended before its last step
   */
  async drawOne(request) {
    const {figure, canvas} = this.parts(request.schedule);
    setText(this.status, `Generating ${quantity(request.num_images, "image")} with ${request.schedule} …`);
    figure.dataset.state = "forming";
    const drawn = draw(this.engine, request, ({clean}) => this.paint(canvas, clean));
    this.stop = drawn.stop;
    const run = await drawn.run;
    if (!run) return null;
    this.showImages(request, run.clean[run.clean.length - 1]);
    this.finished(run);
    return run;
  }

  /**
   * Score both, and show the scores unless others have been begun meanwhile.
   * @param {Side[]} pair
   */
  async score(pair) {
    if (!this.site.scorer) return;
    const isShown = () => this.pair === pair && !this.isDrawing;
    try {
      for (const side of pair) {
        const labels = requestLabels(side.request, this.site);
        side.score = this.scoreText(await this.engine.score(side.images, labels), labels);
        if (isShown()) setText(this.parts(side.request.schedule).score, side.score);
      }
    } catch (error) {
      if (isShown()) setText(this.status, errorSentence(error));
    }
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Uint8Array} images
   */
  paint(canvas, images) {
    const {kind} = this.site;
    const each = Array.from({length: NUM_IMAGES}, (_, index) => pictureOf(images, index, kind).pixels);
    paint(canvas, makeGrid(each, COLUMNS, kind.image_size, kind.channels));
  }

  /**
   * Return the images' mean scores as a sentence.
   * @param {Scores} scores
   * @param {number[]} labels the requested classes
   * @returns {string}
   */
  scoreText({labels: byLabel, quality}, labels) {
    const width = this.site.kind.class_names.length;
    const sum = labels.reduce((total, label, row) => total + byLabel[row * width + label], 0);
    const right = `CLIP's label score: ${wholePercent(sum / labels.length)}`;
    if (!quality) return `${right}.`;
    const rows = labels.map((_, row) => row);
    const clear = meanOfRows(quality, rows, quality.length / labels.length)[CLEAR_PROMPT];
    return `${right}; “clear, well-generated”: ${wholePercent(clear)}.`;
  }
}
