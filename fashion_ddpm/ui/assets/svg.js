// SVG elements, for charts.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * Add an SVG element to a parent and return it.
 * @param {Element} parent
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} text
 * @returns {SVGElement}
 */
export function addShape(parent, name, attributes, text = "") {
  const shape = document.createElementNS(SVG_NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, String(value));
  shape.textContent = text;
  parent.append(shape);
  return shape;
}
