"""The Create tab: settings, previews, images with their scores, and an image's trajectory."""

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
    ALWAYS_LAST,
    EVERY_CLICK,
    NO_MARKUP,
    NO_QUEUE,
    RAW_INPUTS,
    monitor_request,
    picture,
    picture_gallery,
    report_errors,
    show_value,
)
from fashion_ddpm.ui.controls import GENERATE, RESET_GENERATE, Controls, build_request
from fashion_ddpm.ui.page import WRITE_ADDRESS
from fashion_ddpm.ui.session import CurrentRun, SelectedImage, Selection, connect_run
from fashion_ddpm.ui.story import build_story_switch
from fashion_ddpm.ui.trajectory import TrajectoryPanel

SCORE_TITLES = ("This image", "Average of its class here", "Real test images")
"""Titles of a row of scores: one row for the label prompts, one for the quality prompts."""

READY_MADE = "Ready-made samples, one per class ({seeds}). Press Generate to make your own."
PRESS_GENERATE = "Press Generate."
CLICK_HINT = """Click an image to see its scores, how it emerged from noise and [whether it is a
copy](#tab-trust.find-nearest)."""
CLICK_HINT_OF_OWN_DATA = "Click an image to see how it emerged from noise."
IMAGES_KEPT = "Below: your previous images."
NO_SCORES = """The built-in scorer only knows Fashion-MNIST. Choose a CLIP from the Hub as the
scorer (without real images to compare with)."""


class Create:
    """The tab's components and event handlers.

    Attributes:
        controls: the settings.
        results: the column of the images.
        selected: the selected image.
    """

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        first = first_images(demo)
        if demo.kind.is_fashion_mnist:
            build_story_switch("create", opens_why=True)
        with gr.Row(elem_id="create-grid"):
            with gr.Column(elem_id="settings"):
                self.controls = Controls(demo)
            with gr.Column(elem_id="results") as self.results:
                self._build_images(first)
            with gr.Column(elem_id="scores") as self.scores_column:
                self._build_scores(first)
        self.selected = SelectedImage(first)
        with gr.Column(elem_id="trajectory-section"):
            self.trajectory = TrajectoryPanel(demo, self.selected, first)
        self.address_query = gr.Textbox(visible="hidden")
        image_outputs = [*self.scores, *self.trajectory.outputs(), self.selected.index]
        run_outputs = [
            self.controls.generate,
            self.preview,
            self.gallery,
            self.status,
            *image_outputs,
        ]
        run = connect_run(
            self.controls.generate,
            self.controls.stop,
            self.draw,
            [self.selected.selection, *self.controls.inputs()],
            [*run_outputs, self.controls.seed, self.selected.query, self.address_query],
            self.status,
        )
        run.success(*self.controls.note_update, **NO_QUEUE, **RAW_INPUTS, **ALWAYS_LAST)
        # Errors may arise outside of `draw`: where its pictures are saved, or before it begins.
        run.failure(None, None, self.controls.generate, js=RESET_GENERATE, **NO_QUEUE)
        self.address_query.change(None, self.address_query, None, js=WRITE_ADDRESS, **NO_QUEUE)
        clicked = [self.selected.selection, self.selected.query]
        self.gallery.select(self.select, clicked, image_outputs, **EVERY_CLICK)

    def _build_images(self, first: Result | None) -> None:
        """Lay out status and pictures, filled with the first images where there are any."""
        status = PRESS_GENERATE
        if first:
            status = READY_MADE.format(seeds=seed_range(first.request))
        self.status = gr.Markdown(status, elem_id="status")
        self.preview = picture(
            "top: noisy images, bottom: predicted clean images",
            first.last_preview().picture if first else None,
            elem_id="preview",
        )
        hint = CLICK_HINT if self.demo.kind.is_fashion_mnist else CLICK_HINT_OF_OWN_DATA
        gr.Markdown(hint, elem_id="select-hint")
        pictures = first.pictures() if first else None
        self.gallery = picture_gallery(pictures, 5, "gallery", selected=0)

    def _build_scores(self, first: Result | None) -> None:
        """Lay out the scores of the selected image, its batch and real images."""
        gr.Markdown(f"## Which {self.demo.kind.class_noun} does CLIP see?")
        has_scorer = self.demo.scorers[0] != NO_SCORER
        if not has_scorer:
            gr.Markdown(NO_SCORES)
        columns = score_columns(first, 0) if first else [{} for _ in 2 * SCORE_TITLES]
        count = len(SCORE_TITLES)
        labels = _build_score_row(columns[:count], has_scorer)
        if has_scorer:
            gr.Markdown("## Is it sharp? CLIP, asked three quality prompts")
        self.scores = [*labels, *_build_score_row(columns[count:], has_scorer)]

    def draw(
        self, current: CurrentRun, number: int, selection: Selection, *inputs: Any
    ) -> Iterator[dict[Any, Any]]:
        """Draw and score images, and yield what each step changes on the page.

        Args:
            current: decides which of the visitor's runs may go on.
            number: the number of this run.
            selection: the visitor's images and the selected one.
            inputs: values of Controls.inputs.
        """
        *values, random_seed, scorer = inputs
        if random_seed is True:
            values[-1] = random.randint(0, MAX_SEED - PAGE_MAX_IMAGES)
        progress = ""
        try:
            with monitor_request(self.demo, "images") as wrap_steps:
                request = build_request(*values, class_names=self.demo.kind.class_names)
                settings = SharedSettings(request, self.demo.model_for(request), scorer)
                # Only a random seed is written back: the visitor may be typing another one.
                seed = request.seed if random_seed is True else gr.skip()
                updates = {self.controls.seed: seed, self.address_query: settings.to_query()}
                wrap_steps = current.make_wrapper(number, wrap_steps)
                current.check(number)
                yield {self.controls.generate: gr.Button(interactive=False)}
                for event in self.demo.run(request, scorer, wrap_steps):
                    current.check(number)
                    yield self._event_updates(event, request, selection) | updates
                    if isinstance(event, Preview):
                        progress = f" at step {event.steps_done} of {request.num_inference_steps}"
        except StoppedError:
            if current.was_stopped(number):
                yield {
                    self.status: f"Stopped{progress}. {IMAGES_KEPT}",
                    self.controls.generate: gr.Button(GENERATE, interactive=True),
                }
            else:  # Without a yield gradio would empty all outputs.
                yield {self.status: gr.skip()}

    def _event_updates(
        self, event: Preview | Result, request: GenerateRequest, selection: Selection
    ) -> dict[Any, Any]:
        """Return what a preview or a result changes on the page."""
        if isinstance(event, Preview):
            progress = f"Generating {event.steps_done}/{request.num_inference_steps} …"
            return {
                self.controls.generate: gr.Button(progress),
                self.status: f"Generating {quantity(request.num_images, 'image')} …",
                self.preview: show_value(event.picture),
            }
        if event.warning:
            gr.Warning(event.warning.translate(NO_MARKUP))
        # Gradio saves the pictures; page.py makes it do so atomically, and under their own names.
        updates = {
            self.preview: show_value(event.last_preview().picture),
            self.gallery: show_value(event.pictures(), selected_index=0),
            self.controls.generate: gr.Button(GENERATE, interactive=True),
            self.status: summary(event),
            self.selected.query: event.settings.to_query(),
            **self._image_updates(event, 0),
        }
        selection.select(event, 0)
        return updates

    def _image_updates(self, result: Result, index: int) -> dict[Any, Any]:
        """Return what selecting an image changes: scores, trajectory, index."""
        columns = score_columns(result, index)
        return {
            **{
                label: gr.update(value=scores or None, visible=bool(scores))
                for label, scores in zip(self.scores, columns, strict=True)
            },
            **self.trajectory.show(result, index),
            self.selected.index: index,
        }

    def select(self, selection: Selection, query: str, event: gr.SelectData) -> dict[Any, Any]:
        """Show the scores and the trajectory of the image that was clicked."""
        with report_errors():
            result = selection.images(query)
            if result is None:
                return gr.skip()
            check_integer("image", event.index, 0, result.request.num_images - 1)
            updates = self._image_updates(result, event.index)
            if selection.result is not result:  # a run has ended meanwhile
                return gr.skip()
            selection.select(result, event.index)
            return updates


def score_columns(result: Result, index: int) -> list[Scores]:
    """Return the scores under SCORE_TITLES: three of the label prompts, three of quality."""
    columns = (result.image_scores(index), result.mean_scores(index), result.real_scores(index))
    labels, quality = zip(*columns, strict=True)
    return [*labels, *quality]


def seed_range(request: GenerateRequest) -> str:
    """Return the seeds of a request: "seed 7" or "seeds 0–7"."""
    first, last = request.seeds()[0], request.seeds()[-1]
    return f"seed {first}" if first == last else f"seeds {first}–{last}"


def summary(result: Result) -> str:
    """Return a line on what was generated and what it cost."""
    request = result.request
    return " · ".join(
        [
            f"{quantity(request.num_images, 'image')} in {format_seconds(result.seconds)}",
            quantity(request.num_inference_steps, "step"),
            quantity(result.evaluations, "network evaluation"),
            seed_range(request),
        ]
    )


def _build_score_row(columns: list[Scores], visible: bool) -> list[gr.Label]:
    """Lay out one row of scores."""
    labels = []
    with gr.Row():
        for title, scores in zip(SCORE_TITLES, columns, strict=True):
            with gr.Column(min_width=150):
                gr.Markdown(title, elem_classes="score-title")
                label = gr.Label(
                    scores or None,
                    visible=visible,
                    label=title,
                    show_label=False,
                    num_top_classes=3,
                    elem_classes="scores",
                )
                labels.append(label)
    return labels
