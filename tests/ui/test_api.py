"""Tests of the endpoint's handler; test_app calls it over HTTP."""

import inspect

import gradio as gr
import pytest

from fashion_ddpm.core.requests import API_PARAMETERS, SETTINGS
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.ui.api import ENDPOINT_FIELDS, Handlers

VALID = ("bag", "cosine", 3, "dpm++2m", 4.0, 2, 7, "embedded", 0.3, 0.7)


@pytest.fixture(scope="module")
def handlers(demo: Demo) -> Handlers:
    return Handlers(demo)


def test_previews_come_first_and_the_scored_pictures_last(handlers: Handlers) -> None:
    first, *_, last = handlers.generate(*VALID)
    assert first[1] is None
    assert first[2]["steps_done"] == 1
    _, pictures, metadata = last
    assert [caption for _, caption in pictures] == ["bag, seed 7", "bag, seed 8"]
    settings = metadata["settings"]
    assert settings["num_inference_steps"] == 3
    assert (settings["guidance_low"], settings["guidance_high"]) == (0.3, 0.7)
    assert settings["scorer"] == "embedded"
    assert metadata["unet_evaluations"] < 2 * 2 * 3
    assert len(metadata["label_scores"]) == len(metadata["quality_scores"]) == 2
    assert metadata["label_scores_of_real_images"][0]["A bag"] > 0.5


def test_a_mistake_is_a_message(handlers: Handlers) -> None:
    with pytest.raises(gr.Error, match="steps is 0"):
        next(handlers.generate("bag", "cosine", 0, *VALID[3:]))
    with pytest.raises(gr.Error, match="class_name is 'hat'"):
        next(handlers.generate("hat", *VALID[1:]))


def test_the_arguments_stand_in_the_order_of_the_components() -> None:
    names = [name for name in inspect.signature(Handlers.generate).parameters if name != "self"]
    assert names == [API_PARAMETERS[name] for name in ENDPOINT_FIELDS]
    assert {*ENDPOINT_FIELDS} == {*SETTINGS, "scorer"}
