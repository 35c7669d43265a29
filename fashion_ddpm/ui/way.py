"""An image's way from noise: filmstrip, scores along it, and a slider through its steps."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from fashion_ddpm.demo import Demo, Result
from fashion_ddpm.trajectory import Trajectory, decision, filmstrip, frame
from fashion_ddpm.ui.parts import NOW, picture, score_plot, score_table


@dataclass(frozen=True)
class Way:
    """Where an image's way from noise is shown."""

    film: gr.Image
    decision: gr.Markdown
    plot: gr.LinePlot
    scrub: gr.Slider
    frame: gr.Image

    def outputs(self) -> list[Any]:
        """Returns the components in the order of shown_way."""
        return [self.film, self.decision, self.plot, self.scrub, self.frame]


def shown_way(trajectory: Trajectory) -> tuple[Any, ...]:
    """Returns the filmstrip, the decision, the scores, the slider and the last frame."""
    last = len(trajectory.noisy)
    slider = gr.update(maximum=last, value=last)
    film, plot = filmstrip(trajectory), score_table(trajectory)
    return film, decision(trajectory), plot, slider, frame(trajectory, last - 1)


def build(trajectory: Trajectory | None) -> Way:
    """Lays out an image's way from noise."""
    gr.Markdown("### Its way: the noisy image above, the clean one that the network predicts below")
    shown = shown_way(trajectory) if trajectory else (None, "", None, None, None)
    film = picture("from pure noise on the left to the image on the right", shown[0])
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            sentence = gr.Markdown(shown[1])
            plot = score_plot(shown[2])
        with gr.Column(scale=2, min_width=300):
            last = len(trajectory.noisy) if trajectory else 2
            scrub = gr.Slider(1, last, last, step=1, label="Step")
            one = picture("one step: noisy on the left, predicted on the right", shown[4])
    return Way(film, sentence, plot, scrub, one)


def connect(demo: Demo, way: Way, result: gr.State, index: gr.State) -> None:
    """Makes the slider show the steps of the selected image."""

    def scrub(shown: Result | None, place: int, step: float) -> Any:
        if shown is None:
            return gr.skip()
        last = len(shown.noisy) - 1
        return frame(demo.way(shown, place), min(max(int(step) - 1, 0), last))

    way.scrub.input(scrub, [result, index, way.scrub], way.frame, **NOW)
