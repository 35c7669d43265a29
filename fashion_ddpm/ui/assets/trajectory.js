// The player of trajectories in the Gradio page.

import {Player} from "./trajectory_player.js";

// A click in the gallery of results tells the server, too.
const player = new Player(element.querySelector(".player"), (index) => {
  document.querySelectorAll("#gallery button.thumbnail-item")[index]?.click();
});
if (props.value) player.load(props.value);
watch("value", () => {
  if (props.value) player.load(props.value);
});
