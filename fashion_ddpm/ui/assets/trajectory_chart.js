// The chart of label probabilities along a trajectory, as SVG. Colours are classes of trajectory.css.

import {addShape} from "./svg.js";

/** @import {PlayerData} from "./trajectory_sides.js" */

const CHART = {left: 58, right: 424, top: 10, bottom: 208};
const LINES = ["requested", "first", "second"]; // class names of the requested class and runners-up
const MOST_DOTS = 25; // lines of more points are drawn without dots

/** @param {number} percent */
const chartX = (percent) => CHART.left + (percent / 100) * (CHART.right - CHART.left);
/** @param {number} score */
const chartY = (score) => CHART.bottom - score * (CHART.bottom - CHART.top);
/** @param {number} score */
const asPercent = (score) => Math.round(100 * score) + " %";

export class ScoreChart {
  /**
   * @param {HTMLElement} figure with the chart's title
   * @param {(percent: number, isPress: boolean) => void} seek what hovering and pressing do
   */
  constructor(figure, seek) {
    this.figure = figure;
    this.svg = /** @type {SVGSVGElement} */ (figure.querySelector("svg"));
    /** @type {PlayerData["curves"]} */
    this.curves = [];
    /** @type {HTMLElement[]} where each line's probability is written */
    this.scores = [];
    this.drawAxes();
    this.marks = addShape(this.svg, "g", {});
    this.now = addShape(this.svg, "line", {y1: CHART.top, y2: CHART.bottom, class: "now"});
    const onPointer = (/** @type {PointerEvent} */ event) => {
      const isPress = event.type === "pointerdown" || event.buttons > 0;
      if (isPress || event.pointerType === "mouse") seek(this.percentAt(event), isPress);
    };
    this.svg.addEventListener("pointerdown", onPointer);
    this.svg.addEventListener("pointermove", onPointer);
  }

  drawAxes() {
    const {left, right, top, bottom} = CHART;
    for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
      const y = chartY(tick);
      addShape(this.svg, "line", {x1: left, x2: right, y1: y, y2: y, class: "grid"});
      addShape(this.svg, "text", {x: left - 5, y: y + 4, class: "tick end"}, String(tick));
    }
    for (const tick of [0, 20, 40, 60, 80, 100]) {
      addShape(this.svg, "text", {x: chartX(tick), y: bottom + 17, class: "tick"}, String(tick));
    }
    const across = {x: (left + right) / 2, y: bottom + 36, class: "axis"};
    addShape(this.svg, "text", across, "denoising progress (%)");
    const turn = "translate(13 " + (top + bottom) / 2 + ") rotate(-90)";
    addShape(this.svg, "text", {transform: turn, class: "axis"}, "label probability");
  }

  /**
   * Return the progress in percent under the pointer.
   * @param {PointerEvent} event
   */
  percentAt(event) {
    const box = this.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.svg.viewBox.baseVal.width;
    return Math.min(Math.max((100 * (x - CHART.left)) / (CHART.right - CHART.left), 0), 100);
  }

  /**
   * Draw the curves.
   * @param {PlayerData["curves"]} curves the requested class first
   * @param {string} sentence for screen readers
   */
  show(curves, sentence) {
    this.curves = curves;
    this.figure.hidden = curves.length === 0;
    this.svg.setAttribute("aria-label", sentence);
    this.marks.replaceChildren();
    curves.forEach(({scores}, line) => {
      const points = scores.map((score, step) => [
        chartX((100 * (step + 1)) / scores.length),
        chartY(score),
      ]);
      addShape(this.marks, "polyline", {points: points.join(" "), class: "line " + LINES[line]});
      if (points.length > MOST_DOTS) return;
      for (const [cx, cy] of points) {
        addShape(this.marks, "circle", {cx, cy, r: 3, class: "dot " + LINES[line]});
      }
    });
    this.nameLines();
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement}
   */
  find(selector) {
    return /** @type {HTMLElement} */ (this.figure.querySelector(selector));
  }

  // Write the classes, in the colours of their lines, into the title.
  nameLines() {
    const runnersUp = this.find(".runners-up");
    runnersUp.replaceChildren();
    this.curves.slice(1).forEach((_, rank) => {
      const name = document.createElement("b");
      name.className = LINES[rank + 1];
      name.dataset.line = String(rank + 1);
      runnersUp.append(rank ? " and " : "; runners-up: ", name);
    });
    this.scores = this.curves.map((curve, line) => {
      const name = this.find('[data-line="' + line + '"]');
      const score = document.createElement("span");
      score.className = "score";
      name.replaceChildren(curve.class_name, score);
      return score;
    });
  }

  /**
   * Mark a step and write its probabilities into the title.
   * @param {number} step counted from 1
   */
  mark(step) {
    if (!this.curves.length) return;
    const x = chartX((100 * step) / this.curves[0].scores.length);
    this.now.setAttribute("x1", String(x));
    this.now.setAttribute("x2", String(x));
    this.curves.forEach(({scores}, line) => {
      this.scores[line].textContent = asPercent(scores[step - 1]);
    });
  }
}
