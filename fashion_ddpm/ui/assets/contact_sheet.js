// Contact sheet of Compare: a row for each value of one setting, a column for each number of steps.
// All places are there from the start; the server sends the cells as they are generated
// (ui/compare.py, _sheet_value). A cell is enlarged here, without a request.

// Numbers stay beside their units: "0.9 s" is never broken.
const keepUnits = (text) => text.replace(/(\d) /g, "$1\u00a0");

function create(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function buildSetting([name, value]) {
  const row = create("tr");
  const head = create("th", "", name);
  head.scope = "row";
  row.append(head, create("td", "", value));
  return row;
}

class ContactSheet {
  constructor(root, openInCreate) {
    this.find = (selector) => root.querySelector(selector);
    this.dialog = this.find(".enlarged");
    this.cells = [];
    this.layout = ""; // what the places were built for
    this.find(".close").addEventListener("click", () => this.dialog.close());
    this.find(".open-in-create").addEventListener("click", () => {
      this.dialog.close();
      openInCreate(this.enlarged);
    });
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close(); // beside the content
    });
    this.dialog.addEventListener("close", () => {
      this.cells[this.enlarged]?.button.focus({preventScroll: true});
    });
  }

  // Show what the server sent; keep the places, and so the focus, while a sheet fills.
  show(data) {
    this.data = data;
    this.find(".fixed").textContent = data.fixed;
    const layout = JSON.stringify([data.fixed, data.rows, data.columns]);
    if (layout !== this.layout) this.build();
    this.layout = layout;
    if (this.dialog.open && !data.cells[this.enlarged]) this.dialog.close(); // a new grid has begun
    data.cells.forEach((cell, index) => this.fill(this.cells[index], cell));
    const isComplete = data.cells.every(Boolean);
    const announcement = isComplete ? "All " + data.cells.length + " cells are generated." : "";
    this.find(".announcement").textContent = announcement; // for screen readers
  }

  build() {
    const {rows, row_name: rowName, columns, real} = this.data;
    const places = this.find(".places");
    this.cells = [];
    if (this.dialog.open) this.dialog.close();
    places.replaceChildren();
    if (real) places.append(this.buildRealRow(real));
    places.append(create("span", "corner"));
    for (const count of columns) places.append(create("span", "column-head", count + " steps"));
    for (const name of rows) {
      const row = create("div", "row");
      row.setAttribute("role", "group");
      row.setAttribute("aria-label", rowName + " " + name);
      const head = create("span", "row-head", name);
      head.prepend(create("small", "", rowName + " "));
      row.append(head, ...columns.map((count) => this.buildCell(count)));
      places.append(row);
    }
  }

  buildRealRow(real) {
    const row = create("div", "row real");
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", "Held-out real images");
    const figure = create("figure", "cell");
    const image = create("img");
    image.src = real.picture;
    image.alt = real.alt;
    this.size(image);
    const caption = create("figcaption");
    caption.append(create("span", "score", keepUnits(real.score)));
    figure.append(image, caption);
    row.append(create("span", "row-head", "Held-out real images"), figure);
    row.append(create("p", "note", real.note));
    return row;
  }

  size(image) {
    [image.width, image.height] = this.data.size;
    image.style.aspectRatio = this.data.size.join(" / ");
    image.style.height = "auto";
  }

  buildCell(count) {
    const figure = create("figure", "cell");
    const index = this.cells.length;
    const button = create("button", "picture");
    button.type = "button";
    button.disabled = true;
    button.style.aspectRatio = this.data.size.join(" / ");
    button.addEventListener("click", () => this.enlarge(index));
    const image = create("img");
    image.hidden = true;
    image.alt = "";
    this.size(image);
    button.append(image);
    const caption = create("figcaption");
    const score = create("span", "score");
    const cost = create("span", "cost");
    caption.append(create("span", "steps", keepUnits(count + " steps")), score, cost);
    figure.append(button, caption);
    this.cells.push({button, image, score, cost});
    button.setAttribute("aria-label", count + " steps, not generated yet");
    return figure;
  }

  fill(place, cell) {
    place.button.disabled = !cell;
    place.image.hidden = !cell;
    place.score.textContent = cell ? keepUnits(cell.score) : "";
    place.cost.textContent = cell ? keepUnits(cell.cost) : "";
    if (!cell) return place.image.removeAttribute("src");
    if (place.image.getAttribute("src") !== cell.picture.url) place.image.src = cell.picture.url;
    const description = [cell.title, cell.score, cell.cost].filter(Boolean).join(", ");
    place.button.setAttribute("aria-label", "Enlarge " + description);
  }

  enlarge(index) {
    this.enlarged = index;
    const cell = this.data.cells[index];
    this.find("#enlarged-title").textContent = cell.title;
    const image = this.find(".enlarged img");
    image.src = cell.picture.url;
    image.alt = cell.alt;
    this.size(image);
    this.find(".result").textContent = keepUnits([cell.score, cell.cost].filter(Boolean).join(" · "));
    this.find(".settings tbody").replaceChildren(...cell.settings.map(buildSetting));
    this.find(".blocked").textContent = cell.blocked;
    this.find(".open-in-create").hidden = Boolean(cell.blocked);
    this.dialog.showModal();
    this.dialog.scrollTop = 0;
  }
}

const sheet = new ContactSheet(element.querySelector(".contact-sheet"), (index) => {
  trigger("select", {index, value: null});
});
if (props.value) sheet.show(props.value);
watch("value", () => {
  if (props.value) sheet.show(props.value);
});
