"""The demo: pick a class, a schedule and a step count; see images and what CLIP says of them."""

import argparse
import os
import random
import sys
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr

from fashion_ddpm.clip_scores import EMBEDDED, SCORERS
from fashion_ddpm.config import SAMPLERS, SCHEDULES
from fashion_ddpm.demo import (
    MAX_IMAGES,
    MAX_STEPS,
    Demo,
    Preview,
    Result,
    Scores,
    schedule_note,
)
from fashion_ddpm.errors import UserError
from fashion_ddpm.labels import CLASS_NAMES
from fashion_ddpm.pipeline import BUNDLED_CHECKPOINT
from fashion_ddpm.request import (
    ALL_CLASSES,
    MAX_GUIDANCE,
    MAX_SEED,
    GenerateRequest,
)

DEFAULT = GenerateRequest(class_name=CLASS_NAMES[-1])
QUEUE_SIZE = 20
CLEAN_UP = (600, 3600)
"""Seconds between two clean-ups of temporary pictures, and the age at which they go."""

INTRODUCTION = """# Fashion DDPM
A small diffusion model draws clothes out of noise. Pick a garment, a schedule and a step count;
then try the schedule **report** and see how one wrong choice ruins a good model."""

CSS = """
.gradio-container { max-width: 1180px !important; margin: auto !important; }
.pixels img { image-rendering: pixelated; }
.pixels .grid-wrap { min-height: 0 !important; }
.pixels .caption-label { font-size: 0.7rem; padding: 0 0.3rem; inset: auto 0 0 auto; }
.scores .output-class { font-size: 1.1rem; padding: 2rem 0 0.5rem; }
"""

SelectableScores = list[tuple[Scores, Scores]]


class Handlers:
    """What happens on the page's events."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo

    def generate(
        self,
        class_name: str,
        schedule: str,
        steps: float,
        sampler: str,
        guidance_scale: float,
        num_images: float,
        seed: float,
        random_seed: bool,
        scorer: str,
    ) -> Iterator[tuple[Any, ...]]:
        """Draws images of a class and scores them; image i has seed + i.

        Yields the preview, the gallery, a line on progress, the label scores (first image, mean,
        real test images), the quality scores (the same three), the seed and all images' scores.
        """
        if random_seed is True:
            seed = random.randint(0, MAX_SEED - MAX_IMAGES)
        try:
            request = GenerateRequest(
                class_name=class_name,
                num_images=_whole(num_images),
                schedule=schedule,
                sampler=sampler,
                num_inference_steps=_whole(steps),
                guidance_scale=guidance_scale,
                seed=_whole(seed),
            )
            for event in self.demo.run(request, scorer):
                yield _shown(event, request)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from error

    @staticmethod
    def select(scores: SelectableScores, event: gr.SelectData) -> tuple[Scores, Scores]:
        """Shows the scores of the image that was clicked."""
        return scores[event.index]


def _whole(value: Any) -> Any:
    """Turns 20.0, which JSON may make of 20, back into 20; the request judges all the rest."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _shown(event: Preview | Result, request: GenerateRequest) -> tuple[Any, ...]:
    """Returns the page's outputs for a preview or a result."""
    if isinstance(event, Preview):
        status = f"Step {event.steps_done} of {request.num_inference_steps}, {event.seconds:.1f} s"
        return (event.picture, gr.skip(), status, *[gr.skip()] * 6, request.seed, gr.skip())
    first, mean, real = event.scores_of(0), event.mean_scores(), event.real_scores()
    status = (
        f"{len(event.pictures)} images in {event.seconds:.1f} s: "
        f"{request.num_inference_steps} steps, {event.evaluations} UNet evaluations, "
        f"seeds from {request.seed}"
    )
    scores = [event.scores_of(index) for index in range(len(event.pictures))]
    columns = (first[0], mean[0], real[0], first[1], mean[1], real[1])
    return (gr.skip(), event.pictures, status, *columns, request.seed, scores)


def build_page(demo: Demo) -> gr.Blocks:
    """Returns the page: controls on the left, pictures and scores on the right."""
    handlers = Handlers(demo)
    with gr.Blocks(title="Fashion DDPM", delete_cache=CLEAN_UP) as page:
        gr.Markdown(INTRODUCTION)
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                inputs, generate, stop = _controls()
            with gr.Column(scale=3, min_width=320):
                preview, gallery, status, labels, quality = _results()
        scores = gr.State([])
        seed = inputs[6]
        running = generate.click(
            handlers.generate,
            inputs,
            [preview, gallery, status, *labels, *quality, seed, scores],
            api_name="generate",
            concurrency_id="model",
            concurrency_limit=1,
            show_progress="minimal",
            show_progress_on=[status],
        )
        private: dict[str, Any] = {"api_visibility": "private", "queue": False}
        stop.click(lambda: "Stopped.", None, status, cancels=[running], **private)
        gallery.select(handlers.select, scores, [labels[0], quality[0]], **private)
    return page


def _controls() -> tuple[list[Any], gr.Button, gr.Button]:
    """Lays out what a visitor chooses; returns the inputs in the order of Handlers.generate."""
    names = [*CLASS_NAMES, ALL_CLASSES]
    class_name = gr.Radio(names, value=DEFAULT.class_name, label="Class")
    schedule = gr.Radio(
        SCHEDULES,
        value=DEFAULT.schedule,
        label="Schedule",
        info="which noise levels an image visits",
    )
    steps = gr.Slider(1, MAX_STEPS, DEFAULT.num_inference_steps, step=1, label="Steps")
    note = gr.Markdown(schedule_note(DEFAULT.schedule, DEFAULT.num_inference_steps))
    for control in (schedule.change, steps.release):
        control(
            schedule_note, [schedule, steps], note, api_visibility="private", show_progress="hidden"
        )
    with gr.Row():
        generate = gr.Button("Generate", variant="primary")
        stop = gr.Button("Stop")
    with gr.Accordion("Advanced", open=False):
        sampler = gr.Dropdown(SAMPLERS, value=DEFAULT.sampler, label="Sampler")
        guidance = gr.Slider(
            1, MAX_GUIDANCE, 1, step=0.1, label="Guidance", info="1 is off; more costs twice"
        )
        num_images = gr.Slider(1, MAX_IMAGES, DEFAULT.num_images, step=1, label="Images")
        seed = gr.Number(DEFAULT.seed, label="Seed", minimum=0, maximum=MAX_SEED)
        random_seed = gr.Checkbox(value=False, label="A new seed each time")
        scorer = gr.Dropdown(
            SCORERS, value=EMBEDDED, label="Scorer", info="all but embedded need the network once"
        )
    inputs = [class_name, schedule, steps, sampler, guidance, num_images, seed, random_seed, scorer]
    return inputs, generate, stop


def _results() -> tuple[gr.Image, gr.Gallery, gr.Markdown, list[gr.Label], list[gr.Label]]:
    """Lays out what a visitor sees; the labels are: selected image, batch mean, real images."""
    status = gr.Markdown("Press Generate.")
    gr.Markdown("On the way: the noisy image above, the clean one it predicts below")
    preview = gr.Image(
        show_label=False,
        format="png",
        interactive=False,
        buttons=["fullscreen"],
        elem_classes="pixels",
        alt_text="noisy images above, predicted clean images below",
    )
    gr.Markdown("Done: click an image for its scores")
    gallery = gr.Gallery(
        show_label=False,
        format="png",
        columns=4,
        height="auto",
        object_fit="contain",
        interactive=False,
        buttons=["download", "fullscreen"],
        elem_classes="pixels",
    )
    titles = ("Selected image", "Mean of these images", "Real test images")
    gr.Markdown("### Which garment is it? CLIP's label scores")
    with gr.Row():
        labels = [_score_label(title) for title in titles]
    gr.Markdown("### Is it clear? The report's three prompts")
    with gr.Row():
        quality = [_score_label(title) for title in titles]
    return preview, gallery, status, labels, quality


def _score_label(title: str) -> gr.Label:
    return gr.Label(label=title, num_top_classes=3, min_width=160, elem_classes="scores")


def main() -> None:
    """Loads the model and serves the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default=BUNDLED_CHECKPOINT, help="folder or Hub repository")
    parser.add_argument("--port", type=int, help="default: $GRADIO_SERVER_PORT, or 7860")
    parser.add_argument("--share", action="store_true", help="also serve on a public link")
    arguments = parser.parse_args()
    try:
        page = build_page(Demo(arguments.checkpoint))
    except UserError as error:
        sys.exit(f"app.py: {error}")
    page.queue(api_open=False, max_size=QUEUE_SIZE, default_concurrency_limit=1)
    page.launch(
        server_port=arguments.port,
        share=arguments.share,
        ssr_mode=False,
        theme=gr.themes.Soft(),
        css=CSS,
        footer_links=["api"],
    )


if __name__ == "__main__":
    main()
