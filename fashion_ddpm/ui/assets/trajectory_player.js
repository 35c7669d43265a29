// Player of a run's denoising trajectories. All its frames are in one picture; but for that, nothing
// here asks the server.

import {ScoreChart} from "./trajectory_chart.js";
import {Playback} from "./trajectory_playback.js";
import {KeptRun, Side, keepSeed, nameStep, nearestFrame, setText} from "./trajectory_sides.js";
import {Sprite} from "./trajectory_sprite.js";

/** @import {PlayerData} from "./trajectory_sides.js" */

const FILMSTRIP_FRAMES = 11; // 0 %, 10 % … 100 % of the trajectory

const reducesMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** @type {Record<string, string>} */
const KEEP_HINTS = {
  none: "Keeps this run here, to compare the next one with it.",
  alone: "This run is kept as A. Change a setting and press Generate: that run becomes B.",
  beside: "One slider moves both. Chart and filmstrip show B.",
};

export class Player {
  /**
   * @param {HTMLElement} root the element of trajectory.html
   * @param {(index: number) => void} select what selects another image of the run
   */
  constructor(root, select) {
    this.root = root;
    this.select = select;
    const parent = /** @type {HTMLElement} */ (root.parentElement);
    this.gone = /** @type {HTMLElement} */ (parent.querySelector(".gone")); // shown instead of it
    this.scrub = /** @type {HTMLInputElement} */ (this.find(".scrub"));
    this.playButton = /** @type {HTMLButtonElement} */ (this.find(".play"));
    this.speed = /** @type {HTMLSelectElement} */ (this.find(".speed"));
    this.side = new Side(this.find(".side"));
    // Neither is there before the first run is shown.
    this.data = /** @type {PlayerData} */ (/** @type {unknown} */ (null));
    this.sprite = /** @type {Sprite} */ (/** @type {unknown} */ (null));
    /** @type {HTMLImageElement | null} the picture on its way */
    this.loading = null;
    /** @type {KeptRun | null} the run that is kept as A */
    this.kept = null;
    this.isPair = false; // whether a kept run is shown beside
    /** @type {{button: HTMLButtonElement, frame: number}[]} */
    this.filmstrip = [];
    /** @type {{button: HTMLButtonElement, canvas: HTMLCanvasElement}[]} */
    this.cells = [];
    this.frame = 0; // index of the shown frame
    this.playback = new Playback(
      {
        shown: () => this.frame,
        last: () => this.data.steps.length - 1,
        seek: (frame) => this.seek(frame),
        speed: () => Number(this.speed.value),
        isThere: () => this.root.isConnected,
      },
      (isPlaying) => this.showPlaying(isPlaying),
      () => this.announce("Finished"),
    );
    this.hasPlayed = false; // it starts by itself once at most, and never after a gesture
    this.chart = new ScoreChart(this.find(".chart"), (percent, isPress) => {
      this.seekByPointer(Math.round((percent / 100) * this.data.num_steps), isPress);
    });
    this.connect();
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement}
   */
  find(selector) {
    return /** @type {HTMLElement} */ (this.root.querySelector(selector));
  }

  connect() {
    const {root, scrub} = this;
    this.playButton.addEventListener("click", () => this.toggle());
    scrub.addEventListener("input", () => this.seek(Number(scrub.value)));
    scrub.addEventListener("pointerdown", () => this.playback.pause());
    this.speed.addEventListener("change", () => this.playback.changeSpeed());
    this.find(".keep").addEventListener("click", () => this.toggleKept());
    this.side.root.addEventListener("click", () => scrub.focus({preventScroll: true}));
    for (const radio of root.querySelectorAll(".switch input")) {
      radio.addEventListener("change", () => this.paintCells());
    }
    root.addEventListener("keydown", (event) => this.onKey(event));
    root.addEventListener("pointerdown", () => (this.hasPlayed = true));
    new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.playOnce();
    }, {threshold: 1}).observe(this.side.find(".pair"));
  }

  /**
   * Space plays and pauses, arrows step; menus, radios and buttons keep their own keys.
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.data) return;
    this.hasPlayed = true;
    const target = /** @type {Element} */ (event.target);
    const isRange = target === this.scrub;
    const takesArrows = target.matches("select, input");
    const move = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (event.key === " " && (isRange || !target.matches("select, input, button"))) {
      this.toggle();
    } else if (move && !takesArrows) {
      this.playback.pause();
      this.seek(this.frame + move);
    } else {
      if (isRange && event.key.startsWith("Arrow")) this.playback.pause();
      return;
    }
    event.preventDefault();
  }

  /**
   * Show a run once its sprite is loaded.
   * @param {PlayerData} data
   */
  load(data) {
    const loading = (this.loading = new Image());
    loading.onload = () => {
      if (loading === this.loading) this.show(data, loading);
    };
    loading.onerror = () => {
      if (loading !== this.loading) return;
      this.playback.pause();
      this.root.hidden = true;
      delete this.root.dataset.step;
      this.gone.hidden = false;
    };
    loading.src = data.sprite.url;
  }

  /**
   * @param {PlayerData} data
   * @param {HTMLImageElement} picture of all its frames
   */
  show(data, picture) {
    const isSameRun = this.data && this.data.id === data.id;
    const last = data.steps.length - 1;
    if (!isSameRun) this.playback.pause();
    this.data = data;
    this.sprite = new Sprite(picture, data.steps.length, data.captions.length);
    this.scrub.max = String(Math.max(last, 1));
    this.scrub.disabled = this.playButton.disabled = last === 0;
    this.root.hidden = false;
    this.gone.hidden = true;
    setText(this.find(".decision"), data.decision);
    this.chart.show(data.curves, data.chart);
    this.buildFilmstrip();
    this.showKept();
    if (!isSameRun) this.buildCells();
    this.cells.forEach((cell, index) => {
      cell.button.setAttribute("aria-pressed", String(index === data.selected));
    });
    this.seek(isSameRun ? this.frame : last);
  }

  buildFilmstrip() {
    const {data} = this;
    const last = data.steps.length - 1;
    const count = Math.min(last + 1, FILMSTRIP_FRAMES);
    this.filmstrip = [];
    this.find(".filmstrip").replaceChildren();
    for (let place = 0; place < count; place++) {
      const frame = count > 1 ? Math.round((place * last) / (count - 1)) : 0;
      const button = document.createElement("button");
      button.type = "button";
      button.tabIndex = -1; // the slider does the same by keys
      button.setAttribute("aria-label", "Show " + nameStep(this.data, frame));
      for (const kind of ["noisy", "clean"]) {
        const canvas = button.appendChild(document.createElement("canvas"));
        this.sprite.paint(canvas, data.selected, frame, kind);
      }
      button.addEventListener("click", () => this.seekByPointer(data.steps[frame], true));
      button.addEventListener("pointermove", (event) => {
        if (event.pointerType === "mouse") this.seekByPointer(data.steps[frame], false);
      });
      this.find(".filmstrip").append(button);
      this.filmstrip.push({button, frame});
    }
  }

  buildCells() {
    this.find(".cells").replaceChildren();
    this.cells = this.data.captions.map((caption, index) => {
      const button = document.createElement("button");
      button.type = "button";
      const canvas = button.appendChild(document.createElement("canvas"));
      button.append(keepSeed(caption));
      button.addEventListener("click", () => this.select(index));
      this.find(".cells").append(button);
      return {button, canvas};
    });
  }

  // Keep this run as A, to be compared with the next one, or remove the one that is kept.
  toggleKept() {
    const {data, sprite, side} = this;
    if (this.kept) this.kept.remove();
    this.kept = this.kept ? null : new KeptRun({data, sprite}, side, this.find(".cells"));
    this.showKept();
    this.seek(this.frame);
  }

  // Name both runs where there are two.
  showKept() {
    const {data, kept} = this;
    if (kept) kept.show(data);
    this.isPair = kept !== null && kept.isBeside(data);
    this.side.name(this.isPair ? "B" : "", data, data.selected);
    setText(this.find(".keep"), kept ? "Remove A" : "Keep as A");
    const state = this.isPair ? "beside" : kept ? "alone" : "none";
    setText(this.find(".keep-hint"), KEEP_HINTS[state]);
  }

  /**
   * Go to the frame nearest to a step; hovering does not disturb a playing run.
   * @param {number} step counted from 1
   * @param {boolean} isPress
   */
  seekByPointer(step, isPress) {
    if (this.playback.isPlaying && !isPress) return;
    if (isPress) {
      this.playback.pause();
      this.scrub.focus({preventScroll: true});
    }
    this.seek(nearestFrame(this.data, step));
  }

  /**
   * Show a frame in all views.
   * @param {number} frame
   */
  seek(frame) {
    const {data, scrub} = this;
    this.frame = Math.min(Math.max(frame, 0), data.steps.length - 1);
    const step = data.steps[this.frame];
    const sigma = data.sigmas[this.frame];
    this.root.dataset.step = String(step);
    scrub.value = String(this.frame);
    scrub.setAttribute("aria-valuetext", nameStep(data, this.frame) + ", sigma " + sigma);
    this.side.paint(this, data.selected, this.frame);
    const gaps = this.filmstrip.map((each) => Math.abs(each.frame - this.frame));
    const nearest = gaps.indexOf(Math.min(...gaps));
    this.filmstrip.forEach(({button}, place) => {
      button.setAttribute("aria-current", String(place === nearest));
    });
    this.chart.mark(step);
    if (this.kept && this.isPair) this.kept.seek(step / data.num_steps);
    this.paintCells();
  }

  paintCells() {
    const chosen = /** @type {HTMLInputElement} */ (this.find(".switch input:checked"));
    const kind = chosen.value;
    if (this.kept && this.isPair) this.kept.paintCells(kind);
    this.cells.forEach(({canvas}, index) => {
      this.sprite.paint(canvas, index, this.frame, kind);
    });
  }

  toggle() {
    this.hasPlayed = true;
    if (this.playback.isPlaying) {
      this.playback.pause();
      this.announce("Paused");
    } else this.playback.play();
  }

  playOnce() {
    if (this.hasPlayed || !this.data || this.data.steps.length === 1 || reducesMotion()) return;
    this.hasPlayed = true;
    this.playback.play();
  }

  /** @param {boolean} isPlaying */
  showPlaying(isPlaying) {
    this.root.dataset.playing = String(isPlaying);
    setText(this.playButton, isPlaying ? "Pause" : "Play");
  }

  /**
   * Tell screen readers, politely, where the player stands.
   * @param {string} state
   */
  announce(state) {
    const sigma = "sigma " + this.data.sigmas[this.frame];
    this.find(".announcement").textContent =
      state + " at " + nameStep(this.data, this.frame) + ", " + sigma + ".";
  }
}
