"""Tests of the settings and of the note on them."""

import dataclasses
from pathlib import Path

import gradio as gr
import pytest

from fashion_ddpm.__main__ import build_parser
from fashion_ddpm.cli.commands import parse_request
from fashion_ddpm.core.requests import PAGE_LABELS, SETTINGS, GenerateRequest
from fashion_ddpm.demo.engine import Demo, default_request, presets
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.ui.controls import (
    CONTROL_FIELDS,
    NO_SETTINGS,
    Controls,
    control_values,
)


@pytest.fixture(scope="module")
def controls(demo: Demo, blocks: gr.Blocks) -> Controls:
    return Controls(demo)


def test_the_note_tells_cost_and_verdict_or_the_mistake(controls: Controls) -> None:
    text = controls.note("report", 10, "dpm++2m", 1.0, 0, 1, 8)
    assert "8 images × 10 network evaluations" in text
    assert "**Broken**: 60 %" in text
    assert "Steps is 0" in controls.note("report", 0, "dpm++2m", 1.0, 0, 1, 8)
    assert "1 image × 1 network evaluation " in controls.note("sigmoid", 1, "dpm++2m", 1.0, 0, 1, 1)


def test_the_note_tells_where_guidance_acts_and_counts_what_that_costs(controls: Controls) -> None:
    everywhere, inside = (
        controls.note("cosine", 10, "dpm++2m", 4, *interval, 8) for interval in ((0, 1), (0.3, 0.7))
    )
    assert "8 images × 20 network" in everywhere
    assert "Guidance acts" not in everywhere
    assert "8 images × 14 network" in inside
    assert "Guidance acts from 0.3 to 0.7" in inside
    assert "Guidance acts" not in controls.note("cosine", 10, "dpm++2m", 1, 0.3, 0.7, 8)


def test_every_setting_has_a_control_under_its_name(controls: Controls) -> None:
    assert {*CONTROL_FIELDS} == {*SETTINGS}
    for name, label in PAGE_LABELS.items():
        assert getattr(controls, name).label == label
    assert len(controls.inputs()) == len(NO_SETTINGS)


def test_the_controls_begin_with_the_defaults_of_programs_and_commands(
    demo: Demo, controls: Controls
) -> None:
    request = default_request(demo)
    assert request == GenerateRequest(request.class_name)
    assert SamplingSettings.from_request(request) == presets(demo)["Balanced"]
    for name in SETTINGS:
        assert getattr(controls, name).value == getattr(request, name)
    command = parse_request(build_parser().parse_args(["generate", "--class", "bag"]))
    assert dataclasses.replace(command, num_images=8) == GenerateRequest("bag")


def test_guidance_is_greyed_out_and_off_where_the_sampler_has_none(controls: Controls) -> None:
    guidance = [controls.guidance_scale, controls.guidance_low, controls.guidance_high]
    off, on = (controls.toggle_guidance(sampler) for sampler in ("turbo", "ddim"))
    assert [off[each]["value"] for each in guidance] == [1, 0, 1], "an invalid one cannot be mended"
    assert not any(off[each]["interactive"] for each in guidance)
    assert [on[each] for each in guidance] == [gr.update(interactive=True)] * 3


def test_settings_are_shown_in_the_order_of_the_controls(controls: Controls) -> None:
    request = GenerateRequest("coat", 3, "karras", "euler", 7, 2.0, 0.3, 0.7, seed=9)
    values = control_values(request, "embedded")
    shown = dict(zip([c.label for c in controls.inputs()], values, strict=True))
    assert shown == {
        "Class": "coat",
        "Noise schedule": "karras",
        "Steps": 7,
        "Sampler": "euler",
        "Guidance": 2.0,
        "Guidance from": 0.3,
        "Guidance to": 0.7,
        "Number of images": 3,
        "Seed": 9,
        "New random seed each time": False,
        "Scorer": "embedded",
    }


def test_the_note_is_there_before_anything_is_chosen(controls: Controls, blocks: gr.Blocks) -> None:
    texts = [block.value for block in blocks.blocks.values() if isinstance(block, gr.Markdown)]
    assert any("network evaluations (limit" in str(text) for text in texts)


def test_turbo_is_offered_where_a_network_can_do_it(
    demo: Demo, checkpoint_with_turbo: Path, controls: Controls
) -> None:
    assert "Turbo" not in presets(demo)
    assert ("turbo", "turbo") not in controls.sampler.choices
    taught = Demo(checkpoint_with_turbo)
    assert presets(taught)["Turbo"] == SamplingSettings("cosine-midpoint", "turbo", 4)
    assert ("turbo", "turbo") in Controls(taught).sampler.choices
