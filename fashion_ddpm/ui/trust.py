"""The fourth tab: the report card, the losses, and how good the scorers are."""

from typing import Any

import gradio as gr

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import CLASS_NAMES, FASHION_MNIST
from fashion_ddpm.core.images import grid
from fashion_ddpm.core.paths import EVALUATION
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.trust import (
    OURS,
    STUDENT_LOSSES,
    bundled_report,
    loss_points,
    real_scores,
    scorer_confusion,
    training_previews,
)
from fashion_ddpm.evaluation.nearest_training_image import load_index
from fashion_ddpm.evaluation.report import figure_table
from fashion_ddpm.ui.components import (
    ALWAYS_LAST,
    NETWORK,
    PRIVATE,
    QUEUED,
    UNPROCESSED,
    UNQUEUED,
    as_text,
    emptied,
    filled,
    line_plot,
    nearest,
    picture,
    show_mistakes,
    table,
)
from fashion_ddpm.ui.session import MEANWHILE, SelectedImage, Selection

LOSS_COLUMNS = ("images seen", "curve", "loss")
LOSS_COLOURS = dict(
    zip((*OURS, *STUDENT_LOSSES), ("#818cf8", "#4f46e5", "#fdba74", "#ea580c"), strict=True)
)
NEIGHBOUR_SCALE = 6
SCORE_COLUMNS = ("garment", "score")

INTRODUCTION = """Every figure stands beside the same figure for real images that were not
generated: what no generator can beat. `python -m fashion_ddpm evaluate` measures them all."""

LOSSES = "## The losses: training in light blue, validation in dark blue"
LOSSES_AND_REPORT = """## The losses: ours in blue, the report's first and last in orange
They cannot be compared: ours is of v over 1000 levels that reach pure noise, the report's of the
noise over 100 that do not. That is the point: a fine loss on the wrong levels draws haze."""

JUDGES = """## How good is the scorer? Real test images, asked which of ten prompts fits
A score is worth what the scorer is worth. CLIP ViT-B/32 as published recognizes 63 % of these
images, ViT-B/16 67 % (tanganke/fusion_bench); the report took B/32's word."""


COPIED = """## Copied? The image selected in Create, and the nearest training image
On the left the image; in the middle what 32 principal components keep of it; on the right the
training image that has the most similar ones. A copy would have hardly any distance."""


TRAINING = "## The same seeds while it learned"
TRAINING_OF_BUNDLED = """## The same twenty seeds while it learned
Those of the bundled network up to 100,096 images are from a run of that length, the later ones from
what was published then (docs/experiments.md)."""


class Handlers:
    """What happens on the tab's events."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.index = load_index() if demo.kind == FASHION_MNIST else None

    def score_real_images(self, scorer: str) -> tuple[Any, Any, str]:
        """Return a scorer's scores of real images by class, its confusion, and what is wrong.

        A scorer that cannot be had is told in a sentence: an error would cover the figures, and
        make gradio forget the scorer that was chosen meanwhile.
        """
        with show_mistakes():
            try:
                scores = table(real_scores(self.demo, scorer), SCORE_COLUMNS)
                return scores, scorer_confusion(self.demo, scorer), ""
            except UserError as error:
                return None, None, as_text(error)

    def neighbour(self, selection: Selection, query: str, index: int) -> tuple[Any, str]:
        """Return the selected image beside its nearest training image, and how near it is."""
        with show_mistakes():
            image = selection.image(query, index)
            if image is None or self.index is None:
                return emptied(), MEANWHILE if query else "Generate first."
            result, index = image
            found = self.index.look_up(result.clean[-1, index])
            pictures = filled(grid(found.pictures, columns=3, scale=NEIGHBOUR_SCALE))
            return pictures, f"**{result.caption(index)}**: {found.sentence()}"


def build(demo: Demo, selected: SelectedImage) -> None:
    """Lay the tab out; one part is of the image that is selected in the first tab."""
    handlers = Handlers(demo)
    on_fashion = demo.kind == FASHION_MNIST
    _report_card(demo)
    if on_fashion:  # what lies in the index, and whom the scorer knows
        _neighbour(handlers, selected)
    _training(handlers)
    gr.Markdown(LOSSES_AND_REPORT if on_fashion else LOSSES)
    colours = LOSS_COLOURS if on_fashion else {name: LOSS_COLOURS[name] for name in OURS}
    line_plot(table(loss_points(demo), LOSS_COLUMNS), LOSS_COLUMNS, colours, height=260)
    if on_fashion:
        _scorer_limits(handlers)


def _scorer_limits(handlers: Handlers) -> None:
    """Lay out what the scorers are worth on real test images."""
    gr.Markdown(JUDGES)
    first = handlers.demo.scorers[0]
    scorer = gr.Dropdown(handlers.demo.scorers, value=first, label="Scorer to examine")
    scores, confusion, _ = handlers.score_real_images(first)
    mistake = gr.Markdown()
    garment, score = SCORE_COLUMNS
    bars = gr.BarPlot(
        scores, x=garment, y=score, y_lim=[0, 1], height=260, sort=None, show_label=False
    )
    cells = gr.Dataframe(
        confusion,
        headers=["real", *CLASS_NAMES],
        interactive=False,
        show_label=False,
        elem_id="scorer-confusion",
    )
    shown: list[Any] = [bars, cells, mistake]
    scorer.change(
        handlers.score_real_images,
        scorer,
        shown,
        **NETWORK,
        **ALWAYS_LAST,
        **UNPROCESSED,
        **PRIVATE,
    )


def _training(handlers: Handlers) -> None:
    """Lay out the same seeds at several points of training, where there are pictures of it."""
    points = training_previews(handlers.demo)
    if not points:
        return
    on_fashion = handlers.demo.kind == FASHION_MNIST
    gr.Markdown(TRAINING_OF_BUNDLED if on_fashion else TRAINING)
    last = len(points)
    # Gradio takes no slider of one place.
    point = gr.Slider(
        minimum=1,
        maximum=max(last, 2),
        value=last,
        step=1,
        label="Point of training",
        visible=last > 1,
        buttons=[],
    )
    seen = gr.Markdown(_images_seen(points[-1][0]))
    grid = picture("samples at this point of training", str(points[-1][1]))

    def show(value: Any) -> tuple[Any, Any]:
        number = nearest(value, last)
        if number is None:
            return gr.skip(), gr.skip()
        images_seen, path = points[number - 1]
        return str(path), _images_seen(images_seen)

    point.change(show, point, [grid, seen], **QUEUED, **ALWAYS_LAST, **UNPROCESSED)


def _images_seen(count: int) -> str:
    return f"after {count:,} images"


def _neighbour(handlers: Handlers, selected: SelectedImage) -> None:
    """Lay out the search for a training image that was copied."""
    gr.Markdown(COPIED)
    look = gr.Button("Look for its nearest training image")
    sentence = gr.Markdown()
    pictures = picture("the selected image and its nearest training image")
    shown: list[Any] = [pictures, sentence]
    look.click(handlers.neighbour, selected.inputs(), shown, **QUEUED, **ALWAYS_LAST, **UNPROCESSED)
    others = [selected.query.change, selected.index.change]
    gr.on(others, lambda: (emptied(), ""), None, shown, **UNQUEUED, **ALWAYS_LAST)


def _report_card(demo: Demo) -> None:
    """Lay out what evaluate found about the loaded weights."""
    report = bundled_report(demo)
    if report is None:
        gr.Markdown("These weights were not evaluated: run `python -m fashion_ddpm evaluate`.")
        return
    gr.Markdown(INTRODUCTION)
    protocol = report.protocol
    gr.Markdown(
        f"## The report card: {protocol['num_images']:,} images, {protocol['sampler']}, "
        f"{protocol['schedule']}, {protocol['steps']} steps, against the {protocol['reference']}"
    )
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            gr.Markdown(figure_table(report), elem_id="report-card")
        with gr.Column(scale=2, min_width=300):
            gr.Markdown("Asked for (rows), seen by an independent classifier (columns)")
            picture("confusion matrix of the generated images", str(EVALUATION / "confusion.png"))
            gr.Markdown("Copied? Generated images, and the nearest training images")
            picture("nearest training images", str(EVALUATION / "nearest.png"))
