// Settings in links and in pictures: written, read and checked in the format of the Gradio page
// (fashion_ddpm/demo/share.py), so that a link of one opens in the other.

import {FLOAT_FIELDS, RequestError, checkRequest, networkFor} from "./generate_request.js";
import {closestWord} from "./closest_word.js";
import {readPngSettings} from "../pictures/png_settings.js";
import {floatText, safeRepr} from "./python_text.js";

/** @import {Request, Settings, SharedSettings, Site} from "../types.js" */

const MODEL_KEY = "model";
const SCORER_KEY = "scorer";
const MAX_NUMBER = 30; // longest text that is read as a number, in characters

/**
 * Return the settings in a link's query, or null if it has none.
 * @param {string} query "?class=…&…", or without the question mark
 * @param {Site} site
 * @returns {SharedSettings | null}
 * @throws {RequestError} a value is invalid, a word is misspelt or given twice, no class
 */
export function parseLink(query, site) {
  const fields = fieldNames(site);
  const words = collectWords(new URLSearchParams(query), fields);
  /** @type {Record<string, string>} */
  const found = {};
  for (const [word, value] of words) {
    const field = fields.get(word);
    if (field) found[field] = value;
  }
  if (!Object.keys(found).length) return null;
  const known = [...fields.keys(), MODEL_KEY, SCORER_KEY];
  for (const word of words.keys()) {
    // Words that are not similar belong to others: to the host, to trackers in links.
    const meant = known.includes(word) ? null : closestWord(word, known);
    if (meant) {
      throw new RequestError(`${safeRepr(word)} is no word of a link; it must be ${meant}.`);
    }
  }
  // In a query an unescaped plus sign is a space.
  if ("sampler" in found) found.sampler = found.sampler.replaceAll(" ", "+");
  const [model, scorer] = [MODEL_KEY, SCORER_KEY].map((word) => words.get(word) ?? "");
  return buildSettings({class_name: null, ...found, model, scorer}, site);
}

/**
 * Return the settings in a picture.
 * @param {Uint8Array} bytes of the file
 * @param {Site} site
 * @returns {Promise<SharedSettings>}
 * @throws {RequestError} the file is no picture of this demo's, or a value is invalid
 */
export async function parsePicture(bytes, site) {
  let settings;
  try {
    settings = await readPngSettings(bytes);
  } catch (error) {
    const message = "The file is not a PNG picture made by this app.";
    throw Object.assign(new RequestError(message), {cause: error});
  }
  if (settings === null || !("class_name" in settings)) {
    throw new RequestError("The picture holds no settings; only pictures made by this app do.");
  }
  return buildSettings(settings, site);
}

/**
 * Return every setting as a query: "?class=…&…".
 * @param {Request} request
 * @param {Site} site
 * @param {string} scorer name of the scorer, or ""
 */
export function toQuery(request, site, scorer) {
  const pairs = Object.entries(sharedSettings(request, site, scorer)).map(([name, value]) => {
    const text = FLOAT_FIELDS.includes(name) ? floatText(Number(value)) : String(value);
    return `${encode(site.setting_names[name] ?? name)}=${encode(text)}`;
  });
  return `?${pairs.join("&")}`;
}

/**
 * Return everything needed to draw and score the same images again, as plain values for a picture.
 * @param {Request} request
 * @param {Site} site
 * @param {string} scorer name of the scorer, or ""
 * @returns {Settings & {model?: string, scorer?: string}}
 */
export function sharedSettings(request, site, scorer) {
  const {model} = site.networks[networkFor(request, site)] ?? site.networks.base;
  return {...request, ...(model && {model}), ...(scorer && {scorer})};
}

/**
 * Return the field of each word that links have, or had in earlier versions.
 * @param {Site} site
 * @returns {Map<string, string>}
 */
function fieldNames({setting_names: names, old_words: oldWords}) {
  const fields = Object.keys(names).filter((field) => field !== SCORER_KEY);
  return new Map([
    ...fields.map((field) => [names[field], field]),
    ...fields.map((field) => [field, field]),
    ...Object.entries(oldWords),
  ].map(([word, field]) => [word, field]));
}

/**
 * Return a query's words and values.
 * @param {Iterable<[string, string]>} pairs
 * @param {Map<string, string>} fields word → field
 * @returns {Map<string, string>}
 */
function collectWords(pairs, fields) {
  const known = [...fields.values(), MODEL_KEY, SCORER_KEY];
  const words = new Map();
  const seen = new Set();
  for (const [word, value] of pairs) {
    const field = fields.get(word) ?? word;
    if (seen.has(field) && known.includes(field)) {
      throw new RequestError(`${safeRepr(word)} is given again; a link must give it once.`);
    }
    seen.add(field);
    words.set(word, value);
  }
  return words;
}

/**
 * Convert texts to the types of a request's fields; checkRequest checks the values.
 * @param {Record<string, unknown>} values
 * @param {Site} site
 * @returns {SharedSettings}
 */
function buildSettings(values, site) {
  const complete = {...site.link_defaults, ...values};
  const fields = Object.fromEntries(
    Object.entries(complete).map(([name, value]) => [name, convert(name, value, site)])
  );
  const [model, scorer] = [MODEL_KEY, SCORER_KEY].map((word) => String(values[word] ?? ""));
  return {request: checkRequest(fields, site), model, scorer};
}

/**
 * Return the text of a number as the number, and anything else unchanged; whole numbers too large
 * for exact arithmetic as a bigint, for the message.
 * @param {string} name
 * @param {unknown} value
 * @param {Site} site
 */
function convert(name, value, site) {
  const isFloat = FLOAT_FIELDS.includes(name);
  const isNumber = isFloat || typeof (/** @type {any} */ (site.page_defaults)[name]) === "number";
  if (!isNumber || typeof value !== "string" || [...value].length > MAX_NUMBER) return value;
  return (isFloat ? parseFloatText(value) : parseInteger(value)) ?? value;
}

/**
 * Return Python's int(text), or null.
 * @param {string} text
 */
function parseInteger(text) {
  const trimmed = text.trim();
  if (!/^[+-]?\d+(_\d+)*$/.test(trimmed)) return null;
  const digits = trimmed.replaceAll("_", "");
  const value = Number(digits);
  if (Number.isSafeInteger(value)) return value + 0; // -0 becomes 0
  return BigInt(digits.replace(/^\+/, ""));
}

/**
 * Return Python's float(text), or null.
 * @param {string} text
 */
function parseFloatText(text) {
  const trimmed = text.trim().toLowerCase();
  const word = /^([+-]?)(inf|infinity|nan)$/.exec(trimmed);
  if (word) return word[2] === "nan" ? NaN : word[1] === "-" ? -Infinity : Infinity;
  const digits = "\\d+(?:_\\d+)*";
  const number = `^[+-]?(?:${digits}\\.?(?:${digits})?|\\.${digits})(?:e[+-]?${digits})?$`;
  return new RegExp(number).test(trimmed) ? Number(trimmed.replaceAll("_", "")) : null;
}

/**
 * Return a text as in a query, as Python's quote_plus.
 * @param {string} text
 */
function encode(text) {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
