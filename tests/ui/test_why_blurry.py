"""Tests of the Why blurry? tab's handlers; tests/test_story_page.py uses it in a browser."""

import gradio as gr
import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.why_blurry import GUESSES, answer_guess
from fashion_ddpm.ui.why_blurry import WhyBlurry

REPORT = {"num_levels": 100, "first_beta": 1e-4, "last_beta": 0.02, "class_name": "bag"}


@pytest.fixture(scope="module")
def tab(demo: Demo, blocks: gr.Blocks) -> WhyBlurry:
    return WhyBlurry(demo)


def test_the_explorer_opens_on_the_students_betas(tab: WhyBlurry) -> None:
    assert tab.explorer.value == REPORT | {"class_name": "ankle boot"}


def test_both_sides_are_generated_from_the_same_seeds(tab: WhyBlurry) -> None:
    *_, shown = tab.draw(REPORT)
    custom, cosine = tab.custom, tab.cosine
    assert shown[custom.sentence].startswith("**linear (T = 100")
    assert shown[cosine.sentence].startswith("**cosine**")
    assert "class bag" in shown[custom.images]["alt_text"]
    assert shown[custom.filmstrip]["value"].size == shown[cosine.filmstrip]["value"].size


def test_a_guess_is_answered_and_shown_with_twice_the_levels(tab: WhyBlurry) -> None:
    wrong, right = map(answer_guess, GUESSES)
    assert wrong.startswith("You said “Fixed”. Not quite: **still broken**")
    assert right.startswith("You said “Still broken”. Right: **still broken**")
    assert "36\N{NO-BREAK SPACE}% of the image's amplitude" in right
    *_, shown = tab.reveal()
    assert shown[tab.predicted.sentence].startswith("**linear (T = 200")
    assert shown[tab.repaired.sentence].startswith("**cosine**")
