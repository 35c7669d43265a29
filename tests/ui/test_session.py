"""Tests of a visitor's state on the server: the current run and the selected image."""

from typing import Any

import gradio as gr
import pytest

from fashion_ddpm.core.requests import RequestError
from fashion_ddpm.demo.results import Result
from fashion_ddpm.server.monitoring import StoppedError
from fashion_ddpm.ui.session import CurrentRun, SelectedImage, Selection


def begin(current: CurrentRun, number: int) -> None:
    list(current.make_wrapper(number, iter)(iter([])))


def test_only_the_newest_run_goes_on() -> None:
    current = CurrentRun()
    older, newer = 1, 2
    begin(current, older)
    begin(current, newer)
    current.check(newer)
    with pytest.raises(StoppedError):
        current.check(older)
    assert not current.was_stopped(older)


def test_a_run_that_never_begins_ends_no_other() -> None:
    current = CurrentRun()
    running, refused = 1, 2
    begin(current, running)
    current.check(running)
    current.stop(refused)
    assert current.was_stopped(running)


def test_stop_ends_the_newest_until_the_next_begins() -> None:
    current = CurrentRun()
    first, second = 1, 2
    current.stop(first)
    with pytest.raises(StoppedError):
        current.check(first)
    assert current.was_stopped(first)
    begin(current, second)
    assert not current.was_stopped(first)


def test_a_run_that_was_stopped_while_it_waited_takes_no_step() -> None:
    current = CurrentRun()
    current.stop(1)
    with pytest.raises(StoppedError):
        begin(current, 1)


OTHER = "?class=bag&steps=3"


def test_the_image_that_was_selected_last_is_meant_and_no_older_one(result: Result) -> None:
    selection, query = Selection(result), result.settings.to_query()
    assert selection.image(query, 3) == (result, 3), "the page is older than the server"
    selection.select(result, 5)
    assert selection.image(query, 5.0) == (result, 5)
    assert selection.image(query, 3) is None
    assert selection.image(OTHER, 5) is None, "those it shows were drawn before"
    assert Selection(None).image("", 0) is None, "nothing was drawn yet"


@pytest.mark.parametrize("index", [10, -1, None, "0", [0], 0.5])
def test_a_page_that_outlived_its_server_is_told(result: Result, index: Any) -> None:
    query = result.settings.to_query()
    for images, *arguments in ((None, OTHER, 0), (result, OTHER, 0), (result, query, index)):
        with pytest.raises(RequestError, match="no longer kept here"):
            Selection(images).image(*arguments)


def test_the_page_begins_with_the_first_image(result: Result, blocks: gr.Blocks) -> None:
    assert SelectedImage(result).query.value == result.settings.to_query()
    assert SelectedImage(None).query.value == ""
