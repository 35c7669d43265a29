"""Tests of what a visitor chooses, and of what the page says of it."""

from pathlib import Path

import gradio as gr
import pytest

from fashion_ddpm.demo import Demo
from fashion_ddpm.request import GenerateRequest
from fashion_ddpm.sampling import SamplingSettings
from fashion_ddpm.ui.controls import Controls, build, note, presets, shown_settings


@pytest.fixture(scope="module")
def demo(tiny_checkpoint: Path) -> Demo:
    return Demo(tiny_checkpoint)


@pytest.fixture(scope="module")
def controls(demo: Demo) -> Controls:
    with gr.Blocks():
        return build(demo)


def test_the_note_tells_cost_and_verdict_or_the_mistake(demo: Demo) -> None:
    text = note(demo, "report", 10, "dpm++2m", 1.0, 8)
    assert "8 images × 10 UNet evaluations" in text
    assert "broken: 60 %" in text
    assert "steps is 0" in note(demo, "report", 0, "dpm++2m", 1.0, 8)


def test_settings_are_shown_in_the_order_of_the_controls(controls: Controls) -> None:
    request = GenerateRequest("coat", 3, "karras", "euler", 7, 2.0, seed=9)
    shown = dict(zip([c.label for c in controls.settings()], shown_settings(request), strict=True))
    assert shown == {
        "Class": "coat",
        "Schedule": "karras",
        "Steps": 7,
        "Sampler": "euler",
        "Guidance": 2.0,
        "Images": 3,
        "Seed": 9,
        "A new seed each time": False,
    }


def test_the_note_is_there_before_anything_is_chosen(controls: Controls) -> None:
    assert "on this machine" in str(controls.note.value)


def test_turbo_is_offered_where_a_network_can_do_it(
    demo: Demo, taught_checkpoint: Path, controls: Controls
) -> None:
    assert "Turbo" not in presets(demo)
    assert ("turbo", "turbo") not in controls.sampler.choices
    taught = Demo(taught_checkpoint)
    assert presets(taught)["Turbo"] == SamplingSettings("cosine", "turbo", 4)
    with gr.Blocks():
        assert ("turbo", "turbo") in build(taught).sampler.choices
