// Find and make elements of the page.

/**
 * Return the element that a selector finds.
 * @template {Element} [T=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {T}
 */
export function find(selector, root = document) {
  const element = root.querySelector(selector);
  if (!element) throw new Error(`The page has no ${selector}: reload it.`);
  return /** @type {T} */ (element);
}

/**
 * Make an element with attributes and children; an attribute that is undefined is left out.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number | undefined>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(key, String(value));
  }
  element.append(...children);
  return element;
}

/**
 * Write a text where it differs: screen readers announce every change.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Make a button that looks and acts as disabled but keeps the focus.
 * @param {HTMLButtonElement} button
 * @param {boolean} isEnabled
 */
export function enable(button, isEnabled) {
  button.setAttribute("aria-disabled", String(!isEnabled));
}

/**
 * Call a handler when a button is pressed, unless it is disabled.
 * @param {HTMLButtonElement} button
 * @param {() => void} handler
 */
export function onPress(button, handler) {
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") handler();
  });
}

/**
 * Save bytes as a file of the visitor's.
 * @param {Uint8Array} bytes
 * @param {string} type MIME type
 * @param {string} name
 */
export function saveFile(bytes, type, name) {
  const address = URL.createObjectURL(new Blob([new Uint8Array(bytes)], {type}));
  make("a", {href: address, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/**
 * Scroll to an element that is out of view or nearly.
 * @param {HTMLElement} element
 */
export function bringIntoView(element) {
  const {top} = element.getBoundingClientRect();
  if (top < 0 || top > 0.7 * innerHeight) element.scrollIntoView();
}
