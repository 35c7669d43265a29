// What the label scores along a trajectory say: curves, and sentences (demo/trajectory.py).

import {wholePercent} from "./wording.js";

/**
 * The label scores of one class along a trajectory.
 * @typedef {object} ScoreCurve
 * @property {string} class_name
 * @property {number[]} scores a probability for each step
 */

const SETTLED_SCORE = 0.5; // of pure noise, too, some class is first
const NUM_RUNNERS_UP = 2;

/**
 * Return the scores of one class: a value for each step.
 * @param {Float32Array} scores [K · classes]
 * @param {number} label
 * @param {number} numClasses
 * @returns {number[]}
 */
function column(scores, label, numClasses) {
  const numSteps = scores.length / numClasses;
  return Array.from({length: numSteps}, (_, step) => scores[step * numClasses + label]);
}

/**
 * Return the curve of the requested class, then those of its runners-up.
 * @param {Float32Array} scores [K · classes], of each predicted clean image
 * @param {number} label the requested class
 * @param {string[]} classNames
 * @returns {ScoreCurve[]}
 */
export function scoreCurves(scores, label, classNames) {
  const curves = classNames.map((name, index) => {
    const rounded = column(scores, index, classNames.length).map((score) => Number(score.toFixed(3)));
    return {class_name: name, scores: rounded};
  });
  const others = curves.filter((_, index) => index !== label);
  const best = new Map(
    others.map((curve) => [curve, Math.max(...column(scores, curves.indexOf(curve), curves.length))]),
  );
  others.sort((one, other) => Number(best.get(other)) - Number(best.get(one)));
  return [curves[label], ...others.slice(0, NUM_RUNNERS_UP)];
}

/**
 * Return what the chart of the curves shows, as a sentence for screen readers.
 * @param {ScoreCurve[]} curves
 * @returns {string}
 */
export function describeCurves(curves) {
  if (!curves.length) return "";
  const [{class_name: name, scores}, ...runnersUp] = curves;
  const first = wholePercent(scores[0]);
  const last = wholePercent(scores[scores.length - 1]);
  const start = "Line chart of CLIP's label probability along the denoising: ";
  const others = runnersUp.map(
    (curve) => `; ${curve.class_name} reaches at most ${wholePercent(Math.max(...curve.scores))}`,
  );
  return `${start}${name} goes from ${first} to ${last}${others.join("")}.`;
}

/**
 * Return since which step CLIP has settled on the requested class, as a sentence.
 * @param {Float32Array} scores [K · classes], of each predicted clean image
 * @param {number} label the requested class
 * @param {string[]} classNames
 * @returns {string}
 */
export function decision(scores, label, classNames) {
  const requested = column(scores, label, classNames.length);
  const name = classNames[label];
  const numSteps = requested.length;
  const end = wholePercent(requested[numSteps - 1]);
  if (!(requested[numSteps - 1] > SETTLED_SCORE)) {
    const final = Array.from(scores.subarray((numSteps - 1) * classNames.length));
    const best = Math.max(...final);
    const winner = classNames[final.indexOf(best)];
    return (
      `CLIP never settles on "${name}" with more than ${wholePercent(SETTLED_SCORE)}; its final ` +
      `top label is "${winner}" (${wholePercent(best)}).`
    );
  }
  const first = requested.findLastIndex((score) => !(score > SETTLED_SCORE)) + 1;
  const there = wholePercent(requested[first]);
  const shown = there === end ? end : `${there} there, ${end} at the end`;
  const step = `step ${first + 1} of ${numSteps}`;
  return `From ${step} onward, CLIP's top label is "${name}" (${shown}).`;
}
