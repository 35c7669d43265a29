"""Tests of the middleware around the running app, over HTTP."""

import http.client
import json
import urllib.parse
from collections.abc import Iterator

import pytest

from tests.server.test_uploads import form, png
from tests.tools import PATIENCE
from tests.tools.asking import API, CALL, SOUND, call, dependencies, event_named, send
from tests.tools.serving import running, served

pytestmark = pytest.mark.slow

LONG = [*SOUND[:2], 100, *SOUND[3:5], 16, *SOUND[6:]]
FORM = {"Content-Type": "multipart/form-data; boundary=----line"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The app of a lone local user."""
    with served("--drain-seconds", "0") as address:
        yield address


@pytest.fixture(scope="module")
def strangers() -> Iterator[str]:
    """The app on a Space, where visitors must share, and all wait behind another one's work.

    That work, on the same processors, outlasts a dozen small requests on any machine.
    """
    flags = ("--burst", "4", "--requests-per-minute", "0.001", "--drain-seconds", "0")
    turns = ("--max-concurrent-requests", "1", "--max-seconds", "3600")
    with running(*flags, *turns, environment={"SPACE_ID": "user/name"}) as app:
        event_named(app.address, "generate", len(LONG))
        for tab in ("a", "b", "c", "d"):
            assert asked(app.address, tab, "93.184.1.1")[0] == 200
        yield app.address


def test_the_app_says_that_it_lives_and_is_ready(address: str) -> None:
    assert json.loads(send(address, "GET", "/healthz").text) == {"status": "alive"}
    ready = json.loads(send(address, "GET", "/readyz").text)
    assert ready["status"] == "ready"
    assert ready["device"] in ("cpu", "cuda:0")
    assert len(ready["model"]) == 12
    assert ready["version"]


def test_what_happened_is_counted(address: str) -> None:
    def metrics() -> dict[str, float]:
        return dict(json.loads(send(address, "GET", "/metricsz").text))

    before = metrics()
    call(address)
    call(address, ["hat", *SOUND[1:]])
    call(address, [])
    after = metrics()
    changed = {name: after[name] - before[name] for name in ("accepted", "done", "rejected")}
    assert changed == {"accepted": 2, "done": 1, "rejected": 2}
    page = send(address, "GET", "/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=")
    assert f'fashion_ddpm_requests_total{{outcome="done"}} {after["done"]:.1f}' in page.text


def test_every_answer_says_what_may_be_done_with_it(address: str) -> None:
    for path in ("/", "/config", "/nowhere", "/healthz"):
        headers = send(address, "GET", path).headers
        assert "frame-ancestors 'self' https://huggingface.co" in headers["content-security-policy"]
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_page_can_neither_ask_nor_read(address: str, origin: str) -> None:
    for host in ({}, {"Host": "demo.example"}):
        headers = {"Origin": origin, **host}
        assert send(address, "POST", CALL, {"data": list(SOUND)}, headers).status == 403
        answer = send(address, "GET", "/config", headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]
        ask = headers | {"Access-Control-Request-Method": "POST"}
        assert send(address, "OPTIONS", CALL, headers=ask).status == 404


def test_the_page_itself_may_ask(address: str) -> None:
    assert call(address, headers={"Origin": address}).kind == "images"


def test_a_body_is_bounded_however_it_is_sent(address: str) -> None:
    long = json.dumps({"data": ["x" * 70_000]}).encode()
    assert send(address, "POST", CALL, long).status == 413
    parts = iter([long[:1000]] * 100)
    assert send(address, "POST", CALL, parts, chunked=True).status in (0, 413)
    whole = iter([json.dumps({"data": list(SOUND)}).encode()])
    assert send(address, "POST", CALL, whole, chunked=True).status == 200


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    with served("--body-timeout", "0.2") as address:
        link = http.client.HTTPConnection(urllib.parse.urlsplit(address).netloc, timeout=PATIENCE)
        link.putrequest("POST", CALL)
        link.putheader("Content-Length", "100")
        link.endheaders(b"{")
        assert link.getresponse().status == 408


@pytest.mark.parametrize(
    ("content", "status"),
    [(png(), 200), (b"<svg/>", 415), (png(3000), 413), (png() + bytes(2_000_000), 413)],
)
def test_only_small_pictures_can_be_uploaded(address: str, content: bytes, status: int) -> None:
    assert send(address, "POST", f"{API}/upload", form(content), FORM).status == status


def test_work_is_bounded_and_the_page_says_so(address: str) -> None:
    answer = call(address, [*SOUND[:2], 100, "ddim", 2.0, 16, 0, "embedded"])
    assert answer.is_told
    assert "3,200 UNet evaluations" in answer.text
    assert "at most 1,600" in send(address, "GET", "/config").text


def test_handlers_cannot_be_called_past_the_queue(address: str) -> None:
    queued = [index for index, each in dependencies(address).items() if each["queue"]]
    assert queued
    for index in queued:
        body = {"data": [0] * 9, "fn_index": index, "session_hash": "a"}
        assert send(address, "POST", f"{API}/run/predict", body).status == 400
    assert send(address, "POST", f"{API}/run/generate", {"data": list(SOUND)}).status == 400


def test_a_slow_request_ends_with_a_sentence() -> None:
    with served("--max-seconds", "0.1") as address:
        answer = call(address, LONG)
        assert answer.is_told
        assert "took longer" in answer.text


def asked(address: str, session: str | None, came_from: str = "") -> tuple[int, str]:
    """Start a long request and do not wait for it; return the status, and its id or why not.

    Args:
        address: the app's.
        session: a page's, or None for a program.
        came_from: what a proxy says, if there is one.
    """
    path = CALL
    body: dict[str, object] = {"data": LONG}
    if session:
        index = event_named(address, "generate", len(LONG))
        path, body = f"{API}/queue/join", {**body, "fn_index": index, "session_hash": session}
    answer = send(address, "POST", path, body, {"X-Forwarded-For": came_from} if came_from else {})
    if answer.kind == "page":
        return answer.status, json.loads(answer.text)["event_id"]
    return answer.status, str(answer.text)


def test_on_a_space_a_visitor_has_two_places_and_an_address_a_rate(strangers: str) -> None:
    first, second, third = (asked(strangers, None, "93.184.216.34") for _ in range(3))
    assert [first[0], second[0], third[0]] == [200, 200, 429]
    assert "You have 2 requests" in third[1]
    # Its own words before the proxy's do not make another visitor of it.
    assert asked(strangers, None, "8.8.8.8, 93.184.216.34")[0] == 429
    # Another visitor at the same address has places, and another address has its own rate.
    assert asked(strangers, "tab1", "93.184.216.34")[0] == 200
    assert asked(strangers, "tab2", "93.184.216.34")[0] == 200
    status, sentence = asked(strangers, "tab3", "93.184.216.34")
    assert status == 429
    assert "Too many requests from your address" in sentence
    again = send(strangers, "POST", CALL, {"data": LONG}, {"X-Forwarded-For": "93.184.216.34"})
    assert int(again.headers["retry-after"]) >= 1
    assert asked(strangers, None, "8.8.4.4")[0] == 200


def test_a_lone_local_user_is_not_hindered(address: str) -> None:
    started = [asked(address, "tab") for _ in range(6)]
    assert [status for status, _ in started] == [200] * 6
    for _, event in started:
        body = {"session_hash": "tab", "fn_index": 0, "event_id": event}
        assert send(address, "POST", f"{API}/cancel", body).status == 200


def test_a_full_queue_is_said() -> None:
    with served(
        "--max-concurrent-requests", "1", "--queue-size", "1", "--drain-seconds", "0"
    ) as address:
        answers = [asked(address, f"s{number}") for number in range(4)]
        assert 503 in [status for status, _ in answers]
        assert {status for status, _ in answers} == {200, 503}
        refused = next(sentence for status, sentence in answers if status == 503)
        assert "Queue is full" in refused
