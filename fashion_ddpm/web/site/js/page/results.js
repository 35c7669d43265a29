// The images: a strip of noisy and predicted clean ones, and below it each image as a button.

import {find, make} from "./elements.js";
import {previewPicture} from "../pictures/gif_frames.js";
import {paint, pictureOf} from "../pictures/pixels.js";
import {caption} from "./wording.js";

/** @import {Request, Run, Site} from "../types.js" */

/** The images of a run, finished or on their way. */
export class Results {
  /**
   * @param {Site} site
   * @param {(index: number) => void} select called when an image is pressed
   */
  constructor(site, select) {
    this.site = site;
    this.select = select;
    this.strip = /** @type {HTMLCanvasElement} */ (find("#preview"));
    this.gallery = find("#gallery");
    /** @type {{button: HTMLButtonElement, canvas: HTMLCanvasElement}[]} */
    this.cells = [];
    /** @type {{request: Request, noisy: Uint8Array, clean: Uint8Array} | null} the newest frame */
    this.waiting = null;
  }

  /**
   * Show a finished run with one of its images selected.
   * @param {Run} run
   * @param {number} index of the image
   */
  show({request, noisy, clean}, index) {
    this.waiting = null;
    const last = clean.length - 1;
    this.paint({request, noisy: noisy[last], clean: clean[last]});
    this.gallery.dataset.state = "finished";
    this.mark(index);
  }

  /**
   * Show a step of a run that is on its way, at the browser's next frame; of several, the newest.
   * @param {Request} request
   * @param {Uint8Array} noisy [B, H, W(, 3)]
   * @param {Uint8Array} clean [B, H, W(, 3)]
   */
  stream(request, noisy, clean) {
    const isPending = this.waiting !== null;
    this.waiting = {request, noisy, clean};
    if (isPending) return;
    requestAnimationFrame(() => {
      if (!this.waiting) return;
      this.gallery.dataset.state = "forming";
      this.paint(this.waiting);
      this.mark(-1);
      this.waiting = null;
    });
  }

  /**
   * Paint the strip and all cells.
   * @param {{request: Request, noisy: Uint8Array, clean: Uint8Array}} frame
   */
  paint({request, noisy, clean}) {
    const {kind} = this.site;
    const count = request.num_images;
    paint(this.strip, previewPicture(noisy, clean, kind.image_size, kind.channels, 1));
    while (this.cells.length > count) this.cells.pop()?.button.remove();
    while (this.cells.length < count) this.addCell();
    this.cells.forEach(({button, canvas}, index) => {
      const text = caption(request, index, this.site);
      paint(canvas, pictureOf(clean, index, kind));
      const label = find("span", button);
      if (label.textContent !== text) label.textContent = text;
    });
  }

  addCell() {
    const index = this.cells.length;
    const canvas = make("canvas");
    const button = make("button", {type: "button"}, canvas, make("span"));
    button.addEventListener("click", () => {
      if (this.gallery.dataset.state === "finished") this.select(index);
    });
    this.gallery.append(button);
    this.cells.push({button, canvas});
  }

  /**
   * Mark the selected image; −1 for none.
   * @param {number} index
   */
  mark(index) {
    this.cells.forEach(({button}, each) => {
      button.setAttribute("aria-pressed", String(each === index));
    });
  }
}
