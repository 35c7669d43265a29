"""Tests of the links below the tabs."""

import gradio as gr
import pytest

from fashion_ddpm.ui.footer import PAPERS, build, links


def test_a_space_links_to_its_own_files() -> None:
    found = links("someone/clothes")
    assert found["the code"] == "https://huggingface.co/spaces/someone/clothes/tree/main"
    assert PAPERS.items() <= found.items()
    assert links(None) == PAPERS


def test_only_a_space_can_be_duplicated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    with gr.Blocks() as elsewhere:
        build()
    monkeypatch.setenv("SPACE_ID", "someone/clothes")
    with gr.Blocks() as space:
        build()
    buttons = [
        [block for block in page.blocks.values() if isinstance(block, gr.DuplicateButton)]
        for page in (elsewhere, space)
    ]
    assert list(map(len, buttons)) == [0, 1]
    (line,) = (block for block in space.blocks.values() if isinstance(block, gr.Markdown))
    assert "[the training script](https://huggingface.co/spaces/someone/clothes/" in str(line.value)
