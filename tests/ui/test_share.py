"""Tests of the handlers of links and pictures; test_page uses them in a browser."""

import csv
import json
import re
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from starlette.datastructures import QueryParams

from fashion_ddpm.core.images import save_png
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.share import SharedSettings, parse_picture, parse_query
from fashion_ddpm.ui.controls import NO_SETTINGS, control_values
from fashion_ddpm.ui.session import Selection
from fashion_ddpm.ui.share import EXAMPLES, Handlers, example_links

REQUEST = GenerateRequest("coat", 2, "karras", "euler", 3, 1.5, 0.3, 0.7, seed=4)
NOTHING = (*NO_SETTINGS, "")


def open_link(handlers: Handlers, query: dict[str, str] | str) -> tuple[Any, ...]:
    request: Any = SimpleNamespace(query_params=QueryParams(query))
    return handlers.open(request)


def test_a_results_link_restores_its_settings(demo: Demo) -> None:
    handlers = Handlers(demo)
    result = demo.draw(REQUEST, "embedded")
    query = result.settings.to_query()
    linked = (*control_values(REQUEST, "embedded"), "asked")
    assert open_link(handlers, dict(parse_qsl(query[1:]))) == linked


def test_a_bad_link_leaves_the_page_as_it_is(demo: Demo) -> None:
    handlers = Handlers(demo)
    assert open_link(handlers, {}) == NOTHING
    for query, expected in (
        ({"class": "bag", "steps": "<b>"}, "Steps is '‹b›'"),
        ({"class": "ankle boots"}, "Class is 'ankle boots'"),
        ("class=bag&steps=5&steps=7", "'steps' is given again"),
        ("class=bag&num_images=5&images=5", "'images' is given again"),
        ("class=bag&scorer=x&scorer=embedded", "'scorer' is given again"),
        ({"class": "bag", "images": "0"}, "Number of images is 0"),
        ({"class": "bag", "seed": ""}, "Seed is ''"),
        ({"class": "bag", "scorer": "somebody"}, "Scorer is 'somebody'"),
        ({"class": "bag", "sampler": "turbo", "steps": "4"}, "Sampler turbo needs a distilled"),
        ({"class": "bag", "steps": "100", "images": "16", "guidance": "2"}, "at most 1,600"),
    ):
        with pytest.warns(UserWarning, match=f"The link could not be read.+{expected}"):
            assert open_link(handlers, query) == NOTHING


def test_a_picture_restores_the_settings_of_its_image(demo: Demo, tmp_path: Path) -> None:
    result = demo.draw(REQUEST, "embedded")
    picture, _ = result.pictures()[1]
    info = PngInfo()
    for key, value in picture.info.items():
        info.add_text(str(key), str(value))
    picture.save(tmp_path / "one.png", pnginfo=info)
    *settings, box = Handlers(demo).read(str(tmp_path / "one.png"))
    assert tuple(settings) == control_values(REQUEST.select_image(1), "embedded")
    assert box is None
    assert Handlers(demo).read(None)[:-1] == NO_SETTINGS


def test_another_file_is_a_message(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no picture")
    with pytest.raises(gr.Error, match="not a PNG"):
        Handlers(demo).read(str(tmp_path / "x.png"))


def test_the_zip_holds_every_image_with_its_settings_and_scores(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    result = demo.draw(REQUEST, "embedded")
    path = Path(Handlers.export_result(Selection(result))[0]["value"])
    assert path.name == "coat-4.zip"
    with zipfile.ZipFile(path) as archive:
        lines = [json.loads(line) for line in archive.read("metadata.jsonl").splitlines()]
        assert [line["seed"] for line in lines] == [4, 5]
        for index, line in enumerate(lines):
            (tmp_path / "one.png").write_bytes(archive.read(line["file_name"]))
            assert parse_picture(tmp_path / "one.png") == SharedSettings(
                REQUEST.select_image(index), demo.model, "embedded"
            )
            assert sum(line["label_scores"].values()) == pytest.approx(1, abs=1e-4)
        rows = list(csv.DictReader(archive.read("scores.csv").decode().splitlines()))
        assert [row["seed"] for row in rows] == ["4", "5"]
        assert {row["guidance_low"] for row in rows} == {"0.3"}
        assert 0 <= float(rows[0]["A coat"]) <= 1
    assert Handlers.export_result(Selection(None)) == (gr.skip(), gr.skip())


def test_a_picture_of_other_weights_is_told_and_one_of_the_same_is_not(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages: list[str] = []
    monkeypatch.setattr(gr, "Info", messages.append)
    for model in (demo.model, "0123456789ab"):
        path = tmp_path / f"{model}.png"
        save_png(Image.new("L", (28, 28)), path, SharedSettings(REQUEST, model).as_settings())
        Handlers(demo).read(str(path))
    assert [text for text in messages if "different model version" in text] == [messages[1]]


def test_the_selected_image_has_a_link_of_its_own(demo: Demo) -> None:
    result = demo.draw(GenerateRequest("all", 3, seed=5), "embedded")
    query = result.settings.to_query()
    link = Handlers.image_query(Selection(result), query, 2)
    alone = parse_query(dict(parse_qsl(link.removeprefix("?"))))
    assert alone is not None
    assert alone.request == GenerateRequest("pullover", 1, seed=7)
    assert alone.model == demo.model
    assert Handlers.image_query(Selection(None), "", 0) == ""
    assert Handlers.image_query(Selection(None), query, 2) == "", "the server was restarted"


def test_each_link_to_try_restores_what_it_names(
    bundled_demo: Demo, demo: Demo, recwarn: pytest.WarningsRecorder
) -> None:
    handlers = Handlers(bundled_demo)
    links = re.findall(r"\[([^]]+)\]\(([^)]+)\)", example_links(bundled_demo))
    assert [name for name, _ in links] == list(EXAMPLES)
    for name, query in links:
        assert open_link(handlers, query[1:]) == (*control_values(EXAMPLES[name]), "asked")
    assert not recwarn.list
    assert "urbo" not in example_links(demo)  # it has no distilled network


def test_a_page_without_images_asks_for_some_unless_the_link_is_wrong(demo: Demo) -> None:
    handlers = Handlers(demo, has_images=False)
    assert open_link(handlers, {}) == (*NO_SETTINGS, "asked")
    with pytest.warns(UserWarning, match="could not be read"):
        assert open_link(handlers, {"class": "hat"}) == NOTHING
