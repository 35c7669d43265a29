"""Tests of the allowlist."""

import json
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from fashion_ddpm.server.allowlist import API, Allowlist, Event

EVENTS = {
    0: Event(2, is_queued=False, runs_network=False),
    1: Event(3, is_queued=True, runs_network=True),
    2: Event(1, is_queued=True, runs_network=False, is_select=True),
}
ALLOWLIST = Allowlist(EVENTS, ("class_name", "steps"))
JOIN, RUN, CALL = f"{API}/queue/join", f"{API}/run/predict", f"{API}/call/generate"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/assets/index.js"),
        ("GET", f"{API}/file=/tmp/gradio/a/image.png"),
        ("GET", f"{API}/call/generate/0123"),
        ("POST", JOIN),
        ("POST", RUN),
        ("POST", CALL),
        ("POST", f"{API}/upload"),
    ],
)
def test_paths_that_the_page_needs_pass(method: str, path: str) -> None:
    ALLOWLIST.check_path(method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{API}/file=http://169.254.169.254/latest"),
        ("GET", f"{API}/file=//example.com/x"),
        ("GET", f"{API}/file=../app.py"),
        ("GET", f"{API}/file=/tmp/gradio/../../etc/passwd"),
        ("GET", f"{API}/file=README.md"),
        ("GET", f"{API}/proxy=https://example.com"),
        ("GET", f"{API}/openapi.json"),
        ("GET", f"{API}/runs"),
        ("GET", f"{API}/deep_link"),
        ("GET", f"{API}/mcp/sse"),
        ("GET", "/monitoring"),
        ("GET", "/openapi.json"),
        ("GET", "/dev/reload"),
        ("POST", "/login"),
        ("POST", f"{API}/component_server"),
        ("POST", f"{API}/stream/0"),
        ("POST", f"{API}/api/generate"),
        ("POST", f"{API}/call/explain"),
        ("POST", f"{API}/vibe-edit"),
        ("POST", f"{API}/run-history/connect"),
        ("PUT", JOIN),
        ("DELETE", "/"),
        ("OPTIONS", JOIN),
    ],
)
def test_all_other_paths_and_methods_are_refused(method: str, path: str) -> None:
    with pytest.raises(HTTPException, match="nothing at this address"):
        ALLOWLIST.check_path(method, path)


@pytest.mark.parametrize(
    "name",
    ["x" * 256, "ü" * 128, "/x" * 600, "\udcff" * 256],
    ids=["name", "bytes", "path", "none"],
)
def test_a_path_that_is_too_long_is_refused(name: str) -> None:
    ALLOWLIST.check_path("GET", f"/static/{name[:127]}")
    with pytest.raises(HTTPException, match="at most 1,000 bytes, and 255 between") as refusal:
        ALLOWLIST.check_path("GET", f"/static/{name}")
    assert refusal.value.status_code == 414


def test_mcp_passes_only_if_it_is_served() -> None:
    Allowlist(EVENTS, ("class_name",), mcp=True).check_path("POST", f"{API}/mcp/")
    with pytest.raises(HTTPException):
        Allowlist(EVENTS, ("class_name",), mcp=True).check_path("POST", f"{API}/mcpx")


def encode(**values: Any) -> bytes:
    return json.dumps({"session_hash": "s1", **values}).encode()


def test_a_body_passes_without_unneeded_fields() -> None:
    body = encode(fn_index=1, data=[1, 2, 3], batched=True, simple_format=True, oauth_token="x")
    checked = ALLOWLIST.check_body(JOIN, body)
    assert checked.event == EVENTS[1]
    assert checked.session == "s1"
    assert set(json.loads(checked.body)) == {"data", "session_hash", "fn_index"}


@pytest.mark.parametrize("extra", [500, 0.02, "500", [1], {"index": 0}, True, None])
def test_event_data_of_other_events_is_dropped(extra: Any) -> None:
    checked = ALLOWLIST.check_body(JOIN, encode(fn_index=1, data=[1, 2, 3], event_data=extra))
    assert "event_data" not in json.loads(checked.body)


def test_event_data_of_a_select_event_passes() -> None:
    for event_data in ({"index": 3, "value": {"caption": "bag"}}, {"index": 9}):
        checked = ALLOWLIST.check_body(JOIN, encode(fn_index=2, data=[1], event_data=event_data))
        assert json.loads(checked.body)["event_data"] == {"value": None, **event_data}


def test_the_session_of_a_program_is_dropped() -> None:
    checked = ALLOWLIST.check_body(CALL, encode(data=[1, 2]))
    assert checked.session == ""
    assert json.loads(checked.body) == {"data": [1, 2]}


def test_named_parameters_may_be_missing() -> None:
    checked = ALLOWLIST.check_body(f"{API}/call/v2/generate", b'{"class_name": "bag"}')
    assert checked.event is not None
    assert checked.event.runs_network
    with pytest.raises(HTTPException, match="'hat' is none of class_name, steps"):
        ALLOWLIST.check_body(f"{API}/call/v2/generate", b'{"hat": 1}')


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (JOIN, b"", "no JSON"),
        (JOIN, b"\xff", "no JSON"),
        (JOIN, b'{"data": NaN}', "NaN and Infinity"),
        (JOIN, b"[" * 60_000, "no JSON"),
        (JOIN, b'{"fn_index": ' + b"9" * 5000 + b"}", "no JSON"),
        (JOIN, b"[]", "must be a JSON object"),
        (JOIN, encode(fn_index=1, data=[1]), "data is a list of 1; it must be a list of 3"),
        (JOIN, encode(fn_index=1, data="abc"), "data is 'abc'; it must be a list"),
        (JOIN, encode(fn_index=1), "data is None"),
        (JOIN, encode(fn_index=0, data=[1, 2]), "fn_index is 0; the page has no such event"),
        (JOIN, encode(fn_index=True, data=[1, 2, 3]), "fn_index is True"),
        (JOIN, encode(fn_index=99, data=[]), "fn_index is 99"),
        (JOIN, encode(fn_index=1, data=[1, 2, 3], session_hash=7), "session_hash is 7"),
        (JOIN, encode(fn_index=1, data=[1, 2, 3], session_hash="a" * 65), "session_hash is"),
        (JOIN, encode(fn_index=1, data=[1, 2, 3], session_hash="../x"), "session_hash is"),
        (JOIN, b'{"fn_index": 1, "data": [1, 2, 3]}', "session_hash is missing"),
        (JOIN, encode(fn_index=1, data=[1, 2, 3], trigger_id=True), "trigger_id is True"),
        (JOIN, encode(fn_index=2, data=[1]), "event_data is None"),
        (JOIN, encode(fn_index=2, data=[1], event_data=500), "event_data is 500"),
        (JOIN, encode(fn_index=2, data=[1], event_data={"index": "0"}), "event_data is"),
        (RUN, encode(fn_index=1, data=[1, 2, 3]), "fn_index is 1"),
        (RUN, encode(fn_index=0, data=[{"path": "http://x/"}, 2]), "path is 'http://x/'"),
        (RUN, encode(fn_index=0, data=[[{"a": {"path": "../x"}}], 2]), "path is '../x'"),
        (CALL, encode(data=[1, 2, 3]), "data is a list of 3; it must be a list of 2"),
    ],
)
def test_an_invalid_body_is_refused_with_a_reason(path: str, body: bytes, expected: str) -> None:
    with pytest.raises(HTTPException, match=expected) as refusal:
        ALLOWLIST.check_body(path, body)
    assert refusal.value.status_code == 400
    assert len(refusal.value.detail) < 200


def test_programs_without_the_last_parameters_get_their_defaults() -> None:
    allowlist = Allowlist(EVENTS, ("class_name", "steps", "guidance_low"), defaults=(0.0,))
    for data, passed in ((["bag", 3], ["bag", 3, 0.0]), (["bag", 3, 0.5], ["bag", 3, 0.5])):
        checked = allowlist.check_body(CALL, json.dumps({"data": data}).encode())
        assert json.loads(checked.body)["data"] == passed
    with pytest.raises(HTTPException, match="data is a list of 1; it must be a list of 3"):
        allowlist.check_body(CALL, b'{"data": ["bag"]}')
