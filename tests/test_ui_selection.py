"""Tests of which image a page and its server mean."""

import gradio as gr
import pytest

from fashion_ddpm.demo import Demo
from fashion_ddpm.gallery import load_gallery
from fashion_ddpm.request import RequestError
from fashion_ddpm.results import Result
from fashion_ddpm.ui.selection import Selection, key_of, selected


@pytest.fixture(scope="module")
def result() -> Result:
    found = load_gallery(Demo())
    assert found is not None
    return found


def test_the_newest_image_is_meant_and_no_older_one(result: Result) -> None:
    selection = Selection()
    assert selection.index_of(result, key_of(result, 3)) == 3, "the page is older than the server"
    newest = selection.take(result, 5)
    assert selection.index_of(result, newest) == 5
    assert selection.index_of(result, key_of(result, 3)) is None
    assert Selection().index_of(None, "") is None, "nothing was drawn yet"


def test_a_page_that_outlived_its_server_is_told(result: Result) -> None:
    other = "?class=bag&steps=3#0"
    for kept, key in ((None, other), (result, other), (result, f"{key_of(result, 1)}0"), (None, 7)):
        with pytest.raises(RequestError, match="no longer kept here"):
            Selection().index_of(kept, key)  # type: ignore[arg-type]


def test_the_page_begins_with_the_first_image(result: Result) -> None:
    with gr.Blocks():
        assert selected(result).key.value == key_of(result, 0)
        assert selected(None).key.value == ""
