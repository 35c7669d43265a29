"""Tests of the app over HTTP; test_page tests it in a browser."""

import ast
import asyncio
import base64
import importlib.util
import io
import json
import re
import sys
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

from fashion_ddpm.__main__ import add_app, run_program
from fashion_ddpm.core.config import TURBO
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result
from fashion_ddpm.diffusion.sampling import DenoisingStep, SamplingSettings
from fashion_ddpm.scoring.clip import EMBEDDED
from fashion_ddpm.ui.app import build_page, use_faster_backend
from fashion_ddpm.ui.share import python_call
from tests.tools import TIMEOUT_S
from tests.tools.serving import serve_app

VALID_REQUEST = {"class_name": "bag", "steps": 3, "num_images": 2, "seed": 7}
LONG_REQUEST = {"class_name": "coat", "steps": 100, "guidance_scale": 2.0, "num_images": 8}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The app on the bundled weights, with --mcp."""
    with serve_app("--mcp") as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


def ask(client: Client, **changes: Any) -> Any:
    """Send a valid request with some values changed."""
    return client.predict(**(VALID_REQUEST | changes), api_name="/generate")


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
    ("name", "value"),
    [
        ("class_name", "hat"),
        ("schedule", "magic"),
        ("steps", 0),
        ("steps", 101),
        ("steps", 2.5),
        ("sampler", "newton"),
        ("guidance_scale", 99),
        ("num_images", 10**9),
        ("seed", -1),
        ("scorer", "../../etc/passwd"),
    ],
)
def test_bad_input_is_answered_by_a_sentence_that_names_it(
    client: Client, name: str, value: Any
) -> None:
    with pytest.raises((AppError, ValueError), match=re.escape(str(value))):
        ask(client, **{name: value})
    assert len(ask(client)[1]) == 2


def test_a_short_request_ends_while_a_long_one_goes_on(address: str, client: Client) -> None:
    expected = Path(ask(client)[1][0]["image"]).read_bytes()
    job = Client(address, verbose=False).submit(**LONG_REQUEST, api_name="/generate")
    next(job)
    assert Path(ask(client)[1][0]["image"]).read_bytes() == expected
    assert not job.done()
    job.cancel()


@pytest.fixture
def own_app(tiny_checkpoint: Path) -> Iterator[tuple[Demo, str]]:
    """The app on a tiny network in this process, so that tests can access it."""
    demo = Demo(tiny_checkpoint)
    page = build_page(demo)
    page.queue(api_open=False, default_concurrency_limit=16)
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield demo, address
    page.close()
    demo.unet.close()


def test_stop_closes_the_generator(
    own_app: tuple[Demo, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    demo, address = own_app
    stream, closed = demo.pipeline.stream, Event()

    def watched_stream(*arguments: Any) -> Iterator[DenoisingStep]:
        try:
            yield from stream(*arguments)
        except GeneratorExit:
            closed.set()
            raise

    monkeypatch.setattr(demo.pipeline, "stream", watched_stream)
    job = Client(address, verbose=False).submit(**LONG_REQUEST, api_name="/generate")
    next(job)
    job.cancel()
    assert closed.wait(TIMEOUT_S)


def test_the_python_call_on_the_page_draws_the_same_images(own_app: tuple[Demo, str]) -> None:
    demo, address = own_app
    *_, result = demo.run(GenerateRequest("bag", 2, "karras", "euler", 3, 1.5, seed=4), EMBEDDED)
    assert isinstance(result, Result)
    (call,) = (
        node for node in ast.walk(ast.parse(python_call(result))) if isinstance(node, ast.Call)
    )
    keywords: dict[str, Any] = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    _, pictures, about = Client(address, verbose=False).predict(**keywords)
    assert about["settings"] == result.settings.as_settings()
    for found, (drawn, _) in zip(pictures, result.pictures(), strict=True):
        assert Image.open(found["image"]).tobytes() == drawn.tobytes()


@pytest.mark.parametrize("with_progress", [False, True])
def test_a_language_model_finds_one_tool_and_gets_an_image_and_scores(
    address: str, with_progress: bool
) -> None:
    steps: list[float] = []

    async def record(progress: float, total: float | None, message: str | None) -> None:
        steps.append(progress)

    async def ask_tool() -> tuple[list[str], CallToolResult]:
        async with (
            streamable_http_client(f"{address}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            names = [tool.name for tool in (await session.list_tools()).tools]
            arguments = {"class_name": "bag", "steps": 2, "num_images": 1}
            callback = record if with_progress else None
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


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--mcp"], "--mcp needs the package mcp"),
        (["--backend", "openvino"], "run pip install openvino, or use --backend eager"),
    ],
)
def test_without_its_package_a_flag_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    expected: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["app.py", *flags])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run_program(add_app) == 1
    message = capsys.readouterr().err
    assert message.startswith("app.py: ")
    assert expected in message


def test_a_backend_that_breaks_costs_a_sentence_and_the_app_goes_on(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setitem(sys.modules, "openvino", None)
    demo = Demo(tiny_checkpoint)
    before = demo.pipeline([9], seed=3)
    use_faster_backend(demo, "auto")
    assert "OpenVINO cannot run this network" in capsys.readouterr().err
    assert torch.equal(demo.pipeline([9], seed=3), before)
    demo.unet.close()


def test_requests_leave_no_record_that_grows(tiny_checkpoint: Path) -> None:
    demo = Demo(tiny_checkpoint)
    assert build_page(demo)._queue.ANALYTICS_MAX_EVENTS == 1
    demo.close()


def test_visitors_get_faster_networks_and_the_same_images(
    checkpoint_with_turbo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = Demo(checkpoint_with_turbo)
    chosen = [SamplingSettings(sampler=name, num_inference_steps=2) for name in ("dpm++2m", TURBO)]
    before = [demo.pipeline([9, 3], seed=3, settings=settings).int() for settings in chosen]
    use_faster_backend(demo, "openvino")
    printed = capsys.readouterr().out
    for settings, images in zip(chosen, before, strict=True):
        assert f"for {settings.sampler} runs on OpenVINO" in printed
        assert (demo.pipeline([9, 3], seed=3, settings=settings) - images).abs().max() <= 1
    demo.close()
