// The scorer: probabilities of prompts for images, by the image side of a CLIP and the embeddings
// of the prompts; the same as fashion_ddpm/scoring/clip.py.

/** @import {OnnxModel} from "./onnx_model.js" */
/** @import {Kind, Scorer, Scores} from "../types.js" */

const IMAGES_PER_CALL = 32;
const CLIP_CHANNELS = 3;

/** Gives the probabilities of the label prompts and the quality prompts. */
export class ClipScorer {
  /**
   * @param {OnnxModel} model of an ONNX file with the input pixels
   * @param {Scorer} scorer
   * @param {Kind} kind the images that it scores, as large as the scorer takes them
   * @param {() => Promise<void>} [beforeCall] awaited before each call of the model
   */
  constructor(model, scorer, kind, beforeCall = async () => {}) {
    this.model = model;
    this.scorer = scorer;
    this.kind = kind;
    this.beforeCall = beforeCall;
  }

  /**
   * Return the probabilities of the label prompts, and those of each image's quality prompts.
   * @param {Uint8Array} images [B, H, W(, 3)]
   * @param {number[] | null} labels the classes that the quality prompts name, one per image; null
   *   for no quality scores
   * @returns {Promise<Scores>}
   */
  async scores(images, labels) {
    const {label_features: prompts, quality_features: quality, scale} = this.scorer;
    const rows = await this.imageFeatures(images);
    return {
      labels: join(rows.map((features) => probabilities(features, prompts, scale))),
      quality: labels && join(rows.map((features, index) => {
        return probabilities(features, quality[labels[index]], scale);
      })),
    };
  }

  /**
   * Return the unit vector of each image.
   * @param {Uint8Array} images
   */
  async imageFeatures(images) {
    const {image_size: side, channels} = this.kind;
    const size = channels * side ** 2;
    const count = images.length / size;
    /** @type {Float32Array[]} */
    const features = [];
    while (features.length < count) {
      await this.beforeCall();
      const start = features.length;
      const rows = Math.min(IMAGES_PER_CALL, count - start);
      const part = images.subarray(start * size, (start + rows) * size);
      const data = toPixels(part, this.kind, this.scorer);
      const shape = [rows, CLIP_CHANNELS, side, side];
      const output = await this.model.run({pixels: {data, shape}});
      const length = output.length / rows;
      for (let row = 0; row < rows; row++) {
        features.push(output.slice(row * length, (row + 1) * length));
      }
    }
    return features;
  }
}

/**
 * Return images as CLIP takes them: [B, 3, H, W], normalised by channel; grey is repeated.
 * @param {Uint8Array} images [B, H, W(, 3)]
 * @param {Pick<Kind, "channels" | "image_size">} kind
 * @param {Pick<Scorer, "mean" | "std">} scorer
 */
export function toPixels(images, {channels, image_size: side}, {mean, std}) {
  const area = side ** 2;
  const count = images.length / (area * channels);
  return Float32Array.from({length: count * CLIP_CHANNELS * area}, (_, index) => {
    const plane = Math.floor(index / area);
    const channel = plane % CLIP_CHANNELS;
    const pixel = Math.floor(plane / CLIP_CHANNELS) * area + (index % area);
    const level = images[channels === 1 ? pixel : pixel * channels + channel];
    return (level / 255 - mean[channel]) / std[channel];
  });
}

/**
 * Return the softmax of an image's scaled similarities to prompts.
 * @param {Float32Array} features [D]
 * @param {number[][]} prompts [T][D]
 * @param {number} scale
 */
function probabilities(features, prompts, scale) {
  const logits = prompts.map((prompt) => {
    return scale * prompt.reduce((sum, value, index) => sum + value * features[index], 0);
  });
  const highest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** @param {number[][]} rows */
const join = (rows) => Float32Array.from(rows.flat());
