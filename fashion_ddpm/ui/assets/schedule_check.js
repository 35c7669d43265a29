// Check your own schedule: pasted betas, or T and two betas, get the verdict, the charts and the
// lines of Python that repair them. Sends nothing.

import {ScheduleCharts, showChartWords} from "./schedule_charts.js";
import {alphaBars, checkLevels, linearBetas, parseSchedule, repairLines} from "./schedule_math.js";

const data = props.data;
const find = (selector) => element.querySelector(selector);
const text = find("#own-betas");

// Stable Diffusion's betas rise evenly in their square roots, from 0.00085 to 0.012.
function stableDiffusionBetas() {
  return linearBetas(1000, Math.sqrt(0.00085), Math.sqrt(0.012)).map((root) => root * root);
}

const EXAMPLES = {
  student: () => "100, 0.0001, 0.02",
  diffusion: () => stableDiffusionBetas().map((beta) => beta.toFixed(7)).join(", "),
  clear: () => "",
};

function check() {
  const verdict = find(".verdict");
  find(".copied").textContent = "";
  verdict.hidden = text.value.trim() === "";
  find(".result").hidden = true;
  text.removeAttribute("aria-invalid");
  if (verdict.hidden) return;
  try {
    showSchedule(parseSchedule(text.value, data.max_levels));
  } catch (error) {
    verdict.classList.remove("good");
    verdict.textContent = error.message;
    text.setAttribute("aria-invalid", "true");
  }
}

function showSchedule(schedule) {
  const verdict = checkLevels(alphaBars(schedule.betas), data.max_terminal_alpha_bar);
  find(".result").hidden = false;
  showVerdict(find(".verdict"), verdict);
  const charts = new ScheduleCharts(element, data);
  charts.show(schedule.betas);
  showChartWords(element, schedule.betas, verdict);
  const lines = repairLines(schedule);
  find(".repair").hidden = verdict.good;
  find(".rescaled").textContent = lines.rescaled;
  find(".cosine-line").textContent = lines.cosine;
  const betas = schedule.linear ? "" : " Here betas is your list.";
  find(".repair-words").textContent =
    `To repair it in diffusers, take this schedule, then train again: the last level becomes pure noise.${betas}`;
}

async function copy(event) {
  const {textContent} = find(`.${event.currentTarget.dataset.copy}`);
  let words = "Copied.";
  try {
    await navigator.clipboard.writeText(textContent);
  } catch {
    words = "Your browser did not allow copying: select the line and copy it by hand.";
  }
  find(".copied").textContent = words;
}

text.addEventListener("input", check);
find("form").addEventListener("submit", (event) => event.preventDefault());
for (const button of element.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => {
    text.value = EXAMPLES[button.dataset.example]();
    check();
  });
}
for (const button of element.querySelectorAll("[data-copy]")) button.addEventListener("click", copy);
