"""The Play tab: blend two classes, walk between two seeds, make a drawing real."""

from typing import Any

import gradio as gr
import numpy as np

from fashion_ddpm.core.requests import MAX_SEED
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.game_requests import STRENGTH_RANGE, BlendRequest, RedrawRequest, WalkRequest
from fashion_ddpm.demo.play import blend, redraw, walk
from fashion_ddpm.ui.components import LATEST_RUN, as_int, monitor_request, picture, show_value

SKETCHPAD_SIDE = 280
"""Approximate side of the sketchpad in pixels; the actual one is a multiple of the image size."""


class Play:
    """The tab's components and event handlers."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        names, noun = list(demo.kind.class_names), demo.kind.class_noun
        gr.Markdown(
            f"## Sketch: we add noise to your drawing and denoise it as the {noun} you choose"
        )
        gr.Markdown("Fill the shape: an outline stays an outline.")
        with gr.Row():
            with gr.Column(min_width=300):
                paper = _build_sketchpad(demo.kind.image_size)
            with gr.Column(min_width=300):
                class_name = gr.Dropdown(names, value=names[0], label="Turn into")
                strength = gr.Slider(
                    *STRENGTH_RANGE,
                    0.75,
                    step=0.05,
                    label="Strength",
                    info="Low keeps your drawing; high looks more real.",
                )
                button = gr.Button("Turn it into images", variant="primary")
                result = f"your drawing, and seven {demo.kind.image_nouns} generated from it"
                gr.Markdown(f"Below: {result}.")
                strip = picture(result)
        inputs: list[Any] = [paper, class_name, strength]
        # A drawing is sent as a file, which gradio must read.
        button.click(self.redraw, inputs, strip, **LATEST_RUN | {"preprocess": True})

        gr.Markdown(f"## Blend: same noise, gradually from one {noun} to another")
        with gr.Row():
            first = gr.Dropdown(names, value=_default_name(names, "sneaker"), label="From")
            second = gr.Dropdown(names, value=_default_name(names, "ankle boot", -1), label="To")
            seed = gr.Number(0, label="Seed", minimum=0, maximum=MAX_SEED)
        button = gr.Button("Blend", variant="primary")
        strip = picture(f"from the first {noun} to the second")
        button.click(self.blend, [first, second, seed], strip, **LATEST_RUN)

        gr.Markdown("## Walk: interpolate between two seeds")
        with gr.Row():
            default = _default_name(names, "dress")
            class_name = gr.Dropdown(names, value=default, label="Class")
            begin = gr.Number(0, label="From seed", minimum=0, maximum=MAX_SEED)
            end = gr.Number(1, label="To seed", minimum=0, maximum=MAX_SEED)
        button = gr.Button("Walk", variant="primary")
        strip = picture("from the first seed to the second")
        button.click(self.walk, [class_name, begin, end], strip, **LATEST_RUN)

    def blend(self, first: str, second: str, seed: float) -> Any:
        """Draw one seed as one class, then increasingly as another."""
        with monitor_request(self.demo, "blend") as wrap_steps:
            request = BlendRequest(first, second, as_int(seed), self.demo.kind.class_names)
            return show_value(blend(self.demo, request, wrap_steps))

    def walk(self, class_name: str, begin: float, end: float) -> Any:
        """Draw a class from one seed's noise, then increasingly from another's."""
        with monitor_request(self.demo, "walk") as wrap_steps:
            classes = self.demo.kind.class_names
            request = WalkRequest(class_name, as_int(begin), as_int(end), classes)
            return show_value(walk(self.demo, request, wrap_steps))

    def redraw(self, paper: dict[str, Any] | None, class_name: str, strength: float) -> Any:
        """Draw images from a drawing."""
        with monitor_request(self.demo, "drawing") as wrap_steps:
            request = RedrawRequest(class_name, strength, self.demo.kind.class_names)
            composite = (paper or {}).get("composite")  # None where nothing was drawn
            drawing = np.zeros((0, 0)) if composite is None else 255 - np.asarray(composite)
            return show_value(redraw(self.demo, drawing, request, wrap_steps))


def _default_name(names: list[str], preferred: str, fallback: int = 0) -> str:
    """Return a menu's default: the preferred name if it exists, else the one at an index."""
    return preferred if preferred in names else names[fallback]


def _build_sketchpad(image_size: int) -> gr.Sketchpad:
    """Return a sketchpad for black strokes on white; the network gets them inverted."""
    side = max(SKETCHPAD_SIDE // image_size, 1) * image_size
    return gr.Sketchpad(
        type="numpy",
        image_mode="L",
        canvas_size=(side, side),
        fixed_canvas=True,
        layers=False,
        transforms=(),
        brush=gr.Brush(default_size=18, colors=["#000000", "#808080"], color_mode="fixed"),
        label="Sketch pad",
        elem_id="sketch-pad",
        buttons=[],
        height=360,
    )
