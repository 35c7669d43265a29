// Plays a trajectory: from frame to frame with the screen's clock.

const RUN_MS = 3000; // what a whole run takes at speed 1
const FRAME_MS = [50, 400]; // shortest and longest time of a frame

/**
 * What is played.
 * @typedef {object} Frames
 * @property {() => number} shown index of the shown frame
 * @property {() => number} last index of the last one
 * @property {(frame: number) => void} seek shows a frame
 * @property {() => number} speed 1 is the usual one
 * @property {() => boolean} isThere false once the page has dropped them
 */

export class Playback {
  /**
   * @param {Frames} frames
   * @param {(isPlaying: boolean) => void} onChange called when it starts and ends
   * @param {() => void} onEnd called after the last frame
   */
  constructor(frames, onChange, onEnd) {
    this.frames = frames;
    this.onChange = onChange;
    this.onEnd = onEnd;
    this.isPlaying = false;
    /** @type {number | null} when the run began to be played, in ms */
    this.started = null;
    this.origin = 0; // index of the frame from which it is played
    /** @type {FrameRequestCallback | null} */
    this.run = null;
  }

  /** Play from the shown frame, or from the beginning where that is the last one. */
  play() {
    const {frames} = this;
    if (frames.shown() === frames.last()) frames.seek(0);
    this.set(true);
    this.started = null;
    const run = (/** @type {number} */ now) => {
      const isNewest = this.run === run; // one may pause and play within a frame of the screen
      if (this.isPlaying && isNewest && frames.isThere() && this.step(now)) requestAnimationFrame(run);
    };
    this.run = run;
    requestAnimationFrame(run);
  }

  /**
   * Show the frame of a moment.
   * @param {number} now in ms
   * @returns {boolean} whether there are more
   */
  step(now) {
    const {frames} = this;
    const last = frames.last();
    if (this.started === null) [this.started, this.origin] = [now, frames.shown()];
    const usual = Math.min(Math.max(RUN_MS / (last + 1), FRAME_MS[0]), FRAME_MS[1]);
    const steps = Math.floor((now - this.started) / (usual / frames.speed()));
    const frame = Math.min(this.origin + steps, last);
    if (frame !== frames.shown()) frames.seek(frame);
    if (frame !== last) return true;
    this.pause();
    this.onEnd();
    return false;
  }

  pause() {
    this.set(false);
  }

  /** Go on from the shown frame at a new speed. */
  changeSpeed() {
    this.started = null;
  }

  /** @param {boolean} isPlaying */
  set(isPlaying) {
    this.isPlaying = isPlaying;
    this.onChange(isPlaying);
  }
}
