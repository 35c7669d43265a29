"""The first tab: choose, watch, see the scores, and follow an image back to its noise."""

import random
from collections.abc import Iterator
from typing import Any

import gradio as gr

from fashion_ddpm.core.requests import MAX_SEED, GenerateRequest, check_integer
from fashion_ddpm.core.wording import format_seconds, quantity
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.gallery import first_images
from fashion_ddpm.demo.results import Preview, Result, Scores
from fashion_ddpm.demo.share import SharedSettings
from fashion_ddpm.scoring.clip import NO_SCORER
from fashion_ddpm.server.limits import PAGE_MAX_IMAGES
from fashion_ddpm.server.monitoring import StoppedError
from fashion_ddpm.ui.components import (
    EVERY_CLICK,
    NO_MARKUP,
    NO_QUEUE,
    monitor_request,
    picture,
    picture_gallery,
    report_errors,
    show_value,
)
from fashion_ddpm.ui.controls import Controls, build_request
from fashion_ddpm.ui.page import WRITE_ADDRESS
from fashion_ddpm.ui.session import CurrentRun, SelectedImage, Selection, connect_run
from fashion_ddpm.ui.trajectory import TrajectoryPanel

SCORE_TITLES = ("Selected image", "Mean of its class here", "Real ones of its class")
"""Where scores are shown, for the label prompts and for those of quality."""

PRESS_GENERATE = "Press Generate."
IMAGES_KEPT = "Below are the images of before."
NO_SCORES = """The embedded scorer has seen nothing but Fashion-MNIST, so it says nothing of these
classes. A CLIP of the Hub can be asked (Advanced, Scorer); no real images stand beside it."""


class Create:
    """The tab: controls on the left, pictures and scores on the right, below them a trajectory.

    Args:
        demo: the loaded model.

    Attributes:
        controls: what a visitor chooses.
        selected: which image is selected.
    """

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        first = first_images(demo)
        trajectory = demo.trajectory(first, 0) if first else None
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                self.controls = Controls(demo)
            with gr.Column(scale=3, min_width=300):
                self._build_results(first)
        self.selected = SelectedImage(first)
        self.trajectory = TrajectoryPanel(demo, self.selected, trajectory)
        self.address_query = gr.Textbox(visible="hidden")
        of_image = [*self.scores, *self.trajectory.outputs(), self.selected.index]
        shown = [self.preview, self.gallery, self.status]
        connect_run(
            self.controls.generate,
            self.controls.stop,
            self.draw,
            [self.selected.selection, *self.controls.inputs()],
            [*shown, *of_image, self.controls.seed, self.selected.query, self.address_query],
            self.status,
        )
        self.address_query.change(None, self.address_query, None, js=WRITE_ADDRESS, **NO_QUEUE)
        clicked = [self.selected.selection, self.selected.query]
        self.gallery.select(self.select, clicked, of_image, **EVERY_CLICK)

    def _build_results(self, first: Result | None) -> None:
        """Lay out what a visitor sees, filled with the bundled gallery where there is one."""
        demo = self.demo
        seeds = f"seeds 0 to {first.request.num_images - 1}" if first else ""
        title = (
            f"One of each class, {seeds}, drawn before you came. {PRESS_GENERATE}"
            if first
            else PRESS_GENERATE
        )
        self.status = gr.Markdown(title)
        self.preview = picture(
            "noisy images above, predicted clean images below",
            first.last_preview().picture if first else None,
            elem_id="preview",
        )
        gr.Markdown("Click an image for its scores and its way from noise")
        pictures = first.pictures() if first else None
        self.gallery = picture_gallery(pictures, 5, "gallery", selected=0)
        gr.Markdown(f"## Which {demo.kind.class_noun} is it? CLIP's label scores")
        scored = demo.scorers[0] != NO_SCORER
        if not scored:
            gr.Markdown(NO_SCORES)
        empty: Scores | None = None if scored else {}
        values = score_columns(first, 0) if first else [empty] * 2 * len(SCORE_TITLES)
        with gr.Row():
            labels = list(map(_build_label, SCORE_TITLES, values))
        if scored:
            gr.Markdown("## Is it clear? The report's three prompts")
        with gr.Row():
            quality = list(map(_build_label, SCORE_TITLES, values[len(labels) :]))
        self.scores = [*labels, *quality]

    def draw(
        self, current: CurrentRun, number: int, selection: Selection, *inputs: Any
    ) -> Iterator[dict[Any, Any]]:
        """Draw what Controls.inputs ask for and score it; image i has seed + i.

        Args:
            current: which of the visitor's runs may go on.
            number: this run's.
            selection: what the visitor has selected.
            inputs: values of Controls.inputs.
        """
        *settings, random_seed, scorer = inputs
        if random_seed is True:
            settings[-1] = random.randint(0, MAX_SEED - PAGE_MAX_IMAGES)
        reached = ""
        try:
            with monitor_request(self.demo, "images") as wrap_steps:
                request = build_request(*settings, class_names=self.demo.kind.class_names)
                asked = SharedSettings(request, self.demo.model_for(request), scorer)
                # A seed that the visitor chose is theirs to change while this is drawn.
                seed = request.seed if random_seed is True else gr.skip()
                about = {self.controls.seed: seed, self.address_query: asked.to_query()}
                for event in self.demo.run(
                    request, scorer, current.make_wrapper(number, wrap_steps)
                ):
                    current.check(number)
                    yield self._event_updates(event, request, selection) | about
                    if isinstance(event, Preview):
                        reached = f" at step {event.steps_done} of {request.num_inference_steps}"
        except StoppedError:
            said = f"Stopped{reached}. {IMAGES_KEPT}" if current.was_stopped(number) else gr.skip()
            yield {self.status: said}  # without a yield gradio would empty all outputs

    def _event_updates(
        self, event: Preview | Result, request: GenerateRequest, selection: Selection
    ) -> dict[Any, Any]:
        """Return what a preview or a result changes."""
        if isinstance(event, Preview):
            status = f"Step {event.steps_done} of {request.num_inference_steps}, "
            status += f"{event.seconds:.1f} s"
            return {self.status: status, self.preview: show_value(event.picture)}
        if event.warning:
            gr.Warning(event.warning.translate(NO_MARKUP))
        shown = {
            self.preview: show_value(event.last_preview().picture),
            self.gallery: show_value(event.pictures(), selected_index=0),
            self.status: summary(event),
            self.selected.query: event.settings.to_query(),
            **self._image_updates(event, 0),
        }
        selection.select(event, 0)
        return shown

    def _image_updates(self, result: Result, index: int) -> dict[Any, Any]:
        """Return what selecting an image changes: scores, trajectory, index."""
        columns = zip(self.scores, score_columns(result, index), strict=True)
        labels = {
            label: gr.update(value=each or None, visible=bool(each)) for label, each in columns
        }
        return {
            **labels,
            **self.trajectory.show(self.demo.trajectory(result, index)),
            self.selected.index: index,
        }

    def select(self, selection: Selection, query: str, event: gr.SelectData) -> dict[Any, Any]:
        """Show the scores and the trajectory of the image that was clicked."""
        with report_errors():
            result = selection.images(query)
            if result is None:
                return gr.skip()
            check_integer("image", event.index, 0, result.request.num_images - 1)
            shown = self._image_updates(result, event.index)
            if selection.result is not result:  # drawn meanwhile
                return gr.skip()
            selection.select(result, event.index)
            return shown


def score_columns(result: Result, index: int) -> list[Scores]:
    """Return the label scores of one image, on average, and of real images; then of quality."""
    columns = (result.image_scores(index), result.mean_scores(index), result.real_scores(index))
    labels, quality = zip(*columns, strict=True)
    return [*labels, *quality]


def summary(result: Result) -> str:
    """Return what was made and what it took, in a line."""
    request = result.request
    return (
        f"{quantity(request.num_images, 'image')} in {format_seconds(result.seconds)}: "
        f"{quantity(request.num_inference_steps, 'step')}, "
        f"{quantity(result.evaluations, 'UNet evaluation')}, seeds from {request.seed}"
    )


def _build_label(title: str, value: Scores | None) -> gr.Label:
    """Return a label, which is hidden where there can be no scores ({})."""
    return gr.Label(
        value or None,
        visible=value != {},
        label=title,
        num_top_classes=3,
        min_width=150,
        elem_classes="scores",
    )
