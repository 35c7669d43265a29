// What the page shows and does: runs that are drawn, shown, scored and shared.

import {settingSentence} from "./controls.js";
import {draw} from "./drawing.js";
import {bringIntoView, find} from "./elements.js";
import {numEvaluations, requestLabels} from "../settings/generate_request.js";
import {toQuery} from "../settings/share_link.js";
import {ShownRun} from "./shown_run.js";
import {errorSentence, formatSeconds, quantity, seedRange} from "./wording.js";

/** @import {Controls} from "./controls.js" */
/** @import {Engine} from "../runtime/engine.js" */
/** @import {CostMeter} from "./request_note.js" */
/** @import {Results} from "./results.js" */
/** @import {ScorePanel} from "./scores.js" */
/** @import {SharePanel} from "./share_panel.js" */
/** @import {Status} from "./status.js" */
/** @import {TabIcon} from "./tab_icon.js" */
/** @import {TrajectoryPanel} from "./trajectory_panel.js" */
/** @import {Request, Run, SharedSettings, Site} from "../types.js" */

const SCORES_WAIT = "The scores follow in a moment.";
const IMAGES_KEPT = "Below: the images before.";
const IMAGES_WORK = "The images below, their scores and their trajectories work all the same.";

/**
 * The parts of the page.
 * @typedef {object} Parts
 * @property {Status} status
 * @property {CostMeter} cost
 * @property {Controls} controls
 * @property {Results} results
 * @property {ScorePanel} scores
 * @property {TrajectoryPanel} trajectory
 * @property {SharePanel} share
 * @property {TabIcon} icon
 */

/** A visit to the page. */
export class Session {
  /**
   * @param {Site} site
   * @param {Engine} engine
   * @param {Parts} parts
   */
  constructor(site, engine, parts) {
    this.site = site;
    this.engine = engine;
    this.parts = parts;
    /** @type {ShownRun | null} */
    this.shown = null;
    this.index = 0;
    this.number = 0; // of the newest run
    this.stop = () => {}; // ends it
  }

  /** Load the runtime and the network, so that the first run need not wait for them. */
  async start() {
    try {
      await this.engine.start();
    } catch (error) {
      const rest = this.shown ? ` ${IMAGES_WORK}` : "";
      this.parts.status.fail(errorSentence(error) + rest);
    }
  }

  /**
   * Show finished images.
   * @param {ShownRun} shown
   * @param {number} index of the selected image
   */
  show(shown, index) {
    this.shown = shown;
    this.index = index;
    this.parts.results.show(shown.run, index);
    find("#content").dataset.hasImages = "";
    this.showImage();
  }

  /** Show the selected image's scores, trajectory and links; ask for the scores that are missing. */
  showImage() {
    const {shown, index} = this;
    if (!shown) return;
    const {scores, trajectory, share, status} = this.parts;
    scores.show(shown, index, SCORES_WAIT);
    trajectory.show(shown, index).catch((error) => status.fail(errorSentence(error)));
    share.show(shown, index);
    this.scoreMissing(shown, index);
  }

  /**
   * Score a run's images and the selected image's steps, where that was not done before.
   * @param {ShownRun} shown
   * @param {number} index of the image
   */
  async scoreMissing(shown, index) {
    const {scorer} = this.site;
    const isShown = () => this.shown === shown && this.index === index;
    if (!scorer || (shown.scores && shown.stepScores.has(index))) return;
    const labels = requestLabels(shown.run.request, this.site);
    try {
      if (!shown.scores) {
        shown.scoring ??= this.engine.score(shown.images, labels);
        shown.scores = await shown.scoring;
        if (isShown()) this.parts.scores.show(shown, index, "");
      }
      if (!isShown()) return;
      const steps = shown.stepsOf(index);
      const {labels: byLabel} = await this.engine.score(steps);
      shown.stepScores.set(index, byLabel);
      if (isShown()) await this.parts.trajectory.show(shown, index);
    } catch (error) {
      shown.scoring = null; // it is tried again when an image is pressed
      if (isShown()) this.parts.scores.show(shown, index, errorSentence(error));
    }
  }

  /**
   * Show another image of the run.
   * @param {number} index
   */
  select(index) {
    if (!this.shown) return;
    this.index = index;
    this.parts.results.mark(index);
    this.showImage();
  }

  /** Draw the images of the settings on the page. */
  generate() {
    const {controls, status} = this.parts;
    controls.drawSeed();
    status.note("");
    try {
      this.draw(controls.request());
    } catch (error) {
      status.failSetting(settingSentence(error, this.site));
    }
  }

  /**
   * Draw images, and show them while they form.
   * @param {Request} request
   */
  async draw(request) {
    const {status, controls, results, icon} = this.parts;
    const number = ++this.number;
    let progress = "";
    status.say(`Generating ${quantity(request.num_images, "image")} …`);
    controls.showRunning();
    bringIntoView(find("#results"));
    try {
      const drawn = draw(this.engine, request, (step) => {
        progress = ` at step ${step.index + 1} of ${request.num_inference_steps}`;
        controls.showProgress(step.index + 1, request.num_inference_steps);
        results.stream(request, step.noisy, step.clean);
        icon.show(step.clean, false);
      });
      this.stop = drawn.stop;
      const run = await drawn.run;
      if (run) this.finish(run);
      else if (number === this.number) this.fallBack(`Stopped${progress}.`);
    } catch (error) {
      if (number !== this.number) return;
      this.fallBack("");
      status.fail(errorSentence(error));
    } finally {
      if (number === this.number) controls.showIdle();
    }
  }

  /**
   * Show the images before a run that was not finished.
   * @param {string} text why
   */
  fallBack(text) {
    const {status, results} = this.parts;
    status.say(this.shown ? `${text} ${IMAGES_KEPT}`.trim() : text);
    if (this.shown) results.show(this.shown.run, this.index);
  }

  /**
   * Take over settings from a link or a picture, and draw.
   * @param {SharedSettings} settings
   * @param {"link" | "picture"} origin
   */
  restore({request, model, scorer}, origin) {
    const {status, controls} = this.parts;
    const {networks} = this.site;
    controls.show(request);
    const models = [networks.base.model, networks.turbo?.model ?? networks.base.model];
    const notes = [];
    if (origin === "picture") {
      notes.push(`Settings of ${request.class_name}, seed ${request.seed}, restored.`);
    }
    if (!models.some((each) => each.startsWith(model))) {
      notes.push(`This ${origin} was made with a different model version, so its images will differ.`);
    }
    if (scorer && this.site.scorer && scorer !== this.site.scorer.name) {
      const own = this.site.scorer.name;
      notes.push(`Its scorer, ${scorer}, is not on this page: the scores are by ${own}.`);
    }
    this.draw(request);
    status.note(notes.join(" "));
  }

  /**
   * Show a run that is finished.
   * @param {Run} run
   */
  finish(run) {
    const {status, icon} = this.parts;
    const {request} = run;
    const evaluations = quantity(numEvaluations(request, this.site), "network evaluation");
    const images = quantity(request.num_images, "image");
    status.say(
      `${images} in ${formatSeconds(run.ms)} · ${quantity(request.num_inference_steps, "step")} · ` +
        `${evaluations} · ${seedRange(request)}`,
    );
    this.learn(run);
    icon.show(run.clean[run.clean.length - 1], true);
    const query = toQuery(request, this.site, this.parts.share.scorer);
    history.replaceState(history.state, "", query + location.hash);
    this.show(new ShownRun(run), 0);
  }

  /**
   * Learn from a run what a step takes here.
   * @param {Run} run
   */
  learn(run) {
    const {status, cost, controls} = this.parts;
    status.showSpeed(run);
    cost.learn(run);
    controls.showNote();
  }
}
