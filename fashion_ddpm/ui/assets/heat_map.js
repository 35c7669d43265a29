// Heat map of measured quality (demo/quality.py, heat_map): a number and a colour in each cell, and
// a switch between the metrics.

// From the worst to the best value, light to dark: the order is seen without telling hues apart.
const WORST = [255, 247, 214];
const BEST = [30, 27, 110];

function mixColours(shade) {
  return WORST.map((low, index) => Math.round(low + shade * (BEST[index] - low)));
}

// Black or white, whichever has the higher contrast (WCAG 2.1: at least 4.58).
function chooseTextColour(colour) {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return luminance > 0.179 ? "#000" : "#fff";
}

const css = (colour) => "rgb(" + colour.join(" ") + ")";

function makeHeading(text, scope) {
  const heading = document.createElement("th");
  heading.scope = scope;
  heading.textContent = text;
  return heading;
}

function makeCell({text, shade}) {
  const cell = document.createElement("td");
  const colour = mixColours(shade);
  cell.textContent = text;
  cell.style.background = css(colour);
  cell.style.color = chooseTextColour(colour);
  return cell;
}

class HeatMap {
  constructor(root, data) {
    this.data = data;
    this.find = (selector) => root.querySelector(selector);
    const heads = data.steps.map((count) => makeHeading(count, "col"));
    const row = document.createElement("tr");
    row.append(makeHeading("Steps", "col"), ...heads);
    this.find("thead").replaceChildren(row);
    this.find(".source").textContent = data.source;
    this.find(".scale i").style.background =
      "linear-gradient(to right, " + css(WORST) + ", " + css(BEST) + ")";
    data.metrics.forEach((metric, index) => this.addChoice(metric.name, index));
    this.show(0);
  }

  addChoice(name, index) {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = "heat-map-metric";
    radio.checked = index === 0;
    radio.addEventListener("change", () => this.show(index));
    label.append(radio, name);
    this.find("fieldset").append(label);
  }

  show(index) {
    const metric = this.data.metrics[index];
    this.find(".unit").textContent = metric.name + " (" + metric.unit + ")";
    this.find("caption").textContent = metric.summary;
    this.find(".worst").textContent = "worst " + metric.range[0];
    this.find(".best").textContent = metric.range[1] + " best";
    const rows = metric.rows.map((cells, position) => {
      const row = document.createElement("tr");
      row.append(makeHeading(this.data.samplers[position], "row"), ...cells.map(makeCell));
      return row;
    });
    this.find("tbody").replaceChildren(...rows);
    const items = metric.conclusions.map((sentence) => {
      const item = document.createElement("li");
      item.textContent = sentence;
      return item;
    });
    this.find("ul").replaceChildren(...items);
    this.find(".rule").textContent = metric.rule;
  }
}

new HeatMap(element.querySelector(".heat-map"), props.value);
