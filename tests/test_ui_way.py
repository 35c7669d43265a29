"""Tests of the panel that shows an image's way from noise; test_app has it in a browser."""

from pathlib import Path

import gradio as gr
import pytest

from fashion_ddpm.demo import Demo
from fashion_ddpm.labels import CLASS_NAMES
from fashion_ddpm.request import GenerateRequest
from fashion_ddpm.results import Result
from fashion_ddpm.ui.selection import MEANWHILE, Selection, key_of, selected
from fashion_ddpm.ui.way import build, connect, shown_way


def test_the_panel_is_empty_or_filled_and_its_slider_ends_with_the_way(
    tiny_checkpoint: Path,
) -> None:
    demo = Demo(tiny_checkpoint)
    *_, result = demo.run(GenerateRequest("bag", num_images=1, num_inference_steps=3), "embedded")
    assert isinstance(result, Result)
    way = demo.way(result, 0)
    assert shown_way(way)[3]["maximum"] == 3
    with gr.Blocks():
        filled, empty = (build(each, "garment", ["cosine"]) for each in (way, None))
    assert (filled.scrub.maximum, filled.scrub.value) == (3, 3)
    assert empty.film.value is None


def test_the_slider_stays_inside_the_way_and_late_answers_stay_away(tiny_checkpoint: Path) -> None:
    demo = Demo(tiny_checkpoint)
    *_, result = demo.run(GenerateRequest("bag", num_images=2, num_inference_steps=3), "embedded")
    assert isinstance(result, Result)
    with gr.Blocks() as page:
        way = build(None, "garment", ["cosine", "karras"])
        connect(demo, way, selected(result))
    scrub, go_on = (function.fn for function in page.fns.values())
    assert scrub is not None
    assert go_on is not None
    shown = (result, Selection(), key_of(result, 0))
    assert {scrub(*shown, step).size for step in (1, 3)} == {(8 * 58, 8 * 28)}
    for step in (0, 99):
        with pytest.warns(UserWarning, match=f"Step is {step}; it must be"):
            assert scrub(*shown, step) == gr.skip()
    assert scrub(None, Selection(), "", 1) == gr.skip()
    endings, sentence = go_on(*shown, 2, "karras")
    assert [caption.split(":")[0] for _, caption in endings["value"]] == list(CLASS_NAMES)
    assert sentence.startswith("Left at step 2")
    assert go_on(None, Selection(), "", 1, "karras") == (gr.skip(), "Generate first.")
    with pytest.raises(gr.Error, match="Schedule is 'magic'"):
        go_on(*shown, 2, "magic")
    late = (result, LeavesForTheNext(), key_of(result, 0))
    assert scrub(*late, 1) == gr.skip()
    assert go_on(*late, 2, "karras")[1] == MEANWHILE, "it left before it was asked"
    late = (result, LeavesForTheNext(), key_of(result, 0))
    assert go_on(*late, 2, "karras")[1] == MEANWHILE, "it left while it was answered"


class LeavesForTheNext(Selection):
    """A visitor who selects another image while an answer is made."""

    def index_of(self, result: Result | None, key: str) -> int | None:
        """Return it, and leave."""
        index = super().index_of(result, key)
        if result is not None:
            self.take(result, 1)
        return index
