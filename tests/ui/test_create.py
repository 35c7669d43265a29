"""Tests of the first tab's handlers; test_app has them in a browser."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result
from fashion_ddpm.ui.create import NOTHING_SELECTED, Handlers, score_columns, summary
from fashion_ddpm.ui.session import CurrentRun, Selection

SOUND = ("bag", "cosine", 3, "dpm++2m", 1.0, 0.0, 1.0, 2, 7, False, "embedded")


@pytest.fixture(scope="module")
def handlers(tiny_checkpoint: Path) -> Handlers:
    return Handlers(Demo(tiny_checkpoint))


@pytest.fixture(scope="module")
def result(handlers: Handlers) -> Result:
    selection = Selection(None)
    drawn(handlers, *SOUND, selection=selection)
    assert selection.result is not None
    return selection.result


def drawn(
    handlers: Handlers, *inputs: Any, selection: Selection | None = None
) -> list[dict[str, Any]]:
    """Return all that one press of the button shows."""
    current = CurrentRun()
    return list(handlers.draw(current, current.ask(), selection or Selection(None), *inputs))


def clicked(index: int) -> Any:
    return SimpleNamespace(index=index)


def test_a_request_ends_with_pictures_scores_and_a_trajectory(
    handlers: Handlers, result: Result
) -> None:
    *_, last = drawn(handlers, *SOUND)
    assert last["gallery"]["selected_index"] == last["index"] == 0
    assert [caption for _, caption in last["gallery"]["value"]] == ["bag, seed 7", "bag, seed 8"]
    assert last["status"].startswith("2 images in ")
    assert last["status"].endswith(summary(result).split(" s: ")[1])
    assert last["seed"] == gr.skip(), "a seed typed meanwhile stays"
    assert last["asked"] == last["query"] == result.settings.to_query()
    assert last["scrub"]["maximum"] == 3
    assert len(score_columns(result, 0)) == 6


def test_a_random_seed_is_written_back(handlers: Handlers) -> None:
    seeds = set()
    for _ in range(2):
        *_, last = drawn(handlers, *SOUND[:9], True, SOUND[10])
        seeds.add(last["seed"])
    assert len(seeds) == 2


def test_a_mistake_is_a_message(handlers: Handlers) -> None:
    with pytest.raises(gr.Error, match="Steps is 0"):
        drawn(handlers, "bag", "cosine", 0, *SOUND[3:])


def test_one_step_and_one_image_are_enough(handlers: Handlers) -> None:
    *_, last = drawn(handlers, "bag", "cosine", 1, *SOUND[3:7], 1, *SOUND[8:])
    assert len(last["gallery"]["value"]) == 1
    slider = last["scrub"]
    assert (slider["maximum"], slider["value"], slider["interactive"]) == (2, 1, False)


def test_a_newer_run_ends_the_one_before_without_a_word(handlers: Handlers) -> None:
    current = CurrentRun()
    events = handlers.draw(current, current.ask(), Selection(None), *SOUND)
    next(events)
    newer = list(handlers.draw(current, current.ask(), Selection(None), *SOUND))
    assert list(events) == [{"status": gr.skip()}]
    assert "seed=7" in newer[-1]["query"]


def test_stop_says_where_and_keeps_what_was_there(handlers: Handlers) -> None:
    current = CurrentRun()
    events = handlers.draw(current, current.ask(), Selection(None), *SOUND)
    next(events)
    current.stop()
    (last,) = events
    assert last["status"].startswith("Stopped at step 1 of 3.")
    assert len(last) == 1


def test_images_come_although_their_scorer_does_not(handlers: Handlers) -> None:
    asked = next(name for name in handlers.demo.scorers if name != "embedded")
    with pytest.warns(UserWarning, match=f"{asked} could not be loaded"):
        *_, last = drawn(handlers, *SOUND[:10], asked)
    assert "scorer=embedded" in last["query"]
    assert len(last["gallery"]["value"]) == 2


def test_a_click_shows_that_image(handlers: Handlers, result: Result) -> None:
    selection, query = Selection(result), result.settings.to_query()
    shown = handlers.select(selection, query, clicked(1))
    assert shown["label_selected"]["value"] == result.scores_of(1)[0]
    assert shown["index"] == selection.index == 1


def test_a_click_on_images_that_were_forgotten_is_told(handlers: Handlers, result: Result) -> None:
    for kept in (result, None):
        with pytest.raises(gr.Error, match="no longer kept here: draw them again"):
            handlers.select(Selection(kept), "?class=bag&steps=9", clicked(1))


def test_a_click_while_other_images_come_leaves_them_alone(
    handlers: Handlers, result: Result
) -> None:
    before = result.settings.to_query()
    selection = Selection(result)
    current = CurrentRun()
    events = handlers.draw(current, current.ask(), selection, *SOUND[:2], 4, *SOUND[3:])
    click: Any = DrawsOn(events)
    assert handlers.select(selection, before, click) == NOTHING_SELECTED, "drawn meanwhile"
    assert handlers.select(selection, before, clicked(1)) == NOTHING_SELECTED, "on their way"
    assert selection.result is not None
    assert selection.image(selection.result.settings.to_query(), 0) == (selection.result, 0)


class DrawsOn:
    """A click during whose answer a drawing ends."""

    def __init__(self, events: Any) -> None:
        self.events = events

    @property
    def index(self) -> int:
        """Which image was clicked; asking draws to the end."""
        list(self.events)
        return 1
