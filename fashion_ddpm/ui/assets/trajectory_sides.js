// The images of a run at one step, and a run that is kept as A beside the one in the player, B.

const STATES = {noisy: "noisy image", clean: "predicted clean image"};

export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

export const nameStep = (data, frame) => "step " + data.steps[frame] + " of " + data.num_steps;
export const keepSeed = (caption) => caption.replace(/ (?=[0-9]+$)/, "\u00a0"); // "seed 3" on one line
const capitalize = (text) => text[0].toUpperCase() + text.slice(1);

// Index of the frame that is nearest to a step, counted from 1.
export function nearestFrame(data, step) {
  const distances = data.steps.map((each) => Math.abs(each - step));
  return distances.indexOf(Math.min(...distances));
}

// One image of a run: noisy and predicted clean, with its name, its settings and its step.
export class Side {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
  }

  // letter: "A", "B", or "" where there is no other run.
  name(letter, data, image) {
    this.subject = (letter ? letter + ": " : "") + data.captions[image];
    setText(this.find(".subject"), keepSeed(this.subject));
  }

  paint({data, sprite}, image, frame) {
    const step = nameStep(data, frame);
    for (const canvas of this.root.querySelectorAll("canvas")) {
      const kind = canvas.dataset.row;
      sprite.paint(canvas, image, frame, kind);
      canvas.setAttribute("aria-label", this.subject + ", " + step + ": " + STATES[kind]);
    }
    const sigma = " · noise-to-signal ratio σ = " + data.sigmas[frame];
    setText(this.find(".readout"), capitalize(step) + sigma);
  }

  // Name the settings of a run; those that differ from another run's are bold.
  listSettings(settings, others) {
    const parts = settings.map(([name, value], index) => {
      const part = document.createElement(value === others[index][1] ? "span" : "b");
      part.textContent = name + " " + value;
      return part;
    });
    this.find(".settings").replaceChildren(...parts.flatMap((part) => [part, "\u00a0· "]).slice(0, -1));
  }
}

// The run that is kept as A: one side before that of B, and all its images before those of B.
export class KeptRun {
  constructor(run, sideOfB, cellsOfB) {
    this.run = run;
    this.sideOfB = sideOfB;
    this.side = new Side(sideOfB.root.cloneNode(true));
    this.cells = document.createElement("div");
    this.cells.className = "kept-cells";
    this.cells.setAttribute("role", "group");
    this.cells.setAttribute("aria-label", "A: all images of the kept run");
    for (const caption of run.data.captions) {
      const cell = this.cells.appendChild(document.createElement("div"));
      cell.append(document.createElement("canvas"), keepSeed(caption));
    }
    sideOfB.root.before(this.side.root);
    cellsOfB.before(this.cells);
  }

  // Whether the player shows another run than this one.
  isBeside(data) {
    return data.id !== this.run.data.id;
  }

  show(data) {
    const isBeside = this.isBeside(data);
    this.side.root.hidden = this.cells.hidden = !isBeside;
    if (!isBeside) return this.sideOfB.find(".settings").replaceChildren();
    this.image = Math.min(data.selected, this.run.data.captions.length - 1);
    this.side.name("A", this.run.data, this.image);
    this.side.listSettings(this.run.data.settings, data.settings);
    this.sideOfB.listSettings(data.settings, this.run.data.settings);
  }

  // Show the frame at a share of the trajectory.
  seek(progress) {
    const {data, sprite} = this.run;
    this.frame = nearestFrame(data, progress * data.num_steps);
    this.side.paint(this.run, this.image, this.frame);
  }

  paintCells(kind) {
    this.cells.querySelectorAll("canvas").forEach((canvas, image) => {
      this.run.sprite.paint(canvas, image, this.frame, kind);
    });
  }

  remove() {
    this.side.root.remove();
    this.cells.remove();
    this.sideOfB.find(".settings").replaceChildren();
  }
}
