"""Tests of the first tab's handlers; test_app has them in a browser."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from fashion_ddpm.demo import Demo
from fashion_ddpm.results import Result
from fashion_ddpm.ui.create import Handlers, score_columns, summary
from fashion_ddpm.ui.current_run import CurrentRun
from fashion_ddpm.ui.selection import Selection, key_of

SOUND = ("bag", "cosine", 3, "dpm++2m", 1.0, 0.0, 1.0, 2, 7, False, "embedded")


@pytest.fixture(scope="module")
def handlers(tiny_checkpoint: Path) -> Handlers:
    return Handlers(Demo(tiny_checkpoint))


@pytest.fixture(scope="module")
def result(handlers: Handlers) -> Result:
    found: Result = drawn(handlers, *SOUND)[-1][-3]
    return found


def drawn(handlers: Handlers, *inputs: Any) -> list[tuple[Any, ...]]:
    """Returns all that one press of the button shows."""
    current = CurrentRun()
    return list(handlers.draw(current, current.ask(), Selection(), *inputs))


def clicked(index: int) -> Any:
    return SimpleNamespace(index=index)


def test_a_request_ends_with_pictures_scores_and_a_way(handlers: Handlers, result: Result) -> None:
    *_, last = drawn(handlers, *SOUND)
    assert last[1]["selected_index"] == 0
    assert last[-2] == key_of(result, 0)
    assert [caption for _, caption in last[1]["value"]] == ["bag, seed 7", "bag, seed 8"]
    assert last[2].startswith("2 images in ")
    assert last[2].endswith(summary(result).split(" s: ")[1])
    assert last[9] == gr.skip(), "a seed typed meanwhile stays"
    assert last[-1] == result.settings.to_query()
    assert last[13]["maximum"] == 3
    assert len(score_columns(result, 0)) == 6


def test_a_random_seed_is_written_back(handlers: Handlers) -> None:
    seeds = set()
    for _ in range(2):
        *_, last = drawn(handlers, *SOUND[:9], True, SOUND[10])
        seeds.add(last[9])
    assert len(seeds) == 2


def test_a_mistake_is_a_message(handlers: Handlers) -> None:
    with pytest.raises(gr.Error, match="Steps is 0"):
        drawn(handlers, "bag", "cosine", 0, *SOUND[3:])


def test_one_step_and_one_image_are_enough(handlers: Handlers) -> None:
    *_, last = drawn(handlers, "bag", "cosine", 1, *SOUND[3:7], 1, *SOUND[8:])
    assert len(last[1]["value"]) == 1
    slider = last[13]
    assert (slider["maximum"], slider["value"], slider["interactive"]) == (2, 1, False)


def test_a_newer_run_ends_the_one_before_without_a_word(handlers: Handlers) -> None:
    current = CurrentRun()
    events = handlers.draw(current, current.ask(), Selection(), *SOUND)
    next(events)
    newer = list(handlers.draw(current, current.ask(), Selection(), *SOUND))
    assert list(events) == [(gr.skip(),) * len(newer[-1])]
    assert newer[-1][-3].request.seed == 7


def test_stop_says_where_and_keeps_what_was_there(handlers: Handlers) -> None:
    current = CurrentRun()
    events = handlers.draw(current, current.ask(), Selection(), *SOUND)
    next(events)
    current.stop()
    (last,) = events
    assert last[2].startswith("Stopped at step 1 of 3.")
    assert all(value == gr.skip() for place, value in enumerate(last) if place != 2)


def test_images_come_although_their_scorer_does_not(handlers: Handlers) -> None:
    asked = next(name for name in handlers.demo.scorers if name != "embedded")
    with pytest.warns(UserWarning, match=f"{asked} could not be loaded"):
        *_, last = drawn(handlers, *SOUND[:10], asked)
    assert last[-3].scorer == "embedded"
    assert len(last[1]["value"]) == 2


def test_a_click_shows_that_image(handlers: Handlers, result: Result) -> None:
    selection = Selection()
    labels, *_, key = handlers.select(result, selection, key_of(result, 0), clicked(1))
    assert labels["value"] == result.scores_of(1)[0]
    assert key == selection.newest == key_of(result, 1)


def test_a_click_on_images_that_were_forgotten_shows_no_scores_of_others(
    handlers: Handlers, result: Result
) -> None:
    *_, other = drawn(handlers, *SOUND[:2], 4, *SOUND[3:])
    for kept in (result, None):
        with pytest.raises(gr.Error, match="no longer kept here: draw them again"):
            handlers.select(kept, Selection(), key_of(other[-3], 0), clicked(1))
