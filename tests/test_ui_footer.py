"""Tests of the links below the tabs."""

import gradio as gr
import pytest

from fashion_ddpm.ui.footer import PAPERS, build, links


def test_a_space_links_to_its_own_files() -> None:
    found = links("someone/clothes")
    assert found["the code"] == "https://huggingface.co/spaces/someone/clothes/tree/main"
    assert PAPERS.items() <= found.items()
    assert links(None) == PAPERS


def test_the_footer_is_a_line_of_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/clothes")
    with gr.Blocks() as page:
        build()
    (line,) = (block for block in page.blocks.values() if isinstance(block, gr.Markdown))
    assert "[the training script](https://huggingface.co/spaces/someone/clothes/" in str(line.value)
