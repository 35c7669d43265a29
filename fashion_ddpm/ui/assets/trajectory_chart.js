// The chart of label probabilities along a trajectory, as SVG. Colours are classes of trajectory.css.

import {addShape} from "./svg.js";

const CHART = {left: 58, right: 424, top: 10, bottom: 208};
const LINES = ["requested", "first", "second"]; // class names of the requested class and runners-up
const MOST_DOTS = 25; // lines of more points are drawn without dots

const chartX = (percent) => CHART.left + (percent / 100) * (CHART.right - CHART.left);
const chartY = (score) => CHART.bottom - score * (CHART.bottom - CHART.top);
const asPercent = (score) => Math.round(100 * score) + " %";

export class ScoreChart {
  // figure: the <figure> with its title; seek(percent, isPress): what hovering and pressing do.
  constructor(figure, seek) {
    this.figure = figure;
    this.svg = figure.querySelector("svg");
    this.drawAxes();
    this.marks = addShape(this.svg, "g", {});
    this.now = addShape(this.svg, "line", {y1: CHART.top, y2: CHART.bottom, class: "now"});
    const onPointer = (event) => {
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

  // Progress in percent under the pointer.
  percentAt(event) {
    const box = this.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.svg.viewBox.baseVal.width;
    return Math.min(Math.max((100 * (x - CHART.left)) / (CHART.right - CHART.left), 0), 100);
  }

  // Draw the curves [{class_name, scores}], requested class first; sentence: for screen readers.
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

  // Write the classes, in the colours of their lines, into the title.
  nameLines() {
    const runnersUp = this.figure.querySelector(".runners-up");
    runnersUp.replaceChildren();
    this.curves.slice(1).forEach((curve, rank) => {
      const name = document.createElement("b");
      name.className = LINES[rank + 1];
      name.dataset.line = rank + 1;
      runnersUp.append(rank ? " and " : "; runners-up: ", name);
    });
    this.scores = this.curves.map((curve, line) => {
      const name = this.figure.querySelector('[data-line="' + line + '"]');
      const score = document.createElement("span");
      score.className = "score";
      name.replaceChildren(curve.class_name, score);
      return score;
    });
  }

  // Mark a step, counted from 1, and write its probabilities into the title.
  mark(step) {
    if (!this.curves.length) return;
    const x = chartX((100 * step) / this.curves[0].scores.length);
    this.now.setAttribute("x1", x);
    this.now.setAttribute("x2", x);
    this.curves.forEach(({scores}, line) => {
      this.scores[line].textContent = asPercent(scores[step - 1]);
    });
  }
}
