"""Tests that PNG and GIF files of the static site are those of Python, and read there."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from PIL.PngImagePlugin import PngInfo

from fashion_ddpm.core.image_kind import CLASS_NAMES, ImageKind
from fashion_ddpm.core.images import SETTINGS_KEY, read_settings, save_png
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result
from fashion_ddpm.demo.share import SharedSettings, parse_picture
from fashion_ddpm.demo.trajectory import animate
from tests.tools.node import run_node

SCRIPT = Path(__file__).with_name("maths.mjs")
REQUEST = GenerateRequest("ankle boot", 1, "karras", "ddim", 7, 2.0, 0.00001, 0.7, seed=11)
GREY = ImageKind(CLASS_NAMES, 28, 1)
COLOURS = ImageKind(CLASS_NAMES, 32, 3)


def encode(content: bytes) -> str:
    return base64.b64encode(content).decode()


def make_png(settings: Any, **options: Any) -> bytes:
    """Return a PNG file with its settings in a chunk of text: tEXt, zTXt or iTXt."""
    buffer, info = io.BytesIO(), PngInfo()
    international = options.pop("international", False)
    if international:
        info.add_itxt(SETTINGS_KEY, settings, **options)
    else:
        info.add_text(SETTINGS_KEY, settings, **options)
    Image.new("L", (28, 28)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [GREY, COLOURS], ids=["grey", "colour"])
def test_python_reads_the_pictures_of_the_site(site: Path, tmp_path: Path, kind: ImageKind) -> None:
    shape = (30, 50) if kind.channels == 1 else (30, 50, 3)
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    picture = {
        "pixels": encode(pixels.tobytes()),
        "width": 50,
        "height": 30,
        "channels": kind.channels,
        "request": REQUEST.as_settings(),
        "scorer": "émbedded ☃",
    }
    [file] = run_node(SCRIPT, site, "writePictures", stdin=[picture])
    path = tmp_path / "picture.png"
    path.write_bytes(base64.b64decode(file))
    shared = parse_picture(path)
    assert shared.request == REQUEST
    assert shared.scorer == "émbedded ☃"
    expected = SharedSettings(REQUEST, shared.model, shared.scorer).as_settings()
    assert str(read_settings(path)) == str(expected), "floats are written as floats"
    with Image.open(path) as opened:
        assert np.array_equal(np.asarray(opened), pixels)
        opened.load()  # checks every chunk's checksum
        buffer = io.BytesIO()
        save_png(Image.fromarray(pixels), buffer, shared.as_settings())
        assert opened.info == Image.open(buffer).info


def test_the_site_reads_the_pictures_of_python(site: Path) -> None:
    shared = SharedSettings(REQUEST, "0123456789ab", "embedded")
    buffer = io.BytesIO()
    save_png(Image.new("L", (28, 28)), buffer, shared.as_settings())
    text = '{"class_name": "bag", "seed": 3, "scorer": "a\\u00e9"}'
    long = text.replace("}", f', "note": "{"x" * 5000}"}}')
    files = [
        buffer.getvalue(),
        make_png(text),
        make_png(long, zip=True),
        make_png(text.replace("\\u00e9", "é☃"), international=True),
        make_png(long, international=True, zip=True, lang="en", tkey="key"),
    ]
    first, *others = run_node(SCRIPT, site, "readPictures", stdin=list(map(encode, files)))
    assert first["request"] == REQUEST.as_settings()
    assert (first["model"], first["scorer"]) == (shared.model, shared.scorer)
    assert [each["scorer"] for each in others] == ["aé", "aé", "aé☃", "aé"]
    assert {each["request"]["class_name"] for each in others} == {"bag"}
    assert {each["request"]["sampler"] for each in others} == {"dpm++2m"}


def test_a_picture_of_others_is_refused_with_the_sentence_of_python(
    site: Path, tmp_path: Path
) -> None:
    good, none = make_png('{"class_name": "bag", "steps": 3}'), io.BytesIO()
    Image.new("L", (28, 28)).save(none, "PNG")
    flipped = bytearray(good)
    flipped[60] ^= 1
    files = [
        b"",
        b"GIF89a" + b"\0" * 50,
        good[:50],
        bytes(flipped),
        make_png("no json"),
        make_png(json.dumps({"class_name": "bag", "note": "x" * 2**21}), zip=True),
        make_png("[1, 2]"),
        none.getvalue(),
        make_png('{"seed": 3}'),
        make_png('{"class_name": "bag", "seed": -1}'),
        make_png('{"class_name": "hat"}'),
        make_png('{"class_name": 3}'),
    ]
    expected = []
    for content in files:
        (tmp_path / "picture.png").write_bytes(content)
        with pytest.raises(Exception, match=r"\.$") as caught:
            parse_picture(tmp_path / "picture.png")
        expected.append({"error": str(caught.value)})
    assert run_node(SCRIPT, site, "readPictures", stdin=list(map(encode, files))) == expected


def make_result(demo: Demo, kind: ImageKind, num_images: int, num_steps: int) -> Result:
    """Return a run of noise, without scores."""
    colours = () if kind.channels == 1 else (3,)
    shape = (2, num_steps, num_images, kind.image_size, kind.image_size, *colours)
    pixels = torch.randint(256, shape, dtype=torch.uint8, generator=torch.manual_seed(0))
    request = GenerateRequest("bag", num_images, num_inference_steps=num_steps)
    nothing = torch.zeros(num_images, 0)
    noisy, clean = pixels
    levels = np.linspace(0.1, 0.9, num_steps)
    return Result(
        request, "none", "", noisy, clean, levels, nothing, nothing, None, 0, 0.0, kind=kind
    )


@pytest.mark.parametrize(
    ("kind", "num_images", "num_steps"),
    [
        (GREY, 1, 1),
        (GREY, 8, 13),
        (GREY, 13, 61),
        (COLOURS, 3, 4),
        (ImageKind(CLASS_NAMES, 100, 1), 2, 5),
        (ImageKind(CLASS_NAMES, 64, 1), 16, 40),
    ],
)
def test_a_gif_has_the_frames_and_times_of_python(
    site: Path, demo: Demo, kind: ImageKind, num_images: int, num_steps: int
) -> None:
    result = make_result(demo, kind, num_images, num_steps)
    values = {
        "noisy": [encode(step.numpy().tobytes()) for step in result.noisy],
        "clean": [encode(step.numpy().tobytes()) for step in result.clean],
        "kind": {"image_size": kind.image_size, "channels": kind.channels},
    }
    content = base64.b64decode(run_node(SCRIPT, site, "gif", stdin=values))
    got, expected = read_gif(content), read_gif(animate(result))
    assert len(got) == len(expected) > min(num_steps, 40) / 2
    for (one, duration), (other, expected_duration) in zip(got, expected, strict=True):
        assert duration == expected_duration
        assert one.shape == other.shape
        if kind.channels == 1:
            assert np.array_equal(one, other)
        else:  # 256 colours stand for all
            assert np.abs(one - other).mean() < 30
    assert num_steps == 1 or b"NETSCAPE2.0\x03\x01\0\0" in content, "it plays again and again"


def read_gif(content: bytes) -> list[tuple[np.ndarray, int]]:
    """Return the frames, int [H, W, 3], and how long each is shown, in milliseconds."""
    with Image.open(io.BytesIO(content)) as gif:
        return [
            (np.asarray(frame.convert("RGB"), int), frame.info.get("duration", 0))
            for frame in ImageSequence.Iterator(gif)
        ]
