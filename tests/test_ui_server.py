"""Tests of how the page is launched; test_guard and test_faults have it running."""

import socket
from pathlib import Path
from typing import Any

import pytest

from app import build_page
from fashion_ddpm.demo import Demo
from fashion_ddpm.gate import Gate
from fashion_ddpm.space_trial import free_port
from fashion_ddpm.ui.server import (
    LaunchError,
    check_free,
    files_in,
    gate_of,
    guarded_app,
    is_public,
)


@pytest.fixture(scope="module")
def gate(tiny_checkpoint: Path) -> Gate:
    demo = Demo(tiny_checkpoint)
    page = build_page(demo)  # which draws a first picture
    demo.unet.close()
    return gate_of(page, mcp=False)


def test_the_gate_knows_what_the_page_can_be_asked(gate: Gate) -> None:
    assert gate.parameters[:2] == ("class_name", "schedule")
    assert gate.parameters[-1] == "guidance_high"
    costly = [event for event in gate.events.values() if event.network]
    assert costly
    assert all(event.queued for event in costly)
    assert sum(event.place for event in gate.events.values()) == 3 + 5  # galleries and tabs


def test_strangers_are_expected_where_they_can_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert not is_public(share=False)
    assert is_public(share=True)
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    assert is_public(share=False)
    monkeypatch.setenv("GRADIO_SERVER_NAME", "127.0.0.1")
    monkeypatch.setenv("SPACE_ID", "user/name")
    assert is_public(share=False)


@pytest.mark.parametrize("port", [0, 70_000])
def test_a_port_that_cannot_be_used_is_told(port: int) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(LaunchError, match=r"cannot be used .*; name another one"),
    ):
        check_free(port or taken.getsockname()[1])
    check_free(free_port())


def test_nothing_comes_before_the_guard() -> None:
    made, guard = [], object()

    def make(app: object) -> Any:
        made.append(app)
        return guard

    app = guarded_app(make)
    outermost: object = app.build_middleware_stack()
    assert outermost is guard
    assert len(made) == 1
    paths = {getattr(route, "path", "") for route in app.routes}
    assert not paths & {"/docs", "/redoc", "/openapi.json"}


def test_all_files_are_found_however_deep(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.png").touch()
    assert files_in(tmp_path) == [tmp_path / "a" / "b" / "c.png"]
