// The picture of all frames of a run: a column for each step; a row for each noisy image, and below
// them a row for each predicted clean image (demo/trajectory.py, Frames.sprite).

export class Sprite {
  /**
   * @param {HTMLImageElement} picture
   * @param {number} numSteps
   * @param {number} numImages
   */
  constructor(picture, numSteps, numImages) {
    this.picture = picture;
    this.numImages = numImages;
    this.width = picture.width / numSteps; // of a frame, in pixels
    this.height = picture.height / (2 * numImages);
  }

  /**
   * Paint one image at one frame.
   * @param {HTMLCanvasElement} canvas
   * @param {number} image
   * @param {number} frame
   * @param {string} kind "noisy" or "clean"
   */
  paint(canvas, image, frame, kind) {
    const {width, height} = this;
    const row = image + (kind === "clean" ? this.numImages : 0);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const left = frame * width;
    const top = row * height;
    const target = canvas.getContext("2d");
    target?.drawImage(this.picture, left, top, width, height, 0, 0, width, height);
  }
}
