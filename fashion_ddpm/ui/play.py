"""The Play tab: blend two classes, walk between two seeds, make a drawing real."""

from typing import Any

import gradio as gr

from fashion_ddpm.core.images import png_url
from fashion_ddpm.core.requests import MAX_SEED
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.game_requests import STRENGTH_RANGE, BlendRequest, RedrawRequest, WalkRequest
from fashion_ddpm.demo.play import blend, is_empty, read_drawing, redraw, silhouettes, walk
from fashion_ddpm.ui.components import (
    LATEST_RUN,
    NO_QUEUE,
    as_int,
    browser_html,
    hide_value,
    monitor_request,
    picture,
    show_value,
)

SKETCHPAD_SIDE = 168
"""Approximate side of the sketchpad in pixels; the actual one is a multiple of the image size."""

DRAW_FIRST = "The sketch pad is empty. When a stroke ends, images made from it appear here."

CLASS_OF_SILHOUETTE = """(sketch, name) => sketch.class_name || name"""
"""JavaScript: a silhouette comes with its class."""

PRESS_REDRAW = """() => {
  clearTimeout(window.redrawTimer);
  window.redrawTimer = setTimeout(() => document.querySelector("#redraw").click(), 100);
}"""
"""JavaScript: a stroke or a setting has changed; several changes at once are one request."""


class Play:
    """The tab's components and event handlers."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        size = demo.kind.image_size
        self.side = max(SKETCHPAD_SIDE // size, 1) * size
        names, noun = list(demo.kind.class_names), demo.kind.class_noun
        self._build_sketch(names)

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

    def _build_sketch(self, names: list[str]) -> None:
        """Lay out the sketch pad, whose strokes are answered as they end, and its settings."""
        kind = self.demo.kind
        gr.Markdown(
            f"## Sketch: we add noise to your drawing and denoise it as the {kind.class_noun} you "
            "choose"
        )
        shapes = {name: png_url(shape) for name, shape in silhouettes(kind, self.side).items()}
        start = "Start from a silhouette, or fill" if shapes else "Fill"
        gr.Markdown(f"{start} a shape of your own: what is only outlined stays hollow.")
        with gr.Row():
            with gr.Column(min_width=280):
                class_name = gr.Dropdown(names, value=names[0], label="Turn into")
                pad = browser_html(
                    {"drawing": "", "class_name": ""},
                    "sketch_pad",
                    data={"side": self.side, "silhouettes": shapes},
                    elem_id="sketch-pad",
                )
            with gr.Column(min_width=280):
                self.note = gr.Markdown(DRAW_FIRST, elem_id="sketch-note")
                self.redrawn = picture(f"your drawing, and seven {kind.image_nouns} made from it")
                strength = gr.Slider(
                    *STRENGTH_RANGE,
                    0.75,
                    step=0.05,
                    label="Strength",
                    info="Low keeps your drawing; high looks more real.",
                )
                button = gr.Button("Turn it into images", elem_id="redraw")
        drawn = pad.input(None, [pad, class_name], class_name, js=CLASS_OF_SILHOUETTE, **NO_QUEUE)
        for change in (drawn.then, class_name.input, strength.change):
            change(None, None, None, js=PRESS_REDRAW, **NO_QUEUE)
        inputs: list[Any] = [pad, class_name, strength]
        button.click(self.redraw, inputs, [self.redrawn, self.note], **LATEST_RUN)

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

    def redraw(self, sketch: Any, class_name: str, strength: float) -> dict[Any, Any]:
        """Draw images from a drawing; without one, say that it is missing."""
        with monitor_request(self.demo, "drawing") as wrap_steps:
            request = RedrawRequest(class_name, strength, self.demo.kind.class_names)
            drawing = read_drawing(sketch, self.side)
            if is_empty(drawing):
                return {self.redrawn: hide_value(), self.note: DRAW_FIRST}
            pictures = redraw(self.demo, drawing, request, wrap_steps)
            note = f"Your drawing, and seven {self.demo.kind.image_nouns} made from it:"
            return {self.redrawn: show_value(pictures), self.note: note}


def _default_name(names: list[str], preferred: str, fallback: int = 0) -> str:
    """Return a menu's default: the preferred name if it exists, else the one at an index."""
    return preferred if preferred in names else names[fallback]
