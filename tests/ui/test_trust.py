"""Tests of the evidence tab's handlers; test_page has it in a browser."""

from pathlib import Path

import gradio as gr

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.gallery import load_gallery
from fashion_ddpm.demo.trust import training_previews
from fashion_ddpm.ui.session import MEANWHILE, Selection, build_selection
from fashion_ddpm.ui.trust import LOSS_COLOURS, Handlers, build


def test_a_scorer_is_shown_by_class_and_by_confusion(tiny_checkpoint: Path) -> None:
    scores, confusion, mistake = Handlers(Demo(tiny_checkpoint)).score_real_images("embedded")
    assert len(scores) == len(confusion) == 10
    assert mistake == ""


def test_a_scorer_that_cannot_be_had_is_a_message(tiny_checkpoint: Path) -> None:
    handlers = Handlers(Demo(tiny_checkpoint))
    *figures, mistake = handlers.score_real_images("openai/clip-vit-base-patch16")
    assert figures == [None, None]
    assert "openai/clip-vit-base-patch16 could not be loaded" in mistake


def test_weights_that_were_not_evaluated_say_so(tiny_checkpoint: Path) -> None:
    with gr.Blocks() as page:
        build(Demo(tiny_checkpoint), build_selection(None))
    texts = [block.value for block in page.blocks.values() if isinstance(block, gr.Markdown)]
    assert any("were not evaluated" in str(text) for text in texts)
    assert len(LOSS_COLOURS) == 4


def test_the_selected_image_is_shown_beside_its_nearest_training_image() -> None:
    demo = Demo()
    handlers, first = Handlers(demo), load_gallery(demo)
    assert first is not None
    selection, query = Selection(first), first.settings.to_query()
    pictures, sentence = handlers.neighbour(selection, query, 9)
    assert pictures["value"].size == (6 * 88, 6 * 28)
    assert sentence.startswith("**ankle boot, seed 9**: The nearest of 55,000 training images")
    assert handlers.neighbour(Selection(None), "", 0)[1] == "Generate first."
    selection.select(first, 3)
    assert handlers.neighbour(selection, query, 9)[1] == MEANWHILE


def test_the_slider_shows_the_points_of_training() -> None:
    demo = Demo()
    points = training_previews(demo)
    with gr.Blocks() as page:
        build(demo, build_selection(None))
    (show,) = (each.fn for each in page.fns.values() if each.name == "show")
    assert show is not None
    assert show(1) == (str(points[0][1]), f"after {points[0][0]:,} images")
    assert show(len(points))[0] == str(points[-1][1])
    assert show(99) == show(len(points))
    assert show(None) == (gr.skip(), gr.skip())
