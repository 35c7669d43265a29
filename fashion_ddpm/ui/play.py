"""The fifth tab: blend two classes, walk between two seeds, make a drawing real."""

from typing import Any

import gradio as gr
import numpy as np

from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.core.requests import MAX_SEED
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.game_requests import STRENGTHS, BlendRequest, RedrawRequest, WalkRequest
from fashion_ddpm.demo.play import blend, redraw, walk
from fashion_ddpm.ui.components import (
    ALWAYS_LAST,
    NETWORK,
    PRIVATE,
    UNPROCESSED,
    filled,
    monitored,
    picture,
    whole,
)

PAPER = 280
"""Side of the drawing paper in pixels, about: a whole number for each of the network's."""


class Handlers:
    """What happens on the tab's events."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo

    def blend(self, first: str, second: str, seed: float) -> Any:
        """Draw one seed as one class, then more and more as another."""
        with monitored(self.demo, "blend") as watch:
            request = BlendRequest(first, second, whole(seed), self.demo.kind.class_names)
            return filled(blend(self.demo, request, watch))

    def walk(self, class_name: str, first: float, second: float) -> Any:
        """Draw a class from one seed's noise, then more and more from another's."""
        with monitored(self.demo, "walk") as watch:
            request = WalkRequest(
                class_name, whole(first), whole(second), self.demo.kind.class_names
            )
            return filled(walk(self.demo, request, watch))

    def redraw(self, paper: dict[str, Any] | None, class_name: str, strength: float) -> Any:
        """Make images out of a drawing."""
        with monitored(self.demo, "drawing") as watch:
            request = RedrawRequest(class_name, strength, self.demo.kind.class_names)
            composite = (paper or {}).get("composite")
            blank = composite is None  # as the page sends paper that nothing was drawn on
            drawing = np.zeros((PAPER, PAPER)) if blank else 255 - np.asarray(composite)
            return filled(redraw(self.demo, drawing, request, watch))


def build(demo: Demo) -> None:
    """Lay the tab out."""
    handlers = Handlers(demo)
    private: dict[str, Any] = {**NETWORK, **ALWAYS_LAST, **UNPROCESSED, **PRIVATE}
    names, noun = list(demo.kind.class_names), demo.kind.noun
    gr.Markdown(f"## Blend: the same noise as one {noun}, then more and more as the other")
    with gr.Row():
        first = gr.Dropdown(names, value=_first(names, "sneaker"), label="From")
        second = gr.Dropdown(names, value=_first(names, "ankle boot", -1), label="To")
        seed = gr.Number(0, label="Seed of the blend", minimum=0, maximum=MAX_SEED)
    blend_button = gr.Button("Blend", variant="primary")
    blend_picture = picture(f"from the first {noun} to the second")
    blend_button.click(handlers.blend, [first, second, seed], blend_picture, **private)

    gr.Markdown(f"## Walk: one {noun}, from one seed's noise to another's")
    with gr.Row():
        class_name = gr.Dropdown(
            names, value=_first(names, "dress"), label=f"{noun.capitalize()} of the walk"
        )
        begin = gr.Number(0, label="From seed", minimum=0, maximum=MAX_SEED)
        end = gr.Number(1, label="To seed", minimum=0, maximum=MAX_SEED)
    walk_button = gr.Button("Walk", variant="primary")
    walk_picture = picture("from the first seed to the second")
    walk_button.click(handlers.walk, [class_name, begin, end], walk_picture, **private)

    gr.Markdown(f"## Draw: your sketch is noised, and denoised as one {noun}")
    with gr.Row():
        with gr.Column(min_width=300):
            paper = _paper(demo.kind.image_size)
        with gr.Column(min_width=300):
            garment = gr.Dropdown(names, value=names[0], label="Shall become")
            strength = gr.Slider(
                *STRENGTHS, 0.6, step=0.05, label="Strength", info="how much of it is forgotten"
            )
            draw_button = gr.Button("Make it real", variant="primary")
    things = "garments" if demo.kind == FASHION_MNIST else "images"
    made = picture(f"your drawing, and seven {things} made of it")
    draw_button.click(
        handlers.redraw, [paper, garment, strength], made, **NETWORK, **ALWAYS_LAST, **PRIVATE
    )


def _first(names: list[str], wanted: str, otherwise: int = 0) -> str:
    """Return the name a menu begins with."""
    return wanted if wanted in names else names[otherwise]


def _paper(image_size: int) -> gr.Sketchpad:
    """Return white paper for black strokes; the network gets them as white on black."""
    side = max(PAPER // image_size, 1) * image_size
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
