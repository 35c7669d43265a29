"""Tests of the Play tab's handlers; test_page uses them in a browser."""

import gradio as gr
import numpy as np
import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.ui.play import Play


@pytest.fixture(scope="module")
def tab(demo: Demo, blocks: gr.Blocks) -> Play:
    return Play(demo)


def test_every_game_gives_a_strip_of_eight(tab: Play) -> None:
    paper = {"composite": np.zeros((280, 280), np.uint8)}
    strips = [
        tab.blend("bag", "coat", 1.0),
        tab.walk("bag", 0.0, 1.0),
        tab.redraw(paper, "bag", 0.5),
    ]
    assert {strip["value"].size for strip in strips} == {(4 * 238, 4 * 28)}


@pytest.mark.parametrize("paper", [None, {"composite": None}, {"composite": np.full((9, 9), 255)}])
def test_blank_paper_is_a_message(tab: Play, paper: dict[str, np.ndarray] | None) -> None:
    with pytest.raises(gr.Error, match="sketch pad is empty"):
        tab.redraw(paper, "bag", 0.5)
