// Fields of the settings: a label, one sentence of help, and what the visitor moves or types in.

import {make} from "./elements.js";

/**
 * A field of the settings.
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {() => string | number | null} read the value; null where it is empty or no number
 * @property {(value: string | number) => void} show
 * @property {(isEnabled: boolean) => void} enable
 */

/**
 * What is said of a field.
 * @typedef {object} Description
 * @property {string} name of the request's field
 * @property {string} label
 * @property {string} hint one sentence
 */

/**
 * The bounds of a number.
 * @typedef {object} Bounds
 * @property {number} min
 * @property {number} max
 * @property {number} step
 */

/**
 * @param {HTMLInputElement} input
 * @returns {number | null}
 */
const readNumber = (input) => (input.value.trim() === "" ? null : Number(input.value));

/**
 * Return a field's title and help; of a group they are not a label.
 * @param {Description} description
 * @param {"label" | "span"} tag
 * @returns {[HTMLElement, HTMLElement]}
 */
function heading({name, label, hint}, tag) {
  const attributes = tag === "label" ? {class: "block-title", for: name} : {class: "block-title"};
  return [make(tag, attributes, label), make("p", {class: "info", id: `${name}-info`}, hint)];
}

/**
 * Return a slider with a number beside it.
 * @param {Description} description
 * @param {Bounds} bounds
 * @returns {Field}
 */
export function rangeField(description, bounds) {
  const {name, label} = description;
  const number = make("input", {
    ...{type: "number", id: name, class: "number", inputmode: "decimal"},
    ...{...bounds, "aria-describedby": `${name}-info`},
  });
  const range = make("input", {type: "range", "aria-label": `slider for ${label}`, ...bounds});
  const fill = () => {
    const share = (Number(range.value) - bounds.min) / (bounds.max - bounds.min);
    range.style.setProperty("--filled", `${100 * share}%`);
  };
  range.addEventListener("input", () => {
    number.value = range.value;
    fill();
  });
  number.addEventListener("input", () => {
    if (number.value !== "") range.value = number.value;
    fill();
  });
  const [title, info] = heading(description, "label");
  const slider = make("div", {class: "slider"}, String(bounds.min), range, String(bounds.max));
  const head = make("div", {class: "head"}, make("div", {}, title, info), number);
  return {
    element: make("div", {class: "block"}, head, slider),
    read: () => readNumber(number),
    show: (value) => {
      number.value = range.value = String(value);
      fill();
    },
    enable: (isEnabled) => {
      number.disabled = range.disabled = !isEnabled;
    },
  };
}

/**
 * Return a number to type in.
 * @param {Description} description
 * @param {Bounds} bounds
 * @returns {Field}
 */
export function numberField(description, bounds) {
  const {name} = description;
  const input = make("input", {
    ...{type: "number", id: name, class: "wide", inputmode: "decimal"},
    ...{...bounds, "aria-describedby": `${name}-info`},
  });
  return {
    element: make("div", {class: "block"}, ...heading(description, "label"), input),
    read: () => readNumber(input),
    show: (value) => {
      input.value = String(value);
    },
    enable: (isEnabled) => {
      input.disabled = !isEnabled;
    },
  };
}

/**
 * Return a menu.
 * @param {Description} description
 * @param {[value: string, text: string][]} choices
 * @returns {Field}
 */
export function selectField(description, choices) {
  const {name} = description;
  const options = choices.map(([value, text]) => make("option", {value}, text));
  const select = make("select", {id: name, "aria-describedby": `${name}-info`}, ...options);
  return {
    element: make("div", {class: "block"}, ...heading(description, "label"), select),
    read: () => select.value,
    show: (value) => {
      select.value = String(value);
    },
    enable: (isEnabled) => {
      select.disabled = !isEnabled;
    },
  };
}

/**
 * Return radio buttons, each with a picture where there is one.
 * @param {Description} description
 * @param {[value: string, text: string, picture: Element | null][]} choices
 * @returns {Field}
 */
export function radioField(description, choices) {
  const {name} = description;
  const labels = choices.map(([value, text, picture]) => {
    const input = make("input", {type: "radio", name, value});
    return make("label", {}, input, ...(picture ? [picture] : []), make("span", {}, text));
  });
  const [title, info] = heading(description, "span");
  const legend = make("legend", {}, title);
  const menu = make("div", {class: "choices"}, ...labels);
  const group = make("fieldset", {class: "block", id: `${name}-menu`}, legend, info, menu);
  group.setAttribute("aria-describedby", info.id);
  const inputs = labels.map((label) => /** @type {HTMLInputElement} */ (label.control));
  return {
    element: group,
    read: () => inputs.find((input) => input.checked)?.value ?? null,
    show: (value) => {
      for (const input of inputs) input.checked = input.value === value;
    },
    enable: (isEnabled) => {
      group.disabled = !isEnabled;
    },
  };
}
