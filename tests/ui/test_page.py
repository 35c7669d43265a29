"""Tests of what is said when gradio itself cannot read or write."""

import asyncio
import re
from pathlib import Path

import gradio as gr
import pytest
from gradio.routes import templates
from PIL import Image

from fashion_ddpm.checkpoints.locate import SAMPLES_FILE
from fashion_ddpm.ui.page import Page, describe


def page_of(cache: Path) -> Page:
    with Page() as page:
        number = gr.Number(label="Seed")
        shown = gr.Image(format="png")
        shown.GRADIO_CACHE = str(cache)
        paper = gr.Image(label="Paper")
        number.change(lambda value: Image.new("L", (4, 4)), number, shown)
        paper.change(lambda value: 0, paper, number)
    return page


def test_an_input_that_cannot_be_read_is_the_visitors_mistake_without_their_words(
    tmp_path: Path,
) -> None:
    with pytest.raises(gr.Error, match=r"One of the inputs \(Paper\)") as caught:
        asyncio.run(page_of(tmp_path).process_api(1, ["<b>"]))
    assert "<" not in str(caught.value)


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(gr.Error, match="no room left for pictures"):
        asyncio.run(page_of(tmp_path / "file").process_api(0, [1]))
    assert asyncio.run(page_of(tmp_path).process_api(0, [1]))["data"]


def test_a_link_in_a_chat_is_described_by_the_page_and_not_by_gradio() -> None:
    describe("Clothes", 'out of "noise"')
    head = templates.env.get_template("frontend/index.html").render(config={})
    assert '<meta property="og:title" content="Clothes" />' in head
    assert "out of &quot;noise&quot;" in head
    assert head.count("og:title") == 1
    assert "gradio-app/gradio" not in head.split("</head>")[0].split("<script")[0]
    assert "og:image" not in head


def test_a_link_to_a_space_has_a_picture_that_every_space_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPACE_ID", "ada/fashion")
    describe("Clothes", "out of noise")
    head = templates.env.get_template("frontend/index.html").render(config={})
    (picture,) = re.findall('property="og:image" content="([^"]*)"', head)
    assert picture.startswith("https://huggingface.co/spaces/ada/fashion/resolve/main/")
    assert picture.endswith(f"/checkpoints/fashion-mnist/{SAMPLES_FILE}")
