"""Tests of the Why blurry? tab's handlers; tests/test_story_page.py uses it in a browser."""

import dataclasses
from typing import Any

import gradio as gr
import pytest

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.diffusion.schedule_check import check_schedule
from fashion_ddpm.ui.why_blurry import (
    FIXES,
    GUESSES,
    WhyBlurry,
    answer_guess,
    parse_settings,
)

REPORT = {"num_levels": 100, "first_beta": 1e-4, "last_beta": 0.02, "class_name": "bag"}


@pytest.fixture(scope="module")
def tab(demo: Demo, blocks: gr.Blocks) -> WhyBlurry:
    return WhyBlurry(demo)


def test_the_explorer_opens_on_the_students_betas(tab: WhyBlurry) -> None:
    assert tab.explorer.value == REPORT | {"class_name": "ankle boot"}


def test_what_is_called_a_fix_is_one_and_the_rest_is_not() -> None:
    for name, betas in FIXES.items():
        assert check_schedule(betas).starts_from_noise == name.startswith("Fix"), name


def test_both_sides_are_generated_from_the_same_seeds(tab: WhyBlurry) -> None:
    shown = tab.draw(REPORT)
    custom, cosine = tab.custom, tab.cosine
    assert shown[custom.sentence].startswith("**linear (T = 100")
    assert shown[cosine.sentence].startswith("**cosine**")
    assert "class bag" in shown[custom.images]["alt_text"]
    assert shown[custom.filmstrip]["value"].size == shown[cosine.filmstrip]["value"].size


def test_a_guess_is_answered_and_shown_with_twice_the_levels(tab: WhyBlurry) -> None:
    wrong, right = map(answer_guess, GUESSES)
    assert wrong.startswith("Not quite: **still broken**")
    assert right.startswith("Right: **still broken**")
    assert "36\N{NO-BREAK SPACE}% of the image's amplitude" in right
    shown = tab.reveal()
    assert shown[tab.predicted.sentence].startswith("**linear (T = 200")
    assert shown[tab.repaired.sentence].startswith("**cosine**")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_levels": 5000}, "T is 5000; it must be a whole number"),
        ({"num_levels": 100.5}, "T is 100.5"),
        ({"first_beta": 0.01, "last_beta": 0.001}, "betas that rise"),
        ({"last_beta": "0.02"}, "last beta is '0.02'"),
        ({"class_name": ["bag"]}, "must be the name of a class"),
        ({"seed": 1}, "reload the page"),
    ],
)
def test_settings_out_of_bounds_are_told(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse_settings(REPORT | changes)


@pytest.mark.parametrize("settings", [None, "", [100, 1e-4, 0.02, "bag"], {}])
def test_a_value_without_the_settings_is_told(settings: Any) -> None:
    with pytest.raises(UserError, match="reload the page"):
        parse_settings(settings)


def test_numbers_that_json_made_whole_or_broken_are_the_same_settings() -> None:
    request = parse_settings(REPORT | {"num_levels": 100.0})
    assert dataclasses.asdict(request) == REPORT
