"""Tests of which addresses and bodies reach the page."""

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
def test_what_the_page_needs_is_open(method: str, path: str) -> None:
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
def test_what_it_does_not_need_is_closed(method: str, path: str) -> None:
    with pytest.raises(HTTPException, match="nothing at this address"):
        ALLOWLIST.check_path(method, path)


@pytest.mark.parametrize(
    "rest",
    ["x" * 256, "ü" * 128, "/x" * 600, "\udcff" * 256],
    ids=["name", "bytes", "path", "none"],
)
def test_an_address_that_no_file_can_have_is_told_so(rest: str) -> None:
    ALLOWLIST.check_path("GET", f"/static/{rest[:127]}")
    with pytest.raises(HTTPException, match="at most 1,000 bytes, and 255 between") as refusal:
        ALLOWLIST.check_path("GET", f"/static/{rest}")
    assert refusal.value.status_code == 414


def test_language_models_are_let_in_only_where_they_are_served() -> None:
    Allowlist(EVENTS, ("class_name",), mcp=True).check_path("POST", f"{API}/mcp/")
    with pytest.raises(HTTPException):
        Allowlist(EVENTS, ("class_name",), mcp=True).check_path("POST", f"{API}/mcpx")


def sent(**values: Any) -> bytes:
    return json.dumps({"session_hash": "s1", **values}).encode()


def test_a_body_passes_without_what_is_not_needed() -> None:
    body = sent(fn_index=1, data=[1, 2, 3], batched=True, simple_format=True, oauth_token="x")
    asked = ALLOWLIST.check_body(JOIN, body)
    assert asked.event == EVENTS[1]
    assert asked.session == "s1"
    assert set(json.loads(asked.body)) == {"data", "session_hash", "fn_index"}


@pytest.mark.parametrize("extra", [500, 0.02, "500", [1], {"index": 0}, True, None])
def test_whatever_comes_with_an_event_that_needs_nothing_is_left_out(extra: Any) -> None:
    asked = ALLOWLIST.check_body(JOIN, sent(fn_index=1, data=[1, 2, 3], event_data=extra))
    assert "event_data" not in json.loads(asked.body)


def test_the_index_of_a_click_passes() -> None:
    for place in ({"index": 3, "value": {"caption": "bag"}}, {"index": 9}):
        asked = ALLOWLIST.check_body(JOIN, sent(fn_index=2, data=[1], event_data=place))
        assert json.loads(asked.body)["event_data"] == {"value": None, **place}


def test_a_program_has_no_session_in_which_its_answers_could_be_mixed_up() -> None:
    asked = ALLOWLIST.check_body(CALL, sent(data=[1, 2]))
    assert asked.session == ""
    assert json.loads(asked.body) == {"data": [1, 2]}


def test_a_program_may_leave_named_values_out() -> None:
    asked = ALLOWLIST.check_body(f"{API}/call/v2/generate", b'{"class_name": "bag"}')
    assert asked.event is not None
    assert asked.event.runs_network
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
        (JOIN, sent(fn_index=1, data=[1]), "data is a list of 1; it must be a list of 3"),
        (JOIN, sent(fn_index=1, data="abc"), "data is 'abc'; it must be a list"),
        (JOIN, sent(fn_index=1), "data is None"),
        (JOIN, sent(fn_index=0, data=[1, 2]), "fn_index is 0; the page has no such event"),
        (JOIN, sent(fn_index=True, data=[1, 2, 3]), "fn_index is True"),
        (JOIN, sent(fn_index=99, data=[]), "fn_index is 99"),
        (JOIN, sent(fn_index=1, data=[1, 2, 3], session_hash=7), "session_hash is 7"),
        (JOIN, sent(fn_index=1, data=[1, 2, 3], session_hash="a" * 65), "session_hash is"),
        (JOIN, sent(fn_index=1, data=[1, 2, 3], session_hash="../x"), "session_hash is"),
        (JOIN, b'{"fn_index": 1, "data": [1, 2, 3]}', "session_hash is missing"),
        (JOIN, sent(fn_index=1, data=[1, 2, 3], trigger_id=True), "trigger_id is True"),
        (JOIN, sent(fn_index=2, data=[1]), "event_data is None"),
        (JOIN, sent(fn_index=2, data=[1], event_data=500), "event_data is 500"),
        (JOIN, sent(fn_index=2, data=[1], event_data={"index": "0", "value": 1}), "event_data is"),
        (RUN, sent(fn_index=1, data=[1, 2, 3]), "fn_index is 1"),
        (RUN, sent(fn_index=0, data=[{"path": "http://x/"}, 2]), "path is 'http://x/'"),
        (RUN, sent(fn_index=0, data=[[{"a": {"path": "../x"}}], 2]), "path is '../x'"),
        (CALL, sent(data=[1, 2, 3]), "data is a list of 3; it must be a list of 2"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_in_a_sentence(
    path: str, body: bytes, expected: str
) -> None:
    with pytest.raises(HTTPException, match=expected) as caught:
        ALLOWLIST.check_body(path, body)
    assert caught.value.status_code == 400
    assert len(caught.value.detail) < 200


def test_a_program_written_before_a_parameter_was_added_is_served() -> None:
    allowlist = Allowlist(EVENTS, ("class_name", "steps", "guidance_low"), defaults=(0.0,))
    for data, passed in ((["bag", 3], ["bag", 3, 0.0]), (["bag", 3, 0.5], ["bag", 3, 0.5])):
        asked = allowlist.check_body(CALL, json.dumps({"data": data}).encode())
        assert json.loads(asked.body)["data"] == passed
    with pytest.raises(HTTPException, match="data is a list of 1; it must be a list of 3"):
        allowlist.check_body(CALL, b'{"data": ["bag"]}')
