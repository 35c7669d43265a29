"""Tests of the endpoint's handler; test_app has it over HTTP."""

import inspect
from pathlib import Path

import gradio as gr
import pytest

from fashion_ddpm.core.requests import API_PARAMETERS, SETTINGS
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.ui.api import ENDPOINT_FIELDS, Handlers

SOUND = ("bag", "cosine", 3, "dpm++2m", 4.0, 2, 7, "embedded", 0.3, 0.7)


@pytest.fixture(scope="module")
def handlers(tiny_checkpoint: Path) -> Handlers:
    return Handlers(Demo(tiny_checkpoint))


def test_previews_come_first_and_the_scored_pictures_last(handlers: Handlers) -> None:
    first, *_, last = handlers.generate(*SOUND)
    assert first[1] is None
    assert first[2]["steps_done"] == 1
    _, pictures, about = last
    assert [caption for _, caption in pictures] == ["bag, seed 7", "bag, seed 8"]
    told = about["settings"]
    assert told["num_inference_steps"] == 3
    assert (told["guidance_low"], told["guidance_high"], told["scorer"]) == (0.3, 0.7, "embedded")
    assert about["unet_evaluations"] < 2 * 2 * 3
    assert len(about["label_scores"]) == len(about["quality_scores"]) == 2
    assert about["label_scores_of_real_images"][0]["A bag"] > 0.5


def test_a_mistake_is_a_message(handlers: Handlers) -> None:
    with pytest.raises(gr.Error, match="steps is 0"):
        next(handlers.generate("bag", "cosine", 0, *SOUND[3:]))
    with pytest.raises(gr.Error, match="class_name is 'hat'"):
        next(handlers.generate("hat", *SOUND[1:]))


def test_the_arguments_stand_in_the_order_of_the_components() -> None:
    names = [name for name in inspect.signature(Handlers.generate).parameters if name != "self"]
    assert names == [API_PARAMETERS[name] for name in ENDPOINT_FIELDS]
    assert {*ENDPOINT_FIELDS} == {*SETTINGS, "scorer"}
