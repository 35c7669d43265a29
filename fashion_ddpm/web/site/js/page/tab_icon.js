// The icon of the browser's tab shows the first image while it is drawn.

import {paint, pictureOf} from "../pictures/pixels.js";

/** @import {Kind} from "../types.js" */

const INTERVAL_MS = 150; // browsers take some time for each icon

/** The tab's icon. */
export class TabIcon {
  /**
   * @param {HTMLLinkElement} link <link rel="icon">
   * @param {Kind} kind
   */
  constructor(link, kind) {
    this.link = link;
    this.kind = kind;
    this.canvas = document.createElement("canvas");
    this.shownAt = -Infinity;
  }

  /**
   * Show the first image of a batch.
   * @param {Uint8Array} pixels [B, H, W(, 3)]
   * @param {boolean} isLast whether it is finished; of the others some are skipped
   */
  show(pixels, isLast) {
    const now = performance.now();
    if (!isLast && now - this.shownAt < INTERVAL_MS) return;
    this.shownAt = now;
    paint(this.canvas, pictureOf(pixels, 0, this.kind));
    this.link.type = "image/png";
    this.link.href = this.canvas.toDataURL("image/png");
  }
}
