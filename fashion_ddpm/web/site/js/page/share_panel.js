// Sharing: links to the images, a picture that carries its settings, and settings from a picture.

import {find, saveFile, setText} from "./elements.js";
import {selectImage} from "../settings/generate_request.js";
import {enlarge} from "../pictures/gif_frames.js";
import {pictureOf} from "../pictures/pixels.js";
import {encodePng} from "../pictures/png_settings.js";
import {parsePicture, sharedSettings, toQuery} from "../settings/share_link.js";
import {fileName} from "./wording.js";

/** @import {ShownRun} from "./shown_run.js" */
/** @import {SharedSettings, Site} from "../types.js" */

const IMAGE_SIDE = 224; // a saved picture is enlarged to about so many pixels, as in the Gradio page
const SEED_DIGITS = 10;
const COPIED_MS = 2000;

/** The part of the page that shares what is shown. */
export class SharePanel {
  /**
   * @param {Site} site
   * @param {(settings: SharedSettings) => void} restore called with what a picture holds
   * @param {(error: unknown, start: string) => void} fail called when something cannot be done
   */
  constructor(site, restore, fail) {
    this.site = site;
    this.restore = restore;
    this.fail = fail;
    /** @type {{shown: ShownRun, index: number} | null} */
    this.image = null;
    this.link = /** @type {HTMLInputElement} */ (find("#link"));
    this.imageLink = /** @type {HTMLInputElement} */ (find("#image-link"));
    this.file = /** @type {HTMLInputElement} */ (find("#restore"));
    this.saveButton = find("#save-image");
    this.saveButton.addEventListener("click", () => this.saveImage());
    for (const link of [this.link, this.imageLink]) this.connectCopy(link);
    this.file.addEventListener("change", () => {
      const file = this.file.files?.[0];
      if (file) this.read(file);
      this.file.value = "";
    });
    this.connectDrop();
  }

  /** Name of the scorer in links; "" without one. */
  get scorer() {
    return this.site.scorer?.name ?? "";
  }

  /**
   * Offer what is shown.
   * @param {ShownRun} shown
   * @param {number} index of the selected image
   */
  show(shown, index) {
    this.image = {shown, index};
    const {request} = shown.run;
    const page = location.origin + location.pathname;
    this.link.value = page + toQuery(request, this.site, this.scorer);
    const one = selectImage(request, index, this.site);
    this.imageLink.value = page + toQuery(one, this.site, this.scorer);
  }

  /** @param {HTMLInputElement} input */
  connectCopy(input) {
    const button = find(`[data-copies="${input.id}"]`);
    const name = button.textContent ?? "";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(input.value);
      } catch {
        input.select();
        document.execCommand("copy"); // the clipboard is there on secure pages only
        button.focus();
      }
      setText(button, "Copied");
      setTimeout(() => setText(button, name), COPIED_MS);
    });
  }

  /** Save the selected image as a PNG file that carries its settings. */
  async saveImage() {
    if (!this.image) return;
    const {shown, index} = this.image;
    const {kind} = this.site;
    const request = selectImage(shown.run.request, index, this.site);
    const scale = Math.max(Math.floor(IMAGE_SIDE / kind.image_size), 1);
    try {
      const settings = sharedSettings(request, this.site, this.scorer);
      const picture = enlarge(pictureOf(shown.images, index, kind), scale);
      const {pixels, width, height, channels} = picture;
      const png = await encodePng(pixels, width, height, channels, settings);
      const seed = String(request.seed).padStart(SEED_DIGITS, "0");
      saveFile(png, "image/png", fileName(`${request.class_name}-${seed}`, ".png"));
    } catch (error) {
      this.fail(error, "The image could not be saved.");
    }
  }

  /** Pictures may be dropped anywhere. */
  connectDrop() {
    const zone = find("#drop");
    /** @param {DragEvent} event */
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;
    addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      zone.classList.add("over");
    });
    for (const name of ["dragleave", "drop", "dragend"]) {
      addEventListener(name, () => zone.classList.remove("over"));
    }
    addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) this.read(file);
    });
  }

  /**
   * Restore the settings that a picture carries.
   * @param {File} file
   */
  async read(file) {
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      this.restore(await parsePicture(bytes, this.site));
    } catch (error) {
      this.fail(error, "The picture could not be read.");
    }
  }
}
