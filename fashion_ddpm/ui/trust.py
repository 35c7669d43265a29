"""The Trust tab: the copy check, the report card, training, and how good the scorers are."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.images import make_grid, png_url
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT, EVALUATION_DIR
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.trust import (
    RUN_CURVES,
    STUDENT_LOSSES,
    bundled_report,
    describe_confusion,
    describe_losses,
    loss_points,
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
    read_asset,
    report_errors,
    show_value,
)
from fashion_ddpm.ui.session import NO_IMAGE_YET, SELECTION_CHANGED, SelectedImage, Selection

LOSS_COLUMNS = ("images seen", "curve", "loss")
LOSS_COLOURS = dict(zip(RUN_CURVES, ("#818cf8", "#ea580c"), strict=True))
NEIGHBOUR_SCALE = 6

INTRODUCTION = """Every metric stands next to the same metric for held-out real images: the best
that a generator can hope for."""

LOSSES = "## The losses of this network: training (blue) and validation (orange)"
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
Images are compared by 32 numbers each (principal components). Similar numbers are usual; a copy
would be nearer to a training image than real test images are."""
NEIGHBOUR_LEGEND = """Left: the image. Middle: what the 32 numbers keep of it. Right: what they
keep of the nearest training image."""


TRAINING = """## What is learned first? Training time × generation time
Each row is the network at one point of training; each column is a step of generating one image.
The first column is the noise that all rows start from; the others show the clean image that the
network predicts at that step."""
TRAINING_OF_BUNDLED = """The rough outline comes first in both directions: after 12,800 images, and
at step 1. Seams, laces and prints come last in both: after more training, and at the later steps.
(Up to 100,096 images: a shorter run; later: the published networks of that time, the last one with
more layers.)"""

SCORER_MATRIX = "Class of the real image (rows), mean score of each prompt in percent (columns)"
REPORT_MATRIX = """Requested class (rows), class predicted by an independent classifier (columns),
number of images"""
NEAREST_ALT = "In each column a generated image, and below it its nearest training images"


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
        _build_losses(demo)
        if is_fashion_mnist:
            gr.Markdown(STUDENT_SENTENCE)
            self._build_scorer_limits()

    def _build_neighbour(self, selected: SelectedImage) -> None:
        """Lay out the search for the nearest training image."""
        self.index = load_index()
        gr.Markdown(COPY_CHECK)
        button = gr.Button("Find the nearest training image", elem_id="find-nearest")
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
                self.sentence: f"**{result.caption(index)}**: {neighbour.sentence()} "
                f"{NEIGHBOUR_LEGEND}",
            }

    def _build_training(self) -> None:
        """Lay out how a class emerges at several points of training, if there are previews."""
        self.previews = training_previews(self.demo)
        if not self.previews:
            return
        gr.Markdown(TRAINING)
        if Path(self.demo.pipeline.name_or_path) == BUNDLED_CHECKPOINT:
            gr.Markdown(TRAINING_OF_BUNDLED)
        count = min(preview.num_classes for preview in self.previews)
        self.shown_classes = self.demo.kind.class_names[:count]
        first = self.shown_classes[-1]
        class_menu = gr.Dropdown(list(self.shown_classes), value=first, label="Class to watch")
        self.training = _html(self._training_table(first), elem_id="training")
        class_menu.change(self.show_class, class_menu, self.training, **LATEST_VALUES)

    def show_class(self, class_name: Any) -> Any:
        """Show how a class emerges at each point of training."""
        known = class_name in self.shown_classes
        return self._training_table(class_name) if known else gr.skip()

    def _training_table(self, class_name: str) -> str:
        """Return a row for each point of training, a column for each step."""
        label = self.shown_classes.index(class_name)
        name = escape(class_name)
        steps = self.previews[-1].steps
        heads = "".join(f'<th scope="col">{step or "noise"}</th>' for step in steps)
        rows = []
        for preview in self.previews:
            seen = f"{preview.images_seen:,} images"
            alt = (
                f"{name}, seed {label}, after {seen}: the noise, then the clean images predicted "
                f"at steps {', '.join(map(str, preview.steps[1:]))}"
            )
            rows.append(
                f'<tr><th scope="row">{seen}</th><td colspan="{len(steps)}">'
                f'<img src="{png_url(preview.row(label))}" alt="{alt}"></td></tr>'
            )
        return (
            f'<table class="training"><caption>{name}, seed {label}</caption><thead>'
            f'<tr><th rowspan="2" scope="col">trained on</th><th scope="colgroup" '
            f'colspan="{len(steps)}">generation: step of {steps[-1]}</th></tr>'
            f"<tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )

    def _build_scorer_limits(self) -> None:
        """Lay out how well the scorers recognize real test images."""
        gr.Markdown(SCORERS)
        first = self.demo.scorers[0]
        scorer = gr.Dropdown(self.demo.scorers, value=first, label="Scorer to examine")
        self.scores = _html(self._scorer_table(first), elem_id="scorer-confusion")
        scorer.change(self.score_real_images, scorer, self.scores, **LATEST_RUN)

    def score_real_images(self, scorer: str) -> str:
        """Return a scorer's scores of real images by class, or why it has none.

        Not by a gr.Error: it would cover the figures, and gradio would drop the next change.
        """
        with report_errors():
            try:
                return self._scorer_table(scorer)
            except UserError as error:
                return f"<p>{escape(error_message(error))}</p>"

    def _scorer_table(self, scorer: str) -> str:
        """Return what a scorer answers for real images of each class; "" without any."""
        shares = scorer_confusion(self.demo, scorer)
        if not shares:
            return ""
        texts = [[f"{100 * share:.0f}" for share in row] for row in shares]
        return _matrix(SCORER_MATRIX, CLASS_NAMES, shares, texts)


def _html(value: str, **options: Any) -> gr.HTML:
    """Return tables and pictures in the style of this tab."""
    css = read_asset("trust.css")
    return gr.HTML(value, css_template=css, js_on_load=None, padding=False, **options)


def _matrix(
    title: str,
    class_names: Sequence[str],
    shares: Sequence[Sequence[float]],
    texts: Sequence[Sequence[str]],
) -> str:
    """Return a shaded confusion matrix and a sentence on its best and worst class.

    Args:
        title: what rows, columns and cells are.
        class_names: the names of rows and columns.
        shares: for each class, the share of each answer, in [0, 1].
        texts: what the cells say.
    """
    names = [escape(name) for name in class_names]
    heads = "".join(f'<th scope="col"><span>{name}</span></th>' for name in names)
    rows = []
    for name, row_shares, row_texts in zip(names, shares, texts, strict=True):
        cells = "".join(
            f'<td style="--share: {share:.3f}">{text}</td>'
            for share, text in zip(row_shares, row_texts, strict=True)
        )
        rows.append(f'<tr><th scope="row">{name}</th>{cells}</tr>')
    sentence = describe_confusion(shares, names) if len(names) > 1 else ""
    return (
        f'<table class="matrix"><caption>{title}</caption>'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f"<p>{sentence}</p>"
    )


def _build_losses(demo: Demo) -> None:
    """Lay out the losses of the run that trained the network, if it logged any."""
    points = loss_points(demo)
    if points:
        gr.Markdown(LOSSES)
        titles = {"x_title": "images seen in this run", "y_title": "loss (no unit)"}
        line_plot(points, LOSS_COLUMNS, LOSS_COLOURS, height=260, **titles)
        gr.Markdown(describe_losses(demo))


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
        "*Domain* metrics use the features of a classifier of Fashion-MNIST."
    )
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            gr.Markdown(metrics_table(report), elem_id="report-card")
        with gr.Column(scale=2, min_width=300):
            if report.confusion:
                shares = [[count / (sum(row) or 1) for count in row] for row in report.confusion]
                texts = [[str(count) for count in row] for row in report.confusion]
                matrix = _matrix(REPORT_MATRIX, demo.kind.class_names, shares, texts)
                _html(matrix, elem_id="report-confusion")
            gr.Markdown("Memorized? Generated images, and the nearest training images")
            url = png_url(Image.open(EVALUATION_DIR / "nearest.png"))
            _html(f'<img src="{url}" alt="{NEAREST_ALT}">', elem_id="nearest")
