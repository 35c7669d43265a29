// The sketch pad: white on black, as the network's images are. props.value = {drawing, class_name}:
// the URL of a PNG picture ("" while nothing was drawn), and the class of a silhouette that was just
// chosen (else ""); it is sent when a stroke ends. props.data = {side, silhouettes: {class: URL}}.

const {side, silhouettes} = props.data;
const MAX_UNDO = 20;
const find = (selector) => element.querySelector(selector);
const canvas = find("canvas");
const context = canvas.getContext("2d", {willReadFrequently: true});
const undo = find(".undo");
const earlier = []; // drawings, the newest last
let last = null; // the end of the stroke that is being drawn

canvas.width = canvas.height = side;
context.lineCap = context.lineJoin = "round";
context.fillRect(0, 0, side, side);

function send(className = "") {
  undo.disabled = !earlier.length;
  props.value = {drawing: canvas.toDataURL("image/png"), class_name: className};
  trigger("input");
}

function remember() {
  earlier.push(context.getImageData(0, 0, side, side));
  if (earlier.length > MAX_UNDO) earlier.shift();
}

function place(event) {
  const box = canvas.getBoundingClientRect();
  const scale = side / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
}

function extend(event) {
  const next = place(event);
  context.strokeStyle = find("[aria-pressed=true]").dataset.ink;
  context.lineWidth = (Number(find("input").value) / 100) * side; // percent of the pad
  context.beginPath();
  context.moveTo(...last);
  context.lineTo(...next);
  context.stroke();
  last = next;
}

canvas.addEventListener("pointerdown", (event) => {
  if (!event.isPrimary || event.button) return;
  canvas.setPointerCapture(event.pointerId);
  remember();
  last = place(event);
  extend(event);
});
canvas.addEventListener("pointermove", (event) => {
  if (last && event.isPrimary) extend(event);
});
for (const name of ["pointerup", "pointercancel"])
  canvas.addEventListener(name, (event) => {
    if (!last || !event.isPrimary) return;
    last = null;
    send();
  });

find(".inks").addEventListener("click", ({target}) => {
  if (!target.dataset.ink) return;
  for (const button of element.querySelectorAll("[data-ink]"))
    button.setAttribute("aria-pressed", String(button === target));
});
undo.addEventListener("click", () => {
  context.putImageData(earlier.pop(), 0, 0);
  send();
});
find(".clear").addEventListener("click", () => {
  remember();
  context.fillRect(0, 0, side, side);
  send();
});

for (const [name, url] of Object.entries(silhouettes)) {
  const button = document.createElement("button");
  const picture = new Image();
  button.type = "button";
  button.title = picture.alt = name;
  picture.src = url;
  button.append(picture);
  button.addEventListener("click", () => {
    remember();
    context.drawImage(picture, 0, 0, side, side);
    send(name);
  });
  find(".silhouettes").append(button);
}
