"""The first tab: choose, watch, see the scores, and follow an image back to its noise."""

import random
from collections.abc import Iterator
from typing import Any

import gradio as gr

from fashion_ddpm.core.requests import MAX_SEED, GenerateRequest, check_whole
from fashion_ddpm.core.wording import counted, seconds
from fashion_ddpm.demo.engine import Demo, schedules
from fashion_ddpm.demo.gallery import first_images
from fashion_ddpm.demo.results import Preview, Result, Scores
from fashion_ddpm.demo.share import SharedSettings
from fashion_ddpm.scoring.clip import NO_SCORER
from fashion_ddpm.server.limits import PAGE_MAX_IMAGES
from fashion_ddpm.server.monitoring import StoppedError
from fashion_ddpm.ui.components import (
    IN_ORDER,
    NO_MARKUP,
    UNPROCESSED,
    UNQUEUED,
    filled,
    monitored,
    picture,
    picture_gallery,
    show_mistakes,
)
from fashion_ddpm.ui.controls import Controls, request_of
from fashion_ddpm.ui.controls import build as build_controls
from fashion_ddpm.ui.page import TO_ADDRESS
from fashion_ddpm.ui.session import (
    CurrentRun,
    SelectedImage,
    Selection,
    build_selection,
    connect_run,
)
from fashion_ddpm.ui.trajectory import TRAJECTORY_OUTPUTS, show_trajectory
from fashion_ddpm.ui.trajectory import build as build_trajectory
from fashion_ddpm.ui.trajectory import connect as connect_trajectory

SCORE_TITLES = ("Selected image", "Mean of its class here", "Real ones of its class")
WAIT = "Press Generate."
UNKNOWN = """The embedded scorer has seen nothing but Fashion-MNIST, so it says nothing of these
classes. A CLIP of the Hub can be asked (Advanced, Scorer); no real images stand beside it."""


class Handlers:
    """What happens on the tab's events."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo

    def draw(
        self, current: CurrentRun, number: int, selection: Selection, *inputs: Any
    ) -> Iterator[tuple[Any, ...]]:
        """Draw what Controls.inputs ask for and score it; image i has seed + i.

        Yields the preview, the gallery, a line on progress, the label scores (first image, mean,
        real test images), the quality scores (the same three), the seed, the first image's
        trajectory (as show_trajectory has it), the index of the selected image, the query that
        draws the gallery, and the query that was asked for.

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
            with monitored(self.demo, "images") as watch:
                request = request_of(*settings, class_names=self.demo.kind.class_names)
                asked = SharedSettings(request, self.demo.model_for(request), scorer)
                # A seed that the visitor chose is theirs to change while this is drawn.
                seed = request.seed if random_seed is True else gr.skip()
                for event in self.demo.run(request, scorer, current.watch(number, watch)):
                    current.check(number)
                    yield (*self._shown(event, request, seed, selection), asked.to_query())
                    if isinstance(event, Preview):
                        reached = f" at step {event.steps_done} of {request.num_inference_steps}"
        except StoppedError:
            said = f"Stopped{reached}. {_BEFORE}" if current.was_stopped(number) else gr.skip()
            # Without a yield gradio would empty all outputs.
            yield (*_status_only(said), gr.skip())

    def _shown(
        self, event: Preview | Result, request: GenerateRequest, seed: Any, selection: Selection
    ) -> tuple[Any, ...]:
        """Return the outputs of draw for a preview or a result."""
        if isinstance(event, Preview):
            status = f"Step {event.steps_done} of {request.num_inference_steps}, "
            return _status_only(f"{status}{event.seconds:.1f} s", filled(event.picture), seed)
        if event.warning:
            gr.Warning(event.warning.translate(NO_MARKUP))
        trajectory = show_trajectory(self.demo.trajectory(event, 0))
        columns = [_shown_scores(scores) for scores in score_columns(event, 0)]
        picture = event.last_preview().picture
        pictures = filled(picture), filled(event.pictures(), selected_index=0)
        selection.select(event, 0)
        return (
            *pictures,
            summary(event),
            *columns,
            seed,
            *trajectory,
            0,
            event.settings.to_query(),
        )

    def select(self, selection: Selection, query: str, event: gr.SelectData) -> tuple[Any, ...]:
        """Show the scores and the trajectory of the image that was clicked."""
        with show_mistakes():
            result = selection.images(query)
            if result is None:
                return NOTHING_SELECTED
            check_whole("image", event.index, 0, result.request.num_images - 1)
            trajectory = show_trajectory(self.demo.trajectory(result, event.index))
            columns = [_shown_scores(scores) for scores in score_columns(result, event.index)]
            if selection.result is not result:  # drawn meanwhile
                return NOTHING_SELECTED
            selection.select(result, event.index)
            return (*columns, *trajectory, event.index)


NOTHING_SELECTED = (gr.skip(),) * (6 + TRAJECTORY_OUTPUTS + 1)
"""Outputs of select that leave all as it is."""

_BEFORE = "Below are the images of before."


def _status_only(status: Any, preview: Any = None, seed: Any = None) -> tuple[Any, ...]:
    """Return the outputs of draw that leave gallery, score and trajectory as they are."""
    kept = gr.skip()
    shown = (kept if preview is None else preview, kept, status, *[kept] * 6)
    return (*shown, kept if seed is None else seed, *[kept] * (TRAJECTORY_OUTPUTS + 2))


def score_columns(result: Result, index: int) -> tuple[Scores, ...]:
    """Return label scores, then quality scores, each of: one image, the mean, real images."""
    columns = (result.scores_of(index), result.mean_scores(index), result.real_scores(index))
    return (*(labels for labels, _ in columns), *(quality for _, quality in columns))


def _shown_scores(scores: Scores) -> Any:
    """Put scores into a label; one without any is hidden."""
    return gr.update(value=scores or None, visible=bool(scores))


def summary(result: Result) -> str:
    """Return what was made and what it took, in a line."""
    request = result.request
    return (
        f"{counted(request.num_images, 'image')} in {seconds(result.seconds)}: "
        f"{counted(request.num_inference_steps, 'step')}, "
        f"{counted(result.evaluations, 'UNet evaluation')}, seeds from {request.seed}"
    )


def build(demo: Demo) -> tuple[Controls, SelectedImage]:
    """Lay the tab out: controls on the left, pictures and score on the right.

    Returns:
        The controls, and the selected image.
    """
    handlers, first = Handlers(demo), first_images(demo)
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            controls = build_controls(demo)
        with gr.Column(scale=3, min_width=300):
            preview, gallery, status, labels, quality = _results(demo, first)
    trajectory = build_trajectory(
        demo.trajectory(first, 0) if first else None,
        demo.kind.noun,
        schedules(demo),
        scored=demo.scorers[0] != NO_SCORER,
    )
    selected = build_selection(first)
    asked = gr.Textbox(visible="hidden")
    scores = [*labels, *quality]
    shown = [preview, gallery, status, *scores, controls.seed, *trajectory.outputs()]
    outputs = [*shown, selected.index, selected.query, asked]
    inputs = [selected.selection, *controls.inputs()]
    connect_run(controls.generate, controls.stop, handlers.draw, inputs, outputs, status)
    asked.change(None, asked, None, js=TO_ADDRESS, **UNQUEUED)
    chosen: list[Any] = [*scores, *trajectory.outputs(), selected.index]
    gallery.select(
        handlers.select, [selected.selection, selected.query], chosen, **IN_ORDER, **UNPROCESSED
    )
    connect_trajectory(demo, trajectory, selected)
    return controls, selected


def _results(
    demo: Demo,
    first: Result | None,
) -> tuple[gr.Image, gr.Gallery, gr.Markdown, list[gr.Label], list[gr.Label]]:
    """Lay out what a visitor sees, filled with the bundled gallery where there is one."""
    seeds = f"seeds 0 to {first.request.num_images - 1}" if first else ""
    title = f"One of each class, {seeds}, drawn before you came. {WAIT}" if first else WAIT
    status = gr.Markdown(title)
    preview = picture(
        "noisy images above, predicted clean images below",
        first.last_preview().picture if first else None,
        elem_id="preview",
    )
    gr.Markdown("Click an image for its scores and its way from noise")
    gallery = picture_gallery(first.pictures() if first else None, 5, "gallery", selected=0)
    values: tuple[Any, ...] = score_columns(first, 0) if first else (None,) * 6
    gr.Markdown(f"## Which {demo.kind.noun} is it? CLIP's label scores")
    if demo.scorers[0] == NO_SCORER:
        gr.Markdown(UNKNOWN)
        values = ({},) * 6
    with gr.Row():
        labels = [_label(*pair) for pair in zip(SCORE_TITLES, values[:3], strict=True)]
    if demo.scorers[0] != NO_SCORER:
        gr.Markdown("## Is it clear? The report's three prompts")
    with gr.Row():
        quality = [_label(*pair) for pair in zip(SCORE_TITLES, values[3:], strict=True)]
    return preview, gallery, status, labels, quality


def _label(title: str, value: Scores | None) -> gr.Label:
    """Return a label, which is hidden where there can be no scores ({})."""
    return gr.Label(
        value or None,
        visible=value != {},
        label=title,
        num_top_classes=3,
        min_width=150,
        elem_classes="scores",
    )
