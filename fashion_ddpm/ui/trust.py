"""The Trust tab: the report card, the losses, and how good the scorers are."""

from typing import Any

import gradio as gr

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.images import make_grid
from fashion_ddpm.core.paths import EVALUATION_DIR
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.trust import (
    RUN_CURVES,
    STUDENT_LOSSES,
    bundled_report,
    loss_points,
    real_scores,
    scorer_confusion,
    training_previews,
)
from fashion_ddpm.evaluation.nearest_training_image import load_index
from fashion_ddpm.evaluation.report import metrics_table
from fashion_ddpm.ui.components import (
    ALWAYS_LAST,
    LATEST_RUN,
    LATEST_VALUES,
    NO_QUEUE,
    error_message,
    hide_value,
    line_plot,
    picture,
    report_errors,
    show_value,
    slider_position,
    table,
)
from fashion_ddpm.ui.session import NO_IMAGE_YET, SELECTION_CHANGED, SelectedImage, Selection

LOSS_COLUMNS = ("images seen", "curve", "loss")
LOSS_COLOURS = dict(zip(RUN_CURVES, ("#818cf8", "#4f46e5"), strict=True))
NEIGHBOUR_SCALE = 6
SCORE_COLUMNS = ("class", "score")

INTRODUCTION = """Every metric stands next to the same metric for held-out real images: the best
that a generator can hope for."""

LOSSES = "## The losses of this network: training (light blue) and validation (dark blue)"
STUDENT_SENTENCE = (
    "The student's report names the first and the last loss: "
    + ", ".join(f"{name} {first} → {last}" for name, (first, last) in STUDENT_LOSSES.items())
    + ". They cannot be compared with ours, a v-prediction loss over 1000 noise levels down to "
    "pure noise: theirs is an ε-prediction loss over 100 levels that never get there. That is the "
    "point: a low loss on the wrong levels still gives haze."
)

SCORERS = """## How good is the scorer? Real test images, asked which of ten prompts fits
A score is only as good as its scorer. CLIP ViT-B/32 as published recognizes 63 % of these images,
ViT-B/16 67 %; the student's report relied on ViT-B/32."""


COPY_CHECK = """## Memorized? The image selected in Create, and the nearest training image
Images are compared by 32 numbers each (principal components). Left: the image. Middle: what these
numbers keep of it. Right: what they keep of the training image with the closest ones. Near pictures
in the middle and on the right are usual; a copy would be nearer than those of real test images."""


TRAINING = "## The same seeds during training"
TRAINING_OF_BUNDLED = """## The same 20 seeds during training
Up to 100,096 images: a shorter run; later: the published networks of that time."""


class Trust:
    """The tab's components and event handlers.

    Args:
        demo: the loaded model.
        selected: the image selected in the Create tab.
    """

    def __init__(self, demo: Demo, selected: SelectedImage) -> None:
        self.demo = demo
        is_fashion_mnist = demo.kind.is_fashion_mnist
        if is_fashion_mnist:  # the images in the index
            self._build_neighbour(selected)
        _build_report_card(demo)
        self._build_training()
        gr.Markdown(LOSSES)
        line_plot(loss_points(demo), LOSS_COLUMNS, LOSS_COLOURS, height=260)
        if is_fashion_mnist:
            gr.Markdown(STUDENT_SENTENCE)
            self._build_scorer_limits()

    def _build_neighbour(self, selected: SelectedImage) -> None:
        """Lay out the search for the nearest training image."""
        self.index = load_index()
        gr.Markdown(COPY_CHECK)
        button = gr.Button("Find the nearest training image")
        self.sentence = gr.Markdown()
        self.pair = picture("the selected image and its nearest training image")
        outputs = [self.pair, self.sentence]
        button.click(self.look_up, selected.inputs(), outputs, **LATEST_VALUES)
        changes = [selected.query.change, selected.index.change]
        gr.on(changes, self.clear_neighbour, None, outputs, **NO_QUEUE, **ALWAYS_LAST)

    def clear_neighbour(self, sentence: str = "") -> dict[Any, Any]:
        """Hide the result for another image."""
        return {self.pair: hide_value(), self.sentence: sentence}

    def look_up(self, selection: Selection, query: str, index: int) -> dict[Any, Any]:
        """Show the selected image beside its nearest training image, and their distance."""
        with report_errors():
            image = selection.image(query, index)
            if image is None:
                return self.clear_neighbour(SELECTION_CHANGED if query else NO_IMAGE_YET)
            result, index = image
            neighbour = self.index.look_up(result.clean[-1, index])
            return {
                self.pair: show_value(
                    make_grid(neighbour.pictures, columns=3, scale=NEIGHBOUR_SCALE)
                ),
                self.sentence: f"**{result.caption(index)}**: {neighbour.sentence()}",
            }

    def _build_training(self) -> None:
        """Lay out samples of the same seeds at several points of training, if there are any."""
        self.points = training_previews(self.demo)
        if not self.points:
            return
        gr.Markdown(TRAINING_OF_BUNDLED if self.demo.kind.is_fashion_mnist else TRAINING)
        last = len(self.points)
        # Gradio refuses a slider from 1 to 1.
        point = gr.Slider(
            minimum=1,
            maximum=max(last, 2),
            value=last,
            step=1,
            label="Checkpoint",
            visible=last > 1,
            buttons=[],
        )
        images_seen, path = self.points[-1]
        self.images_seen = gr.Markdown(_images_seen_text(images_seen))
        self.samples = picture("samples at this checkpoint", str(path))
        point.change(self.show_point, point, [self.samples, self.images_seen], **LATEST_VALUES)

    def show_point(self, value: Any) -> dict[Any, Any]:
        """Show the samples at a point of training."""
        number = slider_position(value, len(self.points))
        if number is None:
            return gr.skip()
        images_seen, path = self.points[number - 1]
        return {self.samples: str(path), self.images_seen: _images_seen_text(images_seen)}

    def _build_scorer_limits(self) -> None:
        """Lay out how well the scorers recognize real test images."""
        gr.Markdown(SCORERS)
        first = self.demo.scorers[0]
        scorer = gr.Dropdown(self.demo.scorers, value=first, label="Scorer to examine")
        self.error = gr.Markdown()
        garment, score = SCORE_COLUMNS
        self.bars = gr.BarPlot(
            table(real_scores(self.demo, first), SCORE_COLUMNS),
            x=garment,
            y=score,
            y_lim=[0, 1],
            height=300,
            x_label_angle=-45,
            sort=list(CLASS_NAMES),
            show_label=False,
        )
        self.confusion = gr.Dataframe(
            scorer_confusion(self.demo, first),
            headers=["real", *CLASS_NAMES],
            interactive=False,
            show_label=False,
            elem_id="scorer-confusion",
        )
        outputs = [self.bars, self.confusion, self.error]
        scorer.change(self.score_real_images, scorer, outputs, **LATEST_RUN)

    def score_real_images(self, scorer: str) -> dict[Any, Any]:
        """Show a scorer's scores of real images by class and its confusion, or why it has none.

        Not by a gr.Error: it would cover the figures, and gradio would drop the next change.
        """
        with report_errors():
            try:
                return {
                    self.bars: table(real_scores(self.demo, scorer), SCORE_COLUMNS),
                    self.confusion: scorer_confusion(self.demo, scorer),
                    self.error: "",
                }
            except UserError as error:
                return {self.bars: None, self.confusion: None, self.error: error_message(error)}


def _images_seen_text(count: int) -> str:
    return f"after {count:,} images"


def _build_report_card(demo: Demo) -> None:
    """Lay out the evaluation report of the loaded weights."""
    report = bundled_report(demo)
    if report is None:
        gr.Markdown("These weights were not evaluated yet.")
        return
    gr.Markdown(INTRODUCTION)
    protocol = report.protocol
    gr.Markdown(
        f"## The report card: {protocol['num_images']:,} images, {protocol['sampler']}, "
        f"{protocol['schedule']}, {protocol['steps']} steps, against the {protocol['reference']}\n"
        "These settings are the same for every report, whatever Create opens with. *Domain* "
        "metrics use the features of a classifier of Fashion-MNIST."
    )
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            gr.Markdown(metrics_table(report), elem_id="report-card")
        with gr.Column(scale=2, min_width=300):
            gr.Markdown(
                "Requested class (rows), class predicted by an independent classifier (columns)"
            )
            picture(
                "confusion matrix of the generated images", str(EVALUATION_DIR / "confusion.png")
            )
            gr.Markdown("Memorized? Generated images, and the nearest training images")
            picture("nearest training images", str(EVALUATION_DIR / "nearest.png"))
