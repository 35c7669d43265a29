"""The endpoint for programs and language models: the Create tab's request, without a page."""

import json
from collections.abc import Iterator
from typing import Any

import gradio as gr

from fashion_ddpm.core.requests import API_PARAMETERS
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Preview, Result
from fashion_ddpm.server.allowlist import ENDPOINT
from fashion_ddpm.ui.components import MODEL_QUEUE, RAW_INPUTS, monitor_request
from fashion_ddpm.ui.controls import Controls, build_request

ENDPOINT_FIELDS = (
    *("class_name", "schedule", "num_inference_steps", "sampler", "guidance_scale"),
    *("num_images", "seed", "scorer", "guidance_low", "guidance_high"),
)
"""Fields of a request, and the scorer, in the order of the endpoint's parameters. New ones are
appended, because programs send values by position."""

OPTIONAL_FIELDS = ("guidance_low", "guidance_high")
"""Parameters added later, which older programs do not send."""


class Handlers:
    """Handler of the endpoint."""

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
        scorer: str,
        guidance_low: float = 0.0,
        guidance_high: float = 1.0,
    ) -> Iterator[tuple[Any, ...]]:
        """Draw small pictures of one class and say how well a CLIP recognizes them.

        Args:
            class_name: what to draw, or all, which takes the classes in turn.
            schedule: which noise levels are visited: karras is good, report is broken on purpose.
            steps: evaluations of the network for each picture; 10 are enough.
            sampler: the solver that steps between the levels.
            guidance_scale: how strongly the class is insisted on; 1 is off.
            num_images: how many pictures.
            seed: seed of the first picture; picture i has seed + i.
            scorer: the CLIP that scores them; embedded needs no download.
            guidance_low: guidance acts from this share of the noise levels up; 0 has no noise.
            guidance_high: guidance acts up to this share of the noise levels; 1 is pure noise.

        Returns:
            A picture of the way so far, the pictures, and their settings and scores.
        """
        with monitor_request(self.demo, "program", API_PARAMETERS) as wrap_steps:
            request = build_request(
                *(class_name, schedule, steps, sampler, guidance_scale),
                *(guidance_low, guidance_high, num_images, seed),
                class_names=self.demo.kind.class_names,
            )
            self.demo.scorer(scorer)  # raise before drawing if it cannot be loaded
            for event in self.demo.run(request, scorer, wrap_steps):
                yield _build_answer(event)


def _build_answer(event: Preview | Result) -> tuple[Any, ...]:
    """Return a preview and its progress, or the pictures and their scores."""
    if isinstance(event, Preview):
        return event.picture, None, {"steps_done": event.steps_done, "seconds": event.seconds}
    indices = range(event.request.num_images)
    scores = [event.image_scores(index) for index in indices]
    scores_and_settings = {
        "settings": event.settings.as_settings(),
        "unet_evaluations": event.evaluations,
        "seconds": event.seconds,
        "label_scores": [labels for labels, _ in scores],
        "quality_scores": [quality for _, quality in scores],
        "label_scores_of_real_images": [event.real_scores(index)[0] for index in indices],
    }
    return event.last_preview().picture, event.pictures(), scores_and_settings


def build(demo: Demo, controls: Controls) -> None:
    """Add the endpoint; its inputs are those of the Create tab, its outputs are hidden."""
    preview = gr.Image(visible=False, label="The way so far", format="png")
    pictures = gr.Gallery(visible=False, label="Pictures", format="png")
    about = gr.JSON(visible=False, label="Settings and scores")
    gr.Button(visible=False).click(
        Handlers(demo).generate,
        [getattr(controls, name) for name in ENDPOINT_FIELDS],
        [preview, pictures, about],
        api_name=ENDPOINT,
        **MODEL_QUEUE,
        **RAW_INPUTS,
    )


def answer_with_content(tools: Any) -> None:
    """Make gradio's MCP server answer with the picture as an image and the scores as JSON.

    By default a client that asks for no progress gets one text, the repr of all outputs.
    """
    convert = tools.postprocess_output_data

    def convert_to_content(outputs: list[Any], root_url: str) -> list[Any]:
        picture, _, scores_and_settings = outputs[0] if len(outputs) == 1 else outputs
        return list(convert([picture, json.dumps(scores_and_settings)], root_url))

    tools.postprocess_output_data = convert_to_content
