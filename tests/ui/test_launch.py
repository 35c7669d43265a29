"""Tests of launching the page; test_middleware and test_faults use it while it runs."""

import io
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.server.allowlist import Allowlist
from fashion_ddpm.server.deployment import Deployment
from fashion_ddpm.ui.app import build_page
from fashion_ddpm.ui.launch import QUEUE_POLL_SECONDS, Launch, Server, build_allowlist, wrap_app
from tests.tools.asking import call, send


@pytest.fixture(scope="module")
def page(demo: Demo) -> gr.Blocks:
    return build_page(demo)


@pytest.fixture(scope="module")
def allowlist(page: gr.Blocks) -> Allowlist:
    return build_allowlist(page, mcp=False)


def test_what_comes_while_an_older_answer_is_awaited_is_not_dropped(page: gr.Blocks) -> None:
    """Gradio drops such events with trigger_mode "once", its default for most of them."""
    events = [
        fn for fn in page.fns.values() if {name for _, name in fn.targets} - {"click", "load"}
    ]
    dropped = [fn.targets for fn in events if fn.fn is not None and fn.trigger_mode == "once"]
    assert len(events) > 20
    assert not dropped


def test_the_allowlist_knows_what_the_page_can_be_asked(allowlist: Allowlist) -> None:
    assert allowlist.parameters[:2] == ("class_name", "schedule")
    assert allowlist.parameters[-1] == "guidance_high"
    costly = [event for event in allowlist.events.values() if event.runs_network]
    assert costly
    assert all(event.is_queued for event in costly)
    assert sum(event.is_select for event in allowlist.events.values()) == 2


@pytest.mark.parametrize(
    ("launch", "expected"),
    [
        (Launch(), None),
        (Launch(share=True), True),
        (Launch(Deployment("0.0.0.0")), True),
        (Launch(Deployment(root_path="/demo")), True),
        (Launch(Deployment("0.0.0.0"), public=False), False),
        (Launch(public=True), True),
    ],
)
def test_strangers_are_expected_where_they_can_come(
    launch: Launch, expected: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert launch.is_public == expected
    monkeypatch.setenv("SPACE_ID", "user/name")
    assert launch.is_public == (launch.public is not False)


@pytest.fixture
def start_server(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Server]]:
    """Launch the page in this process, and restore its environment and signals."""
    for name in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "FORWARDED_ALLOW_IPS", "no_proxy"):
        monkeypatch.setenv(name, "")
    before, servers = signal.getsignal(signal.SIGTERM), list[Server]()

    def launch(deployment: Deployment) -> Server:
        demo = Demo(tiny_checkpoint)
        servers.append(Server(demo, build_page(demo), Launch(deployment)))
        return servers[-1]

    yield launch
    for server in servers:
        server.close()
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::"])
def test_it_listens_where_it_is_told_at_a_free_port_that_it_prints(
    start_server: Callable[[Deployment], Server],
    host: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # gradio would reach its server by it
    monkeypatch.setenv("GRADIO_SERVER_NAME", "no-such-host.invalid")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "abc")
    # Not capsys: it would close its file while the server's threads still write.
    with redirect_stdout(io.StringIO()) as printed:
        server = start_server(Deployment(host, port=0))
    assert urlsplit(server.address).port
    assert server.address.rstrip("/") in printed.getvalue()
    assert send(server.address, "GET", "/healthz").status == 200
    assert call(server.address, headers={"Origin": server.address.rstrip("/")}).kind == "images"
    assert server._page._queue.sleep_when_free == QUEUE_POLL_SECONDS


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_nothing_comes_before_the_middleware() -> None:
    inner, middleware = [], object()

    def make_middleware(app: object) -> Any:
        inner.append(app)
        return middleware

    app = wrap_app(make_middleware)
    outermost: object = app.build_middleware_stack()
    assert outermost is middleware
    assert len(inner) == 1
    paths = {getattr(route, "path", "") for route in app.routes}
    assert not paths & {"/docs", "/redoc", "/openapi.json"}
