"""Tests of the evidence tab's handlers; test_app has it in a browser."""

from pathlib import Path

import gradio as gr
import pytest

from fashion_ddpm.demo import Demo
from fashion_ddpm.ui.trust import LOSS_COLOURS, Handlers, build


def test_a_scorer_is_shown_by_class_and_by_confusion(tiny_checkpoint: Path) -> None:
    scores, confusion = Handlers(Demo(tiny_checkpoint)).judge("embedded")
    assert len(scores) == len(confusion) == 10


def test_a_scorer_that_cannot_be_had_is_a_message(tiny_checkpoint: Path) -> None:
    with pytest.raises(gr.Error, match="could not be loaded"):
        Handlers(Demo(tiny_checkpoint)).judge("openai/clip-vit-base-patch16")


def test_weights_that_were_not_evaluated_say_so(tiny_checkpoint: Path) -> None:
    with gr.Blocks() as page:
        build(Demo(tiny_checkpoint))
    texts = [block.value for block in page.blocks.values() if isinstance(block, gr.Markdown)]
    assert any("were not evaluated" in str(text) for text in texts)
    assert len(LOSS_COLOURS) == 4
