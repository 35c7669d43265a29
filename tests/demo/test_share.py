"""Tests that settings survive links, pictures, zip files, the page and the command line."""

import json
import random
import string
import zipfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from fashion_ddpm.__main__ import build_parser
from fashion_ddpm.cli.commands import parse_request
from fashion_ddpm.core.config import SAMPLERS, SCHEDULES, TURBO
from fashion_ddpm.core.image_kind import ALL_CLASSES, CLASS_NAMES
from fashion_ddpm.core.images import save_png
from fashion_ddpm.core.requests import (
    API_PARAMETERS,
    FLAGS,
    MAX_GUIDANCE,
    MAX_SEED,
    PAGE_LABELS,
    SETTING_NAMES,
    SETTINGS,
    GenerateRequest,
    RequestError,
)
from fashion_ddpm.demo.share import (
    LINK_DEFAULTS,
    OLD_WORDS,
    SharedSettings,
    parse_picture,
    parse_query,
)
from fashion_ddpm.diffusion.pipeline import Batch
from fashion_ddpm.generation.files import save, zip_images
from fashion_ddpm.server.limits import PAGE_MAX_IMAGES, PAGE_MAX_STEPS
from fashion_ddpm.ui.controls import build_request, control_values

REQUEST = GenerateRequest("ankle boot", 3, "karras", "euler", 7, 2.5, 0.3, 0.7, seed=11)
SHARED = SharedSettings(REQUEST, "0123456789ab", "embedded")

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "class_name": st.sampled_from([*CLASS_NAMES, ALL_CLASSES]),
    "num_images": st.integers(1, PAGE_MAX_IMAGES),
    "schedule": st.sampled_from(SCHEDULES),
    "sampler": st.sampled_from([*SAMPLERS, TURBO]),
    "num_inference_steps": st.integers(1, PAGE_MAX_STEPS),
    "guidance_scale": st.floats(1, MAX_GUIDANCE),
    "guidance_low": st.floats(0, 1),
    "guidance_high": st.floats(0, 1),
    "seed": st.integers(0, MAX_SEED - PAGE_MAX_IMAGES),
}
"""Field of a request → valid values on the page."""


@st.composite
def requests(draw: st.DrawFn) -> GenerateRequest:
    """Draw requests; every field needs an entry in VALUES."""
    values = {name: draw(VALUES[name]) for name in SETTINGS}
    low, high = sorted((values["guidance_low"], values["guidance_high"]))
    values |= {"guidance_low": low, "guidance_high": high}
    if values["sampler"] == TURBO:
        values["guidance_scale"] = 1.0
    return GenerateRequest(**values)


PROPERTY = settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def parse(query: str) -> dict[str, str]:
    return dict(parse_qsl(query.removeprefix("?")))


@PROPERTY
@given(requests())
def test_every_setting_survives_a_link_and_a_picture(tmp_path: Path, request_: Any) -> None:
    shared = SharedSettings(request_, "0123456789ab", "embedded")
    assert parse_query(parse(shared.to_query())) == shared
    save_png(Image.new("L", (28, 28)), tmp_path / "one.png", shared.as_settings())
    assert parse_picture(tmp_path / "one.png") == shared


@PROPERTY
@given(requests())
def test_every_setting_survives_the_page(request_: Any) -> None:
    *values, random_seed, _ = control_values(request_)
    sent = json.loads(json.dumps(values))
    assert build_request(*sent, class_names=CLASS_NAMES) == request_
    assert random_seed is False


@PROPERTY
@given(requests())
def test_every_setting_survives_the_command_line(request_: Any) -> None:
    words = [f"{FLAGS[name]}={getattr(request_, name)!s}" for name in SETTINGS]
    assert parse_request(build_parser().parse_args(["generate", *words])) == request_


@settings(PROPERTY, max_examples=30)
@given(requests())
def test_every_setting_survives_the_zip_and_the_files_of_generate(
    tmp_path_factory: pytest.TempPathFactory, request_: Any
) -> None:
    folder, count = tmp_path_factory.mktemp("files"), request_.num_images
    images, model = torch.zeros(count, 28, 28, dtype=torch.uint8), {"model": "0123456789ab"}
    each = [SharedSettings(request_.select_image(index), **model) for index in range(count)]
    with zipfile.ZipFile(BytesIO(zip_images(images, request_, model, [{}] * count))) as archive:
        archive.extractall(folder / "zip")
    batch = Batch(images, torch.tensor(request_.labels()), [*request_.seeds()], images.bool())
    for name in ("folder", "grid.png", "arrays.npz"):
        save([batch], folder / name, request_, model)
    for part in ("zip", "folder"):
        files = sorted((folder / part).glob("*.png"), key=lambda path: path.stem[-10:])
        assert [parse_picture(path) for path in files] == each
    assert parse_picture(folder / "grid.png") == SharedSettings(request_, **model)
    metadata = json.loads(str(np.load(folder / "arrays.npz")["settings"]))
    assert metadata == request_.as_settings() | model


def test_a_link_of_every_earlier_version_asks_for_what_it_asked_then() -> None:
    old = (
        "class=ankle+boot&images=3&schedule=karras&sampler=euler&steps=7&guidance=2.5&seed=11"
        "&model=0123456789ab"
    )
    found = parse_query(parse(old))
    assert found is not None
    assert (found.request.guidance_low, found.request.guidance_high) == (0, 1)
    assert found.request == GenerateRequest("ankle boot", 3, "karras", "euler", 7, 2.5, seed=11)
    by_hand = parse_query({"class": "bag"})
    assert by_hand is not None
    assert by_hand.request.as_settings() == {"class_name": "bag"} | LINK_DEFAULTS
    assert (by_hand.request.schedule, by_hand.request.num_inference_steps) == ("cosine", 20)


def test_what_an_omitted_setting_is_stands_for_every_setting() -> None:
    assert {"class_name", *LINK_DEFAULTS} == {*SETTINGS}
    assert not {*OLD_WORDS} & {*SETTING_NAMES.values()}


def test_the_documentation_has_every_name_and_default() -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "settings.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    table = {row[0]: [cell.strip("`") for cell in row[1:5]] for row in rows[1:]}
    for name, label in PAGE_LABELS.items():
        word, parameter, flag, default = table[label]
        assert (word, parameter, flag) == (SETTING_NAMES[name], API_PARAMETERS[name], FLAGS[name])
        if name not in ("class_name", "scorer"):
            value = getattr(GenerateRequest("bag"), name)
            assert default.split(";")[0] == (value if isinstance(value, str) else f"{value:g}")
    for name, value in LINK_DEFAULTS.items():
        shown = value if isinstance(value, str) else f"{value:g}"
        assert f"`{SETTING_NAMES[name]}={shown}`" in text


def test_a_link_without_settings_asks_for_nothing() -> None:
    assert parse_query({}) is None
    assert parse_query({"__theme": "dark", "tab": "trust", "utm_source": "chat"}) is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"steps": "9"}, "class is empty"),
        ({"class": "ankle boots"}, "class is 'ankle boots'"),
        ({"class": "bag", "step": "5"}, "'step' is no word of a link; it must be steps"),
        ({"class": "bag", "guidence": "5"}, "'guidence' is no word of a link"),
        ({"class": "bag", "steps": "500"}, "steps is 500; .+ from 1 to 100 "),
        ({"class": "bag", "steps": "0"}, "steps is 0; .+ from 1 to 100 "),
        ({"class": "bag", "images": "17"}, "num_images is 17; .+ from 1 to 16 "),
        ({"class": "bag", "sampler": "turbo", "guidance": "3"}, "guidance_scale is 3; the turbo"),
    ],
)
def test_a_link_with_a_mistake_is_refused(query: dict[str, str], expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        parse_query(query)


def test_words_of_others_are_passed_over_where_no_setting_is_given() -> None:
    for word in ("mode", "feed", "score", "step", "tab"):
        assert parse_query({word: "1"}) is None


def test_a_class_by_number_or_in_capitals_is_shown_by_its_name() -> None:
    for name in ("9", "ANKLE BOOT", " ankle boot "):
        found = parse_query({"class": name})
        assert found is not None
        assert found.request.class_name == "ankle boot"


def test_a_fuzzed_link_is_a_request_or_a_sentence() -> None:
    generator = random.Random(0)
    for _ in range(500):
        word = generator.choice([*SETTING_NAMES.values(), *OLD_WORDS])
        value = "".join(generator.choices(string.printable, k=generator.randrange(40)))
        with suppress(RequestError):
            assert parse_query({"class": "bag", word: value}) is not None


@pytest.mark.parametrize("value", ["1e999", "nan", "-1", "0x10", "９" * 30, "", "<b>"])
def test_numbers_that_are_none_are_refused(value: str) -> None:
    with pytest.raises(RequestError, match="seed is"):
        parse_query({"class": "bag", "seed": value + "!"})
    for word in ("guidance", "guidance_scale", "guidance_low", "guidance_high"):
        with pytest.raises(RequestError):
            parse_query({"class": "bag", word: value})


def test_other_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    Image.new("L", (28, 28)).save(tmp_path / "bare.png")
    (tmp_path / "text.png").write_text("no picture")
    save_png(Image.new("L", (28, 28)), tmp_path / "odd.png", {"class_name": ["bag"], "seed": {}})
    large = SHARED.as_settings() | {"num_inference_steps": 500}
    save_png(Image.new("L", (28, 28)), tmp_path / "large.png", large)
    for name, expected in (
        ("bare", "holds no settings"),
        ("text", "not a PNG"),
        ("odd", "seed|class"),
        ("large", "steps is 500"),
    ):
        with pytest.raises(RequestError, match=expected):
            parse_picture(tmp_path / f"{name}.png")
    with pytest.raises(RequestError, match="not a PNG"):
        parse_picture(tmp_path / "nothing.png")


def test_a_plus_sign_may_be_typed_as_it_is() -> None:
    found = parse_query({"class": "bag", "sampler": "dpm  2m-sde"})
    assert found is not None
    assert found.request.sampler == "dpm++2m-sde"
