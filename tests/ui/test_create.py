"""Tests of the first tab's handlers; test_app has them in a browser."""

from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result
from fashion_ddpm.ui.create import Create, score_columns, summary
from fashion_ddpm.ui.session import CurrentRun, Selection

SOUND = ("bag", "cosine", 3, "dpm++2m", 1.0, 0.0, 1.0, 2, 7, False, "embedded")


@pytest.fixture(scope="module")
def tab(demo: Demo, blocks: gr.Blocks) -> Create:
    return Create(demo)


@pytest.fixture(scope="module")
def result(tab: Create) -> Result:
    selection = Selection(None)
    drawn(tab, *SOUND, selection=selection)
    assert selection.result is not None
    return selection.result


def drawn(tab: Create, *inputs: Any, selection: Selection | None = None) -> list[dict[Any, Any]]:
    """Return all that one press of the button shows."""
    current = CurrentRun()
    return list(tab.draw(current, current.add_run(), selection or Selection(None), *inputs))


def clicked(index: int) -> Any:
    return SimpleNamespace(index=index)


def test_a_request_ends_with_pictures_scores_and_a_trajectory(tab: Create, result: Result) -> None:
    *_, last = drawn(tab, *SOUND)
    assert last[tab.gallery]["selected_index"] == last[tab.selected.index] == 0
    assert [caption for _, caption in last[tab.gallery]["value"]] == ["bag, seed 7", "bag, seed 8"]
    assert last[tab.status].startswith("2 images in ")
    assert last[tab.status].endswith(summary(result).split(" s: ")[1])
    assert last[tab.controls.seed] == gr.skip(), "a seed typed meanwhile stays"
    assert last[tab.address_query] == last[tab.selected.query] == result.settings.to_query()
    assert last[tab.trajectory.slider]["maximum"] == 3
    assert len(score_columns(result, 0)) == 6


def test_a_random_seed_is_written_back(tab: Create) -> None:
    seeds = set()
    for _ in range(2):
        *_, last = drawn(tab, *SOUND[:9], True, SOUND[10])
        seeds.add(last[tab.controls.seed])
    assert len(seeds) == 2


def test_a_mistake_is_a_message(tab: Create) -> None:
    with pytest.raises(gr.Error, match="Steps is 0"):
        drawn(tab, "bag", "cosine", 0, *SOUND[3:])


def test_one_step_and_one_image_are_enough(tab: Create) -> None:
    *_, last = drawn(tab, "bag", "cosine", 1, *SOUND[3:7], 1, *SOUND[8:])
    assert len(last[tab.gallery]["value"]) == 1
    slider = last[tab.trajectory.slider]
    assert (slider["maximum"], slider["value"], slider["interactive"]) == (2, 1, False)


def test_a_newer_run_ends_the_one_before_without_a_word(tab: Create) -> None:
    current = CurrentRun()
    events = tab.draw(current, current.add_run(), Selection(None), *SOUND)
    next(events)
    newer = list(tab.draw(current, current.add_run(), Selection(None), *SOUND))
    assert list(events) == [{tab.status: gr.skip()}]
    assert "seed=7" in newer[-1][tab.selected.query]


def test_stop_says_where_and_keeps_what_was_there(tab: Create) -> None:
    current = CurrentRun()
    events = tab.draw(current, current.add_run(), Selection(None), *SOUND)
    next(events)
    current.stop()
    (last,) = events
    assert last[tab.status].startswith("Stopped at step 1 of 3.")
    assert len(last) == 1


def test_images_come_although_their_scorer_does_not(tab: Create) -> None:
    asked = next(name for name in tab.demo.scorers if name != "embedded")
    with pytest.warns(UserWarning, match=f"{asked} could not be loaded"):
        *_, last = drawn(tab, *SOUND[:10], asked)
    assert "scorer=embedded" in last[tab.selected.query]
    assert len(last[tab.gallery]["value"]) == 2


def test_a_click_shows_that_image(tab: Create, result: Result) -> None:
    selection, query = Selection(result), result.settings.to_query()
    shown = tab.select(selection, query, clicked(1))
    assert shown[tab.scores[0]]["value"] == result.image_scores(1)[0]
    assert shown[tab.selected.index] == selection.index == 1


def test_a_click_on_images_that_were_forgotten_is_told(tab: Create, result: Result) -> None:
    for kept in (result, None):
        with pytest.raises(gr.Error, match="no longer kept here: draw them again"):
            tab.select(Selection(kept), "?class=bag&steps=9", clicked(1))


def test_a_click_while_other_images_come_leaves_them_alone(tab: Create, result: Result) -> None:
    before = result.settings.to_query()
    selection = Selection(result)
    current = CurrentRun()
    events = tab.draw(current, current.add_run(), selection, *SOUND[:2], 4, *SOUND[3:])
    click: Any = DrawsOn(events)
    assert tab.select(selection, before, click) == gr.skip(), "drawn meanwhile"
    assert tab.select(selection, before, clicked(1)) == gr.skip(), "on their way"
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
