// Values as Python writes them, so that links, pictures and messages read alike on both pages.

const MAX_REPR = 40;
const MARKUP = [..."<>&[]`*_"];
const LOOK_ALIKES = [..."‹›＆⟦⟧ˋ∗＿"];
const NO_MARKUP = new Map(MARKUP.map((sign, index) => [sign, LOOK_ALIKES[index]]));
const ESCAPES = new Map([["\\", "\\\\"], ["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]]);

/**
 * Return a float as Python's repr: "1.0", "1e-05", "nan".
 * @param {number} value
 */
export function floatText(value) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) return padExponent(value.toExponential());
  const text = Object.is(value, -0) ? "-0" : String(value);
  return text.includes(".") ? text : `${text}.0`;
}

/**
 * Return a number in Python's format "g": at most six digits, no trailing zeros.
 * @param {number} value
 */
export function generalText(value) {
  const [digits, exponent] = value.toExponential(5).split("e");
  if (Number(exponent) < -4 || Number(exponent) >= 6) {
    return padExponent(`${Number(digits)}e${exponent}`);
  }
  return String(Number(value.toPrecision(6)));
}

/**
 * Return an exponent with a sign and at least two digits.
 * @param {string} text
 */
function padExponent(text) {
  return text.replace(/e([+-]?)(\d)$/, (_, sign, digit) => `e${sign || "+"}0${digit}`);
}

/**
 * Return a whole number with commas: "4,294,967,295".
 * @param {number} value
 */
export function withCommas(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * Return a value for a message, as Python's safe_repr: short, without HTML or Markdown.
 * @param {unknown} value
 * @param {boolean} isFloat whether a number is a float in Python
 */
export function safeRepr(value, isFloat = false) {
  const signs = [...repr(value, isFloat)];
  const short = signs.length <= MAX_REPR ? signs : [...signs.slice(0, MAX_REPR), "…"];
  return short.map((sign) => NO_MARKUP.get(sign) ?? sign).join("");
}

/**
 * @param {unknown} value
 * @param {boolean} isFloat
 */
function repr(value, isFloat) {
  if (typeof value === "string") return quote(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number" && (isFloat || !Number.isInteger(value))) return floatText(value);
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  return value === null || value === undefined ? "None" : JSON.stringify(value);
}

/**
 * Return a text's repr: in single quotes unless only double ones avoid an escape.
 * @param {string} text
 */
function quote(text) {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const signs = [...text].map((sign) => (sign === mark ? `\\${mark}` : escapeSign(sign)));
  return mark + signs.join("") + mark;
}

/** @param {string} sign */
function escapeSign(sign) {
  const known = ESCAPES.get(sign);
  if (known) return known;
  if (sign === " " || !/[\p{C}\p{Z}]/u.test(sign)) return sign;
  const code = sign.codePointAt(0) ?? 0;
  const [letter, width] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
  return `\\${letter}${code.toString(16).padStart(Number(width), "0")}`;
}
