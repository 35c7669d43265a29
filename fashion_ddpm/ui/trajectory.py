"""An image's trajectory: filmstrip, scores, a slider through its steps, other endings."""

from typing import Any

import gradio as gr

from fashion_ddpm.core.requests import check_integer
from fashion_ddpm.demo.continuation import continue_trajectory
from fashion_ddpm.demo.engine import Demo, offered_schedules
from fashion_ddpm.demo.trajectory import (
    RIVAL_CURVES,
    TARGET_CURVE,
    Trajectory,
    decision,
    filmstrip,
    frame,
    score_curves,
)
from fashion_ddpm.scoring.clip import NO_SCORER
from fashion_ddpm.ui.components import (
    LATEST_RUN,
    LATEST_VALUES,
    as_int,
    hide_value,
    line_plot,
    monitor_request,
    picture,
    picture_gallery,
    report_errors,
    show_value,
    slider_position,
    table,
)
from fashion_ddpm.ui.session import NO_IMAGE_YET, SELECTION_CHANGED, SelectedImage, Selection

TITLE = "## Its way: the noisy image above, the clean one that the network predicts below"
CONTINUE = """**What if it went on as something else?** Choose a step with the slider; from its
noisy image the way goes on once as each {noun}. Early on anything can still become of it."""

SCORE_COLUMNS = ("percent of the way", "class", "score")
SCORE_COLOURS = dict(
    zip((TARGET_CURVE, *RIVAL_CURVES), ("#4f46e5", "#ea580c", "#78716c"), strict=True)
)


class TrajectoryPanel:
    """The components that show the trajectory of the selected image.

    Args:
        demo: the loaded model.
        selected: the selected image.
        first: the trajectory that the page opens with, if there is one.
    """

    def __init__(self, demo: Demo, selected: SelectedImage, first: Trajectory | None) -> None:
        self.demo = demo
        count = len(first.noisy) if first else 2
        gr.Markdown(TITLE)
        self.filmstrip = picture(
            "from pure noise on the left to the image on the right",
            filmstrip(first) if first else None,
        )
        with gr.Row():
            with gr.Column(scale=3, min_width=300):
                self.decision = gr.Markdown(decision(first) if first else "")
                self.plot = _build_score_plot(first, has_scorer=demo.scorers[0] != NO_SCORER)
            with gr.Column(scale=2, min_width=300):
                self.slider = gr.Slider(1, count, count, step=1, label="Step", buttons=[])
                self.frame = picture(
                    "one step: noisy on the left, predicted on the right",
                    frame(first, count - 1) if first else None,
                )
        gr.Markdown(CONTINUE.format(noun=demo.kind.class_noun))
        with gr.Row():
            names = offered_schedules(demo)
            schedule = gr.Dropdown(names, value=names[0], label="Schedule from here on")
            button = gr.Button("Continue from here")
        self.endings_text = gr.Markdown()
        self.endings = picture_gallery(None, 5, "endings", download=False)
        # Not `input`: it does not fire when gradio clamps a number that is out of range.
        inputs: list[Any] = [*selected.inputs(), self.slider]
        self.slider.change(self.scrub, inputs, self.frame, **LATEST_VALUES)
        outputs = [self.endings, self.endings_text]
        button.click(self.draw_endings, [*inputs, schedule], outputs, **LATEST_RUN)

    def show(self, trajectory: Trajectory) -> dict[Any, Any]:
        """Return updates that show a trajectory and clear the endings."""
        last = len(trajectory.noisy)
        scores = table(score_curves(trajectory), SCORE_COLUMNS)
        return {
            self.filmstrip: show_value(filmstrip(trajectory)),
            self.decision: decision(trajectory),
            self.plot: gr.update(value=scores, visible=len(scores) > 0),
            # Gradio refuses a slider from 1 to 1.
            self.slider: gr.update(maximum=max(last, 2), value=last, interactive=last > 1),
            self.frame: show_value(frame(trajectory, last - 1)),
            self.endings: hide_value(),
            self.endings_text: "",
        }

    def outputs(self) -> list[Any]:
        """Return the components that `show` updates."""
        updated = [self.filmstrip, self.decision, self.plot, self.slider, self.frame]
        return [*updated, self.endings, self.endings_text]

    def scrub(self, selection: Selection, query: str, index: int, step: Any) -> Any:
        """Return one step of the selected image's trajectory."""
        with report_errors():
            image = selection.image(query, index)
            number = slider_position(step, len(image[0].noisy)) if image else None
            if image is None or number is None:
                return gr.skip()
            picture = frame(self.demo.trajectory(*image), number - 1)
            return picture if selection.image(query, index) == image else gr.skip()

    def draw_endings(
        self, selection: Selection, query: str, index: int, step: float, schedule: str
    ) -> dict[Any, Any]:
        """Continue the selected image's trajectory from one step, once as each class."""
        with monitor_request(self.demo, "continuation") as wrap_steps:
            image = selection.image(query, index)
            if image is None:
                message = SELECTION_CHANGED if query else NO_IMAGE_YET
                return {self.endings: hide_value(), self.endings_text: message}
            check_integer("step", as_int(step), 1, len(image[0].noisy))
            result = continue_trajectory(self.demo, *image, int(step) - 1, schedule, wrap_steps)
            if selection.image(query, index) != image:
                return {self.endings: hide_value(), self.endings_text: SELECTION_CHANGED}
        endings = [(ending.picture, ending.caption) for ending in result.endings]
        return {self.endings: show_value(endings), self.endings_text: result.sentence()}


def _build_score_plot(first: Trajectory | None, has_scorer: bool) -> gr.LinePlot:
    """Lay out the plot of label scores and its title; both are hidden without a scorer."""
    title = "Label score of what was asked for (blue) and of its rivals (orange, grey)"
    gr.Markdown(title, visible=has_scorer)
    return line_plot(
        score_curves(first) if first else None,
        SCORE_COLUMNS,
        SCORE_COLOURS,
        visible=has_scorer,
        x_lim=[0, 100],
        y_lim=[0, 1.02],
        height=260,
    )
