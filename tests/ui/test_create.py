"""Tests of the Create tab's handlers; test_page uses them in a browser."""

from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import KeptResults, Result
from fashion_ddpm.ui.create import Create, score_columns, summary
from fashion_ddpm.ui.session import CurrentRun, Selection

VALID = ("bag", "cosine", 3, "dpm++2m", 1.0, 0.0, 1.0, 2, 7, False, "embedded")


@pytest.fixture(scope="module")
def tab(demo: Demo, blocks: gr.Blocks) -> Create:
    return Create(demo)


@pytest.fixture(scope="module")
def result(tab: Create) -> Result:
    selection = Selection(None)
    draw(tab, *VALID, selection=selection)
    assert selection.result is not None
    return selection.result


def draw(tab: Create, *inputs: Any, selection: Selection | None = None) -> list[dict[Any, Any]]:
    """Return all updates of one run."""
    return list(tab.draw(CurrentRun(), 1, selection or Selection(None), *inputs))


def click(index: int) -> Any:
    return SimpleNamespace(index=index)


def test_a_request_ends_with_pictures_scores_and_a_trajectory(tab: Create, result: Result) -> None:
    *_, last = draw(tab, *VALID)
    assert last[tab.gallery]["selected_index"] == last[tab.selected.index] == 0
    assert [caption for _, caption in last[tab.gallery]["value"]] == ["bag, seed 7", "bag, seed 8"]
    assert last[tab.status].startswith("2 images in ")
    assert last[tab.status].endswith(summary(result).split(" s · ")[1])
    assert last[tab.controls.seed] == gr.skip(), "a seed that was typed meanwhile stays"
    assert last[tab.address_query] == last[tab.selected.query] == result.settings.to_query()
    assert last[tab.trajectory.player]["num_steps"] == 3
    assert len(score_columns(result, 0)) == 6


def test_a_random_seed_is_written_back(tab: Create) -> None:
    seeds = set()
    for _ in range(2):
        *_, last = draw(tab, *VALID[:9], True, VALID[10])
        seeds.add(last[tab.controls.seed])
    assert len(seeds) == 2


def test_a_mistake_is_a_message(tab: Create) -> None:
    with pytest.raises(gr.Error, match="Steps is 0"):
        draw(tab, "bag", "cosine", 0, *VALID[3:])


def test_one_step_and_one_image_are_enough(tab: Create) -> None:
    *_, last = draw(tab, "bag", "cosine", 1, *VALID[3:7], 1, *VALID[8:])
    assert len(last[tab.gallery]["value"]) == 1
    player = last[tab.trajectory.player]
    assert (player["steps"], player["captions"]) == ([1], ["bag, seed 7"])


def test_a_newer_run_ends_the_one_before_without_a_word(tab: Create) -> None:
    current = CurrentRun()
    events = tab.draw(current, 1, Selection(None), *VALID)
    next(events)
    newer = list(tab.draw(current, 2, Selection(None), *VALID))
    assert list(events) == [{tab.status: gr.skip()}]
    assert "seed=7" in newer[-1][tab.selected.query]


def test_kept_images_are_shown_without_a_step_and_end_the_run_before(
    tab: Create, result: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tab.demo, "kept", KeptResults())
    current = CurrentRun()
    events = tab.draw(current, 1, Selection(None), *VALID[:8], 99, *VALID[9:])
    next(events)
    next(events)
    tab.demo.kept.add(result)
    _, shown = tab.draw(current, 2, Selection(None), *VALID)
    assert shown[tab.status] == summary(result)
    assert shown[tab.address_query] == result.settings.to_query()
    assert list(events) == [{tab.status: gr.skip()}]


def test_stop_says_where_and_keeps_what_was_there(tab: Create) -> None:
    current = CurrentRun()
    events = tab.draw(current, 1, Selection(None), *VALID)
    next(events)
    next(events)
    current.stop(1)
    (last,) = events
    assert last.keys() == {tab.status, tab.controls.generate}
    assert last[tab.status].startswith("Stopped at step 1 of 3.")
    assert last[tab.controls.generate].interactive


def test_generate_shows_the_progress_and_can_be_pressed_again_at_the_end(tab: Create) -> None:
    first, preview, *_, last = draw(tab, *VALID)
    assert not first[tab.controls.generate].interactive
    assert preview[tab.controls.generate].value == "Generating 1/3 …"
    assert last[tab.controls.generate].value == "Generate"
    assert last[tab.controls.generate].interactive


def test_images_come_although_their_scorer_does_not(tab: Create) -> None:
    scorer = next(name for name in tab.demo.scorers if name != "embedded")
    with pytest.warns(UserWarning, match=f"{scorer} could not be loaded"):
        *_, last = draw(tab, *VALID[:10], scorer)
    assert "scorer=embedded" in last[tab.selected.query]
    assert len(last[tab.gallery]["value"]) == 2


def test_a_click_shows_that_image(tab: Create, result: Result) -> None:
    selection, query = Selection(result), result.settings.to_query()
    shown = tab.select(selection, query, click(1))
    assert shown[tab.scores[0]]["value"] == result.image_scores(1)[0]
    assert shown[tab.selected.index] == selection.index == 1


def test_a_click_on_images_that_were_forgotten_is_told(tab: Create, result: Result) -> None:
    for images in (result, None):
        with pytest.raises(gr.Error, match="no longer kept here: generate them again"):
            tab.select(Selection(images), "?class=bag&steps=9", click(1))


def test_a_click_while_other_images_come_leaves_them_alone(tab: Create, result: Result) -> None:
    before = result.settings.to_query()
    selection = Selection(result)
    current = CurrentRun()
    events = tab.draw(current, 1, selection, *VALID[:2], 4, *VALID[3:])
    event: Any = ClickDuringRun(events)
    assert tab.select(selection, before, event) == gr.skip(), "drawn meanwhile"
    assert tab.select(selection, before, click(1)) == gr.skip(), "on their way"
    assert selection.result is not None
    assert selection.image(selection.result.settings.to_query(), 0) == (selection.result, 0)


class ClickDuringRun:
    """A click during whose handler a run ends."""

    def __init__(self, events: Any) -> None:
        self.events = events

    @property
    def index(self) -> int:
        """Index of the image; reading it finishes the run."""
        list(self.events)
        return 1
