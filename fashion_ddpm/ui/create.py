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
    by_name,
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
from fashion_ddpm.ui.trajectory import build as build_trajectory
from fashion_ddpm.ui.trajectory import connect as connect_trajectory
from fashion_ddpm.ui.trajectory import show_trajectory

SCORE_TITLES = {
    "selected": "Selected image",
    "mean": "Mean of its class here",
    "real": "Real ones of its class",
}
LABEL_SCORES, QUALITY_SCORES = (
    [f"{sort}_{name}" for name in SCORE_TITLES] for sort in ("label", "quality")
)
"""Names of the outputs that show scores."""

WAIT = "Press Generate."
UNKNOWN = """The embedded scorer has seen nothing but Fashion-MNIST, so it says nothing of these
classes. A CLIP of the Hub can be asked (Advanced, Scorer); no real images stand beside it."""


class Handlers:
    """What happens on the tab's events."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo

    def draw(
        self, current: CurrentRun, number: int, selection: Selection, *inputs: Any
    ) -> Iterator[dict[str, Any]]:
        """Draw what Controls.inputs ask for and score it; image i has seed + i.

        Yields what changes, by the names of the outputs in `build`.

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
                    shown = self._shown(event, request, selection)
                    yield shown | {"seed": seed, "asked": asked.to_query()}
                    if isinstance(event, Preview):
                        reached = f" at step {event.steps_done} of {request.num_inference_steps}"
        except StoppedError:
            said = f"Stopped{reached}. {_BEFORE}" if current.was_stopped(number) else gr.skip()
            yield {"status": said}  # without a yield gradio would empty all outputs

    def _shown(
        self, event: Preview | Result, request: GenerateRequest, selection: Selection
    ) -> dict[str, Any]:
        """Return what a preview or a result changes."""
        if isinstance(event, Preview):
            status = f"Step {event.steps_done} of {request.num_inference_steps}, "
            status += f"{event.seconds:.1f} s"
            return {"status": status, "preview": filled(event.picture)}
        if event.warning:
            gr.Warning(event.warning.translate(NO_MARKUP))
        shown = {
            "preview": filled(event.last_preview().picture),
            "gallery": filled(event.pictures(), selected_index=0),
            "status": summary(event),
            "query": event.settings.to_query(),
            **self._shown_image(event, 0),
        }
        selection.select(event, 0)
        return shown

    def _shown_image(self, result: Result, index: int) -> dict[str, Any]:
        """Return what selecting an image changes: scores, trajectory, index."""
        scores = {name: _shown_scores(each) for name, each in score_columns(result, index).items()}
        return {**scores, **show_trajectory(self.demo.trajectory(result, index)), "index": index}

    def select(self, selection: Selection, query: str, event: gr.SelectData) -> dict[str, Any]:
        """Show the scores and the trajectory of the image that was clicked."""
        with show_mistakes():
            result = selection.images(query)
            if result is None:
                return NOTHING_SELECTED
            check_whole("image", event.index, 0, result.request.num_images - 1)
            shown = self._shown_image(result, event.index)
            if selection.result is not result:  # drawn meanwhile
                return NOTHING_SELECTED
            selection.select(result, event.index)
            return shown


NOTHING_SELECTED = {"index": gr.skip()}
"""An answer of select that leaves all as it is."""

_BEFORE = "Below are the images of before."


def score_columns(result: Result, index: int) -> dict[str, Scores]:
    """Return the label and the quality scores of one image, on average, and of real images."""
    columns = (result.scores_of(index), result.mean_scores(index), result.real_scores(index))
    labels, quality = zip(*columns, strict=True)
    return dict(zip([*LABEL_SCORES, *QUALITY_SCORES], [*labels, *quality], strict=True))


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
            results = _results(demo, first)
    trajectory = build_trajectory(
        demo.trajectory(first, 0) if first else None,
        demo.kind.noun,
        schedules(demo),
        scored=demo.scorers[0] != NO_SCORER,
    )
    selected = build_selection(first)
    asked = gr.Textbox(visible="hidden")
    of_image = {
        **{name: results[name] for name in (*LABEL_SCORES, *QUALITY_SCORES)},
        **trajectory.outputs(),
        "index": selected.index,
    }
    outputs = {
        **results,
        **of_image,
        "seed": controls.seed,
        "query": selected.query,
        "asked": asked,
    }
    connect_run(
        controls.generate,
        controls.stop,
        by_name(handlers.draw, outputs),
        [selected.selection, *controls.inputs()],
        list(outputs.values()),
        results["status"],
    )
    asked.change(None, asked, None, js=TO_ADDRESS, **UNQUEUED)
    results["gallery"].select(
        by_name(handlers.select, of_image),
        [selected.selection, selected.query],
        list(of_image.values()),
        **IN_ORDER,
        **UNPROCESSED,
    )
    connect_trajectory(demo, trajectory, selected)
    return controls, selected


def _results(demo: Demo, first: Result | None) -> dict[str, Any]:
    """Lay out what a visitor sees, filled with the bundled gallery where there is one.

    Returns:
        The components: preview, gallery, status, and those of the scores.
    """
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
    values: dict[str, Any] = score_columns(first, 0) if first else {}
    gr.Markdown(f"## Which {demo.kind.noun} is it? CLIP's label scores")
    if demo.scorers[0] == NO_SCORER:
        gr.Markdown(UNKNOWN)
        values = {name: {} for name in (*LABEL_SCORES, *QUALITY_SCORES)}
    found: dict[str, Any] = {"preview": preview, "gallery": gallery, "status": status}
    with gr.Row():
        for name, title in zip(LABEL_SCORES, SCORE_TITLES.values(), strict=True):
            found[name] = _label(title, values.get(name))
    if demo.scorers[0] != NO_SCORER:
        gr.Markdown("## Is it clear? The report's three prompts")
    with gr.Row():
        for name, title in zip(QUALITY_SCORES, SCORE_TITLES.values(), strict=True):
            found[name] = _label(title, values.get(name))
    return found


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
