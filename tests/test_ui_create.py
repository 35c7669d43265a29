"""Tests of the first tab's handlers; test_app has them in a browser."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from fashion_ddpm.demo import Demo, Result
from fashion_ddpm.ui.create import Handlers, score_columns, summary

SOUND = ("bag", "cosine", 3, "dpm++2m", 1.0, 2, 7, False, "embedded")


@pytest.fixture(scope="module")
def handlers(tiny_checkpoint: Path) -> Handlers:
    return Handlers(Demo(tiny_checkpoint))


@pytest.fixture(scope="module")
def result(handlers: Handlers) -> Result:
    *_, last = handlers.draw(*SOUND)
    found: Result = last[-2]
    return found


def clicked(index: int) -> Any:
    return SimpleNamespace(index=index)


def test_a_request_ends_with_pictures_scores_and_a_way(handlers: Handlers, result: Result) -> None:
    *_, last = handlers.draw(*SOUND)
    assert [caption for _, caption in last[1]["value"]] == ["bag, seed 7", "bag, seed 8"]
    assert last[2] == summary(result).replace(
        f"{result.seconds:.1f} s", last[2].split(" in ")[1].split(":")[0]
    )
    assert last[9] == 7
    assert last[13]["maximum"] == 3
    assert len(score_columns(result, 0)) == 6


def test_a_random_seed_is_written_back(handlers: Handlers) -> None:
    seeds = set()
    for _ in range(2):
        *_, last = handlers.draw(*SOUND[:7], True, SOUND[8])
        seeds.add(last[9])
    assert len(seeds) == 2


def test_a_mistake_is_a_message(handlers: Handlers) -> None:
    with pytest.raises(gr.Error, match="steps is 0"):
        next(handlers.draw("bag", "cosine", 0, *SOUND[3:]))


def test_a_click_shows_that_image(handlers: Handlers, result: Result) -> None:
    labels, *_, index = handlers.select(result, clicked(1))
    assert labels["value"] == result.scores_of(1)[0]
    assert index == 1
    assert len(handlers.select(None, clicked(1))) == len(handlers.select(result, clicked(1)))
