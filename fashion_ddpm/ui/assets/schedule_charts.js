// Charts of a noise schedule beside cosine, as SVG: betas, alpha-bar and log-SNR.
// Colours are classes of schedule_charts.css.

import {
  alphaBars,
  checkLevels,
  evenPositions,
  formatBeta,
  logSnr,
  percentText,
  requiredLastBeta,
  visitedLevels,
} from "./schedule_math.js";
import {addShape} from "./svg.js";

const CHART = {width: 360, height: 236, left: 58, right: 10, top: 8, bottom: 42};
const LOG_RANGE = [-12, 12];

// An empty chart with two named axes in an <svg>; x(), y() turn values into coordinates.
class Chart {
  constructor(svg, xAxis, yAxis) {
    this.svg = svg;
    this.xAxis = xAxis;
    this.yAxis = yAxis;
    svg.setAttribute("viewBox", `0 0 ${CHART.width} ${CHART.height}`);
    svg.setAttribute("role", "img");
    svg.replaceChildren();
    this.ground = addShape(svg, "g", {});
    this.drawAxes();
    this.marks = addShape(svg, "g", {});
  }

  x(value) {
    const [low, high] = this.xAxis.range;
    return CHART.left + ((value - low) / (high - low)) * (CHART.width - CHART.left - CHART.right);
  }

  y(value) {
    const [low, high] = this.yAxis.range;
    const kept = Math.min(Math.max(value, low), high);
    const share = (kept - low) / (high - low);
    return CHART.height - CHART.bottom - share * (CHART.height - CHART.bottom - CHART.top);
  }

  drawAxes() {
    const {left, right, top, bottom, width, height} = CHART;
    const [middleX, middleY] = [(left + width - right) / 2, (top + height - bottom) / 2];
    const base = height - bottom;
    for (const tick of this.yAxis.ticks) {
      const y = this.y(tick);
      addShape(this.svg, "line", {x1: left, x2: width - right, y1: y, y2: y, class: "grid"});
      addShape(this.svg, "text", {x: left - 6, y: y + 4, class: "tick end"}, String(tick));
    }
    for (const tick of this.xAxis.ticks) {
      addShape(this.svg, "text", {x: this.x(tick), y: base + 15, class: "tick"}, String(tick));
    }
    addShape(this.svg, "text", {x: middleX, y: height - 6, class: "axis"}, this.xAxis.name);
    const turn = `translate(11 ${middleY}) rotate(-90)`;
    addShape(this.svg, "text", {transform: turn, class: "axis"}, this.yAxis.name);
  }

  // Draw a line through [x, y] points.
  line(points, name) {
    const path = points.map(([x, y]) => `${this.x(x).toFixed(1)},${this.y(y).toFixed(1)}`);
    addShape(this.marks, "polyline", {points: path.join(" "), class: `line ${name}`});
  }

  dots(points, name) {
    for (const [x, y] of points) {
      addShape(this.marks, "circle", {cx: this.x(x), cy: this.y(y), r: 2.6, class: `dot ${name}`});
    }
  }

  // Draw a band across the chart between two heights, with a label where it fits.
  band(low, high, name, label) {
    const [top, bottom] = [this.y(high), this.y(low)];
    if (bottom - top < 0.5) return;
    const across = {x: CHART.left, width: CHART.width - CHART.left - CHART.right};
    addShape(this.ground, "rect", {...across, y: top, height: bottom - top, class: `band ${name}`});
    if (bottom - top < 15) return;
    const place = {x: CHART.left + 8, y: (top + bottom) / 2 + 4, class: `label ${name}`};
    addShape(this.ground, "text", place, label);
  }

  clear() {
    this.ground.replaceChildren();
    this.marks.replaceChildren();
  }
}

// The three charts of a schedule. `data` is what fashion_ddpm/demo/why_blurry.py sends.
export class ScheduleCharts {
  constructor(root, data, betaRange = null) {
    this.data = data;
    this.betaRange = betaRange;
    const select = (name) => root.querySelector(`svg.${name}`);
    this.betaSvg = select("betas");
    this.betaChart = betaRange && this.buildBetaChart([]);
    const time = {name: "t / T: share of the noise levels", range: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1]};
    const power = {name: "ᾱ: share of the power", range: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1]};
    const log = {name: "log SNR (natural log)", range: LOG_RANGE, ticks: [-12, -6, 0, 6, 12]};
    this.power = new Chart(select("alpha-bar"), time, power);
    this.log = new Chart(select("log-snr"), time, log);
  }

  show(betas) {
    const levels = alphaBars(betas);
    const verdict = checkLevels(levels, this.data.max_terminal_alpha_bar);
    this.showBetas(betas);
    this.showPower(levels, verdict);
    this.showLogSnr(levels, verdict);
  }

  showBetas(betas) {
    const chart = this.betaChart ?? this.buildBetaChart(betas);
    chart.clear();
    const points = thin(betas).map((index) => [index + 1, betas[index]]);
    const area = [[0, 0], [0, points[0][1]], ...points, [betas.length, 0]];
    const path = area.map(([x, y]) => `${chart.x(x).toFixed(1)},${chart.y(y).toFixed(1)}`);
    if (this.betaRange) this.showTooLittle(chart, betas[0]);
    addShape(chart.ground, "polygon", {points: path.join(" "), class: "area"});
    chart.line(points, "yours");
    const sum = betas.reduce((total, beta) => total + beta, 0);
    this.betaSvg.setAttribute(
      "aria-label",
      `Chart: your beta goes from ${formatBeta(betas[0])} to ${formatBeta(betas.at(-1))} in ${betas.length} levels; the area under the line is ${sum.toFixed(1)}.`
    );
  }

  // Shade where the line's end leaves too much of the image.
  showTooLittle(chart, firstBeta) {
    const {xMax, yMax} = this.betaRange;
    const edge = Array.from({length: 60}, (_, index) => {
      const levels = 10 + (index / 59) ** 2 * (xMax - 10);
      const last = requiredLastBeta(levels, firstBeta, this.data.max_terminal_alpha_bar);
      return [levels, Math.min(last, yMax)];
    });
    const points = [[0, 0], [0, yMax], ...edge, [xMax, 0]];
    const path = points.map(([x, y]) => `${chart.x(x).toFixed(1)},${chart.y(y).toFixed(1)}`);
    addShape(chart.ground, "polygon", {points: path.join(" "), class: "band gap"});
  }

  // Return a chart whose axes have a fixed range, or reach as far as these betas go.
  buildBetaChart(betas) {
    const highest = betas.reduce((high, beta) => Math.max(high, beta), 0);
    const {xMax, yMax} = this.betaRange ?? {xMax: betas.length, yMax: highest};
    const round = (value) => Number(value.toPrecision(2));
    const axis = (name, max) => ({name, range: [0, max], ticks: [0, max / 2, max].map(round)});
    const levels = axis("t: noise level", xMax);
    return new Chart(this.betaSvg, levels, axis("β: noise added per level", yMax));
  }

  showPower(levels, verdict) {
    this.power.clear();
    if (!verdict.good) this.power.band(0, verdict.alphaBar, "gap", "never trained here");
    this.power.line(this.data.cosine.curve, "cosine");
    this.power.line(curve(levels), "yours");
    this.power.svg.setAttribute(
      "aria-label",
      `Chart: your signal power falls from ${levels[0].toFixed(2)} to ${verdict.alphaBar.toFixed(2)}, cosine's to 0.00.` +
        (verdict.good ? "" : ` Below ${verdict.alphaBar.toFixed(2)} your network was never trained.`)
    );
  }

  showLogSnr(levels, verdict) {
    const {cosine, max_terminal_alpha_bar: threshold, steps, min_alpha_bar: floor} = this.data;
    const toLog = (points) => points.map(([time, level]) => [time, logSnr(level)]);
    this.log.clear();
    this.log.band(LOG_RANGE[0], logSnr(threshold), "noise", "as good as pure noise");
    const end = logSnr(verdict.alphaBar);
    if (!verdict.good) this.log.band(logSnr(threshold), end, "gap", "never trained here");
    this.log.line(toLog(cosine.curve), "cosine");
    this.log.line(toLog(curve(levels)), "yours");
    this.log.dots(toLog(cosine.visited), "cosine");
    const visited = visitedLevels(levels, steps, floor);
    this.log.dots(visited.map(({time, alphaBar}) => [time, logSnr(alphaBar)]), "yours");
    const last = Math.max(end, LOWEST_LOG).toFixed(1);
    this.log.svg.setAttribute(
      "aria-label",
      `Chart: your log SNR ends at ${last}, cosine's at ${logSnr(cosine.curve.at(-1)[1]).toFixed(1)}; below ${logSnr(threshold).toFixed(1)} an image is as good as pure noise.` +
        (verdict.good ? "" : " The gap between was never trained.")
    );
  }
}

const MAX_POINTS = 160; // more points than pixels would be slow to draw

// Return the indices, evenly thinned, of what is drawn of a long list.
function thin(values) {
  const count = Math.min(values.length, MAX_POINTS);
  return evenPositions(values.length, count);
}

function curve(levels) {
  return thin(levels).map((index) => [index / (levels.length - 1), levels[index]]);
}

// Write the verdict in words.
function showVerdict(place, verdict) {
  const word = document.createElement("b");
  word.textContent = verdict.good ? "✓ Good: " : "✗ Broken: ";
  place.classList.toggle("good", verdict.good);
  place.replaceChildren(word, verdict.text.replaceAll(" %", "\u00a0%"));
  if (!verdict.good) place.append(" Raise T, multiply the betas, or use cosine.");
}

// Write the numbers into the charts' titles.
export function showChartWords(root, betas, verdict) {
  const sum = betas.reduce((total, beta) => total + beta, 0);
  root.querySelector(".area-sum").textContent = sum < 9.95 ? sum.toFixed(1) : sum.toFixed(0);
  const [power, amplitude] = [percentText(verdict.alphaBar), percentText(verdict.amplitude)];
  root.querySelector(".power-words").textContent =
    `At the last level ${power} of the power is left; √ᾱ, the amplitude, is ${amplitude}.`;
}
