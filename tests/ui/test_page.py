"""Tests of the page around the tabs."""

import asyncio
import os
import re
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from gradio.routes import templates
from PIL import Image

from fashion_ddpm.checkpoints.locate import SAMPLES_FILE
from fashion_ddpm.core.images import SETTINGS_KEY, name_picture, read_settings
from fashion_ddpm.ui.page import (
    FOOTER_LINKS,
    Page,
    build_footer,
    link_tabs,
    save_pil_atomically,
    set_link_preview,
)


def build_page(cache: Path) -> Page:
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
        asyncio.run(build_page(tmp_path).process_api(1, ["<b>"]))
    assert "<" not in str(caught.value)


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(gr.Error, match="no room left for pictures"):
        asyncio.run(build_page(tmp_path / "file").process_api(0, [1]))
    assert asyncio.run(build_page(tmp_path).process_api(0, [1]))["data"]


def test_a_link_in_a_chat_is_described_by_the_page_and_not_by_gradio() -> None:
    set_link_preview("Clothes", 'out of "noise"')
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
    set_link_preview("Clothes", "out of noise")
    head = templates.env.get_template("frontend/index.html").render(config={})
    (picture,) = re.findall('property="og:image" content="([^"]*)"', head)
    assert picture.startswith("https://huggingface.co/spaces/ada/fashion/resolve/main/")
    assert picture.endswith(f"/checkpoints/fashion-mnist/{SAMPLES_FILE}")


def test_only_a_space_can_be_duplicated_and_links_to_its_own_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    line, *buttons = build_texts()
    assert not buttons
    assert all(f"[{name}]({address})" in line for name, address in FOOTER_LINKS.items())
    monkeypatch.setenv("SPACE_ID", "someone/clothes")
    line, *buttons = build_texts()
    assert buttons == ["Duplicate this Space"]
    for name, address in (FOOTER_LINKS | {"the code": f"{SPACE}/tree/main"}).items():
        assert f"[{name}]({address})" in line


def test_the_footer_links_to_the_static_site_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "static_site.txt"
    monkeypatch.setattr("fashion_ddpm.ui.page.STATIC_SITE_FILE", path)
    assert "browser" not in build_texts()[0]
    path.write_text(f"{SPACE}-browser\n")
    assert f"[draw in your own browser]({SPACE}-browser)" in build_texts()[0]


SPACE = "https://huggingface.co/spaces/someone/clothes"


def build_texts() -> list[str]:
    """Return the texts of the footer's line and of its button."""
    with gr.Blocks() as page:
        build_footer()
    return [str(block.value) for block in page.children]


PICTURE = np.arange(784, dtype=np.uint8).reshape(28, 28)


def test_a_picture_that_somebody_reads_is_left_to_them(tmp_path: Path) -> None:
    with Page():
        gallery: Any = gr.Gallery(format="png")
    gallery.GRADIO_CACHE = str(tmp_path)
    for value in (PICTURE, Image.fromarray(PICTURE)):
        files = []
        for _ in range(2):
            (item,) = gallery.postprocess([value]).root
            files.append(open(item.image.path, "rb"))  # noqa: SIM115
        first, second = files
        assert first.name == second.name
        assert os.fstat(first.fileno()).st_ino != os.fstat(second.fileno()).st_ino
        assert first.read() == second.read() != b""
        for file in files:
            file.close()
    assert [path.name for path in tmp_path.rglob("*.*")] == ["image.png"]


def test_a_picture_with_a_name_is_saved_under_it_with_its_settings(tmp_path: Path) -> None:
    picture = name_picture(Image.fromarray(PICTURE), "bag-0000000003.png", {"seed": 3})
    path = Path(save_pil_atomically(picture, str(tmp_path), format="png"))
    assert path.name == "bag-0000000003.png"
    assert read_settings(path) == {"seed": 3}
    with Image.open(path) as read:
        assert [*read.info] == [SETTINGS_KEY]


def test_what_cannot_be_finished_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(half: str, path: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        save_pil_atomically(Image.fromarray(PICTURE), str(tmp_path), format="png")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_every_tab_is_put_into_the_address_by_its_own_name() -> None:
    with gr.Blocks() as page:
        with gr.Tabs() as tabs:
            tab_list = [gr.Tab(name, id=name.lower()) for name in ("One", "Two")]
        link_tabs(page, tabs, tab_list)
    scripts = [str(fn.js) for fn in page.fns.values()]
    for name in ("one", "two"):
        assert sum(f'=== "{name}") return' in script for script in scripts) == 1
    assert sum("['one', 'two'].includes(tab)" in script for script in scripts) == 2
