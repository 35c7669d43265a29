"""Tests of the Trust tab's handlers; test_page uses them in a browser."""

import gradio as gr
import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result
from fashion_ddpm.ui.session import NO_IMAGE_YET, SELECTION_CHANGED, SelectedImage, Selection
from fashion_ddpm.ui.trust import Trust


@pytest.fixture(scope="module")
def tab(bundled_demo: Demo, blocks: gr.Blocks) -> Trust:
    return Trust(bundled_demo, SelectedImage(None))


def test_a_scorer_is_shown_by_class_and_by_confusion_or_is_told_to_be_missing(tab: Trust) -> None:
    shown = tab.score_real_images("embedded")
    assert len(shown[tab.bars]) == len(shown[tab.confusion]) == 10
    assert shown[tab.error] == ""
    missing = tab.score_real_images("openai/clip-vit-base-patch16")
    assert missing[tab.bars] is missing[tab.confusion] is None
    assert "openai/clip-vit-base-patch16 could not be loaded" in missing[tab.error]


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


def test_the_slider_shows_the_points_of_training(tab: Trust) -> None:
    (first, path), *_, (_, newest) = tab.points
    assert tab.show_point(1) == {tab.samples: str(path), tab.images_seen: f"after {first:,} images"}
    assert tab.show_point(len(tab.points))[tab.samples] == str(newest)
    assert tab.show_point(99) == tab.show_point(len(tab.points))
    assert tab.show_point(None) == gr.skip()
