// The explorer of Why blurry?: T and betas by slider, number or handle; all else follows at once.
// props.value = {num_levels, first_beta, last_beta,
// class_name} is what the button below sends to the server; props.data does not change.

import {ScheduleCharts, showChartWords} from "./schedule_charts.js";
import {
  alphaBars,
  checkLevels,
  evenPositions,
  linearBetas,
  noisedPixels,
  percentText,
} from "./schedule_math.js";
import {addShape} from "./svg.js";

const data = props.data;
const find = (selector) => element.querySelector(selector);
const charts = new ScheduleCharts(element, data, {
  xMax: data.bounds.num_levels[1],
  yMax: data.bounds.last_beta[1],
});
const state = {...props.value};
const images = Object.fromEntries(
  Object.entries(data.images).map(([name, text]) => [name, Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0))])
);
const isNarrow = matchMedia("(max-width: 500px)"); // there the ten images take two rows

// A setting with a number field and a range; betas move on a logarithmic track.
const SETTINGS = {
  num_levels: {id: "levels", toTrack: (value) => value, fromTrack: (at) => at, step: 10},
  first_beta: {id: "first", toTrack: Math.log10, fromTrack: (at) => 10 ** at, step: "any"},
  last_beta: {id: "last", toTrack: Math.log10, fromTrack: (at) => 10 ** at, step: "any"},
};

// Keep a value within its bounds; T is a whole number, betas have three digits that count.
function keepWithin(name, value) {
  const [low, high] = data.bounds[name];
  const kept = Math.min(Math.max(value, low), high);
  return name === "num_levels" ? Math.round(kept) : Number(kept.toPrecision(3));
}

// Change settings. The betas must rise, so one that passes the other takes it along.
function change(changes) {
  for (const [name, value] of Object.entries(changes)) {
    state[name] = typeof value === "number" ? keepWithin(name, value) : value;
  }
  if (state.first_beta > state.last_beta) {
    if ("last_beta" in changes) state.first_beta = state.last_beta;
    else state.last_beta = state.first_beta;
  }
  show();
  props.value = {...state};
}

function show() {
  const betas = linearBetas(state.num_levels, state.first_beta, state.last_beta);
  const levels = alphaBars(betas);
  const verdict = checkLevels(levels, data.max_terminal_alpha_bar);
  showControls();
  showVerdict(find(".verdict"), verdict);
  charts.show(betas);
  showChartWords(element, betas, verdict);
  moveHandle();
  const own = evenPositions(levels.length, 10).map((index) => levels[index]);
  drawStrip("yours", own, `your schedule leaves ${percentText(verdict.amplitude)} of the amplitude at the last`);
  drawStrip("cosine", data.cosine.noised, "cosine leaves nothing but noise at the last");
}

function showControls() {
  for (const [name, {id, toTrack}] of Object.entries(SETTINGS)) {
    const number = find(`#explorer-${id}`);
    const range = find(`#explorer-${id}-range`);
    if (document.activeElement !== number) number.value = state[name];
    range.value = toTrack(state[name]);
    range.setAttribute("aria-valuetext", String(state[name]));
  }
  find("#explorer-class").value = state.class_name;
  for (const [index, button] of find(".presets").querySelectorAll("button").entries()) {
    const preset = data.presets[index];
    const same = Object.keys(SETTINGS).every((name) => preset[name] === state[name]);
    button.setAttribute("aria-pressed", String(same));
  }
}

// Draw the chosen image at ten levels, one pixel apart, as pixels that CSS enlarges.
function drawStrip(name, levels, words) {
  const {size, noise} = data;
  const cell = size + 1;
  const columns = isNarrow.matches ? levels.length / 2 : levels.length;
  const canvas = find(`canvas.${name}`);
  canvas.width = columns * cell - 1;
  canvas.height = Math.ceil(levels.length / columns) * cell - 1;
  const context = canvas.getContext("2d");
  for (const [place, level] of levels.entries()) {
    const picture = context.createImageData(size, size);
    noisedPixels(images[state.class_name], noise, level).forEach((grey, index) => {
      picture.data.set([grey, grey, grey, 255], 4 * index);
    });
    context.putImageData(picture, (place % columns) * cell, Math.floor(place / columns) * cell);
  }
  canvas.setAttribute("aria-label", `${state.class_name} at ten noise levels; ${words}`);
}

// The handle at the end of the beta line: left and right is T, up and down the last beta.
const handle = addShape(charts.betaChart.svg, "g", {class: "handle"});
addShape(handle, "circle", {r: 16, class: "target"});
addShape(handle, "circle", {r: 7, class: "knob"});

function moveHandle() {
  const chart = charts.betaChart;
  const place = `translate(${chart.x(state.num_levels)} ${chart.y(state.last_beta)})`;
  handle.setAttribute("transform", place);
}

function followHandle(event) {
  const {svg} = charts.betaChart;
  const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  const width = CHART.width - CHART.left - CHART.right;
  const height = CHART.height - CHART.top - CHART.bottom;
  const levels = ((place.x - CHART.left) / width) * data.bounds.num_levels[1];
  const beta = ((CHART.height - CHART.bottom - place.y) / height) * data.bounds.last_beta[1];
  change({num_levels: 10 * Math.round(levels / 10), last_beta: beta});
}

function connectHandle() {
  // A finger on the handle must not scroll the page; touch-action alone does not hold in SVG.
  handle.addEventListener("touchstart", (event) => event.preventDefault(), {passive: false});
  handle.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
  });
  handle.addEventListener("pointermove", (event) => {
    if (handle.hasPointerCapture(event.pointerId)) followHandle(event);
  });
}

function connectControls() {
  for (const [name, {id, toTrack, fromTrack, step}] of Object.entries(SETTINGS)) {
    const [low, high] = data.bounds[name];
    const number = find(`#explorer-${id}`);
    const range = find(`#explorer-${id}-range`);
    Object.assign(number, {min: low, max: high});
    if (name === "num_levels") number.step = 1;
    Object.assign(range, {min: toTrack(low), max: toTrack(high), step});
    range.addEventListener("input", () => change({[name]: fromTrack(Number(range.value))}));
    number.addEventListener("input", () => {
      const value = number.valueAsNumber;
      if (value >= low && value <= high) change({[name]: value}); // half-typed ones wait
    });
    number.addEventListener("change", () => {
      const value = number.valueAsNumber;
      if (Number.isFinite(value)) change({[name]: value});
      number.value = state[name];
    });
  }
  for (const preset of data.presets) {
    const button = document.createElement("button");
    Object.assign(button, {type: "button", className: "choice", textContent: preset.name});
    button.addEventListener("click", () => {
      const {name, ...settings} = preset;
      change(settings);
    });
    find(".presets").append(button);
  }
  const menu = find("#explorer-class");
  menu.append(...Object.keys(images).map((name) => new Option(name, name)));
  menu.addEventListener("change", () => change({class_name: menu.value}));
}

connectControls();
connectHandle();
isNarrow.addEventListener("change", show);
show();
