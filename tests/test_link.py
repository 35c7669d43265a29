"""Tests of links and pictures that carry settings."""

import random
import string
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from PIL import Image

from fashion_ddpm.images import save_png
from fashion_ddpm.link import SHORT, from_picture, from_query, to_query
from fashion_ddpm.request import GenerateRequest, RequestError

REQUEST = GenerateRequest("ankle boot", 3, "karras", "euler", 7, 2.5, seed=11)


def parsed(query: str) -> dict[str, str]:
    return dict(parse_qsl(query.removeprefix("?")))


def test_a_link_brings_every_setting_back() -> None:
    query = to_query(REQUEST, "0123456789abcdef")
    assert from_query(parsed(query)) == REQUEST
    assert parsed(query)["model"] == "0123456789ab"


def test_a_link_without_settings_asks_for_nothing() -> None:
    assert from_query({}) is None
    assert from_query({"__theme": "dark", "steps": "9"}) is None
    assert from_query({"class": "bag"}) == GenerateRequest("bag")


def test_a_fuzzed_link_is_a_request_or_a_sentence() -> None:
    chance = random.Random(0)
    for _ in range(500):
        word = chance.choice(list(SHORT))
        value = "".join(chance.choices(string.printable, k=chance.randrange(40)))
        with suppress(RequestError):
            assert from_query({"class": "bag", word: value}) is not None


@pytest.mark.parametrize("value", ["1e999", "nan", "-1", "0x10", "９" * 30, "", "<b>"])
def test_numbers_that_are_none_are_refused(value: str) -> None:
    with pytest.raises(RequestError, match="seed is"):
        from_query({"class": "bag", "seed": value + "!"})
    with pytest.raises(RequestError):
        from_query({"class": "bag", "guidance": value})


def test_a_picture_brings_its_settings_back(tmp_path: Path) -> None:
    save_png(Image.new("L", (28, 28)), tmp_path / "one.png", REQUEST.as_settings())
    assert from_picture(tmp_path / "one.png") == REQUEST


def test_other_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    Image.new("L", (28, 28)).save(tmp_path / "bare.png")
    (tmp_path / "text.png").write_text("no picture")
    save_png(Image.new("L", (28, 28)), tmp_path / "odd.png", {"class_name": ["bag"], "seed": {}})
    for name, expected in (("bare", "holds no settings"), ("text", "not a PNG"), ("odd", "class")):
        with pytest.raises(RequestError, match=expected):
            from_picture(tmp_path / f"{name}.png")
    with pytest.raises(RequestError, match="not a PNG"):
        from_picture(tmp_path / "nothing.png")
