"""Tests of the handlers of links and pictures; test_app has them in a browser."""

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
import pytest
from PIL.PngImagePlugin import PngInfo

from fashion_ddpm.demo import Demo
from fashion_ddpm.link import from_picture
from fashion_ddpm.request import GenerateRequest
from fashion_ddpm.results import Result
from fashion_ddpm.ui.controls import shown_settings
from fashion_ddpm.ui.share import NOTHING, Handlers

REQUEST = GenerateRequest("coat", 2, "karras", "euler", 3, 1.5, seed=4)


@pytest.fixture(scope="module")
def demo(tiny_checkpoint: Path) -> Demo:
    return Demo(tiny_checkpoint)


def opened(handlers: Handlers, query: dict[str, str]) -> tuple[Any, ...]:
    request: Any = SimpleNamespace(query_params=query)
    return handlers.open(request)


def test_a_results_link_restores_its_settings(demo: Demo) -> None:
    handlers = Handlers(demo)
    *_, result = demo.run(REQUEST, "embedded")
    assert isinstance(result, Result)
    query = handlers.link(result)
    assert opened(handlers, dict(parse_qsl(query[1:]))) == shown_settings(REQUEST)
    assert handlers.link(None) == ""


def test_a_bad_link_leaves_the_page_as_it_is(demo: Demo) -> None:
    handlers = Handlers(demo)
    assert opened(handlers, {}) == NOTHING
    with pytest.warns(UserWarning, match="steps is '<b>'|steps is '‹b›'"):
        assert opened(handlers, {"class": "bag", "steps": "<b>"}) == NOTHING


def test_a_picture_restores_the_settings_of_its_image(demo: Demo, tmp_path: Path) -> None:
    *_, result = demo.run(REQUEST, "embedded")
    assert isinstance(result, Result)
    picture, _ = result.pictures()[1]
    info = PngInfo()
    for key, value in picture.info.items():
        info.add_text(str(key), str(value))
    picture.save(tmp_path / "one.png", pnginfo=info)
    *settings, box = Handlers(demo).read(str(tmp_path / "one.png"))
    assert tuple(settings) == shown_settings(REQUEST.of_image(1))
    assert box is None
    assert Handlers(demo).read(None)[:-1] == NOTHING


def test_another_file_is_a_message(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no picture")
    with pytest.raises(gr.Error, match="not a PNG"):
        Handlers(demo).read(str(tmp_path / "x.png"))


def test_the_zip_holds_every_image_with_its_settings_and_scores(demo: Demo, tmp_path: Path) -> None:
    *_, result = demo.run(REQUEST, "embedded")
    assert isinstance(result, Result)
    path = Path(Handlers.archive(result, str(tmp_path)))
    assert path.name == "coat-4.zip"
    with zipfile.ZipFile(path) as archive:
        lines = [json.loads(line) for line in archive.read("metadata.jsonl").splitlines()]
        assert [line["seed"] for line in lines] == [4, 5]
        for index, line in enumerate(lines):
            (tmp_path / "one.png").write_bytes(archive.read(line["file_name"]))
            assert from_picture(tmp_path / "one.png") == REQUEST.of_image(index)
            assert sum(line["label_scores"].values()) == pytest.approx(1, abs=1e-4)
    assert Handlers.archive(None, str(tmp_path)) == gr.skip()


def test_the_programs_ask_the_address_that_the_visitor_sees(demo: Demo) -> None:
    *_, result = demo.run(REQUEST, "embedded")
    assert isinstance(result, Result)
    programs = Handlers.programs(result, "https://clothes.example/app/?class=coat")
    assert len(programs) == 3
    assert all("https://clothes.example/app" in program for program in programs)
    assert Handlers.programs(None, "")[0] == gr.skip()
