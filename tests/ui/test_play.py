"""Tests of the Play tab's handlers; test_play_page uses them in a browser."""

import gradio as gr
import pytest
from PIL import Image

from fashion_ddpm.core.images import png_url
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.ui.play import Play


@pytest.fixture(scope="module")
def tab(demo: Demo, blocks: gr.Blocks) -> Play:
    return Play(demo)


def sketch(brightness: int) -> dict[str, str]:
    return {"drawing": png_url(Image.new("L", (168, 168), brightness)), "class_name": ""}


def test_every_game_gives_eight_images(tab: Play) -> None:
    strips = [tab.blend("bag", "coat", 1.0), tab.walk("bag", 0.0, 1.0)]
    assert {strip["value"].size for strip in strips} == {(4 * 238, 4 * 28)}
    images = tab.redraw(sketch(255), "bag", 0.5)[tab.redrawn]
    assert images["value"].size == (4 * 118, 4 * 58)


@pytest.mark.parametrize("empty", [{"drawing": ""}, sketch(0)])
def test_an_empty_sketch_pad_hides_the_images_and_says_what_to_do(
    tab: Play, empty: dict[str, str]
) -> None:
    updates = tab.redraw(empty, "bag", 0.5)
    assert updates[tab.redrawn]["visible"] is False
    assert "empty" in updates[tab.note]


def test_a_drawing_that_is_none_is_a_message(tab: Play) -> None:
    with pytest.raises(gr.Error, match="drawing cannot be read"):
        tab.redraw({"drawing": "data:image/png;base64,AAAA"}, "bag", 0.5)
