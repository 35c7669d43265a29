"""Tests of the middleware around the running app, over HTTP."""

import http.client
import json
import urllib.parse
from collections.abc import Iterator

import pytest

from tests.server.test_uploads import make_form, make_png
from tests.tools import TIMEOUT_S
from tests.tools.asking import API, CALL, VALID_DATA, call, dependencies, find_event, send
from tests.tools.serving import run_app, serve_app

pytestmark = pytest.mark.slow

LONG = [*VALID_DATA[:2], 100, *VALID_DATA[3:5], 16, *VALID_DATA[6:]]
QUEUE_SIZE = 12
"""More requests than the tests of the visitors' limits leave waiting."""

FORM = {"Content-Type": "multipart/form-data; boundary=----line"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The app without limits for visitors."""
    with serve_app("--drain-seconds", "0") as address:
        yield address


@pytest.fixture(scope="module")
def space() -> Iterator[str]:
    """The app on a Space, with limits for visitors, while four long requests hold the queue.

    These take longer than the requests of the tests on any machine, and until the end of this
    file: the tests that need it are the last.
    """
    flags = ("--burst", "4", "--requests-per-minute", "0.001", "--drain-seconds", "0")
    queue = ("--max-concurrent-requests", "1", "--queue-size", str(QUEUE_SIZE))
    with run_app(*flags, *queue, environment={"SPACE_ID": "user/name"}) as app:
        find_event(app.address, "generate", len(LONG))
        for session in ("a", "b", "c", "d"):
            assert start_request(app.address, session, "93.184.1.1")[0] == 200
        yield app.address


def test_the_app_is_alive_and_ready(address: str) -> None:
    assert json.loads(send(address, "GET", "/healthz").text) == {"status": "alive"}
    ready = json.loads(send(address, "GET", "/readyz").text)
    assert ready["status"] == "ready"
    assert ready["device"] in ("cpu", "cuda:0")
    assert len(ready["model"]) == 12
    assert ready["version"]


def test_requests_are_counted(address: str) -> None:
    def metrics() -> dict[str, float]:
        return dict(json.loads(send(address, "GET", "/metricsz").text))

    before = metrics()
    call(address)
    call(address, ["hat", *VALID_DATA[1:]])
    call(address, [])
    after = metrics()
    changed = {name: after[name] - before[name] for name in ("accepted", "done", "rejected")}
    assert changed == {"accepted": 2, "done": 1, "rejected": 2}
    page = send(address, "GET", "/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=")
    assert f'fashion_ddpm_requests_total{{outcome="done"}} {after["done"]:.1f}' in page.text


def test_every_response_has_security_headers(address: str) -> None:
    for path in ("/", "/config", "/nowhere", "/healthz"):
        headers = send(address, "GET", path).headers
        assert "frame-ancestors 'self' https://huggingface.co" in headers["content-security-policy"]
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_cross_origin_pages_can_neither_send_nor_read(address: str, origin: str) -> None:
    for host in ({}, {"Host": "demo.example"}):
        headers = {"Origin": origin, **host}
        assert send(address, "POST", CALL, {"data": list(VALID_DATA)}, headers).status == 403
        answer = send(address, "GET", "/config", headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]
        preflight = headers | {"Access-Control-Request-Method": "POST"}
        assert send(address, "OPTIONS", CALL, headers=preflight).status == 404


def test_same_origin_requests_pass(address: str) -> None:
    assert call(address, headers={"Origin": address}).kind == "images"


def test_bodies_are_bounded_with_and_without_content_length(address: str) -> None:
    long = json.dumps({"data": ["x" * 70_000]}).encode()
    assert send(address, "POST", CALL, long).status == 413
    parts = iter([long[:1000]] * 100)
    assert send(address, "POST", CALL, parts, chunked=True).status in (0, 413)
    whole = iter([json.dumps({"data": list(VALID_DATA)}).encode()])
    assert send(address, "POST", CALL, whole, chunked=True).status == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [(make_png(), 200), (b"<svg/>", 415), (make_png(3000), 413), (make_png() + bytes(10**6), 413)],
)
def test_only_small_png_files_can_be_uploaded(address: str, content: bytes, status: int) -> None:
    assert send(address, "POST", f"{API}/upload", make_form(content), FORM).status == status


def test_evaluations_are_bounded_and_the_page_shows_the_limit(address: str) -> None:
    answer = call(address, [*VALID_DATA[:2], 100, "ddim", 2.0, 16, 0, "embedded"])
    assert answer.is_explained
    assert "3,200 network evaluations" in answer.text
    assert "(limit 1,600)" in send(address, "GET", "/config").text


def test_queued_events_cannot_bypass_the_queue(address: str) -> None:
    queued = [index for index, each in dependencies(address).items() if each["queue"]]
    assert queued
    for index in queued:
        body = {"data": [0] * 9, "fn_index": index, "session_hash": "a"}
        assert send(address, "POST", f"{API}/run/predict", body).status == 400
    assert send(address, "POST", f"{API}/run/generate", {"data": list(VALID_DATA)}).status == 400


def test_a_slow_request_and_a_body_that_does_not_arrive_end_with_a_message() -> None:
    with serve_app("--max-seconds", "0.1", "--body-timeout", "10") as address:
        client = http.client.HTTPConnection(
            urllib.parse.urlsplit(address).netloc, timeout=TIMEOUT_S
        )
        client.putrequest("POST", CALL)
        client.putheader("Content-Length", "100")
        client.endheaders(b"{")
        assert client.getresponse().status == 408
        answer = call(address, LONG)
        assert answer.is_explained
        assert "took longer" in answer.text


def start_request(address: str, session: str | None, client: str = "") -> tuple[int, str]:
    """Start a long request; return its status, and its event ID or the reason of a refusal.

    Args:
        address: the app's.
        session: session hash of a page, or None for a program.
        client: address in X-Forwarded-For, or "" to send none.
    """
    path = CALL
    body: dict[str, object] = {"data": LONG}
    if session:
        index = find_event(address, "generate", len(LONG))
        path, body = f"{API}/queue/join", {**body, "fn_index": index, "session_hash": session}
    answer = send(address, "POST", path, body, {"X-Forwarded-For": client} if client else {})
    if answer.kind == "page":
        return answer.status, json.loads(answer.text)["event_id"]
    return answer.status, str(answer.text)


def test_a_local_user_has_no_limits(address: str) -> None:
    started = [start_request(address, "tab") for _ in range(6)]
    assert [status for status, _ in started] == [200] * 6
    for _, event in started:
        body = {"session_hash": "tab", "fn_index": 0, "event_id": event}
        assert send(address, "POST", f"{API}/cancel", body).status == 200


def test_on_a_space_visitors_and_addresses_are_limited(space: str) -> None:
    first, second, third = (start_request(space, None, "93.184.216.34") for _ in range(3))
    assert [first[0], second[0], third[0]] == [200, 200, 429]
    assert "You have 2 requests" in third[1]
    # A forged entry before the proxy's does not change the address.
    assert start_request(space, None, "8.8.8.8, 93.184.216.34")[0] == 429
    # Another session at this address has its own limit, and another address its own rate.
    assert start_request(space, "session1", "93.184.216.34")[0] == 200
    assert start_request(space, "session2", "93.184.216.34")[0] == 200
    status, sentence = start_request(space, "session3", "93.184.216.34")
    assert status == 429
    assert "Too many requests from your address" in sentence
    refused = send(space, "POST", CALL, {"data": LONG}, {"X-Forwarded-For": "93.184.216.34"})
    assert int(refused.headers["retry-after"]) >= 1
    assert start_request(space, None, "8.8.4.4")[0] == 200


def test_a_full_queue_is_reported(space: str) -> None:
    visitors = [f"93.184.2.{number}" for number in range(QUEUE_SIZE + 2)]
    answers = [start_request(space, None, visitor) for visitor in visitors]
    assert {status for status, _ in answers} == {200, 503}
    assert "Queue is full" in next(sentence for status, sentence in answers if status == 503)
