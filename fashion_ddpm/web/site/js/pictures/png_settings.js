// PNG files that carry their settings in a text chunk, as fashion_ddpm/core/images.py writes and
// reads them.

import {FLOAT_FIELDS} from "../settings/generate_request.js";
import {floatText} from "../settings/python_text.js";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const SETTINGS_KEY = "fashion-ddpm";
const MAX_TEXT = 2 ** 20; // bytes of an unpacked text, as Pillow's
const COLOUR_TYPES = new Map([[1, 0], [3, 2]]); // channels → grey, RGB

/**
 * Return a PNG file of pixels, with the settings that draw them.
 * @param {Uint8Array} pixels [height, width] grey, or [height, width, 3]
 * @param {number} width
 * @param {number} height
 * @param {number} channels 1 or 3
 * @param {Record<string, unknown>} settings texts and numbers
 * @returns {Promise<Uint8Array>}
 */
export async function encodePng(pixels, width, height, channels, settings) {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, COLOUR_TYPES.get(channels) ?? 0], 8); // bits a channel, colour type
  const length = width * channels;
  const rows = new Uint8Array((length + 1) * height); // before each row: filter 0
  for (let row = 0; row < height; row++) {
    rows.set(pixels.subarray(row * length, (row + 1) * length), row * (length + 1) + 1);
  }
  const text = new TextEncoder().encode(`${SETTINGS_KEY}\0${settingsText(settings)}`);
  return concatenate([
    Uint8Array.from(SIGNATURE),
    makeChunk("IHDR", header),
    makeChunk("tEXt", text),
    makeChunk("IDAT", await pipe(rows, new CompressionStream("deflate"))),
    makeChunk("IEND", new Uint8Array()),
  ]);
}

/**
 * Return settings as Python's json.dumps writes them: floats with a point, ASCII alone.
 * @param {Record<string, unknown>} settings
 */
function settingsText(settings) {
  const parts = Object.entries(settings).map(([name, value]) => {
    const text = FLOAT_FIELDS.includes(name) ? floatText(Number(value)) : JSON.stringify(value);
    return `${JSON.stringify(name)}: ${text}`;
  });
  return `{${parts.join(", ")}}`.replace(/[\u007f-\uffff]/g, (sign) => {
    return `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/**
 * Return the settings that a PNG file carries, or null.
 * @param {Uint8Array} bytes
 * @returns {Promise<Record<string, unknown> | null>}
 * @throws {Error} the file is no PNG picture, or is damaged
 */
export async function readPngSettings(bytes) {
  const isPng = SIGNATURE.every((byte, index) => bytes[index] === byte);
  if (!isPng) throw new Error("This is no PNG file.");
  let settings = null;
  for (const {type, data} of readChunks(bytes)) {
    if (type === "IDAT") break;
    const text = await readText(type, data);
    if (text !== null) settings = JSON.parse(text);
  }
  if (settings !== null && (typeof settings !== "object" || Array.isArray(settings))) {
    throw new Error("The picture's settings are no object.");
  }
  return settings;
}

/**
 * @param {Uint8Array} bytes
 * @returns {Generator<{type: string, data: Uint8Array}>}
 */
function* readChunks(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = SIGNATURE.length; ; ) {
    const length = view.getUint32(start); // throws where the file ends too early
    const end = start + 8 + length;
    if (view.getUint32(end) !== checksum(bytes.subarray(start + 4, end))) {
      throw new Error("A chunk of the PNG file is damaged.");
    }
    const type = latin1(bytes.subarray(start + 4, start + 8));
    yield {type, data: bytes.subarray(start + 8, end)};
    start = end + 4;
  }
}

/**
 * Return the text of a chunk under our key, or null.
 * @param {string} type
 * @param {Uint8Array} data
 */
async function readText(type, data) {
  const [key, rest] = splitAtZero(data);
  if (latin1(key) !== SETTINGS_KEY) return null;
  if (type === "tEXt") return latin1(rest);
  if (type === "zTXt") return latin1(await inflate(rest.subarray(1))); // after the method
  if (type !== "iTXt") return null;
  const [, afterLanguage] = splitAtZero(rest.subarray(2)); // after flag and method
  const [, text] = splitAtZero(afterLanguage);
  return new TextDecoder().decode(rest[0] ? await inflate(text) : text);
}

/**
 * @param {Uint8Array} bytes
 * @returns {[Uint8Array, Uint8Array]} what is before and after the first zero
 */
function splitAtZero(bytes) {
  const end = bytes.indexOf(0);
  if (end < 0) return [bytes, bytes.subarray(bytes.length)];
  return [bytes.subarray(0, end), bytes.subarray(end + 1)];
}

/** @param {Uint8Array} bytes */
function latin1(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/**
 * Return what is packed in bytes; a small file may hold a text that fills the memory.
 * @param {Uint8Array} bytes
 */
function inflate(bytes) {
  let length = 0;
  const limit = new TransformStream({
    transform(/** @type {Uint8Array} */ part, controller) {
      length += part.length;
      if (length > MAX_TEXT) throw new Error("The PNG file has too long a text.");
      controller.enqueue(part);
    },
  });
  return pipe(bytes, new DecompressionStream("deflate"), limit);
}

/**
 * Return what streams make of bytes.
 * @param {Uint8Array} bytes
 * @param {GenericTransformStream[]} transforms
 */
async function pipe(bytes, ...transforms) {
  /** @type {ReadableStream} */
  let stream = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]).stream();
  for (const each of transforms) {
    stream = stream.pipeThrough(/** @type {ReadableWritablePair} */ (each));
  }
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * @param {string} type
 * @param {Uint8Array} data
 */
function makeChunk(type, data) {
  const chunk = new Uint8Array(data.length + 12);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(new TextEncoder().encode(type), 4);
  chunk.set(data, 8);
  view.setUint32(data.length + 8, checksum(chunk.subarray(4, data.length + 8)));
  return chunk;
}

/**
 * Return CRC-32 as PNG defines it.
 * @param {Uint8Array} bytes
 */
function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/** @param {Uint8Array[]} parts */
function concatenate(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}
