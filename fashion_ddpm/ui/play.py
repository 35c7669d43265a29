"""The fifth tab: blend two classes, walk between two seeds, make a drawing real."""

from typing import Any

import gradio as gr
import numpy as np

from fashion_ddpm.core.requests import MAX_SEED
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.game_requests import STRENGTH_RANGE, BlendRequest, RedrawRequest, WalkRequest
from fashion_ddpm.demo.play import blend, redraw, walk
from fashion_ddpm.ui.components import LATEST_RUN, as_int, monitor_request, picture, show_value

SKETCHPAD_SIDE = 280
"""Side of the drawing paper in pixels, about: a whole number for each of the network's."""


class Play:
    """The tab: its components, and what happens on its events.

    Args:
        demo: the loaded model.
    """

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        names, noun = list(demo.kind.class_names), demo.kind.class_noun
        gr.Markdown(f"## Blend: the same noise as one {noun}, then more and more as the other")
        with gr.Row():
            first = gr.Dropdown(names, value=_default_name(names, "sneaker"), label="From")
            second = gr.Dropdown(names, value=_default_name(names, "ankle boot", -1), label="To")
            seed = gr.Number(0, label="Seed of the blend", minimum=0, maximum=MAX_SEED)
        button = gr.Button("Blend", variant="primary")
        strip = picture(f"from the first {noun} to the second")
        button.click(self.blend, [first, second, seed], strip, **LATEST_RUN)

        gr.Markdown(f"## Walk: one {noun}, from one seed's noise to another's")
        with gr.Row():
            label = f"{noun.capitalize()} of the walk"
            class_name = gr.Dropdown(names, value=_default_name(names, "dress"), label=label)
            begin = gr.Number(0, label="From seed", minimum=0, maximum=MAX_SEED)
            end = gr.Number(1, label="To seed", minimum=0, maximum=MAX_SEED)
        button = gr.Button("Walk", variant="primary")
        strip = picture("from the first seed to the second")
        button.click(self.walk, [class_name, begin, end], strip, **LATEST_RUN)

        gr.Markdown(f"## Draw: your sketch is noised, and denoised as one {noun}")
        with gr.Row():
            with gr.Column(min_width=300):
                paper = _build_sketchpad(demo.kind.image_size)
            with gr.Column(min_width=300):
                class_name = gr.Dropdown(names, value=names[0], label="Shall become")
                strength = gr.Slider(
                    *STRENGTH_RANGE,
                    0.6,
                    step=0.05,
                    label="Strength",
                    info="how much of it is forgotten",
                )
                button = gr.Button("Make it real", variant="primary")
        strip = picture(f"your drawing, and seven {demo.kind.image_nouns} made of it")
        drawn: list[Any] = [paper, class_name, strength]
        # A drawing is a file, which gradio reads.
        button.click(self.redraw, drawn, strip, **LATEST_RUN | {"preprocess": True})

    def blend(self, first: str, second: str, seed: float) -> Any:
        """Draw one seed as one class, then more and more as another."""
        with monitor_request(self.demo, "blend") as wrap_steps:
            request = BlendRequest(first, second, as_int(seed), self.demo.kind.class_names)
            return show_value(blend(self.demo, request, wrap_steps))

    def walk(self, class_name: str, first: float, second: float) -> Any:
        """Draw a class from one seed's noise, then more and more from another's."""
        with monitor_request(self.demo, "walk") as wrap_steps:
            request = WalkRequest(
                class_name, as_int(first), as_int(second), self.demo.kind.class_names
            )
            return show_value(walk(self.demo, request, wrap_steps))

    def redraw(self, paper: dict[str, Any] | None, class_name: str, strength: float) -> Any:
        """Make images out of a drawing."""
        with monitor_request(self.demo, "drawing") as wrap_steps:
            request = RedrawRequest(class_name, strength, self.demo.kind.class_names)
            composite = (paper or {}).get("composite")
            blank = composite is None  # as the page sends paper that nothing was drawn on
            drawing = (
                np.zeros((SKETCHPAD_SIDE, SKETCHPAD_SIDE)) if blank else 255 - np.asarray(composite)
            )
            return show_value(redraw(self.demo, drawing, request, wrap_steps))


def _default_name(names: list[str], wanted: str, otherwise: int = 0) -> str:
    """Return the name a menu begins with."""
    return wanted if wanted in names else names[otherwise]


def _build_sketchpad(image_size: int) -> gr.Sketchpad:
    """Return white paper for black strokes; the network gets them as white on black."""
    side = max(SKETCHPAD_SIDE // image_size, 1) * image_size
    return gr.Sketchpad(
        type="numpy",
        image_mode="L",
        canvas_size=(side, side),
        fixed_canvas=True,
        layers=False,
        transforms=(),
        brush=gr.Brush(default_size=18, colors=["#000000", "#808080"], color_mode="fixed"),
        label="Paper",
        buttons=[],
        height=360,
    )
