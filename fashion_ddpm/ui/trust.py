"""The fourth tab: the report card, the losses, and how good the judges are."""

from typing import Any

import gradio as gr

from fashion_ddpm.clip_scores import EMBEDDED, SCORERS
from fashion_ddpm.demo import Demo
from fashion_ddpm.evidence import (
    EVALUATION,
    OURS,
    REPORT_LOSSES,
    bundled_report,
    loss_points,
    real_scores,
    scorer_confusion,
)
from fashion_ddpm.labels import CLASS_NAMES
from fashion_ddpm.report import figure_table
from fashion_ddpm.ui.parts import MODEL, PRIVATE, line_plot, picture, table, told

LOSS_COLUMNS = ("images seen", "curve", "loss")
LOSS_COLOURS = dict(
    zip((*OURS, *REPORT_LOSSES), ("#818cf8", "#4f46e5", "#fdba74", "#ea580c"), strict=True)
)
SCORE_COLUMNS = ("garment", "score")

INTRODUCTION = """Every figure stands beside the same figure for real images that were not
generated: what no generator can beat. `python -m fashion_ddpm evaluate` measures them all."""

LOSSES = """## The losses: ours in blue, the report's first and last in orange
They cannot be compared: ours is of v over 1000 levels that reach pure noise, the report's of the
noise over 100 that do not. That is the point: a fine loss on the wrong levels draws haze."""

JUDGES = """## How good is the scorer? Real test images, asked which of ten prompts fits
A score is worth what the scorer is worth. CLIP ViT-B/32 as published recognizes 63 % of these
images, ViT-B/16 67 % (tanganke/fusion_bench); the report took B/32's word."""


class Handlers:
    """What happens on the tab's events."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo

    def judge(self, scorer: str) -> tuple[Any, list[list[str]]]:
        """Returns a scorer's scores of real images by class, and its confusion."""
        with told():
            scores = table(real_scores(self.demo, scorer), SCORE_COLUMNS)
            return scores, scorer_confusion(self.demo, scorer)


def build(demo: Demo) -> None:
    """Lays the tab out."""
    handlers = Handlers(demo)
    _report_card(demo)
    gr.Markdown(LOSSES)
    line_plot(table(loss_points(), LOSS_COLUMNS), LOSS_COLUMNS, LOSS_COLOURS, height=260)
    gr.Markdown(JUDGES)
    scorer = gr.Dropdown(SCORERS, value=EMBEDDED, label="Scorer to examine")
    scores, confusion = handlers.judge(EMBEDDED)
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
    scorer.change(handlers.judge, scorer, [bars, cells], **MODEL, **PRIVATE)


def _report_card(demo: Demo) -> None:
    """Lays out what evaluate found about the loaded weights."""
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
            gr.Markdown("Asked for (rows), seen by an independent judge (columns)")
            picture("confusion matrix of the generated images", str(EVALUATION / "confusion.png"))
            gr.Markdown("Copied? Generated images, and the nearest training images")
            picture("nearest training images", str(EVALUATION / "nearest.png"))
