// What CLIP sees: the scores of the selected image, of its batch, and of real test images.

import {find, make} from "./elements.js";
import {requestLabels} from "../settings/generate_request.js";
import {wholePercent} from "./wording.js";

/** @import {ShownRun} from "./shown_run.js" */
/** @import {Site} from "../types.js" */

const TITLES = ["This image", "Average of its class here", "Real test images"];
const TOP = 3; // prompts that are shown

/**
 * Return the mean of some rows.
 * @param {Float32Array} values [rows · width]
 * @param {number[]} rows
 * @param {number} width
 * @returns {number[]}
 */
export function meanOfRows(values, rows, width) {
  return Array.from({length: width}, (_, column) => {
    const sum = rows.reduce((total, row) => total + values[row * width + column], 0);
    return sum / rows.length;
  });
}

/**
 * Return a prompt for each score, the best first: its name, its bar and its percentage.
 * @param {string[]} prompts
 * @param {number[]} scores
 * @returns {HTMLElement}
 */
function scoreList(prompts, scores) {
  const order = prompts.map((_, index) => index).sort((one, other) => scores[other] - scores[one]);
  const best = make("p", {class: "best"}, prompts[order[0]]);
  const list = make("dl");
  for (const index of order.slice(0, TOP)) {
    const bar = make("span", {class: "bar", "aria-hidden": "true"});
    bar.style.setProperty("width", `${100 * scores[index]}%`);
    const name = make("dt", {}, bar, prompts[index]);
    list.append(make("div", {}, name, make("dd", {}, wholePercent(scores[index]))));
  }
  return make("div", {class: "score-box"}, best, list);
}

/** The scores' part of the page. */
export class ScorePanel {
  /** @param {Site} site */
  constructor(site) {
    this.site = site;
    this.root = find("#scores");
    this.root.hidden = site.scorer === null;
    find("h2", this.root).textContent = `Which ${site.kind.class_noun} does CLIP see?`;
    this.rows = [find("#label-scores"), find("#quality-scores")];
    this.note = find("#score-note");
  }

  /**
   * Show the scores of a run's image; while they are not known, a sentence.
   * @param {ShownRun} shown
   * @param {number} index of the image
   * @param {string} note why there are none yet
   */
  show(shown, index, note) {
    const {scorer, baseline} = this.site;
    if (!scorer) return;
    this.note.textContent = shown.scores ? "" : note;
    this.root.dataset.state = shown.scores ? "known" : "waiting";
    if (!shown.scores) return;
    const labels = requestLabels(shown.run.request, this.site);
    const label = labels[index];
    const same = labels.flatMap((each, place) => (each === label ? [place] : []));
    const {labels: byLabel, quality} = shown.scores;
    const prompts = scorer.label_prompts;
    this.fill(this.rows[0], prompts, [
      meanOfRows(byLabel, [index], prompts.length),
      meanOfRows(byLabel, same, prompts.length),
      baseline && baseline.labels[label],
    ]);
    if (!quality) return;
    const questions = scorer.quality_prompts[label];
    this.fill(this.rows[1], questions, [
      meanOfRows(quality, [index], questions.length),
      meanOfRows(quality, same, questions.length),
      baseline && baseline.quality[label],
    ]);
  }

  /**
   * Show a row of scores, side by side.
   * @param {HTMLElement} row
   * @param {string[]} prompts
   * @param {(number[] | null)[]} columns a score for each prompt, for each title
   */
  fill(row, prompts, columns) {
    row.replaceChildren(
      ...columns.flatMap((scores, column) =>
        scores ? [make("div", {}, make("h3", {}, TITLES[column]), scoreList(prompts, scores))] : [],
      ),
    );
  }
}
