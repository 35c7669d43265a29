"""Tests of the panel that shows an image's way from noise; test_app has it in a browser."""

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result
from fashion_ddpm.ui.session import MEANWHILE, Selection, build_selection
from fashion_ddpm.ui.trajectory import build, connect, show_trajectory


def test_the_panel_is_empty_or_filled_and_its_slider_ends_with_the_trajectory(
    tiny_checkpoint: Path,
) -> None:
    demo = Demo(tiny_checkpoint)
    *_, result = demo.run(GenerateRequest("bag", num_images=1, num_inference_steps=3), "embedded")
    assert isinstance(result, Result)
    way = demo.trajectory(result, 0)
    assert show_trajectory(way)["scrub"]["maximum"] == 3
    with gr.Blocks():
        filled, empty = (build(each, "garment", ["cosine"]) for each in (way, None))
    assert (filled.scrub.maximum, filled.scrub.value) == (3, 3)
    assert empty.film.value is None


def test_the_slider_stays_inside_the_trajectory_and_late_answers_stay_away(
    tiny_checkpoint: Path,
) -> None:
    demo = Demo(tiny_checkpoint)
    *_, result = demo.run(GenerateRequest("bag", num_images=2, num_inference_steps=3), "embedded")
    assert isinstance(result, Result)
    with gr.Blocks() as page:
        way = build(None, "garment", ["cosine", "karras"])
        connect(demo, way, build_selection(result))
    scrub, go_on = (function.fn for function in page.fns.values())
    assert scrub is not None
    assert go_on is not None
    query = result.settings.to_query()
    shown = (Selection(result), query, 0)
    frames = [scrub(*shown, step) for step in (1, 2, 3)]
    for typed, step in ((0, 1), (99, 3), (1.5, 2)):
        assert scrub(*shown, typed) == frames[step - 1], "as the slider stands"
    assert scrub(*shown, None) == scrub(Selection(None), "", 0, 1) == gr.skip()
    endings, sentence = go_on(*shown, 2, "karras")
    assert [caption.split(":")[0] for _, caption in endings["value"]] == list(CLASS_NAMES)
    assert sentence.startswith("Left at step 2")
    assert go_on(Selection(None), "", 0, 1, "karras")[1] == "Generate first."
    with pytest.raises(gr.Error, match="Step is 99; it must be"):
        go_on(*shown, 99, "karras")
    with pytest.raises(gr.Error, match="Schedule is 'magic'"):
        go_on(*shown, 2, "magic")
    for when in ("left while it was answered", "left before it was asked"):
        left = when.endswith("asked")
        assert scrub(LeavesForTheNext(result, left), query, 0, 1) == gr.skip(), when
        assert go_on(LeavesForTheNext(result, left), query, 0, 2, "karras")[1] == MEANWHILE, when


class LeavesForTheNext(Selection):
    """A visitor who selects another image while an answer is made, or has done so already."""

    def __init__(self, result: Result, left: bool) -> None:
        super().__init__(result)
        if left:
            self.select(result, 1)

    def image(self, query: str, index: Any) -> tuple[Result, int] | None:
        """Return the selected image, then select the next one."""
        found = super().image(query, index)
        if found:
            self.select(found[0], 1)
        return found
