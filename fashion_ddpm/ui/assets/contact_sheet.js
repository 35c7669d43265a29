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

class ContactSheet {
  constructor(root, openInCreate) {
    this.find = (selector) => root.querySelector(selector);
    this.dialog = this.find(".enlarged");
    this.cells = [];
    this.layout = ""; // what the places were built for
    this.pinned = null; // the cell that others are compared with, A
    this.find(".close").addEventListener("click", () => this.dialog.close());
    this.find(".pin").addEventListener("click", () => this.togglePin());
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
    place.button.classList.toggle("is-pinned", this.isPinned(cell));
    place.score.textContent = cell ? keepUnits(cell.score) : "";
    place.cost.textContent = cell ? keepUnits(cell.cost) : "";
    if (!cell) return place.image.removeAttribute("src");
    if (place.image.getAttribute("src") !== cell.picture.url) place.image.src = cell.picture.url;
    const description = [cell.title, cell.score, cell.cost].filter(Boolean).join(", ");
    place.button.setAttribute(
      "aria-label",
      [this.isPinned(cell) ? "A, pinned: " : "", "Enlarge ", description].join("")
    );
  }

  isPinned(cell) {
    return Boolean(cell && this.pinned && cell.picture.url === this.pinned.picture.url);
  }

  togglePin() {
    this.pinned = this.pinned ? null : this.data.cells[this.enlarged];
    this.data.cells.forEach((cell, index) => this.fill(this.cells[index], cell));
    this.showEnlarged();
  }

  enlarge(index) {
    this.enlarged = index;
    this.showEnlarged();
    this.dialog.showModal();
    this.dialog.scrollTop = 0;
  }

  // Show the enlarged cell, beside the pinned one if there is another.
  showEnlarged() {
    const cell = this.data.cells[this.enlarged];
    const isPinned = this.isPinned(cell);
    const isPair = Boolean(this.pinned) && !isPinned;
    const cells = isPair ? [this.pinned, cell] : [cell];
    this.dialog.classList.toggle("pair", isPair);
    this.find("#enlarged-title").textContent = isPair ? "A beside B" : cell.title;
    const figures = cells.map((each, index) => this.buildLarge(each, isPair ? "AB"[index] : ""));
    this.find(".shown").replaceChildren(...figures);
    this.find(".settings tbody").replaceChildren(...this.buildSettings(cells));
    this.find(".hint").textContent = isPinned
      ? "Pinned as A. Close this and enlarge another cell to see both side by side."
      : "";
    this.find(".pin").textContent = this.pinned ? "Unpin A" : "Pin as A";
    this.find(".blocked").textContent = cell.blocked;
    const open = this.find(".open-in-create");
    open.hidden = Boolean(cell.blocked);
    open.textContent = isPair ? "Open B in Create" : "Open in Create";
  }

  buildLarge(cell, letter) {
    const figure = create("figure");
    const image = create("img");
    image.src = cell.picture.url;
    image.alt = cell.alt;
    this.size(image);
    const result = [cell.score, cell.cost].filter(Boolean).join(" · ");
    if (letter) figure.append(create("p", "letter", letter + ": " + cell.title));
    figure.append(image, create("p", "result", keepUnits(result)));
    return figure;
  }

  // A row for each setting, a column for each cell; what differs is bold.
  buildSettings(cells) {
    return cells[0].settings.map(([name], index) => {
      const values = cells.map((cell) => cell.settings[index][1]);
      const row = create("tr", new Set(values).size > 1 ? "differs" : "");
      const head = create("th", "", name);
      head.scope = "row";
      row.append(head, ...values.map((value) => create("td", "", value)));
      return row;
    });
  }
}

const sheet = new ContactSheet(element.querySelector(".contact-sheet"), (index) => {
  trigger("select", {index, value: null});
});
if (props.value) sheet.show(props.value);
watch("value", () => {
  if (props.value) sheet.show(props.value);
});
