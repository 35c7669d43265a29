// Images of a run on canvases.

/** @import {Picture} from "./gif_frames.js" */
/** @import {Kind} from "../types.js" */

/**
 * Return the bytes of a base64 text.
 * @param {string} text
 * @returns {Uint8Array}
 */
export function decodeBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/**
 * Return one image of a batch.
 * @param {Uint8Array} batch [B, H, W(, 3)]
 * @param {number} index of the image
 * @param {Pick<Kind, "image_size" | "channels">} kind
 * @returns {Picture}
 */
export function pictureOf(batch, index, {image_size: size, channels}) {
  const length = size * size * channels;
  const pixels = batch.subarray(index * length, (index + 1) * length);
  return {pixels, width: size, height: size, channels};
}

/**
 * Return a picture as what a canvas takes.
 * @param {Picture} picture
 * @returns {ImageData}
 */
export function toImageData({pixels, width, height, channels}) {
  const image = new ImageData(width, height);
  for (let place = 0; place < width * height; place++) {
    for (let colour = 0; colour < 3; colour++) {
      const channel = channels === 3 ? colour : 0;
      image.data[4 * place + colour] = pixels[channels * place + channel];
    }
    image.data[4 * place + 3] = 255;
  }
  return image;
}

/**
 * Make a canvas show a picture, a pixel for each pixel.
 * @param {HTMLCanvasElement} canvas
 * @param {Picture} picture
 */
export function paint(canvas, picture) {
  if (canvas.width !== picture.width) canvas.width = picture.width;
  if (canvas.height !== picture.height) canvas.height = picture.height;
  context(canvas).putImageData(toImageData(picture), 0, 0);
}

/**
 * Return the drawing context of a canvas.
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 */
export function context(canvas) {
  const found = canvas.getContext("2d");
  if (!found) throw new Error("The browser has no memory left for a picture; close other tabs.");
  return found;
}

/**
 * Return a canvas's content as the address of a PNG picture; it is to be revoked after use.
 * @param {HTMLCanvasElement} canvas
 * @returns {Promise<string>}
 */
export function pictureAddress(canvas) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(URL.createObjectURL(blob));
      else reject(new Error("The browser has no memory left for a picture; close other tabs."));
    }, "image/png");
  });
}
