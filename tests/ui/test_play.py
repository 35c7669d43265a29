"""Tests of the games' handlers; test_app has them in a browser."""

from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.ui.play import Handlers


@pytest.fixture(scope="module")
def handlers(tiny_checkpoint: Path) -> Handlers:
    return Handlers(Demo(tiny_checkpoint))


def test_every_game_gives_a_strip_of_eight(handlers: Handlers) -> None:
    paper = {"composite": np.zeros((280, 280), np.uint8)}
    strips = [
        handlers.blend("bag", "coat", 1.0),
        handlers.walk("bag", 0.0, 1.0),
        handlers.redraw(paper, "bag", 0.5),
    ]
    assert {strip["value"].size for strip in strips} == {(4 * 238, 4 * 28)}


def test_blank_paper_is_a_message(handlers: Handlers) -> None:
    white = np.full((280, 280), 255, np.uint8)
    for blank in ({"composite": white}, {"composite": None}, None):
        with pytest.raises(gr.Error, match="paper is empty"):
            handlers.redraw(blank, "bag", 0.5)
