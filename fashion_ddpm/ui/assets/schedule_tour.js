// The story in five steps, each with one picture made of real and noised images.
// props.data: {image, noise, size, noised, student, repaired}, where the
// last three are shares of power: of ten levels, and of the noisiest level before and after.

import {noisedPixels, percentText} from "./schedule_math.js";

const data = props.data;
const find = (selector) => element.querySelector(selector);
const image = Uint8Array.from(atob(data.image), (byte) => byte.charCodeAt(0));
const start = [0, "Sampling starts here: pure noise"];

const STEPS = [
  {
    name: "Destroy",
    words: "Training takes a real image and adds noise, level by level. With a good schedule, nothing of it is left at the end.",
    cells: data.noised.map((level) => [level, ""]),
  },
  {
    name: "Learn",
    words: "The network sees a noised image and its level, and learns to tell the clean image from it.",
    cells: [[data.noised[4], "what it sees"], [1, "what it should answer"]],
    sign: "→",
  },
  {
    name: "Start from noise",
    words: "To generate, sampling hands it pure noise, as if it were the noisiest level of all, and removes the noise step by step.",
    cells: [start],
  },
  {
    name: "What went wrong",
    words: "With the student's schedule, the noisiest level in training still shows the boot. Pure noise was never trained, so the first step fails, and all others build on it.",
    cells: [[data.student, `Training ended here: ${percentText(Math.sqrt(data.student))} of the amplitude left`], start],
    sign: "≠",
  },
  {
    name: "Repair",
    words: "More levels or larger betas: training now ends where sampling starts. The student trains again with such a schedule. Below, repair it yourself.",
    cells: [[data.repaired, `Training ends here: ${percentText(Math.sqrt(data.repaired))} of the amplitude left`], start],
    sign: "=",
  },
];

// Return a picture of the image at a level, with a caption.
function buildCell([level, caption]) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = data.size;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(data.size, data.size);
  noisedPixels(image, data.noise, level).forEach((grey, index) => {
    picture.data.set([grey, grey, grey, 255], 4 * index);
  });
  context.putImageData(picture, 0, 0);
  canvas.setAttribute("role", "img");
  const left = `an ankle boot with ${percentText(Math.sqrt(level))} of its amplitude left`;
  canvas.setAttribute("aria-label", level ? left : "pure noise");
  const words = document.createElement("figcaption");
  words.textContent = caption.replaceAll(" %", "\u00a0%");
  const figure = document.createElement("figure");
  figure.append(canvas, words);
  return figure;
}

function buildSign(text) {
  const sign = document.createElement("span");
  Object.assign(sign, {className: "sign", textContent: text});
  return sign;
}

function show(index) {
  const {words, cells, sign} = STEPS[index];
  find(".words").textContent = words;
  find(".cells").classList.toggle("small", cells.length > 2);
  const figures = cells.map(buildCell);
  find(".cells").replaceChildren(
    ...figures.flatMap((figure, place) => (sign && place ? [buildSign(sign), figure] : [figure]))
  );
  for (const [place, button] of [...find(".steps").children].entries()) {
    button.setAttribute("aria-pressed", String(place === index));
  }
  const next = find(".next");
  const following = (index + 1) % STEPS.length;
  next.textContent = following ? `Next: ${STEPS[following].name}` : "Back to the start";
  next.onclick = () => show(following);
}

for (const [index, {name}] of STEPS.entries()) {
  const button = document.createElement("button");
  Object.assign(button, {type: "button", className: "choice", textContent: `${index + 1} ${name}`});
  button.addEventListener("click", () => show(index));
  find(".steps").append(button);
}
show(0);
