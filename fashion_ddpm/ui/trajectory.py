"""An image's trajectory from noise: filmstrip, scores, a slider through its steps, other ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from fashion_ddpm.core.requests import check_whole
from fashion_ddpm.demo.continuation import continued
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.trajectory import Trajectory, decision, filmstrip, frame
from fashion_ddpm.ui.components import (
    ALWAYS_LAST,
    NETWORK,
    PRIVATE,
    QUEUED,
    UNPROCESSED,
    emptied,
    filled,
    monitored,
    nearest,
    picture,
    picture_gallery,
    score_plot,
    score_table,
    show_mistakes,
    whole,
)
from fashion_ddpm.ui.session import MEANWHILE, SelectedImage, Selection

CONTINUE = """**What if it went on as something else?** Choose a step with the slider; from its
noisy image the way goes on once as each {noun}. Early on anything can still become of it."""


@dataclass(frozen=True)
class TrajectoryView:
    """The components that show an image's trajectory."""

    film: gr.Image
    decision: gr.Markdown
    plot: gr.LinePlot
    scrub: gr.Slider
    frame: gr.Image
    schedule: gr.Dropdown
    go_on: gr.Button
    endings: gr.Gallery
    left: gr.Markdown

    def outputs(self) -> dict[str, Any]:
        """Return the components that show_trajectory fills, by its names."""
        names = ("film", "decision", "plot", "scrub", "frame", "endings", "left")
        return {name: getattr(self, name) for name in names}


def show_trajectory(trajectory: Trajectory) -> dict[str, Any]:
    """Return what TrajectoryView.outputs shall hold; the endings shown before go."""
    last = len(trajectory.noisy)
    slider = gr.update(maximum=max(last, 2), value=last, interactive=last > 1)  # 1…1 is refused
    scores = score_table(trajectory)
    return {
        "film": filled(filmstrip(trajectory)),
        "decision": decision(trajectory),
        "plot": gr.update(value=scores, visible=len(scores) > 0),
        "scrub": slider,
        "frame": filled(frame(trajectory, last - 1)),
        "endings": emptied(),
        "left": "",
    }


def build(
    trajectory: Trajectory | None, noun: str, schedules: Sequence[str], scored: bool = True
) -> TrajectoryView:
    """Lay out an image's trajectory from noise.

    Args:
        trajectory: what is shown at first.
        noun: what its classes are called.
        schedules: what it may go on with; the first one is chosen.
        scored: whether a scorer that knows them is at hand.
    """
    gr.Markdown("## Its way: the noisy image above, the clean one that the network predicts below")
    count = len(trajectory.noisy) if trajectory else 2
    film = picture(
        "from pure noise on the left to the image on the right",
        filmstrip(trajectory) if trajectory else None,
    )
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            sentence = gr.Markdown(decision(trajectory) if trajectory else "")
            plot = score_plot(score_table(trajectory) if trajectory else None, scored)
        with gr.Column(scale=2, min_width=300):
            scrub = gr.Slider(1, count, count, step=1, label="Step", buttons=[])
            one = picture(
                "one step: noisy on the left, predicted on the right",
                frame(trajectory, count - 1) if trajectory else None,
            )
    gr.Markdown(CONTINUE.format(noun=noun))
    with gr.Row():
        schedule = gr.Dropdown(schedules, value=schedules[0], label="Schedule from here on")
        go_on = gr.Button("Continue from here")
    left = gr.Markdown()
    endings = picture_gallery(None, 5, "endings", download=False)
    return TrajectoryView(film, sentence, plot, scrub, one, schedule, go_on, endings, left)


def connect(demo: Demo, view: TrajectoryView, selected: SelectedImage) -> None:
    """Make the slider show the steps of the selected image, and the button go on from there."""

    def scrub(selection: Selection, query: str, index: int, step: Any) -> Any:
        with show_mistakes():
            image = selection.image(query, index)
            if image is None:
                return gr.skip()
            number = nearest(step, len(image[0].noisy))
            if number is None:
                return gr.skip()
            shown = frame(demo.trajectory(*image), number - 1)
            return shown if selection.image(query, index) == image else gr.skip()

    # `change` and not `input`: gradio brings a number that is out of range back without an input.
    inputs = [*selected.inputs(), view.scrub]
    view.scrub.change(scrub, inputs, view.frame, **QUEUED, **ALWAYS_LAST, **UNPROCESSED)

    def go_on(selection: Selection, query: str, index: int, step: float, schedule: str) -> Any:
        with monitored(demo, "continuation") as watch:
            image = selection.image(query, index)
            if image is None:
                return emptied(), MEANWHILE if query else "Generate first."
            check_whole("step", whole(step), 1, len(image[0].noisy))
            found = continued(demo, *image, int(step) - 1, schedule, watch)
            if selection.image(query, index) != image:
                return emptied(), MEANWHILE
        endings = [(ending.picture, ending.caption) for ending in found.endings]
        return filled(endings), found.sentence()

    chosen = [*selected.inputs(), view.scrub, view.schedule]
    view.go_on.click(
        go_on, chosen, [view.endings, view.left], **NETWORK, **ALWAYS_LAST, **UNPROCESSED, **PRIVATE
    )
