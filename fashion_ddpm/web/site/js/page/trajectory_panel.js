// The trajectory of the selected image: the player that the Gradio page has, and a GIF.

import {enable, find, onPress, saveFile} from "./elements.js";
import {requestLabels} from "../settings/generate_request.js";
import {selectFrames} from "../pictures/gif_frames.js";
import {pictureAddress} from "../pictures/pixels.js";
import {toQuery} from "../settings/share_link.js";
import {paintSprite} from "./trajectory_frames.js";
import {Player} from "../shared/trajectory_player.js";
import {decision, describeCurves, scoreCurves} from "./trajectory_texts.js";
import {caption, errorSentence, fileName, samplingInWords, sigmaText} from "./wording.js";

/** @import {ShownRun} from "./shown_run.js" */
/** @import {Status} from "./status.js" */
/** @import {Kind, Run, Site} from "../types.js" */

const GIF_FAILED =
  "The GIF could not be made: check the connection, or try again with fewer images or fewer tabs.";

/** The trajectory's part of the page. */
export class TrajectoryPanel {
  /**
   * @param {Site} site
   * @param {string} html of the player (ui/assets/trajectory.html)
   * @param {(index: number) => void} select called when another image of the run is pressed
   * @param {Status} status
   */
  constructor(site, html, select, status) {
    this.site = site;
    this.status = status;
    const content = new DOMParser().parseFromString(html, "text/html").body.children;
    find("#trajectory").replaceChildren(...content);
    this.player = new Player(find("#trajectory .player"), select);
    this.gifButton = /** @type {HTMLButtonElement} */ (find("#gif"));
    onPress(this.gifButton, () => this.saveGif());
    /** @type {ShownRun | null} */
    this.shown = null;
    this.index = 0;
    /** @type {number[]} indices of the steps in the sprite */
    this.steps = [];
    /** @type {ShownRun | null} the run of the sprite; only one sprite is kept */
    this.spriteOf = null;
    this.spriteAddress = "";
  }

  /**
   * Show an image's trajectory, with the score of each step where they are known.
   * @param {ShownRun} shown
   * @param {number} index of the image
   */
  async show(shown, index) {
    this.index = index;
    if (this.shown !== shown) {
      this.shown = shown;
      await this.makeSprite(shown);
    }
    // Meanwhile another run may have been shown, or this one's sprite may still be on its way.
    if (this.shown === shown && this.spriteOf === shown) {
      this.player.load(this.playerData(shown, this.index));
    }
  }

  /**
   * Put all frames of a run into one picture, as the player takes them.
   * @param {ShownRun} shown
   */
  async makeSprite(shown) {
    const {kind} = this.site;
    const frames = selectFrames(shown.run, kind, shown.run.clean.length);
    const sprite = paintSprite(frames, shown.run.request.num_images, kind.channels);
    const address = await pictureAddress(sprite);
    if (this.shown !== shown) return URL.revokeObjectURL(address);
    URL.revokeObjectURL(this.spriteAddress);
    this.spriteAddress = address;
    this.spriteOf = shown;
    this.steps = frames.steps;
  }

  /**
   * Return what the player shows (ui/trajectory.py, _player_value).
   * @param {ShownRun} shown
   * @param {number} index of the image
   */
  playerData(shown, index) {
    const {run, stepScores} = shown;
    const {site, steps} = this;
    const {class_names: names} = site.kind;
    const label = requestLabels(run.request, site)[index];
    const scores = stepScores.get(index);
    const curves = scores ? scoreCurves(scores, label, names) : [];
    return {
      sprite: {url: this.spriteAddress},
      steps: steps.map((step) => step + 1),
      num_steps: run.clean.length,
      sigmas: steps.map((step) => sigmaText(run.alphaBars[step])),
      captions: Array.from({length: run.request.num_images}, (_, each) => caption(run.request, each, site)),
      id: toQuery(run.request, site, ""),
      settings: samplingInWords(run.request, site),
      selected: index,
      curves,
      chart: describeCurves(curves),
      decision: scores ? decision(scores, label, names) : "",
    };
  }

  /** Save the shown run as an animated GIF. */
  async saveGif() {
    if (!this.shown) return;
    const {run} = this.shown;
    const {class_name: name, seed} = run.request;
    enable(this.gifButton, false);
    try {
      saveFile(await makeGif(run, this.site.kind), "image/gif", fileName(`${name}-seed-${seed}`, ".gif"));
    } catch (error) {
      this.status.fail(errorSentence(error));
    } finally {
      enable(this.gifButton, true);
    }
  }
}

/**
 * Return a run as an animated GIF, made in a worker of its own: the page goes on meanwhile.
 * @param {Run} run
 * @param {Kind} kind
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function makeGif({noisy, clean}, kind) {
  const worker = new Worker(new URL("../pictures/gif_worker.js", import.meta.url), {type: "module"});
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({data}) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault(); // said on the page
        reject(new Error(GIF_FAILED));
      };
      worker.postMessage({noisy, clean, kind});
    });
  } finally {
    worker.terminate();
  }
}
