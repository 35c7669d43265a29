"""Tests of the Trust tab's handlers; test_page uses them in a browser."""

from pathlib import Path

import gradio as gr
import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result
from fashion_ddpm.ui.session import NO_IMAGE_YET, SELECTION_CHANGED, SelectedImage, Selection
from fashion_ddpm.ui.trust import Trust, _matrix
from tests.tools.shapes import SHAPES


@pytest.fixture(scope="module")
def tab(bundled_demo: Demo, blocks: gr.Blocks) -> Trust:
    return Trust(bundled_demo, SelectedImage(None))


def test_a_scorers_answers_are_a_matrix_and_a_sentence_or_it_is_told_to_be_missing(
    tab: Trust,
) -> None:
    shown = tab.score_real_images("embedded")
    assert shown.count("<tr>") == 11
    assert "trouser is highest (98" in shown
    missing = tab.score_real_images("openai/clip-vit-base-patch16")
    assert "<table" not in missing
    assert "openai/clip-vit-base-patch16 could not be loaded" in missing


def test_weights_that_were_not_evaluated_say_so(demo: Demo, blocks: gr.Blocks) -> None:
    Trust(demo, SelectedImage(None))
    texts = [block.value for block in blocks.blocks.values() if isinstance(block, gr.Markdown)]
    assert any("were not evaluated" in str(text) for text in texts)


def test_the_selected_image_is_shown_beside_its_nearest_training_image(
    tab: Trust, result: Result
) -> None:
    selection, query = Selection(result), result.settings.to_query()
    shown = tab.look_up(selection, query, 9)
    assert shown[tab.pair]["value"].size == (6 * 88, 6 * 28)
    assert shown[tab.sentence].startswith("**ankle boot, seed 9**: no sign of a copy. The nearest")
    assert tab.look_up(Selection(None), "", 0)[tab.sentence] == NO_IMAGE_YET
    selection.select(result, 3)
    assert tab.look_up(selection, query, 9)[tab.sentence] == SELECTION_CHANGED


def test_the_chosen_class_is_shown_at_every_point_of_training(tab: Trust) -> None:
    shown = tab.show_class("coat")
    assert shown.count("<img") == len(tab.previews)
    for preview in tab.previews:
        assert f"coat, seed 4, after {preview.images_seen:,} images" in shown
    assert shown != tab.show_class("bag")
    values: tuple[object, ...] = ("hat", None, ["coat"], {})
    for value in values:
        assert tab.show_class(value) == gr.skip()


def test_a_network_of_ones_own_shows_its_own_points_of_training(
    shapes_checkpoint: Path, blocks: gr.Blocks
) -> None:
    tab = Trust(Demo(shapes_checkpoint), SelectedImage(None))
    (preview,) = tab.previews
    assert preview.row(0).mode == "RGB"
    assert preview.num_classes == len(tab.shown_classes) == len(SHAPES)
    assert f"square, seed {SHAPES.index('square')}, after 512 images" in tab.show_class("square")


def test_class_names_are_no_markup() -> None:
    table = _matrix("title", ("<b>", "&"), [[1, 0], [0, 1]], [["1", "0"], ["0", "1"]])
    assert "<b>" not in table
    assert "&lt;b&gt;" in table
