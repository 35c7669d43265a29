"""Tests of the demo over HTTP; test_page has it in a browser."""

import ast
import asyncio
import base64
import importlib.util
import io
import json
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, ImageContent, TextContent
from PIL import Image

from app import build_page, main, quicken
from fashion_ddpm.core.config import TURBO
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result
from fashion_ddpm.diffusion.sampling import DenoisingStep, SamplingSettings
from fashion_ddpm.scoring.clip import EMBEDDED
from fashion_ddpm.ui.share import python_call
from tests.tools import PATIENCE
from tests.tools.serving import served

SOUND = ("bag", "cosine", 3, "dpm++2m", 1.0, 2, 7, "embedded")
"""Class, schedule, steps, sampler, guidance, images, seed, scorer."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The app on the bundled weights, with the tool for language models."""
    with served("--mcp") as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


def ask(client: Client, **changes: Any) -> Any:
    """Send a sound request with a few values changed, by their place."""
    values = list(SOUND)
    for place, value in changes.items():
        values[int(place.strip("_"))] = value
    return client.predict(*values, api_name="/generate")


def test_the_api_has_one_endpoint_that_tells_settings_and_scores(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(endpoints) == ["/generate"]
    result = ask(client)
    assert len(result[1]) == 2
    assert result[1][0]["caption"] == "bag, seed 7"
    assert result[2]["settings"]["seed"] == 7
    assert result[2]["unet_evaluations"] == 6
    assert [max(scores, key=scores.get) for scores in result[2]["label_scores"]] == ["A bag"] * 2


def test_the_same_request_gives_the_same_images(client: Client) -> None:
    first, second = (Path(ask(client)[1][0]["image"]).read_bytes() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"_0": "hat"}, "hat"),
        ({"_1": "magic"}, "magic"),
        ({"_2": 0}, "0"),
        ({"_2": 101}, "101"),
        ({"_2": 2.5}, "2.5"),
        ({"_3": "newton"}, "newton"),
        ({"_4": 99}, "99"),
        ({"_5": 10**9}, "1000000000"),
        ({"_6": -1}, "-1"),
        ({"_7": "../../etc/passwd"}, "etc/passwd"),
    ],
)
def test_bad_input_is_answered_by_a_sentence_that_names_it(
    client: Client, changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises((AppError, ValueError), match=re.escape(expected)):
        ask(client, **changes)
    assert len(ask(client)[1]) == 2


def test_a_large_upload_is_refused(address: str) -> None:
    boundary = b"--line\r\n"
    head = boundary + b'Content-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    request = urllib.request.Request(
        f"{address}/gradio_api/upload",
        data=head + b"0" * 2_000_000 + b"\r\n--line--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=line"},
    )
    with pytest.raises(urllib.error.HTTPError, match="413"):
        urllib.request.urlopen(request, timeout=PATIENCE)


def test_a_scorer_that_cannot_be_downloaded_is_a_sentence_and_the_app_goes_on(
    client: Client,
) -> None:
    with pytest.raises(AppError, match="could not be loaded"):
        ask(client, _7="openai/clip-vit-base-patch32")
    assert len(ask(client)[1]) == 2


LONG = {"_0": "coat", "_2": 100, "_4": 2.0, "_5": 8}


def test_a_short_request_ends_while_a_long_one_goes_on(address: str, client: Client) -> None:
    alone = Path(ask(client)[1][0]["image"]).read_bytes()
    values = [LONG.get(f"_{place}", value) for place, value in enumerate(SOUND)]
    job = Client(address, verbose=False).submit(*values, api_name="/generate")
    next(job)
    assert Path(ask(client)[1][0]["image"]).read_bytes() == alone
    assert not job.done()
    job.cancel()


@pytest.fixture
def own_app(tiny_checkpoint: Path) -> Iterator[tuple[Demo, str]]:
    """The app on a tiny network, served by this process, so that one can look inside."""
    demo = Demo(tiny_checkpoint)
    page = build_page(demo)
    page.queue(api_open=False, default_concurrency_limit=16)
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield demo, address
    page.close()
    demo.unet.close()


def test_stop_closes_the_generator_and_frees_its_place(
    own_app: tuple[Demo, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    demo, address = own_app
    stream, closed = demo.pipeline.stream, Event()

    def watched(*arguments: Any) -> Iterator[DenoisingStep]:
        try:
            yield from stream(*arguments)
        except GeneratorExit:
            closed.set()
            raise

    monkeypatch.setattr(demo.pipeline, "stream", watched)
    values = [LONG.get(f"_{place}", value) for place, value in enumerate(SOUND)]
    job = Client(address, verbose=False).submit(*values, api_name="/generate")
    next(job)
    job.cancel()
    assert closed.wait(PATIENCE)
    assert not demo.unet._waiting


def test_the_python_call_on_the_page_draws_the_same_images(own_app: tuple[Demo, str]) -> None:
    demo, address = own_app
    *_, result = demo.run(GenerateRequest("bag", 2, "karras", "euler", 3, 1.5, seed=4), EMBEDDED)
    assert isinstance(result, Result)
    (call,) = (
        node for node in ast.walk(ast.parse(python_call(result))) if isinstance(node, ast.Call)
    )
    given: dict[str, Any] = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    _, pictures, about = Client(address, verbose=False).predict(**given)
    assert about["settings"] == result.settings.as_settings()
    for found, (drawn, _) in zip(pictures, result.pictures(), strict=True):
        assert Image.open(found["image"]).tobytes() == drawn.tobytes()


@pytest.mark.parametrize("with_progress", [False, True])
def test_a_language_model_finds_one_tool_and_gets_an_image_and_scores(
    address: str, with_progress: bool
) -> None:
    steps: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        steps.append(progress)

    async def ask_tool() -> tuple[list[str], CallToolResult]:
        async with (
            streamable_http_client(f"{address}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            names = [tool.name for tool in (await session.list_tools()).tools]
            arguments = {"class_name": "bag", "steps": 2, "num_images": 1}
            callback = note if with_progress else None
            return names, await session.call_tool(names[0], arguments, progress_callback=callback)

    names, answer = asyncio.run(ask_tool())
    assert len(names) == 1
    assert names[0].endswith("generate")
    picture, _, about = answer.content
    assert isinstance(picture, ImageContent)
    assert isinstance(about, TextContent)
    assert Image.open(io.BytesIO(base64.b64decode(picture.data))).width == 4 * 28
    assert "A bag" in json.loads(about.text)["label_scores"][0]
    assert bool(steps) == with_progress


def test_without_the_package_the_tool_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["app.py", "--mcp"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="--mcp needs the package mcp"):
        main()


def test_a_backend_that_is_not_installed_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["app.py", "--backend", "openvino"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="run pip install openvino, or use --backend eager"):
        main()


def test_a_backend_that_breaks_costs_a_sentence_and_the_app_goes_on(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setitem(sys.modules, "openvino", None)
    demo = Demo(tiny_checkpoint)
    before = demo.pipeline([9], seed=3)
    quicken(demo, "auto")
    assert "OpenVINO cannot run this network" in capsys.readouterr().err
    assert torch.equal(demo.pipeline([9], seed=3), before)
    demo.unet.close()


def test_requests_leave_no_record_that_grows(tiny_checkpoint: Path) -> None:
    demo = Demo(tiny_checkpoint)
    assert build_page(demo)._queue.ANALYTICS_MAX_EVENTS == 1
    demo.close()


def test_visitors_get_faster_networks_and_the_same_images(
    taught_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = Demo(taught_checkpoint)
    ways = [SamplingSettings(sampler=name, num_inference_steps=2) for name in ("dpm++2m", TURBO)]
    before = [demo.pipeline([9, 3], seed=3, settings=way).int() for way in ways]
    quicken(demo, "openvino")
    told = capsys.readouterr().out
    for way, images in zip(ways, before, strict=True):
        assert f"for {way.sampler} runs on OpenVINO" in told
        assert (demo.pipeline([9, 3], seed=3, settings=way) - images).abs().max() <= 1
    demo.close()
